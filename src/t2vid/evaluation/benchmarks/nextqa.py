"""NExT-QA (arXiv 2105.08276), multiple choice: why, how, before and after, in videos of daily life.

>>> record = {"video": 90, "question": "why did it stop", "answer": 1, "qid": 6, "type": "TP"}
>>> record |= {f"a{place}": f"reason {place}" for place in range(5)}
>>> [(q.id, q.answer, q.category) for q in READER.convert([(0, record)], Counts())]
[('nextqa/90_6', 'B', 'TN')]

A folder holds `MC/*.parquet` (lmms-lab's copy, whose only split is the test set), or the repository's
`test.csv` and `val.csv`, and the videos under `NExTVideo/`, nested or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from t2vid.evaluation.benchmarks import parsing
from t2vid.evaluation.benchmarks.questions import LETTERS, Question
from t2vid.evaluation.benchmarks.reader import (
    BenchmarkReader,
    Line,
    Unusable,
    letter_at,
    percent,
    place_of,
    record_of,
    with_answer,
    write_json,
)
from t2vid.schema import Counts as Counts

# eval_mc.py: what it prints for each type and each kind of types; TP (before) is folded into TN
NAMES = {"CW": "Why", "CH": "How", "TN": "Bef&Aft", "TC": "When", "DC": "Cnt", "DL": "Loc"}
NAMES |= {"DO": "Other", "C": "Acc_C", "T": "Acc_T", "D": "Acc_D"}


class NextQA(BenchmarkReader):
    """Reads NExT-QA."""

    source = "nextqa"
    configs = {"test": "The test set.", "validation": "The validation set."}
    hub = {
        "test": ("hf://datasets/lmms-lab/NExTQA/MC/test-00000-of-00001.parquet",),
        "validation": (
            "https://raw.githubusercontent.com/doc-doc/NExT-QA/main/dataset/nextqa/val.csv",
        ),
    }
    video_folders = ("NExTVideo", "videos", "video")
    needed = ("video", "qid", "question", "answer", "a0", "a1", "a2", "a3", "a4")
    counts_places = True

    def files_in(self, folder: Path, config: str) -> list[Path]:
        """Find the CSV file of a set, or the Parquet files of the test set."""
        name = "test.csv" if config == "test" else "val.csv"
        plain = [folder / place / name for place in ("", "nextqa", "dataset/nextqa")]
        there = [path for path in plain if path.is_file()][:1]
        shards = sorted([*folder.glob("MC/*.parquet"), *folder.glob("MC_*.parquet")])
        return there or (shards if config == "test" else [])

    def question(self, record: Any, place: int, *, config: str, subtitles: str | None) -> Question:
        """Make the question of a record."""
        answer = letter_at(record["answer"])
        if not answer or LETTERS.index(answer) > 4:
            raise Unusable("the answer is none of the options")
        kind = str(record.get("type") or "")
        return Question(
            id=f"{self.source}/{record['video']}_{record['qid']}",
            source=self.source,
            video=str(record["video"]),
            question=str(record["question"]),
            options=tuple(str(record[f"a{place}"]) for place in range(5)),
            answer=answer,
            category="TN" if kind == "TP" else kind,
            official=record,
        )

    def parse(self, answer: str, line: Line) -> str:
        """Take the last letter that is mentioned, and draw one where there is none (lmms-eval)."""
        options = dict(zip(LETTERS, line["options"], strict=False))
        found = parsing.mentioned(answer, options, last=True)
        return found or parsing.guess("".join(options), line["id"])

    def figures(self, lines: Sequence[Line], *, official: bool = False) -> dict[str, float]:
        """Give the accuracy, that of each type, and of causal, temporal and descriptive ones."""
        right: dict[str, list[bool]] = {}
        for line in with_answer(lines):
            kind = line["category"]
            for name in ("Acc", *(NAMES.get(key, key) for key in (kind[:1], kind) if key)):
                right.setdefault(name, []).append(line["correct"])
        order = [name for name in (*NAMES.values(), "Acc") if name in right]
        return {name: percent(right[name]) for name in [*order, *sorted(right.keys() - {*order})]}

    def export(self, lines: Sequence[Line], path: Path) -> list[Path]:
        """Write `{"<video>_<qid>": {prediction, answer}}` for `eval_mc.py`; open answers are -1."""
        found = {
            line["id"].partition("/")[2]: {
                "prediction": place_of(line),
                "answer": int(record_of(line)["answer"]),
            }
            for line in lines
        }
        return write_json(path, found)


READER = NextQA()
