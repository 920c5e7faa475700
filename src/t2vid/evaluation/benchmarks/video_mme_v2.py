"""Video-MME-v2 (arXiv 2604.05015): eight options, groups of four questions that count together.

>>> record = {"video_id": "901", "question_id": "901-1", "question": "Which?", "group_type": "logic"}
>>> record |= {"options": "A. a kite\\nB. a drone", "answer": "B", "second_head": "Order"}
>>> [(q.id, q.answer, q.category) for q in READER.convert([(0, record)], Counts())]
[('video_mme_v2/901-1', 'B', 'Order')]

A folder is a copy of the Hub's repository, unpacked: `test.parquet`, `videos/001.mp4`,
`subtitle/001.jsonl`. Terms: academic use, no redistribution.

The score is the mean of groups, not of questions. The authors' script marks an answer that it cannot
read by -1, which counts as right in a chain (four unread answers are 100 points) and takes one from
the count of a relevance group; here it is wrong, and `scheme="official"` keeps the trap.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from t2vid.evaluation.benchmarks import parsing
from t2vid.evaluation.benchmarks.questions import Question, split_options
from t2vid.evaluation.benchmarks.reader import (
    BenchmarkReader,
    Line,
    Unusable,
    percent,
    record_of,
    with_answer,
)
from t2vid.evaluation.benchmarks.subtitles import subtitle_file, timed_words
from t2vid.metrics.groups import group_score
from t2vid.schema import Counts

COLUMNS = (
    "video_id url group_type group_structure question_id question options answer level second_head "
    "third_head"
).split()

# The authors' table; the names of heads follow.
RATING = "total level_1 level_2 level_3 relevance_score relevance_linear_score logic_score".split()


class VideoMMEv2(BenchmarkReader):
    """Reads Video-MME-v2."""

    source = "video_mme_v2"
    configs = {
        "default": "Questions about the frames alone.",
        "subtitles": "With the words of each video.",
    }
    hub = dict.fromkeys(configs, ("hf://datasets/MME-Benchmarks/Video-MME-v2/test.parquet",))
    patterns = ("test*.parquet", "data/test*.parquet", "*.parquet")
    needed = ("video_id", "question_id", "question", "answer")

    def convert(
        self,
        rows: Iterable[tuple[int, Any]],
        counts: Counts,
        *,
        config: str = "",
        subtitles: str | None = None,
    ) -> Iterator[Question]:
        """Make questions; the last row of a group names what the whole group asks for."""
        for _, group in groupby(rows, key=lambda row: _video(row[1])):
            found = list(group)
            last = found[-1][1]
            head = last.get("second_head") if isinstance(last, Mapping) else None
            for row in found:
                named = row[1] | {"head": head} if isinstance(row[1], dict) else row[1]
                yield from super().convert(
                    [(row[0], named)], counts, config=config, subtitles=subtitles
                )

    def question(self, record: Any, place: int, *, config: str, subtitles: str | None) -> Question:
        """Make the question of a record."""
        head = record.pop("head", None)
        given = record.get("options")
        text = "\n".join(map(str, given)) if isinstance(given, list) else str(given or "")
        _, options = split_options(text)
        answer, video = str(record["answer"]).strip().upper(), str(record["video_id"])
        if answer not in options:
            raise Unusable("the answer is none of the options")
        path = subtitle_file(subtitles, video, ".jsonl") if config == "subtitles" else None
        return Question(
            id=f"{self.source}/{record['question_id']}",
            source=self.source,
            video=video,
            question=str(record["question"]),
            options=tuple(options.values()),
            answer=answer,
            category=_named(head) or str(record.get("group_type") or ""),
            cues=tuple(timed_words(path.read_text("utf-8"))) if path else (),
            official=record,
        )

    def parse(self, answer: str, line: Line) -> str | None:
        """Take the first capital A to H, once "Final Answer:" and the like are gone."""
        return parsing.first_capital(answer, "ABCDEFGH", parsing.V2_PREFIXES)

    def figures(self, lines: Sequence[Line], *, official: bool = False) -> dict[str, float]:
        """Count groups: the mean of all, of each kind, level and head, and the questions alone."""
        groups: dict[str, list[tuple[dict[str, Any], int]]] = {}
        for line in with_answer(lines):
            unread = official and line["letter"] is None
            right = -1 if unread else int(line["correct"])
            record = record_of(line)
            groups.setdefault(str(record["video_id"]), []).append((record, right))
        points: dict[str, list[float]] = {}
        for group in groups.values():
            group.sort(key=lambda one: _place(one[0]))
            last, marks = group[-1][0], [mark for _, mark in group]
            kind = str(last.get("group_type") or "relevance")
            structure = "relevance" if kind == "relevance" else str(last.get("group_structure"))
            score = group_score(marks, structure)
            names = ["total", f"{kind}_score"]
            names += [f"level_{last['level']}"] if _named(last.get("level")) else []
            for key in ("second_head", "third_head"):
                names += [f"{key}: {last[key]}"] if _named(last.get(key)) else []
            for name in names:
                points.setdefault(name, []).append(score)
            if kind == "relevance":
                linear = 100 * sum(marks) / len(marks)
                points.setdefault("relevance_linear_score", []).append(linear)
        order = [name for name in RATING if name in points]
        order += sorted(points.keys() - {*RATING})
        found = {name: sum(points[name]) / len(points[name]) for name in order}
        if groups:
            found["accuracy of questions"] = percent(line["correct"] for line in with_answer(lines))
        short = sum(len(group) != 4 for group in groups.values())
        return found | ({"groups without four questions": float(short)} if short else {})

    def export(self, lines: Sequence[Line], path: Path) -> list[Path]:
        """Write the table of the authors' script: the columns of the file, index and prediction."""
        with open(path, "w", encoding="utf-8", newline="") as file:
            table = csv.writer(file, delimiter="\t", lineterminator="\n")
            table.writerow([*COLUMNS, "index", "video", "prediction"])
            for line in lines:
                record = record_of(line)
                cells = [record.get(name) for name in COLUMNS]
                table.writerow([*cells, line["place"], record["video_id"], line["prediction"]])
        return [path]


def _video(record: Any) -> Any:
    return record.get("video_id") if isinstance(record, Mapping) else None


def _place(record: Mapping[str, Any]) -> int:
    tail = str(record.get("question_id")).rpartition("-")[2]
    return int(tail) if tail.isdecimal() else 0


def _named(value: Any) -> str:
    """Give a name of the taxonomy; 'None' stands in all rows of a group but the last."""
    return "" if value is None or str(value) in ("None", "") else str(value)


READER = VideoMMEv2()
