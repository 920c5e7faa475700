"""A benchmark of one's own: JSON, JSONL, CSV or Parquet of id, video, question, options, answer.

>>> record = {"id": "q1", "video": "a.mp4", "question": "Which?", "options": ["red", "blue"]}
>>> [(q.id, q.answer) for q in READER.convert([(0, record | {"answer": "blue"})], Counts())]
[('questions/q1', 'B')]

`NAMES` says what else these columns may be called. `options` is a list, a mapping by letter, number or
name, one text "A. … B. …" or "a | b", columns `A`, `B`, … or `option_a`, `option_1`, …, or lines "A. …" of
the question; `answer` is a letter, a key of the mapping, the text of an option, or its place from 0.
`category`, `duration`, `start_s` and `end_s` are optional. An answer that is the letter of one option and
the text of another is counted, and so is a gap among the options.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

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

RIGHT = (
    *("right", "right_answer", "correct", "correct_answer", "correct_option", "answer_letter"),
    *("gold", "gt", "ground_truth", "gt_answer", "target", "label", "answer_idx", "answer_index"),
)
# What people call each part, likeliest first; in lower case, and with "_" for spaces and dashes.
NAMES: Mapping[str, Sequence[str]] = {
    "id": ("id", "question_id", "qid", "uid"),
    "video": (
        *("video", "video_path", "video_file", "video_name", "video_id", "videoid", "vid"),
        *("clip", "clip_path", "file", "filename", "file_name", "path"),
    ),
    "question": ("question", "prompt", "query"),
    "options": ("options", "candidates", "choices", "answer_choices"),
    "answer": ("answer", *RIGHT),
    "category": ("category", "task", "task_type", "question_type", "type"),
}
_UNCOMMAED = re.compile(r"(?<=['\"])\s+(?=['\"])")  # between two strings of a NumPy array
_COLUMN = re.compile(r"([a-j])|(?:option|choice|opt|a)_?(?:([a-j])|([0-9]))")


class NoOptions(Unusable):
    """A record that says nothing of options."""


class OwnQuestions(BenchmarkReader):
    """Reads questions in the plainest layout."""

    source = "questions"
    patterns = ("questions.*", "*.jsonl", "*.csv", "*.json", "*.parquet")
    video_folders = ("videos", "video", "clips")
    parts: ClassVar[Sequence[str]] = ("video", "question")  # that a record must have

    def records(self, part: records.Part, config: str) -> Iterator[tuple[int, Any]]:
        """Give the records; one JSON object is one question, or holds the list or mapping of all."""
        one = json_object(part)
        return records.read(part) if one is None else enumerate(_listed_in(one))

    def question(self, record: Any, place: int, *, config: str, subtitles: str | None) -> Question:
        """Make the question of a record."""
        named = plain(record)
        lacking = [part for part in self.parts if named.get(part) in (None, "")]
        if lacking:
            called = " and no ".join(
                f"{part} (or {', '.join(NAMES[part][1:4])} …)" for part in lacking
            )
            raise Unusable(f"no {called} among {', '.join(list(map(str, record))[:12])}")
        stem, options, keys = _options(named)
        name, duration = named.get("id"), named.get("duration")
        start_s, end_s = seconds(named, "start_s"), seconds(named, "end_s")
        in_order(start_s, end_s)
        return Question(
            id=f"{self.source}/{place if name in (None, '') else name}",
            source=self.source,
            video=str(named["video"]),
            question=stem,
            options=options,
            answer=_answer(named.get("answer"), options, keys),
            category=str(named.get("category") or ""),
            duration=None if duration in (None, "") else str(duration),
            start_s=start_s,
            end_s=end_s,
            official=record,
        )


def lowered(record: Mapping[Any, Any]) -> dict[str, Any]:
    """Give a record with its names in lower case, and "_" for spaces and dashes."""
    return {re.sub(r"[\s-]+", "_", str(key).strip().lower()): v for key, v in record.items()}


def plain(record: Mapping[Any, Any]) -> dict[str, Any]:
    """Give a record with lowered names, and beside them each part of a question that goes by another name.

    >>> plain({"Video-Path": "a.mp4", "GT": "B"})
    {'video_path': 'a.mp4', 'gt': 'B', 'video': 'a.mp4', 'answer': 'B'}
    """
    given = lowered(record)
    for part, names in NAMES.items():
        held = [given[name] for name in names if given.get(name) not in (None, "")]
        if held:
            given[part] = held[0]
    return given


def _listed_in(one: Mapping[str, Any]) -> list[Any]:
    """Give the questions that one JSON object holds: in its only list, by their ids, or itself."""
    if "question" in plain(one):
        return [one]
    lists = [v for v in one.values() if isinstance(v, list) and v and isinstance(v[0], Mapping)]
    if len(lists) == 1:
        return lists[0]
    if one and all(isinstance(value, Mapping) for value in one.values()):
        return [{"id": key, **value} for key, value in one.items()]
    return [one]


def _options(record: Mapping[str, Any]) -> tuple[str, tuple[str, ...], list[str]]:
    """Give the question without options in it, the options without letters, and what keys named them."""
    given: Any = record.get("options")
    if isinstance(given, Mapping) and isinstance(given.get("text"), list):  # as ARC's files have it
        given = given["text"]
    keys: list[str] = []
    stem, written = split_options(str(record["question"]))
    if given is None or given == "":
        columns = {
            "".join(filter(None, named.groups())).upper(): value
            for key, value in record.items()
            if (named := _COLUMN.fullmatch(key))
        }
        given = columns if any(columns.values()) else written
        if not given:
            raise NoOptions("no options: neither a column of them, nor columns A, B, …")
    if isinstance(given, str):
        given = _cell(given)
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


def _cell(text: str) -> Any:
    """Give the list that a cell writes as `["a", "b"]`, as NumPy does, as `a | b`, `A. … B. …` or one a line.

    >>> _cell("['red' 'dark blue']"), _cell("{'A': 'red', 'B': 'blue'}")
    (['red', 'dark blue'], {'A': 'red', 'B': 'blue'})
    """
    if text.lstrip().startswith(("[", "{")):
        try:
            read = ast.literal_eval(_UNCOMMAED.sub(", ", text.strip()))
            return read if isinstance(read, Mapping) else [str(one) for one in read]
        except (ValueError, SyntaxError, TypeError):
            pass
    try:
        return split_lettered(text)
    except InputError as error:
        listed = [one.strip() for one in text.strip().split("|" if "|" in text else "\n")]
        if len(listed) < 2:
            raise Unusable("options are neither a list nor 'a | b' nor 'A. … B. …'") from error
        return listed


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
