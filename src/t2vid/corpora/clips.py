"""Conversations about a video in the LLaVA form, as ShareGemini and T2Vid's own files have them.

>>> clip = clip_of({"video": "a/1.mp4", "conversations": [
...     {"from": "human", "value": "What is this?\\n<video>"}, {"from": "gpt", "value": "A boat."}]}, "x/0")
>>> clip.turns
(('user', 'What is this?'), ('assistant', 'A boat.'))
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

from t2vid.corpora.bounds import clip_options
from t2vid.errors import RecordError
from t2vid.storage.fields import Record, have, needed, text

_MARKER = r"<(?:video|image)>"
_OWN_LINE = re.compile(rf"^[ \t]*(?:{_MARKER}[ \t]*)+\n", re.MULTILINE)
_AT_END = re.compile(rf"(?:[ \t]*{_MARKER})+[ \t]*$", re.MULTILINE)
_AT_START = re.compile(rf"^[ \t]*(?:{_MARKER}[ \t]*)+", re.MULTILINE)
_BETWEEN = re.compile(rf"[ \t]*(?:{_MARKER}[ \t]*)+")
_ROLES = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "system": "system",
}


@dataclass(frozen=True)
class Clip:
    """A conversation about one video.

    Args:
        id: `source/row number`.
        video: the video as the annotation names it: a path, a name or a stem.
        turns: `(role, text)` pairs, a user first, without markers.
        bounds: of the part of the video that is meant, `start_s`, `end_s`, and its sampling.
    """

    id: str
    video: str
    turns: tuple[tuple[str, str], ...]
    bounds: tuple[tuple[str, Any], ...] = field(default=(), repr=False)


def clip_of(record: Record, clip_id: str) -> Clip:
    """Read one record of `video` and `conversations`; the video marker may stand anywhere or nowhere.

    Args:
        record: `{video, conversations: [{from, value}]}`, or `{role, content}` turns.
        clip_id: id of the result.

    Raises:
        RecordError: with a short reason, where the record holds no usable conversation.
    """
    have(record, "video", "conversations")
    video = needed(record, "video")
    turns = record["conversations"]
    if not isinstance(turns, list) or not turns:
        raise RecordError("no conversation")
    said = without_open_end(tuple(_turn(turn) for turn in turns))
    return Clip(clip_id, video, said, bounds_of(record))


def bounds_of(record: Record) -> tuple[tuple[str, Any], ...]:
    """Give the part of its video that a record is about and how it is sampled, where it says so.

    Raises:
        RecordError: for one that is no time, or ends before it starts.
    """
    found = clip_options(record, 1)[0]
    if found.get("end_s", math.inf) <= found.get("start_s", 0.0):
        raise RecordError("a clip that ends before it starts")
    return tuple(found.items())


def without_marker(value: str) -> str:
    """Drop video and image markers wherever they stand, with the white space that belongs to them.

    >>> without_marker("What is\\n<video>\\nthis <video> here?\\n<video>")
    'What is\\nthis here?'
    """
    for pattern in (_OWN_LINE, _AT_END, _AT_START):
        value = pattern.sub("", value)
    return _BETWEEN.sub(" ", value).strip()


def without_open_end(turns: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Check the order of turns: user and assistant in alternation, ending with an answer.

    Raises:
        RecordError: where they do not alternate, or one is blank.
    """
    spoken = [role for role, _ in turns if role != "system"]
    if spoken != ["user", "assistant"] * (len(spoken) // 2) or not spoken:
        raise RecordError("turns do not alternate")
    for role, said in turns:
        if not said:
            raise RecordError("no question" if role == "user" else "no answer")
    return turns


def _turn(turn: Any) -> tuple[str, str]:
    if not isinstance(turn, dict):
        raise RecordError("a turn is not an object")
    role = _ROLES.get(str(turn.get("from", turn.get("role"))).lower())
    if role is None:
        raise RecordError("a turn of nobody known")
    return role, without_marker(text(turn, "value" if "value" in turn else "content"))
