"""The builder of every video corpus: finds each video, asks its container, tells repeats.

    rows = load_dataset("t2vid/sharegemini", data_dir="videos/")
    rows = load_dataset("t2vid/video_chatgpt", data_files="VideoInstruct100K.json", data_dir="videos/")

Without `data_files=` the annotation comes from `data_dir` if it is there, else from the Hub; the
videos are always local, in any nesting and with any extension. Without the registered name:
`ClipsBuilder(corpus="video_chatgpt", data_dir="videos/").download_and_prepare()`, then `.as_dataset()`.

>>> ClipsConfig().sample.max_frames
24
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

import datasets

from t2vid import catalog
from t2vid.corpora import counting
from t2vid.corpora.clips import Clip
from t2vid.corpora.converting import converted
from t2vid.corpora.stored import sample_of
from t2vid.dataset_scripts.corpus import FileJob, PublicCorpus
from t2vid.errors import BadVideo, InputError, LayoutError, MissingFile, UnsafePath
from t2vid.frames.feature import Frames, video_value
from t2vid.frames.spec import SampleSpec
from t2vid.frames.video import probe
from t2vid.registry import writing_folder
from t2vid.schema import Counts, messages, n_words, row_features
from t2vid.storage import records
from t2vid.storage.videos import VideoFolder, stem_of


@dataclass
class ClipsConfig(datasets.BuilderConfig):
    """Options of every video corpus.

    Args:
        sample: which frames of a video are shown, a `SampleSpec` or a mapping of its fields.
        missing: a row whose video is not there is dropped and counted, or an error.
        keep_duplicates: keep rows that say the same of the same video as an earlier one.
        videos_state: set by the builder, so that other videos make a new cache entry.
    """

    sample: SampleSpec | Mapping[str, Any] | None = None  # a SampleSpec after __post_init__
    missing: Literal["drop", "raise"] = "drop"
    keep_duplicates: bool = False
    videos_state: str = ""

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        self.sample = SampleSpec.from_value(self.sample)
        if self.missing not in ("drop", "raise"):
            raise InputError(f"missing ({self.missing!r}) must be 'drop' or 'raise'")


@dataclass(frozen=True)
class ClipJob(FileJob):
    """A job that knows which of its rows repeat a row of any job.

    Args:
        repeats: ids of those rows.
    """

    repeats: frozenset[str] = frozenset()


class ClipsBuilder(PublicCorpus):
    """Builder behind `load_dataset("t2vid/<name of a video corpus>", data_dir=…)`.

    Ids and names of all rows without a video are in `missing-<split>-<number>.json` beside the
    Arrow files (`t2vid.corpora.counting.read_missing`) and in `builder.missing`.

    Of rows that say the same of the same video the first one counts, over all files of a split. A
    stream knows only of the rows that its own process has read: one that is dealt out to several
    workers, or resumed in another process, can hold a row again that another one has given.

    Args:
        corpus: name of the corpus.
        data_files: its annotation files; by default the one in `data_dir`, else the public one.
        data_dir: folder of the videos.
    """

    BUILDER_CONFIG_CLASS = ClipsConfig
    config: ClipsConfig

    def __init__(
        self,
        *args: Any,
        corpus: str,
        data_files: Any = None,
        data_dir: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Look through the folder of videos, and for the annotation where none is named."""
        self.entry = catalog.corpus(corpus)
        self.missing: list[dict[str, str]] = []
        self._first: dict[bytes, str] = {}
        self._folder: VideoFolder | None = None
        if data_dir is not None:
            self._folder = folder = VideoFolder.scan(data_dir)
            data_dir = str(folder.root)
            kwargs["videos_state"] = folder.state
            beside = [path for name in self.entry.files for path in folder.root.glob(name)]
            if data_files is None and beside:
                data_files = str(min(beside))
        kwargs.setdefault("dataset_name", self.entry.dataset.replace("/", "_"))
        super().__init__(*args, data_files=data_files, data_dir=data_dir, **kwargs)

    def convert(self, job: FileJob, counts: Counts) -> Iterator[Clip]:
        """Give the conversations of a job."""
        rows = records.read(job.part)
        return cast(Iterator[Clip], converted(self.entry, rows, counts, source=job.source))

    def make_rows(self, job: FileJob, counts: Counts) -> Iterator[dict[str, Any]]:
        """Give the rows of one job, counting what is dropped."""
        folder = cast(VideoFolder, self._folder)
        known = job.repeats if isinstance(job, ClipJob) else None
        absent: list[dict[str, str]] = []
        for clip in self.convert(job, counts):
            again = self._again(clip, job.split) if known is None else clip.id in known
            if again and not self.config.keep_duplicates:
                counts.drop("exact duplicate", source=job.source, example=clip.id)
                continue
            row = self._row(clip, job, folder, counts, absent)
            if row is not None:
                yield row
        self.missing += absent
        if self._counts_beside and absent:
            name = f"missing-{job.split}-{job.number:05d}"
            counting.write_missing(writing_folder(self), name, absent)

    def _row(
        self,
        clip: Clip,
        job: FileJob,
        folder: VideoFolder,
        counts: Counts,
        absent: list[dict[str, str]],
    ) -> dict[str, Any] | None:
        example = f"{clip.id}: {clip.video}"
        try:
            spec = sample_of(dict(clip.bounds), cast(SampleSpec, self.config.sample))
            path = folder.find(clip.video)
        except LayoutError as error:
            counts.drop(error.reason, source=job.source, example=f"{clip.id}: {error}")
            return None
        except UnsafePath:
            counts.drop("unsafe video path", source=job.source, example=example)
            return None
        if path is None:
            if self.config.missing == "raise":
                raise MissingFile(
                    f"video {clip.video!r} of {clip.id} is not among the {len(folder):,} videos of "
                    f'{folder.root}; use missing="drop" to leave such rows out, counted'
                )
            counts.drop("no video", source=job.source, example=example)
            absent.append({"id": clip.id, "video": clip.video})
            return None
        try:
            info = probe(str(path), spec)
        except (BadVideo, MissingFile) as error:
            counts.drop("bad video", source=job.source, example=f"{clip.id}: {error}")
            return None
        return {
            "id": clip.id,
            "source": self.entry.name,
            "images": video_value(str(path), spec),
            "messages": messages(clip.turns, n_frames=info.n_frames),
            "n_frames": info.n_frames,
            "n_words": n_words([text for _, text in clip.turns]),
            "duration_s": info.duration_s,
        }

    def _info(self) -> datasets.DatasetInfo:
        duration = datasets.Value("float32")
        return datasets.DatasetInfo(features=row_features(Frames(), duration_s=duration))

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        if self.config.data_dir is None:
            raise MissingFile(
                f"{self.entry.dataset} needs data_dir=, the folder of its videos; only the annotation "
                f"({self.entry.hub_file.rpartition('/')[2]}) is on the Hub"
            )
        splits = super()._split_generators(dl_manager)
        if dl_manager.is_streaming:  # a pass over a remote file would be a download
            return splits
        for split in splits:
            split.gen_kwargs["jobs"] = [
                ClipJob(
                    **{field.name: getattr(job, field.name) for field in dataclasses.fields(job)},
                    repeats=self._repeats(job),
                )
                for job in split.gen_kwargs["jobs"]
            ]
        return splits

    def _repeats(self, job: FileJob) -> frozenset[str]:
        # Processes share nothing, so repeats are found before the rows are dealt out.
        clips = self.convert(job, Counts())
        return frozenset(clip.id for clip in clips if self._again(clip, job.split))

    def _again(self, clip: Clip, split: str) -> bool:
        """Say whether another row of the split said the same before."""
        video = stem_of(clip.video.replace("\\", "/"))
        key = counting.digest(
            [split, video, repr(clip.bounds), *(f"{role}\0{said}" for role, said in clip.turns)]
        )
        return self._first.setdefault(key, clip.id) != clip.id
