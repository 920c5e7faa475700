"""`t2vid/needles`: long sequences of frames with a drawn needle, generated, seeded.

>>> from datasets import load_dataset
>>> import t2vid
>>> rows = load_dataset("t2vid/needles", "text", split="test", lengths=[2], depths=[0.0, 1.0], each=1)
>>> rows["id"][:]
['needles/text/0/2/0/0', 'needles/text/0/2/100/0']

t2vid eval me/my-model t2vid/needles --protocol needles --out runs/needles   # writes needles.png, too
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets

from t2vid.errors import MissingFile
from t2vid.evaluation.benchmarks import needles
from t2vid.evaluation.benchmarks.questions import features
from t2vid.frames.feature import Frames


@dataclass
class NeedlesConfig(datasets.BuilderConfig):
    """Options of the needles.

    Args:
        lengths: of the sequences, in frames; of a text about so many.
        depths: of the needle, from 0, the first frame, to 1, the last.
        each: sequences of every length and depth.
        seed: of words, options and haystacks.
        haystack: a video (config `video`) or a text file (`text`) to hide them in, in place of the
            bundled ones.
    """

    lengths: Sequence[int] = (8, 16, 32, 64)
    depths: Sequence[float] = (0.0, 0.25, 0.5, 0.75, 1.0)
    each: int = 4
    seed: int = 0
    haystack: str | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        list(needles.cells(lengths=self.lengths, depths=self.depths, each=self.each))
        if self.haystack is not None and not Path(self.haystack).is_file():
            raise MissingFile(f"haystack={self.haystack!r} is not a file")


class NeedlesBuilder(datasets.GeneratorBasedBuilder):
    """Builder behind `load_dataset("t2vid/needles", …)`."""

    BUILDER_CONFIG_CLASS = NeedlesConfig
    DEFAULT_WRITER_BATCH_SIZE = 8  # a clip is some hundred kilobytes
    config: NeedlesConfig

    def _info(self) -> datasets.DatasetInfo:
        self.config.__post_init__()  # datasets sets options on a copy of a named config, unchecked
        return datasets.DatasetInfo(features=features(Frames()))

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        return [datasets.SplitGenerator(name="test")]

    def _generate_examples(self) -> Iterator[tuple[int, dict[str, Any]]]:
        config = self.config
        found = needles.cells(lengths=config.lengths, depths=config.depths, each=config.each)
        for number, cell in enumerate(found):
            yield (
                number,
                needles.row(cell, config.name, seed=config.seed, haystack=config.haystack),
            )


def named_configs(name: str) -> list[NeedlesConfig]:
    """Give the configurations, the default first."""
    return [
        NeedlesConfig(name=one, description=about) for one, about in needles.READER.configs.items()
    ]
