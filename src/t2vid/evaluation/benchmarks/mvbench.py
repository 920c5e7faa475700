"""MVBench (arXiv 2311.17005): twenty tasks, their folders, time bounds and folders of frames.

>>> record = {"video": "a.mp4", "question": "Next?", "candidates": ["Sat", "Ran"], "answer": "Ran"}
>>> rows = [(0, {**record, "start": 2, "end": 9})]
>>> [q.answer for q in READER.convert(rows, Counts(), config="action_sequence")]
['B']

A folder holds `json/<task>.json` and the unpacked archives under `video/`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import inf
from pathlib import Path
from typing import Any

from t2vid.evaluation.benchmarks.questions import (
    LETTERS,
    Question,
    Videos,
    letter_of,
    t2vid_questions,
    unusable,
)
from t2vid.evaluation.benchmarks.reader import BenchmarkReader
from t2vid.schema import Counts
from t2vid.storage import records

# Folder of each task's videos, as the archives unpack (video_chat2/mvbench.ipynb, data_list).
FOLDERS = {
    "action_sequence": "star/Charades_v1_480",
    "action_prediction": "star/Charades_v1_480",
    "action_antonym": "ssv2_video",
    "fine_grained_action": "Moments_in_Time_Raw/videos",
    "unexpected_action": "FunQA_test/test",
    "object_existence": "clevrer/video_validation",
    "object_interaction": "star/Charades_v1_480",
    "object_shuffle": "perception/videos",
    "moving_direction": "clevrer/video_validation",
    "action_localization": "sta/sta_video",
    "scene_transition": "scene_qa/video",
    "action_count": "perception/videos",
    "moving_count": "clevrer/video_validation",
    "moving_attribute": "clevrer/video_validation",
    "state_change": "perception/videos",
    "fine_grained_pose": "nturgbd",
    "character_order": "perception/videos",
    "egocentric_navigation": "vlnqa",
    "episodic_reasoning": "tvqa/frames_fps3_hq",
    "counterfactual_inference": "clevrer/video_validation",
}
TASKS = tuple(FOLDERS)
FRAME_FOLDER_TASKS = ("episodic_reasoning",)  # numbered images, three a second


class MVBench(BenchmarkReader):
    """Reads MVBench's files, and T2Vid's, whose rows are told by their `prompt`."""

    source = "mvbench"
    configs = {"all": "Every task."} | {
        task: task.replace("_", " ").capitalize() + "." for task in TASKS
    }

    def hub_files(self, config: str) -> list[str]:
        """Give the public question files."""
        return [f"hf://datasets/OpenGVLab/MVBench/json/{task}.json" for task in _tasks(config)]

    def files_in(self, folder: Path, config: str) -> list[Path]:
        """Find the question files in a folder laid out as on the Hub, or T2Vid's file."""
        tasks = [folder / f"json/{task}.json" for task in _tasks(config)]
        return [path for path in tasks if path.is_file()] or sorted(folder.glob("mvbench*.jsonl"))

    def read(
        self,
        part: records.Part,
        counts: Counts,
        *,
        config: str,
        name: str = "",
        subtitles: str | None = None,
    ) -> Iterator[Question]:
        """Read one file, whose name tells the task; a configuration takes its task's questions."""
        named = name.rpartition(".")[2]  # also mvbench.action_antonym.json
        task = named if named in FOLDERS or config == "all" else config
        for question in self.convert(records.read(part), counts, config=task):
            if config in ("all", question.category):
                yield question

    def convert(
        self,
        rows: Iterable[tuple[int, Any]],
        counts: Counts,
        *,
        config: str = "",
        subtitles: str | None = None,
    ) -> Iterator[Question]:
        """Make questions of the records of one task, `config`."""
        for number, record in rows:
            if isinstance(record, dict) and "prompt" in record:
                yield from t2vid_questions([(number, record)], counts, source=self.source)
            else:
                yield from _official(number, record, counts, config)

    def find(self, videos: Videos, question: Question) -> str | None:
        """Find the video, or the folder of frames, of a question."""
        folder = FOLDERS.get(question.category)
        places = [folder, f"video/{folder}"] if folder else []
        return videos.find(question.video, *places, "video")


def _tasks(config: str) -> tuple[str, ...]:
    return TASKS if config == "all" else (config,)


def _official(number: int, record: Any, counts: Counts, task: str) -> Iterator[Question]:
    name = f"{task} row {number:,}"
    if unusable(record, ("video", "question", "candidates", "answer"), name, counts, task):
        return
    options = [str(option) for option in record["candidates"]]
    answer = letter_of(str(record["answer"]), options)
    if answer is None or len(options) > len(LETTERS):
        counts.drop("the answer is none of the options", source=task, example=name)
        return
    start_s, end_s = record.get("start"), record.get("end")
    if not _in_order(start_s, end_s):
        counts.drop("time bounds out of order", source=task, example=name)
        return
    yield Question(
        id=f"mvbench/{task}/{number}",
        source="mvbench",
        video=str(record["video"]),
        question=str(record["question"]),
        options=tuple(options),
        answer=answer,
        category=task,
        start_s=start_s,
        end_s=end_s,
        official=record,
    )


def _in_order(start_s: Any, end_s: Any) -> bool:
    given = [bound for bound in (start_s, end_s) if bound is not None]
    if not all(isinstance(bound, int | float) for bound in given):
        return False
    return 0 <= (start_s or 0) < (inf if end_s is None else end_s)


READER = MVBench()
