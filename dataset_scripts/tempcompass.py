"""`t2vid/tempcompass`: TempCompass in its four formats, one configuration each.

    >>> [config.name for config in TempCompass.BUILDER_CONFIGS]
    ['multi-choice', 'yes_no', 'caption_matching', 'captioning']

    load_dataset("t2vid/tempcompass", "yes_no", data_dir="TempCompass", split="test")

`data_dir` holds `questions/<task>.json` (the repository) or `<task>/*.parquet` (the Hub), and
`videos/`. T2Vid's `TempCompass.jsonl` goes in as `data_files=`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from t2vid.dataset_scripts.benchmark import Benchmark, BenchmarkConfig
from t2vid.dataset_scripts.corpus import Job
from t2vid.evaluation.benchmarks import tempcompass
from t2vid.evaluation.benchmarks.questions import Question, Videos
from t2vid.schema import Counts
from t2vid.storage import records


class TempCompass(Benchmark):
    """Builder behind `load_dataset("t2vid/tempcompass", …)`."""

    BUILDER_CONFIGS = [
        BenchmarkConfig(name=task, description=f"The {task} questions.")
        for task in tempcompass.TASKS
    ]
    DEFAULT_CONFIG_NAME = "multi-choice"

    def in_folder(self, folder: Path, config: str) -> list[Path]:
        """Give the question file in a folder laid out as the repository or the Hub."""
        plain = [folder / "questions" / f"{config}.json", folder / f"{config}.json"]
        there = [path for path in plain if path.is_file()]
        t2vid = sorted(folder.glob("TempCompass*.jsonl")) if config == "multi-choice" else []
        return (there or sorted(folder.glob(f"{config}/*.parquet")) or t2vid)[:1]

    def public_files(self) -> dict[str, list[str]]:
        """Give the public question file."""
        return {"test": [tempcompass.HUB_FILE.format(task=self.config.name)]}

    def questions(self, job: Job, counts: Counts) -> Iterator[Question]:
        """Give the questions of one file, counting what is dropped."""
        path = job.part.path
        nested = None if "://" in path else tempcompass.read_nested(path)
        rows = records.read(job.part) if nested is None else tempcompass.flatten(nested)
        return tempcompass.convert(rows, counts, task=self.config.name)

    def find(self, videos: Videos, question: Question) -> str | None:
        """Find the video of a question."""
        return tempcompass.find(videos, question)
