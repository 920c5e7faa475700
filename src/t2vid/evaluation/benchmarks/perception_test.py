"""Perception Test (arXiv 2305.13786), multiple choice: memory, physics, semantics, abstraction.

>>> record = {"video_name": "video_1", "question_id": "0", "question": "How many?", "answer_id": "2"}
>>> [q.id for q in READER.convert([(0, record | {"options": ["one", "two", "three"]})], Counts())]
['perception_test/video_1/0']

A folder holds `mc_question_val/*.parquet` (lmms-lab's copy) or the authors' `mc_question_valid.json`,
and the videos under `videos/`. Some videos give their answer away at the end; where the authors'
`cut_frame_mapping_valid.json` lies beside the questions, such a video is asked up to that frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from t2vid.evaluation.benchmarks.questions import LETTERS, Question
from t2vid.evaluation.benchmarks.reader import (
    BenchmarkReader,
    Line,
    Unusable,
    in_order,
    json_object,
    letter_at,
    number,
    percent,
    percents,
    place_of,
    record_of,
    texts,
    with_answer,
    write_json,
)
from t2vid.schema import Counts as Counts
from t2vid.storage import records

FPS = 30.0  # of its videos, where the annotation does not say
_HUB = "hf://datasets/lmms-lab/"


class PerceptionTest(BenchmarkReader):
    """Reads the multiple-choice questions of the Perception Test."""

    source = "perception_test"
    configs = {
        "validation": "The validation set.",
        "test": "The test set, whose answers are not public.",
    }
    hub = {
        "validation": (
            f"{_HUB}PerceptionTest_Val/mc_question_val/validation-00000-of-00001.parquet",
        ),
        "test": (f"{_HUB}PerceptionTest/mc_question/test-00000-of-00001.parquet",),
    }
    needed = ("video_name", "question_id", "question", "options")

    def files_in(self, folder: Path, config: str) -> list[Path]:
        """Find the Parquet files of a set, or the authors' JSON."""
        name, short = (
            ("mc_question_val", "valid") if config == "validation" else ("mc_question", "test")
        )
        shards = [*folder.glob(f"{name}/*.parquet"), *folder.glob(f"{name}_{config}*.parquet")]
        plain = [*folder.glob(f"**/mc_question_{short}.json"), *folder.glob(f"**/all_{short}.json")]
        return sorted(shards) or sorted(plain)[:1]

    def records(self, part: records.Part, config: str) -> Iterator[tuple[int, Any]]:
        """Give the records, the authors' `{video: {mc_question: […]}}` as flat rows."""
        nested = json_object(part)
        cuts = _cuts(part)
        rows = records.read(part) if nested is None else enumerate(_flat(nested))
        for place, record in rows:
            if isinstance(record, dict) and record.get("video_name") in cuts:
                record["cut_frame"] = cuts[record["video_name"]]
            yield place, record

    def question(self, record: Any, place: int, *, config: str, subtitles: str | None) -> Question:
        """Make the question of a record; ids of questions are unique in a video only."""
        options, answer = texts(record["options"]), letter_at(record.get("answer_id"))
        if answer and LETTERS.index(answer) >= len(options):
            raise Unusable("the answer is none of the options")
        cut, fps = number(record.get("cut_frame")), number(record.get("frame_rate"), FPS) or FPS
        end_s = None if cut is None else cut / fps
        in_order(None, end_s)
        return Question(
            id=f"{self.source}/{record['video_name']}/{record['question_id']}",
            source=self.source,
            video=str(record["video_name"]),
            question=str(record["question"]),
            options=options,
            answer=answer,
            category=str(record.get("area") or ""),
            end_s=end_s,
            official=record,
        )

    def parse(self, answer: str, line: Line) -> str | None:
        """Take the first A, B, C or D that is a word, the article "A" included (lmms-eval)."""
        words = "".join(char if char.isalnum() or char == "_" else " " for char in answer).split()
        return next((word for word in words if word in ("A", "B", "C", "D")), None)

    def figures(self, lines: Sequence[Line], *, official: bool = False) -> dict[str, float]:
        """Give the top-1 accuracy, overall and by area."""
        known = with_answer(lines)
        return {"top-1": percent(x["correct"] for x in known), **percents(known)} if known else {}

    def export(self, lines: Sequence[Line], path: Path) -> list[Path]:
        """Write `{video: [{id, answer_id, answer}]}`, what the challenge takes; open answers are -1."""
        videos: dict[str, list[dict[str, Any]]] = {}
        for line in lines:
            place, record = place_of(line), record_of(line)
            said = {"answer_id": place, "answer": line["options"][place] if place >= 0 else ""}
            ident = {"id": int(record["question_id"])}
            videos.setdefault(record["video_name"], []).append({**ident, **said})
        return write_json(path, videos)

    def predicted(self, key: str, value: Any) -> Iterator[dict[str, Any]]:
        """Give the predictions about one video of the challenge's file."""
        for one in value if isinstance(value, list) else ():
            yield {"id": f"{key}/{one.get('id')}", "prediction": letter_at(one.get("answer_id"))}


def _flat(videos: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name, video in videos.items():
        if not isinstance(video, dict) or not isinstance(video.get("mc_question"), list):
            yield {"video_name": name}  # without questions: counted
            continue
        about = video.get("metadata")
        rate = about.get("frame_rate") if isinstance(about, dict) else None
        for one in video["mc_question"]:
            yield {"video_name": name, "question_id": str(one.get("id")), "frame_rate": rate, **one}


def _cuts(part: records.Part) -> dict[str, int]:
    """Read the frames at which videos end, where that file lies beside or above the questions."""
    if "://" in part.path:
        return {}
    folders = list(Path(part.path).parents)[:2]
    found = [path for folder in folders for path in sorted(folder.glob("cut_frame_mapping_*.json"))]
    return dict(records.read_json(str(found[0]))) if found else {}


READER = PerceptionTest()
