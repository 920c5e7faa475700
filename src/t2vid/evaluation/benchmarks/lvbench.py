"""LVBench (arXiv 2406.08035): questions about videos of an hour and more.

>>> qa = {"uid": "9", "question": "What?\\n(A) A drum\\n(B) A map", "answer": "B"}
>>> video = {"key": "x", "qa": [qa | {"question_type": ["reasoning", "summarization"]}]}
>>> [(q.id, q.video, q.options, q.category) for q in READER.convert(flat([(0, video)]), Counts())]
[('lvbench/9', 'x', ('A drum', 'A map'), 'reasoning, summarization')]

A folder holds `video_info.meta.jsonl` (one line a video) or the Parquet file of lmms-lab's copy, and
the videos, named by their YouTube ids. `time_reference` says where the answer lies; it stays in
`official` and bounds nothing: the whole video is asked about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
    with_answer,
    write_json,
)
from t2vid.schema import Counts as Counts
from t2vid.storage import records

# Its table's names (scripts/test_acc.py)
SHORT = {
    "key information retrieval": "KIR",
    "event understanding": "EU",
    "summarization": "Sum",
    "entity recognition": "ER",
    "reasoning": "Rea",
    "temporal grounding": "TG",
}


class LVBench(BenchmarkReader):
    """Reads LVBench."""

    source = "lvbench"
    hub = {"default": ("hf://datasets/zai-org/LVBench/video_info.meta.jsonl",)}
    patterns = (
        "video_info.meta.jsonl",
        "data/video_info.meta.jsonl",
        "data/*.parquet",
        "*.parquet",
    )
    video_folders = ("videos", "all_videos", "video_chunks", "video")
    needed = ("uid", "video_path", "question", "answer")

    def records(self, part: records.Part, config: str) -> Iterator[tuple[int, Any]]:
        """Give the questions of a file, a row each."""
        return flat(records.read(part))

    def question(self, record: Any, place: int, *, config: str, subtitles: str | None) -> Question:
        """Make the question of a record, whose options are lines "(A) …" or a list."""
        question, lettered = split_options(str(record["question"]))
        options = texts(list(lettered.values()) or record.get("options"))
        answer = str(record["answer"]).strip().upper()
        if len(answer) != 1 or answer not in LETTERS[: len(options)]:
            raise Unusable("the answer is none of the options")
        return Question(
            id=f"{self.source}/{record['uid']}",
            source=self.source,
            video=str(record["video_path"]),
            question=question,
            options=options,
            answer=answer,
            category=", ".join(_types(record)),
            official=record,
        )

    def parse(self, answer: str, line: Line) -> str | None:
        """Take the first character before the first `)`, as `polish_answer` does."""
        return parsing.after_bracket(answer)

    def figures(self, lines: Sequence[Line], *, official: bool = False) -> dict[str, float]:
        """Give the accuracy and that of each type; a question counts in every type that it has."""
        if official:  # its script leaves out what the file of answers lacks
            lines = [line for line in lines if not line.get("error")]
        right: dict[str, list[bool]] = {}
        for line in with_answer(lines):
            for kind in ["Overall", *_types(record_of(line))]:
                right.setdefault(SHORT.get(kind, kind), []).append(line["correct"])
        return {name: percent(flags) for name, flags in right.items()}

    def export(self, lines: Sequence[Line], path: Path) -> list[Path]:
        """Write `{uid: letter}`, what `test_acc.py` reads; open answers are left out there, too."""
        answered = (line for line in lines if line["letter"])
        return write_json(path, {record_of(line)["uid"]: line["letter"] for line in answered})


def flat(rows: Iterable[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
    """Give a row for each question of each video; rows that are flat already stay."""
    number = 0
    for _, record in rows:
        nested = record.get("qa") if isinstance(record, dict) else None
        for one in nested if isinstance(nested, list) else [record]:
            if isinstance(one, dict) and nested is not None:
                one = {"video_path": record.get("key"), "video_type": record.get("type"), **one}
            yield number, one
            number += 1


def _types(record: Any) -> list[str]:
    kinds = record.get("question_type")
    return [str(kind) for kind in kinds] if isinstance(kinds, list) else [str(kinds or "")]


READER = LVBench()
