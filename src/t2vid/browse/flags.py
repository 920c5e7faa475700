"""What is odd about a row, seen beside a sample of the others.

>>> row = {"messages": [{"role": "assistant", "content": [{"type": "text", "text": "B."}]}]}
>>> CommonTraits([]).flags(row)
['letter', 'no frames']
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from t2vid.browse.answers import VERDICTS
from t2vid.corpora.layouts import read_unshown, said_by, turns_of
from t2vid.errors import T2VidError
from t2vid.frames.together import is_blank
from t2vid.insight.flags import OPENING_WORDS
from t2vid.insight.templates import template_of
from t2vid.models.showing import conversation
from t2vid.storage.fields import count_in

FLAGS = {
    "unreadable": "it fits no layout of rows, so nothing of it can be shown or trained on",
    "opening": "its answer opens with the same five words as many others",
    "template": "its instruction stands in many rows, but for numbers, names and quotes",
    "twin": "another row has the same instruction and answer",
    "letter": "its answer is a bare letter",
    "no frames": "it shows nothing",
    "placeholders": "its prompt has another number of image places than n_frames",
    **VERDICTS,
}


class CommonTraits:
    """What many rows of a sample share.

    Args:
        rows: the sample.
    """

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self._openings: Counter[str] = Counter()
        self._templates: Counter[str] = Counter()
        self._pairs: Counter[tuple[str, str]] = Counter()
        n = 0
        for n, row in enumerate(rows, 1):  # noqa: B007
            question, answer = asked(row)
            self._openings[_opening(answer)] += 1
            self._templates[template_of(question)] += 1
            self._pairs[_plain(question), _plain(answer)] += 1
        self._many = max(3, n // 100)

    def flags(self, row: Mapping[str, Any]) -> list[str]:
        """Name the flags of a row, out of `FLAGS`."""
        if "verdict" in row:  # an answer of a run: what came of it, and nothing about data
            return [str(flag) for flag in row["flags"]]
        value = row.get("images")
        if not isinstance(value, list) and is_blank(value):  # as a row of a text alone stores it
            row = {name: value for name, value in row.items() if name != "images"}
        try:
            turns = read_unshown(row).turns
        except T2VidError:
            return ["unreadable"]
        question, answer = _asked(said_by(turns))
        n_places = sum(not isinstance(part, str) for turn in turns for part in turn.parts)
        opening, letter = _opening(answer), answer.strip("(). ")
        here = {
            "opening": bool(opening) and self._openings[opening] >= self._many,
            "template": bool(question) and self._templates[template_of(question)] >= self._many,
            "twin": self._pairs[_plain(question), _plain(answer)] > 1,
            "letter": len(letter) == 1 and letter.isalpha(),
            "no frames": n_frames_of(row) == 0,
            "placeholders": count_in(row.get("n_frames")) not in (None, n_places),
        }
        return [name for name, holds in here.items() if holds]


def turns_in(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Give what is said in a row as `(role, text)`; of a broken one, what is wrong with it.

    >>> turns_in({"messages": [3]})[0][0]
    'unreadable'
    """
    try:
        return turns_of(row)
    except T2VidError as error:
        return [("unreadable", str(error))]


def asked(row: Mapping[str, Any]) -> tuple[str, str]:
    """Give the first question and the first answer of a row, in one line each."""
    return _asked(turns_in(row))


def _asked(turns: Sequence[tuple[str, str]]) -> tuple[str, str]:
    question = next((text for role, text in turns if role in ("user", "unreadable")), "")
    answer = next((text for role, text in turns if role == "assistant"), "")
    return " ".join(question.split()), " ".join(answer.split())


def n_frames_of(row: Mapping[str, Any]) -> int:
    """Give the frames that a row says it has, or the image places of its prompt."""
    if (n_frames := count_in(row.get("n_frames"))) is not None:
        return n_frames
    try:
        turns = conversation(row)
    except T2VidError:
        return 0
    return sum(part["type"] == "image" for turn in turns for part in turn["content"])


def _opening(answer: str) -> str:
    words = _plain(answer).split()[:OPENING_WORDS]
    return " ".join(words) if len(words) == OPENING_WORDS else ""


def _plain(text: str) -> str:
    return text.casefold()
