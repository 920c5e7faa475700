"""What the benchmark builders share: one job a file, finding the videos, counting what is missing.

>>> BenchmarkConfig(name="all", missing="keep").sample.max_frames
24
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal, cast

import datasets

from t2vid.dataset_scripts.corpus import Corpus, Job
from t2vid.errors import InputError, MissingFile, UnsafePath
from t2vid.evaluation.benchmarks.questions import Question, Videos, features
from t2vid.frames.feature import Frames
from t2vid.frames.spec import SampleSpec
from t2vid.schema import Counts
from t2vid.storage import records

Missing = Literal["drop", "keep", "raise"]


@dataclass
class BenchmarkConfig(datasets.BuilderConfig):
    """Options of every benchmark.

    Args:
        video_dir: folder of the videos; by default `data_dir`; without either, rows have no frames.
        missing: a question whose video is not there is dropped and counted, kept (its answer will
            be counted as wrong), or an error.
        sample: how a video is sampled on reading, a `SampleSpec` or a mapping of its fields; an
    evaluation protocol replaces it.
        videos_state: set by the builder: with videos that come later, rows come that were dropped.
    """

    video_dir: str | None = None
    missing: Missing = "drop"
    sample: SampleSpec | Mapping[str, Any] | None = None  # a SampleSpec after __post_init__
    videos_state: str = ""

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        self.sample = SampleSpec.from_value(self.sample)
        if self.missing not in ("drop", "keep", "raise"):
            raise InputError(f"missing ({self.missing!r}) must be 'drop', 'keep' or 'raise'")
        if self.video_dir is not None and not Path(self.video_dir).is_dir():
            raise MissingFile(f"video_dir={self.video_dir!r} is not a folder")


class Benchmark(Corpus):
    """A builder over the question files of a benchmark; a subclass converts and finds."""

    BUILDER_CONFIG_CLASS = BenchmarkConfig
    config: BenchmarkConfig

    def __init__(
        self,
        *args: Any,
        data_files: Any = None,
        data_dir: str | None = None,
        video_dir: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Turn `data_dir` into its question files, so that a changed file makes a new entry."""
        if data_dir is not None:
            video_dir = video_dir or data_dir
            if data_files is None:
                name = kwargs.get("config_name") or self.DEFAULT_CONFIG_NAME or ""
                found = self.in_folder(Path(data_dir), name)
                if not found:
                    raise MissingFile(
                        f"data_dir={data_dir!r} holds no question files; give data_files="
                    )
                data_files = {"test": [str(path) for path in found]}
        elif isinstance(data_files, str):
            data_files = {"test": [data_files]}
        elif isinstance(data_files, list):
            data_files = {"test": data_files}
        self._videos = Videos(video_dir)
        if self._videos.folder is not None:
            kwargs["videos_state"] = self._videos.folder.state
        super().__init__(*args, data_files=data_files, video_dir=video_dir, **kwargs)

    def in_folder(self, folder: Path, config: str) -> list[Path]:
        """Give the question files in a folder laid out as on the Hub."""
        raise NotImplementedError

    def questions(self, job: Job, counts: Counts) -> Iterator[Question]:
        """Give the questions of one file, counting what is dropped."""
        raise NotImplementedError

    def find(self, videos: Videos, question: Question) -> str | None:
        """Find the video of a question."""
        raise NotImplementedError

    def make_rows(self, job: Job, counts: Counts) -> Iterator[dict[str, Any]]:
        """Give the rows of one file, counting what is dropped."""
        videos = self._videos
        spec = cast(SampleSpec, self.config.sample)
        for question in self.questions(job, counts):
            if self.config.video_dir is None:
                yield question.row(None, spec)
                continue
            try:
                path = self.find(videos, question)
            except UnsafePath:
                counts.drop("unsafe video path", source=job.source, example=question.id)
                continue
            if path is None and self.config.missing == "raise":
                raise MissingFile(
                    f"video {question.video!r} of {question.id} is not in {self.config.video_dir}; "
                    'use missing="drop" to leave such questions out, counted'
                )
            if path is None and self.config.missing == "drop":
                counts.drop("missing video", source=job.source, example=question.video)
                continue
            yield question.row(path or str(Path(self.config.video_dir, question.video)), spec)

    def _info(self) -> datasets.DatasetInfo:
        return datasets.DatasetInfo(features=features(Frames()))

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        self._counts_beside = not dl_manager.is_streaming
        named = dict(self.config.data_files or self.public_files())
        local = dl_manager.download_and_extract(named)
        splits = []
        for split, paths in local.items():
            # Downloads are named by a hash: the task is in the name that was asked for.
            stems = [PurePosixPath(str(name).split("::")[-1]).stem for name in named[split]]
            jobs = [
                Job(str(split), number, stem, records.Part(str(path)))
                for number, (path, stem) in enumerate(zip(paths, stems, strict=True))
            ]
            splits.append(datasets.SplitGenerator(name=split, gen_kwargs={"jobs": jobs}))
        return splits
