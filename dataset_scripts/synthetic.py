"""`t2vid/synthetic`: long texts with a question each, to be drawn as frames when a row is read.

    >>> import t2vid
    >>> from datasets import load_dataset
    >>> rows = load_dataset("t2vid/synthetic", "sample", split="train")
    >>> rows.column_names
    ['id', 'source', 'images', 'messages', 'n_frames', 'n_words']

Configs: `longalpaca` and `longqlora` (from the Hub, or `data_files=` / `data_dir=`), `triplets`
(anyone's JSON, JSONL or Parquet of context, question, answer) and `sample` (bundled, no network).
`num_proc` deals out parts of 500 rows, so a smaller file is one process's work; `datasets` says so.
Without the registered name: `Synthetic(config_name="sample").download_and_prepare()`, then
`.as_dataset()`.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import datasets

from t2vid import samples
from t2vid.corpora import files, long_alpaca, long_qlora, triplets
from t2vid.corpora.triplets import Triplet
from t2vid.dataset_scripts.corpus import Corpus, Job
from t2vid.errors import InputError, MissingFile, MissingGlyphs
from t2vid.frames.feature import Frames, text_value
from t2vid.frames.render import count_frames
from t2vid.frames.spec import RenderSpec
from t2vid.schema import Counts, messages, n_words, row_features

HUB_FILES = {
    "longalpaca": "hf://datasets/Yukang/LongAlpaca-12k/LongAlpaca-12k.json",
    "longqlora": "hf://datasets/YeungNLP/LongQLoRA-Dataset/LongQLoRA-SFT-Data-39k.jsonl",
}


@dataclass
class SyntheticConfig(datasets.BuilderConfig):
    """Options of `t2vid/synthetic`.

    Args:
        render: how the texts are drawn: a `RenderSpec`, a mapping of its fields, or the name of a
            preset, `"default"`, `"dense"` or `"paper"`.
        style_seed: draw every text in a style of its own, `RenderSpec.random` of this seed and the row's
            id, at the size that `render` gives; None draws all of them as `render` says.
        strict: refuse documents that hold an end marker themselves, where the cut is a guess.
        min_words: drop shorter texts, e.g. the short Alpaca rows that have an `input`.
        columns: for `triplets`, the file's names of context, question and answer.
    """

    render: RenderSpec | Mapping[str, Any] | str | None = None  # a RenderSpec after __post_init__
    style_seed: int | None = None
    strict: bool = False
    min_words: int = 0
    columns: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        self.render = RenderSpec.from_value(self.render)
        if self.min_words < 0:
            raise InputError(f"min_words ({self.min_words}) must be >= 0")
        unknown = sorted(set(self.columns or {}) - set(triplets.KEYS))
        if unknown:
            raise InputError(f"columns names {unknown}; it can name {list(triplets.KEYS)}")


class Synthetic(Corpus):
    """Builder behind `load_dataset("t2vid/synthetic", …)`."""

    BUILDER_CONFIG_CLASS = SyntheticConfig
    BUILDER_CONFIGS = [
        SyntheticConfig(name="longalpaca", description="LongAlpaca-12k: papers and books."),
        SyntheticConfig(
            name="longqlora", description="LongQLoRA SFT: books, search results, papers."
        ),
        SyntheticConfig(name="triplets", description="Your rows of context, question, answer."),
        SyntheticConfig(name="sample", description="Bundled texts; no network."),
    ]
    DEFAULT_CONFIG_NAME = "sample"
    config: SyntheticConfig

    def __init__(
        self, *args: Any, data_files: Any = None, data_dir: str | None = None, **kwargs: Any
    ) -> None:
        """Turn `data_dir` into its files, so that a changed file makes a new cache entry."""
        name = kwargs.get("config_name") or self.DEFAULT_CONFIG_NAME
        if name == "sample" and (data_files is not None or data_dir is not None):
            raise InputError(
                "config 'sample' is the bundled texts and takes no data_files= or data_dir=; for "
                "your own rows use config 'triplets'"
            )
        if data_dir is not None and data_files is None:
            public = HUB_FILES.get(kwargs.get("config_name") or "", "").rpartition("/")[2]
            data_files = files.in_folder(data_dir, public)
        super().__init__(*args, data_files=data_files, **kwargs)

    def _info(self) -> datasets.DatasetInfo:
        self.config.__post_init__()  # datasets sets options on a copy of a named config, unchecked
        licence = samples.LICENCE if self.config.name == "sample" else ""
        return datasets.DatasetInfo(features=row_features(Frames()), license=licence)

    def public_files(self) -> dict[str, list[str]]:
        """Give the public file of the config, or the bundled one."""
        if self.config.name == "sample":
            return {"train": [str(samples.ROOT / "texts.jsonl")]}
        if self.config.name not in HUB_FILES:
            raise MissingFile(
                f"config {self.config.name!r} needs data_files= (JSON, JSONL or Parquet of "
                f"{', '.join(triplets.KEYS)}) or data_dir="
            )
        return {"train": [HUB_FILES[self.config.name]]}

    def make_rows(self, job: Job, counts: Counts) -> Iterator[dict[str, Any]]:
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
        return dataclasses.replace(
            RenderSpec.random(int.from_bytes(digest[:8], "big")),
            width=render.width,
            height=render.height,
            on_missing=render.on_missing,
        )

    def _triplets(self, job: Job, counts: Counts) -> Iterator[Triplet]:
        rows = files.read(job.part)
        if self.config.name == "longalpaca":
            return long_alpaca.convert(rows, counts, strict=self.config.strict, source=job.source)
        if self.config.name == "longqlora":
            return long_qlora.convert(rows, counts, strict=self.config.strict, source=job.source)
        return triplets.convert(rows, counts, source=job.source, columns=self.config.columns)


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
    except ValueError as error:  # ours are ValueErrors too; a font library raises plain ones
        missing = isinstance(error, MissingGlyphs)
        reason = "characters without a font" if missing else "text cannot be drawn"
        counts.drop(reason, source=file, example=f"{triplet.id}: {error}")
        return None
    turns = [("user", triplet.question), ("assistant", triplet.answer)]
    return {
        "id": triplet.id,
        "source": source,
        "images": text_value(triplet.context, spec),
        "messages": messages(turns, n_frames=n_frames),
        "n_frames": n_frames,
        "n_words": words,
    }
