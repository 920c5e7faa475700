"""MLVU (arXiv 2406.04264), the seven multiple-choice tasks of its dev set.

>>> record = {"video": "a.mp4", "question": "Which?", "candidates": ["Red", "Blue"], "answer": "Blue"}
>>> [(q.answer, q.category) for q in READER.convert([(0, record | {"question_type": "plotQA"})], Counts())]
[('B', 'plotQA')]

A folder holds `json/1_plotQA.json` … (`MLVU/json/`, the repository's `data/`), or the Parquet file of
`sy1998/MLVU_dev`, and the videos under `video/1_plotQA/` … or in one folder.

M-Avg, the authors' figure, is the mean of the seven tasks; VLMEvalKit's M-Avg is pooled over the
questions. Both are given, by name. In the public files two needle questions have an answer that is
none of their options, and one row is empty: they are kept without a right answer, and only
`M-Avg as its script counts` has them in its denominators, as wrong. Where an option stands twice
(5 answers), the script takes the last one for right; here either is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from t2vid.evaluation.benchmarks import parsing
from t2vid.evaluation.benchmarks.questions import LETTERS, Question, Videos, split_options
from t2vid.evaluation.benchmarks.reader import (
    BenchmarkReader,
    Line,
    Unusable,
    percent,
    percents,
    record_of,
    texts,
    with_answer,
    write_json,
)
from t2vid.schema import Counts as Counts

FOLDERS = {
    "plotQA": "1_plotQA",
    "needle": "2_needle",
    "ego": "3_ego",
    "count": "4_count",
    "order": "5_order",
    "anomaly_reco": "6_anomaly_reco",
    "topic_reasoning": "7_topic_reasoning",
}


class MLVU(BenchmarkReader):
    """Reads MLVU's dev set."""

    source = "mlvu"
    configs = {"all": "Every task."} | {task: f"The task {task}." for task in FOLDERS}
    hub = {
        config: [
            f"hf://datasets/MLVU/MVLU/MLVU/json/{file}.json"
            for task, file in FOLDERS.items()
            if config in ("all", task)
        ]
        for config in configs
    }

    def files_in(self, folder: Path, config: str) -> list[Path]:
        """Find the files of the tasks in any of the public layouts."""
        files = [f"{file}.json" for task, file in FOLDERS.items() if config in ("all", task)]
        for place in ("json", "MLVU/json", "data", ""):
            if there := [path for file in files if (path := folder / place / file).is_file()]:
                return there
        return sorted(folder.glob("mlvu/*.parquet")) or sorted(folder.glob("*.parquet"))

    def question(
        self, record: Any, place: int, *, config: str, subtitles: str | None
    ) -> Question | None:
        """Make the question of a record, of the JSON files or of lmms-eval's Parquet."""
        task = str(record.get("question_type") or record.get("task_type") or "")
        task = "needle" if task == "findNeedle" else task
        video = record.get("video") or record.get("video_name")
        if not video or task not in FOLDERS or record.get("question") is None:
            raise Unusable("no usable video, question, question_type")
        if config not in ("all", task):
            return None
        question, options = str(record["question"]), record.get("candidates")
        if options is None:
            question, lettered = split_options(question)
            options = list(lettered.values())
        options = texts(options)
        return Question(
            id=f"{self.source}/{task}/{place}",
            source=self.source,
            video=str(video),
            question=question,
            options=options,
            answer=_key(record, options) if any(options) else "",
            category=task,
            official=record,
        )

    def find(self, videos: Videos, question: Question) -> str | None:
        """Find the video in the folder of its task, or in one folder with all others."""
        folder = FOLDERS[question.category]
        return videos.find(question.video, f"video/{folder}", f"MLVU/video/{folder}", "video", "")

    def parse(self, answer: str, line: Line) -> str | None:
        """Take the character before the first `)`, or the answer where it is a letter alone."""
        return parsing.before_bracket(answer)

    def figures(self, lines: Sequence[Line], *, official: bool = False) -> dict[str, float]:
        """Give each task, their mean (the authors' M-Avg), and the pooled mean (VLMEvalKit's)."""
        if official:  # every row counts, and one whose answer is no option has no right letter
            lines = [
                {
                    **line,
                    "correct": line["letter"] is not None and line["letter"] == _official(line),
                }
                for line in lines
            ]
        known = lines if official else with_answer(lines)
        if not known:
            return {}
        tasks = percents(known)
        mean = sum(tasks.values()) / len(tasks)
        name = "M-Avg as its script counts" if official else "M-Avg (mean of tasks)"
        return {
            name: mean,
            "pooled (VLMEvalKit's M-Avg)": percent(x["correct"] for x in known),
            **tasks,
        }

    def export(self, lines: Sequence[Line], path: Path) -> list[Path]:
        """Write `{"acc_dict", "res_list"}`, the file of `choice_bench.py`."""
        results, counted = [], dict[str, list[int]]()
        for line in lines:
            key = _official(line)
            options = [f"({a}) {text}" for a, text in zip(LETTERS, line["options"], strict=False)]
            answer = str(record_of(line).get("answer", ""))
            task = counted.setdefault(line["category"], [0, 0])
            task[0] += self.parse(line["prediction"], line) == key
            task[1] += 1
            results.append(
                {
                    "pred": line["prediction"],
                    "gt": f"({key or '@'}) {answer}",
                    "question": "\n".join([f"Question: {line['question']}", "Options:", *options]),
                    "question_type": line["category"],
                    "video": line["video"],
                }
            )
        return write_json(path, {"acc_dict": counted, "res_list": results})

    def predicted(self, key: str, value: Any) -> Iterator[dict[str, Any]]:
        """Give the predictions of `res_list`, the questions taken out of their prompts."""
        for one in value if key == "res_list" else ():
            stem, lettered = split_options(str(one.get("question")))
            question = stem.removeprefix("Question: ").removesuffix("\nOptions:")
            said = {"question": question, "candidates": list(lettered.values())}
            yield {"video": one.get("video"), "prediction": one.get("pred"), **said}


def _official(line: Line) -> str:
    return _key(record_of(line), line["options"])


def _key(record: Any, options: Sequence[str]) -> str:
    """Give the letter of the answer, the last one of two that read alike; "" where there is none."""
    answer = str(record.get("answer"))
    if record.get("candidates") is None and answer[:1] in LETTERS[: len(options)]:
        return answer[:1]
    same = [letter for letter, text in zip(LETTERS, options, strict=False) if text == answer]
    return same[-1] if same else ""


READER = MLVU()
