"""`t2vid/mix`: long texts and videos in one training set.

Config `sample` mixes the bundled texts with the bundled clips; it needs no network.

    >>> import t2vid
    >>> from datasets import load_dataset
    >>> mix = load_dataset("t2vid/mix", "sample", split="train")
    >>> sorted(set(mix["source"]))
    ['clips', 'texts']
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import datasets
import numpy as np

from t2vid import samples
from t2vid.frames.feature import Frames, text_value, video_value
from t2vid.frames.render import count_frames
from t2vid.frames.spec import RenderSpec, SampleSpec
from t2vid.frames.video import probe
from t2vid.schema import messages, row_features

_ROLES = {"human": "user", "gpt": "assistant"}


@dataclass
class MixConfig(datasets.BuilderConfig):
    """Args: seed of the order of rows, and the frame budget of a video."""

    seed: int = 0
    max_frames: int = 24


class Mix(datasets.GeneratorBasedBuilder):
    """Builder behind `load_dataset("t2vid/mix", …)`."""

    BUILDER_CONFIG_CLASS = MixConfig
    BUILDER_CONFIGS = [
        MixConfig(name="sample", version=datasets.Version("1.0.0"), description="Bundled sample.")
    ]
    config: MixConfig

    def _info(self) -> datasets.DatasetInfo:
        return datasets.DatasetInfo(features=row_features(Frames()))

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        return [datasets.SplitGenerator(name=datasets.Split.TRAIN)]

    def _generate_examples(self) -> Iterator[tuple[str, dict[str, Any]]]:
        rows = [*_text_rows(), *_clip_rows(self.config.max_frames)]
        for place in np.random.default_rng(self.config.seed).permutation(len(rows)):
            yield rows[place]["id"], rows[place]


def _text_rows() -> Iterator[dict[str, Any]]:
    spec = RenderSpec()
    for text in samples.texts():
        turns = [("user", text["question"]), ("assistant", text["answer"])]
        frames = count_frames(text["context"], spec)
        yield {
            "id": f"texts/{text['id']}",
            "source": "texts",
            "images": text_value(text["context"], spec),
            "messages": messages(turns, n_frames=frames),
            "n_frames": frames,
            "n_words": len(text["context"].split()),
        }


def _clip_rows(max_frames: int) -> Iterator[dict[str, Any]]:
    spec = SampleSpec(max_frames=max_frames)
    for clip in samples.clips():
        path = str(samples.ROOT / clip["video"])
        frames = probe(path, spec).n_frames
        turns = [
            (_ROLES[turn["from"]], turn["value"].replace("<video>", "").strip())
            for turn in clip["conversations"]
        ]
        yield {
            "id": f"clips/{clip['id']}",
            "source": "clips",
            "images": video_value(path, spec),
            "messages": messages(turns, n_frames=frames),
            "n_frames": frames,
            "n_words": sum(len(text.split()) for _, text in turns),
        }
