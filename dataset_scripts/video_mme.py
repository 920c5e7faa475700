"""`t2vid/video_mme`: the 2,700 questions of Video-MME, with or without subtitles.

    >>> VideoMME(config_name="default").info.features["images"]
    Frames(max_frames=None, on_bad='raise', decode=True)

    load_dataset("t2vid/video_mme", "subtitles", data_dir="Video-MME", split="test")

`data_dir` is a copy of the Hub's repository with its archives unpacked: `videomme/*.parquet`,
`data/<videoID>.mp4`, `subtitle/<videoID>.srt`. Terms: academic use, no redistribution.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from t2vid.dataset_scripts.benchmark import Benchmark, BenchmarkConfig
from t2vid.dataset_scripts.corpus import Job
from t2vid.evaluation.benchmarks import video_mme
from t2vid.evaluation.benchmarks.questions import Question, Videos
from t2vid.schema import Counts
from t2vid.storage import records


@dataclass
class VideoMMEConfig(BenchmarkConfig):
    """Args: `subtitle_dir`, the folder of `<videoID>.srt`; by default `subtitle` in `data_dir`."""

    subtitle_dir: str | None = None


class VideoMME(Benchmark):
    """Builder behind `load_dataset("t2vid/video_mme", …)`."""

    BUILDER_CONFIG_CLASS = VideoMMEConfig
    BUILDER_CONFIGS = [
        VideoMMEConfig(name="default", description="Questions about the frames alone."),
        VideoMMEConfig(name="subtitles", description="With the subtitles of each video."),
    ]
    DEFAULT_CONFIG_NAME = "default"
    config: VideoMMEConfig

    def __init__(self, *args: Any, data_dir: str | None = None, **kwargs: Any) -> None:
        """Find the subtitles beside the questions."""
        beside = Path(data_dir or "", "subtitle")
        if data_dir is not None and kwargs.get("subtitle_dir") is None and beside.is_dir():
            kwargs["subtitle_dir"] = str(beside)
        super().__init__(*args, data_dir=data_dir, **kwargs)

    def in_folder(self, folder: Path, config: str) -> list[Path]:
        """Give the question file in a folder laid out as on the Hub."""
        return sorted([*folder.glob("videomme/*.parquet"), *folder.glob("*.parquet")])[:1]

    def public_files(self) -> dict[str, list[str]]:
        """Give the public question file."""
        return {"test": [video_mme.HUB_FILE]}

    def questions(self, job: Job, counts: Counts) -> Iterator[Question]:
        """Give the questions, counting what is dropped."""
        subtitles = self.config.subtitle_dir if self.config.name == "subtitles" else None
        return video_mme.convert(records.read(job.part), counts, subtitles=subtitles)

    def find(self, videos: Videos, question: Question) -> str | None:
        """Find the video of a question."""
        return video_mme.find(videos, question)
