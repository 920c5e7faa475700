"""MVBench (arXiv 2311.17005): twenty tasks, their folders, time bounds and folders of frames.

>>> record = {"video": "a.mp4", "question": "Next?", "candidates": ["Sat", "Ran"], "answer": "Ran"}
>>> next(convert([(0, {**record, "start": 2, "end": 9})], Counts(), task="action_sequence")).answer
'B'

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
from t2vid.schema import Counts
from t2vid.storage import records

SOURCE = "mvbench"
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
CONFIGS = {"all": "Every task."} | {
    task: task.replace("_", " ").capitalize() + "." for task in TASKS
}
FRAME_FOLDER_TASKS = ("episodic_reasoning",)  # numbered images, three a second


def hub_files(config: str) -> list[str]:
    """Give the public question files."""
    return [f"hf://datasets/OpenGVLab/MVBench/json/{task}.json" for task in _tasks(config)]


def files_in(folder: Path, config: str) -> list[Path]:
    """Find the question files in a folder laid out as on the Hub, or T2Vid's file."""
    there = [path for task in _tasks(config) if (path := folder / f"json/{task}.json").is_file()]
    return there or sorted(folder.glob("mvbench*.jsonl"))


def read(
    part: records.Part, counts: Counts, *, config: str, name: str, subtitles: str | None = None
) -> Iterator[Question]:
    """Read one file, whose name tells the task; a configuration takes its task's questions alone."""
    named = name.rpartition(".")[2]  # also mvbench.action_antonym.json
    task = named if named in FOLDERS or config == "all" else config
    for question in convert(records.read(part), counts, task=task):
        if config in ("all", question.category):
            yield question


def convert(rows: Iterable[tuple[int, Any]], counts: Counts, *, task: str) -> Iterator[Question]:
    """Convert official records, or T2Vid's, which are told by their `prompt`.

    Args:
        rows: `(row number, record)` pairs of one task's file.
        counts: where unusable rows are counted.
        task: name of the task, for official records the name of their file.
    """
    for number, record in rows:
        if isinstance(record, dict) and "prompt" in record:
            yield from t2vid_questions([(number, record)], counts, source=SOURCE)
        else:
            yield from _official(number, record, counts, task)


def find(videos: Videos, question: Question) -> str | None:
    """Find the video, or the folder of frames, of a question."""
    folder = FOLDERS.get(question.category)
    return videos.find(question.video, *([folder, f"video/{folder}"] if folder else []), "video")


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
        id=f"{SOURCE}/{task}/{number}",
        source=SOURCE,
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
