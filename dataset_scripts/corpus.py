"""What the corpus builders share: finding the files, cutting them for several processes, counting.

>>> FileJob("train", 0, "triplets", records.Part("a.jsonl")).part.n_rows is None
True
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from glob import has_magic
from pathlib import PurePosixPath
from typing import Any, ClassVar

import datasets
from datasets.exceptions import DatasetGenerationError

from t2vid import errors
from t2vid.catalog import Corpus
from t2vid.corpora import counting
from t2vid.errors import MissingFile, RecordError, T2VidError
from t2vid.registry import writing_folder
from t2vid.schema import Counts
from t2vid.storage import records


@dataclass(frozen=True)
class FileJob:
    """The unit that one process generates: some rows of one file.

    Args:
        split: name of the split.
        number: place among the jobs of the split; names the file of counts.
        source: prefix of the ids, unique for the file.
        part: the rows.
    """

    split: str
    number: int
    source: str
    part: records.Part


class CorpusBuilder(datasets.GeneratorBasedBuilder):
    """A builder over corpus files; a subclass says where they are and what a row is.

    Source rows that do not become a row are counted by reason: one log line a job, a file
    `counts-<split>-<number>.json` beside the Arrow files (read by `t2vid.corpora.counting`), and
    `builder.counts` for what this process generated, a stream included.
    """

    DEFAULT_WRITER_BATCH_SIZE = 100  # a row holds a whole document

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take what every builder of `datasets` takes.

        Raises:
            MissingFile: for a file or a pattern in `data_files` that finds nothing.
        """
        self._by_job: dict[tuple[str, int], Counts] = {}
        self._counts_beside = False
        try:
            super().__init__(*args, **kwargs)
        except MissingFile:
            raise
        except FileNotFoundError as error:
            hint = "data_files= names files of rows, data_dir= the folder that holds them"
            raise MissingFile(f"{str(error).partition(chr(10))[0]}; {hint}") from error
        for pattern in _patterns(kwargs.get("data_files")):
            _check_some_file(pattern, self.base_path)

    @property
    def counts(self) -> Counts:
        """What this process kept and dropped in the jobs that it finished."""
        return sum(self._by_job.values(), Counts())

    @property
    def source_name(self) -> str:
        """Give the prefix of the ids."""
        return str(self.config.name)

    def download_and_prepare(self, *args: Any, **kwargs: Any) -> None:
        """Do what every builder of `datasets` does; an error of ours comes out as itself.

        Raises:
            T2VidError: what went wrong with the files, where `datasets` would only say that
                something did.
        """
        try:
            super().download_and_prepare(*args, **kwargs)
        except DatasetGenerationError as error:
            own = own_error(error)
            if own is None:
                raise
            raise own from None

    def as_dataset(self, *args: Any, **kwargs: Any) -> Any:
        """Do what every builder of `datasets` does.

        Raises:
            RecordError: for a split without rows, with the reasons.
        """
        try:
            return super().as_dataset(*args, **kwargs)
        except ValueError as error:
            splits = self.info.splits or {}
            for split in [name for name, about in splits.items() if not about.num_examples]:
                name = f"{self.source_name} ({split})"
                counts = counting.counts_in(self.cache_dir, split)
                raise RecordError(counting.nothing_left(name, counts)) from error
            raise

    def make_rows(self, job: FileJob, counts: Counts) -> Iterable[dict[str, Any]]:
        """Give the rows of one job, counting what is dropped."""
        raise NotImplementedError

    def public_files(self) -> dict[str, list[str]]:
        """Give the files of the config by split, where the user names none."""
        raise NotImplementedError

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        streaming = dl_manager.is_streaming
        self._counts_beside = not streaming
        files = self.config.data_files or self.public_files()
        named = {split: [str(name) for name in names] for split, names in files.items()}
        # `datasets` leaves half a file where one cannot be unpacked and takes it for whole the next
        # time, so `records` unpacks by itself; only a stream is unpacked as it comes.
        fetch = dl_manager.download_and_extract if streaming else dl_manager.download
        local = {
            split: [dl_manager.download(n) if n.endswith(".zip") else fetch(n) for n in names]
            for split, names in named.items()
        }
        sources = _sources(named, self.source_name)
        splits = []
        for split, paths in local.items():
            jobs: list[FileJob] = []
            for path, name in zip(paths, named[split], strict=True):
                # The pass that finds where to cut would download a remote file.
                parts = [records.Part(str(path))] if streaming else records.split(str(path))
                for part in parts:
                    jobs.append(FileJob(str(split), len(jobs), sources[split, name], part))
            # `num_proc` deals out the items of a list.
            splits.append(datasets.SplitGenerator(name=split, gen_kwargs={"jobs": jobs}))
        return splits

    def _generate_examples(self, jobs: list[FileJob]) -> Iterator[tuple[str, dict[str, Any]]]:
        for job in jobs:
            counts = Counts()
            for row in self.make_rows(job, counts):
                counts.keep(source=job.source)
                yield row["id"], row
            self._finish(job, counts)

    def _finish(self, job: FileJob, counts: Counts) -> None:
        self._by_job[job.split, job.number] = counts
        name = f"counts-{job.split}-{job.number:05d}"
        place = f", from row {job.part.first_row:,} on" if job.part.first_row else ""
        counting.log_counts(f"{job.source}{place}", counts)
        if self._counts_beside:
            counting.write_counts(writing_folder(self), name, counts)


class PublicCorpus(CorpusBuilder):
    """Builder of the corpora that the catalogue names.

    Attributes:
        entry: the corpus.
        needs: what a user gives of a corpus without a public file.
    """

    entry: Corpus
    needs: ClassVar[str] = "data_files="

    @property
    def source_name(self) -> str:
        """Give the prefix of the ids."""
        return self.entry.name

    def public_files(self) -> dict[str, list[str]]:
        """Give the public file of the corpus."""
        if not self.entry.hub_file:
            raise MissingFile(f"{self.entry.dataset} needs {self.needs}")
        return {"train": [self.entry.hub_file]}


def _patterns(data_files: Any) -> list[str]:
    """List the file patterns that a user gave, in whatever nesting."""
    if isinstance(data_files, Mapping):
        data_files = list(data_files.values())
    if isinstance(data_files, list | tuple):
        return [pattern for one in data_files for pattern in _patterns(one)]
    name = os.fspath(data_files) if isinstance(data_files, str | os.PathLike) else ""
    return [name] if has_magic(name) else []


def _check_some_file(pattern: str, base_path: str | None) -> None:
    """Refuse a pattern that matches nothing, which `datasets` takes for an empty list of files.

    Raises:
        MissingFile: naming it.
    """
    from datasets.data_files import resolve_pattern

    try:
        resolve_pattern(pattern, base_path or "")
    except FileNotFoundError as error:
        raise MissingFile(f"no file matches data_files={pattern!r}") from error


def own_error(error: BaseException | None) -> T2VidError | None:
    """Find the error of this package behind one of `datasets`; None where there is none."""
    while error is not None:
        if isinstance(error, T2VidError):
            return error
        if error.__cause__ is None:  # from another process: all that came over is its traceback
            told = re.findall(r"^t2vid\.errors\.(\w+): (.+)", str(error), re.MULTILINE)
            kind = getattr(errors, told[-1][0], T2VidError) if told else None
            return kind(told[-1][1]) if kind else None
        error = error.__cause__
    return None


def _sources(named: dict[str, list[str]], config: str) -> dict[tuple[str, str], str]:
    """Give each file its prefix of ids: the config, and the stem where there are several.

    >>> _sources({"train": ["x/a.json", "x/b.json"]}, "triplets")["train", "x/b.json"]
    'triplets/b'
    """
    places = [(split, str(name)) for split, names in named.items() for name in names]
    stems = [PurePosixPath(name.split("::")[-1]).stem for _, name in places]
    if len(places) == 1:
        return {places[0]: config}
    if len(set(stems)) < len(stems):
        stems = [f"{place}-{stem}" for place, stem in enumerate(stems)]
    return {place: f"{config}/{stem}" for place, stem in zip(places, stems, strict=True)}
