"""A benchmark of one's own: JSON, JSONL, CSV or Parquet of id, video, question, options, answer.

>>> record = {"id": "q1", "video": "a.mp4", "question": "Which?", "options": ["red", "blue"]}
>>> [(q.id, q.answer) for q in READER.convert([(0, record | {"answer": "blue"})], Counts())]
[('questions/q1', 'B')]

`options` is a list, a mapping by letter, one text "A. … B. …", or columns `A`, `B`, …; `answer` is a
letter, the text of an option, or its place from 0. `category`, `duration`, `start_s` and
`end_s` are optional. An answer that is the letter of one option and the text of another is counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from t2vid.errors import InputError
from t2vid.evaluation.benchmarks.questions import LETTERS, Question, letter_of
from t2vid.evaluation.benchmarks.reader import (
    BenchmarkReader,
    Unusable,
    in_order,
    json_object,
    letter_at,
    seconds,
    texts,
)
from t2vid.schema import Counts as Counts
from t2vid.scoring.options import split_lettered
from t2vid.storage import records


class OwnQuestions(BenchmarkReader):
    """Reads questions in the plainest layout."""

    source = "questions"
    patterns = ("questions.*", "*.jsonl", "*.csv", "*.json", "*.parquet")
    video_folders = ("videos", "video", "clips")
    needed = ("video", "question")

    def records(self, part: records.Part) -> Iterator[tuple[int, Any]]:
        """Give the records; one JSON object over several lines is one question."""
        one = json_object(part)
        return iter([(0, one)]) if one is not None else records.read(part)

    def question(self, record: Any, place: int, *, config: str, subtitles: str | None) -> Question:
        """Make the question of a record."""
        options, name = _options(record), record.get("id")
        duration = record.get("duration")
        start_s, end_s = seconds(record, "start_s"), seconds(record, "end_s")
        in_order(start_s, end_s)
        return Question(
            id=f"{self.source}/{place if name in (None, '') else name}",
            source=self.source,
            video=str(record["video"]),
            question=str(record["question"]),
            options=tuple(options),
            answer=_answer(record.get("answer"), options),
            category=str(record.get("category") or ""),
            duration=None if duration in (None, "") else str(duration),
            start_s=start_s,
            end_s=end_s,
            official=record,
        )


def _options(record: Mapping[str, Any]) -> list[str]:
    given = record.get("options", record.get("candidates"))
    if isinstance(given, str):
        try:
            given = split_lettered(given)
        except InputError as error:
            raise Unusable("options are neither a list nor 'A. … B. …'") from error
    elif isinstance(given, Mapping):
        given = [given[letter] for letter in sorted(given) if given[letter] not in (None, "")]
    elif given is None:
        columns = [record.get(letter) for letter in LETTERS]
        given = [text for text in columns if text not in (None, "")]
        if columns[: len(given)] != given:
            raise Unusable("the columns of options have a gap")
    found = texts(given)
    if len(found) < 2:
        raise Unusable("one option is no choice")
    return list(found)


def _answer(given: Any, options: list[str]) -> str:
    """Give the letter of an answer, "" where there is none."""
    if given is None or given == "":
        return ""
    text, letters = str(given).strip(), LETTERS[: len(options)]
    named = text.strip("().: ").upper()
    by_letter = named if len(named) == 1 and named in letters else None
    by_text = letter_of(text, options)
    if by_letter and by_text and by_letter != by_text:
        raise Unusable("the answer is a letter and the text of another option")
    by_place = letter_at(text) if text.isdecimal() else ""
    found = by_text or by_letter or (by_place if by_place in letters else "")
    if not found:
        raise Unusable("the answer is none of the options")
    return found


READER = OwnQuestions()
