"""A benchmark of one's own: JSON, JSONL, CSV or Parquet of id, video, question, options, answer.

>>> record = {"id": "q1", "video": "a.mp4", "question": "Which?", "options": ["red", "blue"]}
>>> [(q.id, q.answer) for q in READER.convert([(0, record | {"answer": "blue"})], Counts())]
[('questions/q1', 'B')]

`options` (or `candidates`, `choices`) is a list, a mapping by letter, number or name, one text "A. … B. …", columns
`A`, `B`, … or `option_a`, `option_b`, …, or lines "A. …" of the question; `answer` is a letter, a key of the mapping,
the text of an option, or its place from 0. `category`, `duration`, `start_s` and `end_s` are optional. An answer
that is the letter of one option and the text of another is counted, and so is a gap among the options.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from t2vid.errors import InputError
from t2vid.evaluation.benchmarks.questions import (
    LETTERS,
    OPTION,
    Question,
    letter_of,
    split_options,
)
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

_OPTIONS = ("options", "candidates", "choices")
_COLUMN = re.compile(r"([A-J])|(?:option|choice|opt)[ _-]?([A-Ja-j])")


class OwnQuestions(BenchmarkReader):
    """Reads questions in the plainest layout."""

    source = "questions"
    patterns = ("questions.*", "*.jsonl", "*.csv", "*.json", "*.parquet")
    video_folders = ("videos", "video", "clips")
    needed = ("video", "question")

    def records(self, part: records.Part, config: str) -> Iterator[tuple[int, Any]]:
        """Give the records; one JSON object over several lines is one question."""
        one = json_object(part)
        return iter([(0, one)]) if one is not None else records.read(part)

    def question(self, record: Any, place: int, *, config: str, subtitles: str | None) -> Question:
        """Make the question of a record."""
        stem, options, keys = _options(record)
        name = record.get("id")
        duration = record.get("duration")
        start_s, end_s = seconds(record, "start_s"), seconds(record, "end_s")
        in_order(start_s, end_s)
        return Question(
            id=f"{self.source}/{place if name in (None, '') else name}",
            source=self.source,
            video=str(record["video"]),
            question=stem,
            options=options,
            answer=_answer(record.get("answer"), options, keys),
            category=str(record.get("category") or ""),
            duration=None if duration in (None, "") else str(duration),
            start_s=start_s,
            end_s=end_s,
            official=record,
        )


def _options(record: Mapping[str, Any]) -> tuple[str, tuple[str, ...], list[str]]:
    """Give the question without options in it, the options without letters, and what keys named them."""
    given: Any = next((record[name] for name in _OPTIONS if name in record), None)
    if isinstance(given, Mapping) and isinstance(given.get("text"), list):  # as ARC's files have it
        given = given["text"]
    keys: list[str] = []
    stem, written = split_options(str(record["question"]))
    if given is None or given == "":
        columns = dict.fromkeys(LETTERS) | {
            (named[1] or named[2]).upper(): value
            for key, value in record.items()
            if (named := _COLUMN.fullmatch(str(key)))
        }
        given = columns if any(columns.values()) else written
    if isinstance(given, str):
        try:
            given = split_lettered(given)
        except InputError as error:
            raise Unusable("options are neither a list nor 'A. … B. …'") from error
    if isinstance(given, Mapping):
        keys, given = _in_order(given)
    if isinstance(given, list):
        while given and given[-1] in (None, ""):  # what a table is filled up with
            given = given[:-1]
        if any(one in (None, "") for one in given):
            raise Unusable("the options have a gap")
    found = texts(given)
    if len(found) < 2:
        raise Unusable("one option is no choice")
    _, bare = split_options("\n".join(found))
    if len(bare) == len(found):  # written with their letters
        found = tuple(bare.values())
    same = len(written) == len(found) and all(
        map(letter_of, written.values(), [[x] for x in found])
    )
    return (stem if same else str(record["question"])), found, keys[: len(found)]


def _in_order(given: Mapping[Any, Any]) -> tuple[list[str], list[Any]]:
    """Give the keys of a mapping and its options: letters and numbers in their order, names as written."""
    keys = [str(key).strip().strip("().:") for key in given]
    pairs = list(zip(keys, given.values(), strict=True))
    if all(key.isdecimal() for key in keys):
        pairs.sort(key=lambda pair: int(pair[0]))
    elif all(len(key) == 1 and key.upper() in LETTERS for key in keys):
        held = {key.upper(): value for key, value in pairs}
        pairs = [(letter, held.get(letter)) for letter in LETTERS]
    return [key for key, _ in pairs], [value for _, value in pairs]


def _answer(given: Any, options: Sequence[str], keys: Sequence[str]) -> str:
    """Give the letter of an answer, "" where there is none."""
    if given is None or given == "":
        return ""
    text, letters = str(given).strip(), LETTERS[: len(options)]
    if text in keys:
        return letters[keys.index(text)]
    lettered = OPTION.fullmatch(text)  # "B. blue"
    named = text.strip("().: ").upper()
    if lettered and letter_of(text, options) is None:
        named, text = lettered[1], lettered[2]
    by_letter = named if len(named) == 1 and named in letters else None
    by_text = letter_of(text, options)
    if by_letter and by_text != by_letter and (by_text or lettered):
        raise Unusable("the answer is a letter and the text of another option")
    by_place = letter_at(text.removesuffix(".0")) if text.removesuffix(".0").isdecimal() else ""
    found = by_text or by_letter or (by_place if by_place in letters else "")
    if not found:
        raise Unusable("the answer is none of the options")
    return found


READER = OwnQuestions()
