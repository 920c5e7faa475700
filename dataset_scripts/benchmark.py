"""The builder of every benchmark: finds the question files and the videos, counts what is missing.

    >>> rows = BenchmarkBuilder(benchmark="tempcompass", config_name="yes_no")
    >>> rows.info.features["images"]
    Frames(max_frames=None, on_bad='raise', decode=True)

    load_dataset("t2vid/mvbench", data_dir="MVBench", split="test")               # all tasks
    load_dataset("t2vid/mvbench", "action_antonym", data_dir="MVBench", split="test")
    load_dataset("t2vid/video_mme", "subtitles", data_dir="Video-MME", split="test")
    load_dataset("t2vid/tempcompass", data_files="TempCompass.jsonl", video_dir="videos")  # T2Vid's

    load_dataset("t2vid/questions", data_files="mine.jsonl", video_dir="clips", split="test")

What `data_dir` holds is told by each benchmark's module below `t2vid.evaluation.benchmarks`.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal, cast

import datasets

from t2vid import catalog
from t2vid.dataset_scripts.corpus import CorpusBuilder, FileJob
from t2vid.errors import InputError, MissingFile, UnsafePath
from t2vid.evaluation.benchmarks.questions import Videos, features
from t2vid.evaluation.benchmarks.reader import BenchmarkReader, reader_of
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
        missing: a question whose video is not there is kept (its answer will be counted as wrong),
            dropped and counted, or an error.
        sample: how a video is sampled on reading, a `SampleSpec` or a mapping of its fields; an
            evaluation protocol replaces it.
        subtitle_dir: folder of the subtitles; by default `subtitle` or `subtitles` in `data_dir`.
        videos_state: set by the builder: with videos that come later, rows come that were dropped;
            it also tells of files that are read beside the questions, such as subtitles.
    """

    video_dir: str | None = None
    missing: Missing = "keep"
    sample: SampleSpec | Mapping[str, Any] | None = None  # a SampleSpec after __post_init__
    subtitle_dir: str | None = None
    videos_state: str = ""

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        self.sample = SampleSpec.from_value(self.sample)
        if self.missing not in ("drop", "keep", "raise"):
            raise InputError(f"missing ({self.missing!r}) must be 'drop', 'keep' or 'raise'")
        if self.video_dir is not None and not Path(self.video_dir).is_dir():
            raise MissingFile(f"video_dir={self.video_dir!r} is not a folder")


class BenchmarkBuilder(CorpusBuilder):
    """Builder behind `load_dataset("t2vid/<name of a benchmark>", …)`.

    Args:
        benchmark: name of the benchmark.
        data_files: its question files; by default those in `data_dir`, else the public ones.
        data_dir: folder laid out as on the Hub.
        video_dir: folder of the videos; by default `data_dir`.
        config_name: one of the module's `CONFIGS`; the first by default.
    """

    BUILDER_CONFIG_CLASS = BenchmarkConfig
    config: BenchmarkConfig

    def __init__(
        self,
        *args: Any,
        benchmark: str,
        data_files: Any = None,
        data_dir: str | None = None,
        video_dir: str | None = None,
        config_name: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Turn `data_dir` into its question files, so that a changed file makes a new entry."""
        self.entry = catalog.benchmark(benchmark)
        reader, config_name = self.reader, config_name or next(iter(self.reader.configs))
        if config_name not in reader.configs:
            raise catalog.unknown(f"config of {self.entry.dataset}", config_name, reader.configs)
        if data_dir is not None:
            video_dir = video_dir or data_dir
            places = (Path(data_dir, name) for name in ("subtitle", "subtitles"))
            beside = [str(place) for place in places if place.is_dir()]
            if kwargs.get("subtitle_dir") is None and beside:
                kwargs["subtitle_dir"] = beside[0]
            if data_files is None:
                if not Path(data_dir).is_dir():
                    raise MissingFile(f"data_dir={data_dir!r} is not a folder")
                found = reader.files_in(Path(data_dir), config_name)
                if not found:
                    looked = [*reader.hub_files(config_name)[:1], *reader.patterns[:1]][:1]
                    such = f", such as {PurePosixPath(looked[0]).name}" if looked else ""
                    raise MissingFile(
                        f"data_dir={data_dir!r} holds no question files of {self.entry.name}{such}; "
                        "give the folder that does (--data-dir), or data_files= of load_dataset"
                    )
                data_files = [str(path) for path in found]
        if data_files is None and not reader.hub_files(config_name):
            raise MissingFile(
                f"{self.entry.dataset} has no public files of {config_name!r}; give data_dir= "
                "(--data-dir) or data_files="
            )
        if isinstance(data_files, str | list):
            data_files = {"test": [data_files] if isinstance(data_files, str) else data_files}
        self._videos = Videos(video_dir)
        states = [self._videos.folder.state] if self._videos.folder is not None else []
        kwargs["videos_state"] = " ".join(states + _beside(data_files, kwargs.get("subtitle_dir")))
        kwargs.setdefault("dataset_name", self.entry.dataset.replace("/", "_"))
        super().__init__(
            *args, data_files=data_files, video_dir=video_dir, config_name=config_name, **kwargs
        )

    @functools.cached_property
    def reader(self) -> BenchmarkReader:
        """What reads the benchmark's files."""
        return reader_of(self.entry.name)

    def public_files(self) -> dict[str, list[str]]:
        """Give the public question files."""
        return {"test": list(self.reader.hub_files(self.config.name))}

    def make_rows(self, job: FileJob, counts: Counts) -> Iterator[dict[str, Any]]:
        """Give the rows of one file, counting what is dropped."""
        videos, config = self._videos, self.config
        spec = cast(SampleSpec, config.sample)
        questions = self.reader.read(
            job.part, counts, config=config.name, name=job.source, subtitles=config.subtitle_dir
        )
        for question in questions:
            if config.video_dir is None:
                yield question.row(None, spec)
                continue
            try:
                path = self.reader.find(videos, question)
            except UnsafePath:
                counts.drop("unsafe video path", source=job.source, example=question.id)
                continue
            if path is None and config.missing == "raise":
                raise MissingFile(
                    f"video {question.video!r} of {question.id} is not in {config.video_dir}; "
                    'use missing="drop" to leave such questions out, counted'
                )
            if path is None and config.missing == "drop":
                counts.drop("missing video", source=job.source, example=question.video)
                continue
            if path is None:  # a name that is read later must not lead out of the folder
                named = PurePosixPath(question.video)
                if named.is_absolute() or ".." in named.parts:
                    counts.drop("unsafe video path", source=job.source, example=question.id)
                    continue
            if path is not None:
                question = self.reader.shown(question, path)
            yield question.row(path or str(Path(config.video_dir, question.video)), spec)

    def _info(self) -> datasets.DatasetInfo:
        self.config.__post_init__()  # datasets sets options on a copy of a named config, unchecked
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
                FileJob(str(split), number, stem, records.Part(str(path)))
                for number, (path, stem) in enumerate(zip(paths, stems, strict=True))
            ]
            splits.append(datasets.SplitGenerator(name=split, gen_kwargs={"jobs": jobs}))
        return splits


def _beside(data_files: Any, subtitle_dir: str | None) -> list[str]:
    """Give the state of what is read beside the question files: answers, cuts, subtitles."""
    named = [one for files in (data_files or {}).values() for one in files]
    folders = {Path(str(one)).parent for one in named if "://" not in str(one)}
    found = [path for folder in folders for path in folder.glob("*.json")]
    found += list(Path(subtitle_dir).glob("*")) if subtitle_dir else []
    lines = sorted(
        f"{p.name} {p.stat().st_size} {p.stat().st_mtime_ns}" for p in found if p.is_file()
    )
    return [hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]] if lines else []


def named_configs(name: str) -> list[BenchmarkConfig]:
    """Give the configurations of a benchmark, the default first.

    Args:
        name: of the benchmark.
    """
    reader = reader_of(name)
    return [BenchmarkConfig(name=one, description=about) for one, about in reader.configs.items()]
