"""`t2vid/mvbench`: the twenty tasks of MVBench, bounded in time where the official record is.

    >>> len(MVBench.BUILDER_CONFIGS)
    21

    load_dataset("t2vid/mvbench", data_dir="MVBench", split="test")               # all tasks
    load_dataset("t2vid/mvbench", "action_antonym", data_dir="MVBench", split="test")
    load_dataset("t2vid/mvbench", data_files="mvbench.jsonl", video_dir="MVBench/video")  # T2Vid's

`data_dir` holds `json/<task>.json` and the unpacked archives under `video/`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from t2vid.dataset_scripts.benchmark import Benchmark, BenchmarkConfig
from t2vid.dataset_scripts.corpus import Job
from t2vid.evaluation.benchmarks import mvbench
from t2vid.evaluation.benchmarks.questions import Question, Videos
from t2vid.schema import Counts
from t2vid.storage import records


class MVBench(Benchmark):
    """Builder behind `load_dataset("t2vid/mvbench", …)`."""

    BUILDER_CONFIGS = [
        BenchmarkConfig(name="all", description="Every task."),
        *(
            BenchmarkConfig(name=task, description=task.replace("_", " ").capitalize() + ".")
            for task in mvbench.TASKS
        ),
    ]
    DEFAULT_CONFIG_NAME = "all"

    def in_folder(self, folder: Path, config: str) -> list[Path]:
        """Give the question files in a folder laid out as on the Hub."""
        found = [folder / "json" / f"{task}.json" for task in self._tasks(config)]
        there = [path for path in found if path.is_file()]
        return there or sorted(folder.glob("mvbench*.jsonl"))

    def public_files(self) -> dict[str, list[str]]:
        """Give the public question files."""
        tasks = self._tasks(self.config.name)
        return {"test": [f"{mvbench.HUB_FOLDER}/{task}.json" for task in tasks]}

    def questions(self, job: Job, counts: Counts) -> Iterator[Question]:
        """Give the questions of one file, counting what is dropped."""
        named = job.source.rpartition(".")[2]  # also mvbench.action_antonym.json
        known = named in mvbench.FOLDERS or self.config.name == "all"
        task = named if known else self.config.name
        for question in mvbench.convert(records.read(job.part), counts, task=task):
            if self.config.name in ("all", question.category):
                yield question

    def find(self, videos: Videos, question: Question) -> str | None:
        """Find the video, or the folder of frames, of a question."""
        return mvbench.find(videos, question)

    def _tasks(self, config: str) -> tuple[str, ...]:
        return mvbench.TASKS if config == "all" else (config,)
