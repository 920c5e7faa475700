"""EgoSchema (arXiv 2308.09126): five long options about three minutes of a first person's day.

>>> record = {"question_idx": "1", "video_idx": "0a-1", "question": "Why?", "answer": "1"}
>>> [(q.id, q.answer) for q in READER.convert([(0, record | {"option": ["A. x", "B. y"]})], Counts())]
[('egoschema/0a-1', 'B')]

A folder holds `Subset/*.parquet` and `MC/*.parquet` (lmms-lab's copy), or the repository's
`questions.json` with `subset_answers.json` beside it, and the videos as `videos/<uid>.mp4`. 500 of the
5,031 answers are public; the others are scored by the authors' server.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from t2vid.evaluation.benchmarks import parsing
from t2vid.evaluation.benchmarks.questions import LETTERS, Question, split_options
from t2vid.evaluation.benchmarks.reader import (
    BenchmarkReader,
    Line,
    Unusable,
    letter_at,
    place_of,
    record_of,
    texts,
    write_json,
)
from t2vid.schema import Counts as Counts
from t2vid.storage import records

_HUB = "hf://datasets/lmms-lab/egoschema/{}/test-00000-of-00001.parquet"


class EgoSchema(BenchmarkReader):
    """Reads EgoSchema."""

    source = "egoschema"
    configs = {
        "subset": "The 500 questions whose answers are public.",
        "full": "All 5,031 questions, for the authors' server.",
    }
    hub = {"subset": (_HUB.format("Subset"),), "full": (_HUB.format("MC"),)}
    counts_places = True

    def files_in(self, folder: Path, config: str) -> list[Path]:
        """Find the Parquet file of the configuration, or `questions.json`."""
        name = "Subset" if config == "subset" else "MC"
        shards = sorted([*folder.glob(f"{name}/*.parquet"), *folder.glob(f"{name}_*.parquet")])
        return shards or sorted(folder.glob("questions.json"))

    def records(self, part: records.Part, config: str) -> Iterator[tuple[int, Any]]:
        """Give the records, those of `questions.json` with the answers that lie beside it."""
        beside = Path(part.path).with_name("subset_answers.json")
        known = records.read_json(str(beside)) if beside.is_file() else {}
        for number, record in records.read(part):
            if isinstance(record, dict) and record.get("q_uid") in known:
                record["answer"] = known[record["q_uid"]]
            yield number, record

    def question(
        self, record: Any, place: int, *, config: str, subtitles: str | None
    ) -> Question | None:
        """Make the question of a record in either layout."""
        if not isinstance(record, dict):
            raise Unusable("no object")
        uid = record.get("video_idx") or record.get("q_uid")
        options = record.get("option")
        if options is None:
            options = [record[f"option {at}"] for at in range(5) if f"option {at}" in record]
        if not uid or not record.get("question"):
            raise Unusable("no usable uid, question")
        written = texts(options)
        _, lettered = split_options("\n".join(written))
        shown = tuple(lettered.values()) if len(lettered) == len(written) else written
        answer = letter_at(record.get("answer"))
        if config == "subset" and not answer:
            return None
        if answer and LETTERS.index(answer) >= len(shown):
            raise Unusable("the answer is none of the options")
        return Question(
            id=f"{self.source}/{uid}",
            source=self.source,
            video=str(uid),
            question=str(record["question"]),
            options=shown,
            answer=answer,
            category="",
            official=record,
        )

    def parse(self, answer: str, line: Line) -> str:
        """Take the first letter that is mentioned, and draw one where there is none (lmms-eval)."""
        options = dict(zip(LETTERS, line["options"], strict=False))
        found = parsing.mentioned(answer, options, last=False)
        return found or parsing.guess("".join(options), line["id"])

    def export(self, lines: Sequence[Line], path: Path) -> list[Path]:
        """Write `{q_uid: place}`, what the server takes; an open answer is -1."""
        return write_json(path, {_uid(line): place_of(line) for line in lines})


def _uid(line: Line) -> str:
    record = record_of(line)
    return str(record.get("video_idx") or record.get("q_uid"))


READER = EgoSchema()
