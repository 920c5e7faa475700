"""`t2vid/synthetic`: long texts with a question each, to be drawn as frames when a row is read.

    >>> import t2vid
    >>> from datasets import load_dataset
    >>> rows = load_dataset("t2vid/synthetic", "sample", split="train")
    >>> rows.column_names
    ['id', 'source', 'images', 'messages', 'n_frames', 'n_words']

Every text corpus of `t2vid list corpora` is a configuration, and has a name of its own as well
(`t2vid/longalpaca`): from the Hub, or `data_files=` / `data_dir=`; `triplets` takes anyone's JSON, JSONL or
Parquet of context, question, answer; `sample` is bundled and needs no network.
`num_proc` deals out parts of 500 rows, so a smaller file is one process's work; `datasets` says so.
Without the registered name: `Synthetic(config_name="sample").download_and_prepare()`, then
`.as_dataset()`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import datasets

from t2vid import catalog, samples
from t2vid.corpora.converting import converted
from t2vid.corpora.rows import check_columns
from t2vid.corpora.triplets import KEYS, Triplet
from t2vid.dataset_scripts.corpus import CorpusBuilder, FileJob
from t2vid.errors import InputError, MissingFile, MissingGlyphs
from t2vid.frames.feature import Frames, text_value
from t2vid.frames.render import count_frames
from t2vid.frames.spec import RenderSpec
from t2vid.schema import Counts, messages, n_words, row_features
from t2vid.storage import records

DATASET = "t2vid/synthetic"


@dataclass
class SyntheticConfig(datasets.BuilderConfig):
    """Options of `t2vid/synthetic`.

    Args:
        render: how the texts are drawn: a `RenderSpec`, a mapping of its fields, or the name of a
            preset, `"default"`, `"dense"` or `"paper"`.
        style_seed: draw every text in a style of its own, `RenderSpec.random` of this seed and the row's
            id, with the size and markup that `render` gives; None draws all of them as `render` says.
        style_level: how far these styles go, from 0 (clean pages) to 3 (photographs of pages).
        strict: refuse documents that hold an end marker themselves, where the cut is a guess.
        min_words: drop shorter texts, e.g. the short Alpaca rows that have an `input`.
        columns: for `triplets`, the file's names of context, question and answer.
        question: asked where a row holds a document and an answer, and no question.
    """

    render: RenderSpec | Mapping[str, Any] | str | None = None  # a RenderSpec after __post_init__
    style_seed: int | None = None
    style_level: int = 0
    strict: bool = False
    min_words: int = 0
    columns: Mapping[str, str] | None = None
    question: str = ""

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        self.render = RenderSpec.from_value(self.render)
        RenderSpec.random(0, level=self.style_level)  # refuses a level that is none
        if self.min_words < 0:
            raise InputError(f"min_words ({self.min_words}) must be >= 0")
        check_columns(self.columns, KEYS)


class Synthetic(CorpusBuilder):
    """Builder behind `load_dataset("t2vid/synthetic", …)`."""

    BUILDER_CONFIG_CLASS = SyntheticConfig
    BUILDER_CONFIGS = [
        SyntheticConfig(name=entry.config, description=entry.about)
        for entry in catalog.CORPORA
        if entry.dataset == DATASET and entry.converter
    ]
    DEFAULT_CONFIG_NAME = "sample"
    config: SyntheticConfig

    def __init__(
        self, *args: Any, data_files: Any = None, data_dir: str | None = None, **kwargs: Any
    ) -> None:
        """Turn `data_dir` into its files, so that a changed file makes a new cache entry."""
        name = kwargs.get("config_name") or self.DEFAULT_CONFIG_NAME or ""
        entry = catalog.corpus_of(DATASET, name)
        if entry.bundled and (data_files is not None or data_dir is not None):
            raise InputError(
                f"config {name!r} is the bundled texts and takes no data_files= or data_dir=; for "
                "your own rows use config 'triplets'"
            )
        if data_dir is not None and data_files is None:
            data_files = records.in_folder(data_dir, entry.hub_file.rpartition("/")[2])
        super().__init__(*args, data_files=data_files, **kwargs)

    def _info(self) -> datasets.DatasetInfo:
        self.config.__post_init__()  # datasets sets options on a copy of a named config, unchecked
        licence = samples.LICENCE if self.entry.bundled else ""
        return datasets.DatasetInfo(features=row_features(Frames()), license=licence)

    @property
    def entry(self) -> catalog.Corpus:
        """What the catalogue says of the corpus of this configuration."""
        return catalog.corpus_of(DATASET, self.config.name)

    def public_files(self) -> dict[str, list[str]]:
        """Give the public file of the config, or the bundled one."""
        if self.entry.bundled:
            return {"train": [str(samples.ROOT / name) for name in self.entry.files]}
        if not self.entry.hub_file:
            raise MissingFile(
                f"config {self.config.name!r} needs data_files= (JSON, JSONL or Parquet of "
                f"{', '.join(KEYS)}) or data_dir="
            )
        return {"train": [self.entry.hub_file]}

    def make_rows(self, job: FileJob, counts: Counts) -> Iterator[dict[str, Any]]:
        """Give the rows of one job, counting what is dropped."""
        for triplet in self._triplets(job, counts):
            row = text_row(
                triplet,
                spec=self._spec(triplet.id),
                source=self.config.name,
                counts=counts,
                min_words=self.config.min_words,
            )
            if row is not None:
                yield row

    def _spec(self, row_id: str) -> RenderSpec:
        render = cast(RenderSpec, self.config.render)
        if self.config.style_seed is None:
            return render
        digest = hashlib.sha256(f"{self.config.style_seed} {row_id}".encode()).digest()
        seed = int.from_bytes(digest[:7], "big")
        return RenderSpec.random(seed, like=render, level=self.config.style_level)

    def _triplets(self, job: FileJob, counts: Counts) -> Iterator[Triplet]:
        rows = records.read(job.part)
        found = converted(self.entry, rows, counts, source=job.source, options=self.config)
        return cast(Iterator[Triplet], found)


def text_row(
    triplet: Triplet, *, spec: RenderSpec, source: str, counts: Counts, min_words: int = 0
) -> dict[str, Any] | None:
    """Give the row of a triplet; None, counted, where its text is too short or cannot be drawn.

    Args:
        triplet: text, question and answer.
        spec: how the text will be drawn.
        source: value of the `source` column.
        counts: where a dropped row is counted.
        min_words: blank-separated words that the text must have.
    """
    words, file = n_words([triplet.context]), triplet.id.rpartition("/")[0]
    if words < min_words:
        counts.drop(f"under {min_words:,} words", source=file, example=triplet.id)
        return None
    try:
        n_frames = count_frames(triplet.context, spec)
    except Exception as error:  # whatever one text raises, the other rows are built
        missing = isinstance(error, MissingGlyphs)
        reason = "characters without a font" if missing else "text cannot be drawn"
        counts.drop(reason, source=file, example=f"{triplet.id}: {error}")
        return None
    return {
        "id": triplet.id,
        "source": source,
        "images": text_value(triplet.context, spec),
        "messages": messages(triplet.turns, n_frames=n_frames),
        "n_frames": n_frames,
        "n_words": words,
    }


def named_configs(name: str) -> list[SyntheticConfig]:
    """Give the one configuration of a text corpus that is loaded by its own name.

    Args:
        name: of the corpus.
    """
    entry = catalog.corpus(name)
    return [SyntheticConfig(name=entry.config, description=entry.about)]
