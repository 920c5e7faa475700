"""MVBench (arXiv 2311.17005): twenty tasks, their folders, time bounds and folders of frames.

>>> record = {"video": "a.mp4", "question": "Next?", "candidates": ["Sat", "Ran"], "answer": "Ran"}
>>> rows = [(0, {**record, "start": 2, "end": 9})]
>>> [q.answer for q in READER.convert(rows, Counts(), config="action_sequence")]
['B']

A folder holds `json/<task>.json` and the unpacked archives under `video/`; or the folders of the Hub's
revision `video`, whose bounded clips are cut already (`star/Charades_segment/<name>_<start>_<end>.mp4`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from t2vid.evaluation.benchmarks.questions import LETTERS, Question, Videos, letter_of
from t2vid.evaluation.benchmarks.reader import (
    BenchmarkReader,
    Line,
    Unusable,
    in_order,
    number,
    percent,
    percents,
    seconds,
    texts,
)
from t2vid.schema import Counts as Counts

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
_PREFILL = "Best option:("  # as its protocol begins every answer
_SAME_S = 0.01  # between a bound in a name and in a record
FRAME_FOLDER_TASKS = ("episodic_reasoning",)  # numbered images, three a second


class MVBench(BenchmarkReader):
    """Reads MVBench's files, and T2Vid's, whose rows are told by their `prompt`."""

    source = "mvbench"
    needed = ("video", "question", "candidates", "answer")
    t2vid_rows = True
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

    def held(self, name: str, config: str) -> str:
        """Take the task that a file is named after, also `mvbench.action_antonym.json`."""
        named = name.rpartition(".")[2]
        return named if named in FOLDERS or config == "all" else config

    def belongs(self, question: Question, config: str) -> bool:
        """A configuration is a task."""
        return config in ("all", question.category)

    def question(self, record: Any, place: int, *, config: str, subtitles: str | None) -> Question:
        """Make the question of a record of the task `config`."""
        options = texts(record["candidates"])
        answer = letter_of(str(record["answer"]), options)
        if answer is None:
            raise Unusable("the answer is none of the options")
        start_s, end_s = (seconds(record, name) for name in ("start", "end"))
        in_order(start_s, end_s)
        return Question(
            id=f"{self.source}/{config}/{place}",
            source=self.source,
            video=str(record["video"]),
            question=str(record["question"]),
            options=options,
            answer=answer,
            category=config,
            start_s=start_s,
            end_s=end_s,
            official=record,
        )

    def parse(self, answer: str, line: Line) -> str | None:
        """Compare first words as `check_ans` of mvbench.ipynb does; no word at all fits every option.

        It reads no letter, it only asks whether the right one fits; where that does not, the first
        option that would is given.
        """
        # the notebook keeps one line and writes the bracket that its prefill ends with
        said = answer.strip()
        if said.startswith(_PREFILL):
            said = "(" + said.removeprefix(_PREFILL).strip()
        word = said.split("\n")[0].lower().split(" ")[0]
        letters = LETTERS[: len(line["options"])]
        fits = [
            letter
            for letter in letters
            if word.replace(".", "") in f"({letter.lower()})" or f"({letter.lower()})" in word
        ]
        return line["answer"] if line["answer"] in fits else next(iter(fits), None)

    def figures(self, lines: Sequence[Line], *, official: bool = False) -> dict[str, float]:
        """Give the accuracy over all questions and of each task, as the leaderboard's file does."""
        return {"Avg": percent(bool(line["correct"]) for line in lines), **percents(lines)}

    def find(self, videos: Videos, question: Question) -> str | None:
        """Find the video, the folder of frames, or the part of it that the Hub has cut already."""
        folder = FOLDERS.get(question.category)
        places = [folder, f"video/{folder}"] if folder else []
        found = videos.find(question.video, *places, "video")
        if found or question.end_s is None or videos.folder is None:
            return found
        before = f"{PurePosixPath(question.video).stem}_"
        cut = (stem for stem in videos.folder.by_stem if stem.startswith(before))
        return next((videos.find(stem) for stem in cut if _is_cut(stem, question)), None)

    def shown(self, question: Question, path: str) -> Question:
        """Take the bounds off where the file is the part alone, or it would be cut twice."""
        if _is_cut(PurePosixPath(path).stem, question):
            return replace(question, start_s=None, end_s=None)
        return question


def _is_cut(stem: str, question: Question) -> bool:
    """Say whether a file is named `NAME_START_END` after the bounds, as in the Hub's revision `video`."""
    bounds = [number(part) for part in stem.rsplit("_", 2)[1:]]
    asked = [question.start_s or 0.0, question.end_s]
    return len(bounds) == 2 and all(
        a is not None and b is not None and abs(a - b) < _SAME_S
        for a, b in zip(bounds, asked, strict=True)
    )


def _tasks(config: str) -> tuple[str, ...]:
    return TASKS if config == "all" else (config,)


READER = MVBench()
