"""`t2vid/rows`: anybody's rows, in whatever common layout, with their images and videos.

    >>> import json, tempfile; from pathlib import Path
    >>> from datasets import load_dataset
    >>> file = Path(tempfile.mkdtemp(), "mine.jsonl")
    >>> _ = file.write_text(json.dumps({"query": "Why?", "response": "So."}))
    >>> load_dataset("t2vid/rows", data_files=str(file), split="train")["source"][:]
    ['rows']

JSON, JSONL, CSV and Parquet of LLaVA, ShareGPT, OpenAI and HF messages, TRL, ms-swift, LLaMA-Factory,
Qwen, VideoChat2, Video-R1 …; the layout is found by each row's keys, or named with `layout=`. Media
are found below `data_dir=`, or beside the file. The public corpora of such rows have names of their
own (`t2vid list corpora`). Rows that cannot be used are counted by reason: `counting.read_counts`.
Of rows with one id the second is called `id#2`; a stream counts those that its process reads.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import datasets

from t2vid import catalog
from t2vid.corpora.layouts import IDS, LAYOUTS, ROW_KEYS, LayoutRow, own_id, said_by
from t2vid.corpora.rows import check_columns, check_present, convert, renamed
from t2vid.corpora.stored import MediaFinder, count_frames, messages_of, settled
from t2vid.dataset_scripts.corpus import FileJob, PublicCorpus
from t2vid.errors import InputError, LayoutError, MissingFile
from t2vid.frames.feature import Frames
from t2vid.frames.spec import SampleSpec
from t2vid.frames.together import together
from t2vid.schema import Counts, n_words, row_features
from t2vid.storage import records
from t2vid.storage.files import is_url, path_of, scheme_of
from t2vid.storage.folder import matching
from t2vid.storage.videos import VideoFolder


@dataclass
class RowsConfig(datasets.BuilderConfig):
    """Options of `t2vid/rows`.

    Args:
        layout: name of the layout of all rows; None finds it by each row's keys. `"trl"` is
            `messages` in which `<image>` in a text is a word.
        columns: what a layout's keys are called in the file, e.g. `{"messages": "dialog"}`.
        question: asked where a row has an answer or a caption and no question of its own.
        sample: which frames of a video are shown; what a row says of its own video wins.
        missing: a row whose media are not there is dropped and counted, or an error.
        media_state: set by the builder, so that other media make a new cache entry.
    """

    layout: str | None = None
    columns: Mapping[str, str] | None = None
    question: str = ""
    sample: SampleSpec | Mapping[str, Any] | None = None  # a SampleSpec after __post_init__
    missing: Literal["drop", "raise"] = "drop"
    media_state: str = ""

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        self.sample = SampleSpec.from_value(self.sample)
        if self.layout is not None and self.layout not in (*LAYOUTS, "trl"):
            raise catalog.unknown("layout", self.layout, [*LAYOUTS, "trl"])
        check_columns(self.columns, ROW_KEYS)
        if self.missing not in ("drop", "raise"):
            raise InputError(f"missing ({self.missing!r}) must be 'drop' or 'raise'")


@dataclass(frozen=True)
class RowsJob(FileJob):
    """A job that knows which ids of its rows earlier jobs have had, and how often.

    Args:
        met: how often, by id.
    """

    met: Mapping[str, int] = field(default_factory=dict)


class RepeatedIds:
    """Says how many rows before had the same id; the same row asks as often as it likes.

    >>> ids = RepeatedIds()
    >>> [ids.before(name, place) for name, place in [("a", 0), ("a", 1), ("a", 0), ("a", 2)]]
    [0, 1, 0, 2]
    """

    def __init__(self) -> None:
        self._first: dict[str, Any] = {}
        self._others: dict[str, dict[Any, int]] = {}

    def before(self, row_id: str, place: object) -> int:
        """Count the rows at other places that had this id before this one."""
        if self._first.setdefault(row_id, place) == place:
            return 0
        others = self._others.setdefault(row_id, {})
        return others.setdefault(place, len(others) + 1)


class Rows(PublicCorpus):
    """Builder behind `load_dataset("t2vid/rows", …)` and every public corpus of such rows.

    Args:
        corpus: name of the corpus.
        data_files: the files of rows; for a public corpus by default those in `data_dir`, else the
            public ones.
        data_dir: folder of the media, in any nesting; that of the first file by default.
    """

    BUILDER_CONFIG_CLASS = RowsConfig
    needs = "data_files= (JSON, JSONL, CSV or Parquet of rows) or data_dir= that holds them"
    config: RowsConfig

    def __init__(
        self,
        *args: Any,
        corpus: str = "rows",
        data_files: Any = None,
        data_dir: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Look through the folder of the media, and for the rows where none are named."""
        self.entry = catalog.corpus(corpus)
        self._finder = MediaFinder(None)
        self._ids: dict[str, RepeatedIds] = {}
        if data_dir is not None and data_files is None:
            data_files = self._files_in(data_dir)
        first = _first_of(data_files)
        if data_dir is None and first:
            if scheme_of(first) == "hf":  # all of the repository: rows often lie in a folder of it
                data_dir = "/".join(first.split("/")[:5])
            elif is_url(first):
                self._finder = MediaFinder(None, first.rpartition("/")[0])
            elif os.path.isfile(first):
                data_dir = os.path.dirname(os.path.abspath(first))
        if data_dir is not None:
            folder = VideoFolder.scan(data_dir, images=True, image_folders=True)
            self._finder, data_dir = MediaFinder(folder), str(folder.root)
            kwargs["media_state"] = folder.state
        kwargs.setdefault("dataset_name", self.entry.dataset.replace("/", "_"))
        super().__init__(*args, data_files=data_files, data_dir=data_dir, **kwargs)

    def make_rows(self, job: FileJob, counts: Counts) -> Iterator[dict[str, Any]]:
        """Give the rows of one job, counting what is dropped."""
        rows = records.read(job.part)
        options: dict[str, Any] = {
            "layout": self.config.layout or "",
            "columns": self.config.columns,
            "question": self.config.question,
        }
        told = (
            RepeatedIds()
            if isinstance(job, RowsJob)
            else self._ids.setdefault(job.split, RepeatedIds())
        )
        for at, row in enumerate(convert(rows, counts, source=job.source, own_ids=True, **options)):
            n_before = told.before(row.id, (job.number, at)) + getattr(job, "met", {}).get(
                row.id, 0
            )
            if n_before:
                row = row._replace(id=f"{row.id}#{n_before + 1}")
                counts.note("id of another row, numbered", source=job.source, example=row.id)
            try:
                yield self._row(row)
            except LayoutError as error:
                if self.config.missing == "raise" and error.reason.startswith("no such"):
                    raise MissingFile(
                        f'{error} (of row {row.id!r}); use missing="drop" to leave such rows out'
                    ) from error
                counts.drop(error.reason, source=job.source, example=f"{row.id}: {error}")

    def _row(self, row: LayoutRow) -> dict[str, Any]:
        spec = cast(SampleSpec, self.config.sample)
        media = settled(row, finder=self._finder, sample=spec, count=count_frames)
        n_places = [sum(one.n for one in parts) for parts in media]
        own = row.source if self.entry.name == "rows" else ""  # licences are known by the corpus
        return {
            "id": row.id,
            "source": own or self.entry.name,
            "images": together([one for parts in media for one in parts]),
            "messages": messages_of(row.turns, n_places, weighted=True),
            "n_frames": sum(n_places),
            "n_words": n_words([said for _, said in said_by(row.turns)]),
        }

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        splits = super()._split_generators(dl_manager)
        for split in splits:
            paths = dict.fromkeys(job.part.path for job in split.gen_kwargs["jobs"])
            rows = (row for path in paths for row in records.read(path))
            check_present(rows, self.config.columns or {}, self.source_name)
        if dl_manager.is_streaming:  # a pass over a remote file would be a download
            return splits
        for split in splits:
            met: Counter[str] = Counter()
            jobs = []
            for job in split.gen_kwargs["jobs"]:
                ids = self._ids_of(job)
                known = {name: met[name] for name in ids if name in met}
                jobs.append(RowsJob(job.split, job.number, job.source, job.part, known))
                met.update(ids)
            split.gen_kwargs["jobs"] = jobs
        return splits

    def _ids_of(self, job: FileJob) -> list[str]:
        """List the ids that the records of a job have themselves; processes share nothing."""
        names = self.config.columns or {}
        found = []
        for _, value in records.read(job.part, only={*IDS, *names.values()}):
            try:
                record = renamed(value, names)
            except LayoutError:
                continue  # counted when the row is made
            parts = record if isinstance(record, list) else [record]
            found += [own for one in parts if isinstance(one, Mapping) and (own := own_id(one))]
        return found

    def _info(self) -> datasets.DatasetInfo:
        return datasets.DatasetInfo(features=row_features(Frames(), weighted=True))

    def _files_in(self, data_dir: str) -> Sequence[str] | None:
        if not self.entry.files:
            return records.in_folder(data_dir)
        root = path_of(data_dir)
        for name in self.entry.files:  # later names are the same file as others call it
            if found := [str(root / path) for path in matching(root, name)]:
                return found
        return None


def _first_of(data_files: Any) -> str:
    while isinstance(data_files, Mapping | list | tuple) and data_files:
        values = list(data_files.values() if isinstance(data_files, Mapping) else data_files)
        data_files = values[0]
    return str(data_files) if isinstance(data_files, str | os.PathLike) else ""
