"""Video-MME (arXiv 2405.21075): the official Parquet rows, subtitles, and the public folder layout.

>>> record = {"videoID": "x", "question_id": "001-1", "question": "Which?", "answer": "B"}
>>> [q.answer for q in READER.convert([(0, record | {"options": ["A. 1", "B. 2"]})], Counts())]
['B']

A folder is a copy of the Hub's repository with its archives unpacked: `videomme/*.parquet`,
`data/<videoID>.mp4`, `subtitle/<videoID>.srt`. Terms: academic use, no redistribution.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from t2vid.evaluation.benchmarks import parsing
from t2vid.evaluation.benchmarks.questions import LETTERS, Question, split_options
from t2vid.evaluation.benchmarks.reader import (
    BenchmarkReader,
    Line,
    Unusable,
    percent,
    record_of,
    texts,
    write_json,
)
from t2vid.evaluation.benchmarks.subtitles import srt_cues
from t2vid.schema import Counts as Counts

# lmms-lab/Video-MME moved to lmms-eval/Video-MME in July 2026; both names answer.
HUB_FILE = "hf://datasets/lmms-lab/Video-MME/videomme/test-00000-of-00001.parquet"


class VideoMME(BenchmarkReader):
    """Reads Video-MME."""

    source = "video_mme"
    configs = {
        "default": "Questions about the frames alone.",
        "subtitles": "With the subtitles of each video.",
    }
    hub = dict.fromkeys(configs, (HUB_FILE,))
    patterns = ("videomme/*.parquet", "*.parquet")
    video_folders = ("data", "videos", "video")
    needed = ("videoID", "question_id", "question", "options", "answer")

    def question(self, record: Any, place: int, *, config: str, subtitles: str | None) -> Question:
        """Make the question of a record."""
        written = texts(record["options"])
        _, options = split_options("\n".join(written))
        if len(options) != len(written):  # written without letters
            options = dict(zip(LETTERS, written, strict=False))
        answer = str(record["answer"]).strip().upper()
        if answer not in options:
            raise Unusable("the answer is none of the options")
        video = str(record["videoID"])
        return Question(
            id=f"{self.source}/{record['question_id']}",
            source=self.source,
            video=video,
            question=str(record["question"]),
            options=tuple(options.values()),
            answer=answer,
            category=str(record.get("task_type") or ""),
            duration=str(record["duration"]) if record.get("duration") else None,
            cues=srt_cues(subtitles, video) if config == "subtitles" else (),
            official=record,
        )

    def parse(self, answer: str, line: Line) -> str | None:
        """Take the first capital A to D, once "The best answer is" and the like are gone."""
        return parsing.first_capital(answer, "ABCD", parsing.VIDEO_MME_PREFIXES)

    def figures(self, lines: Sequence[Line], *, official: bool = False) -> dict[str, float]:
        """Give the accuracy overall and by duration; its script leaves out what it cannot read."""
        read = [line for line in lines if line["letter"]] if official else lines
        found = {"Overall": [x["correct"] for x in read]}
        for name in ("short", "medium", "long"):
            found[name] = [x["correct"] for x in read if x["duration"] == name]
        return {name: percent(right) for name, right in found.items() if right}

    def export(self, lines: Sequence[Line], path: Path) -> list[Path]:
        """Write the answers as `eval_your_results.py` reads them: one JSON list of videos."""
        videos: dict[str, dict[str, Any]] = {}
        for line in lines:
            record = record_of(line)
            video = videos.setdefault(
                record["video_id"],
                {name: record[name] for name in ("video_id", "duration", "domain", "sub_category")}
                | {"missing": False, "questions": []},
            )
            video["missing"] |= bool(line.get("error"))
            names = ("question_id", "task_type", "question", "options", "answer")
            question = {name: record[name] for name in names}
            video["questions"].append({**question, "response": line["prediction"]})
        return write_json(path, list(videos.values()))


READER = VideoMME()
