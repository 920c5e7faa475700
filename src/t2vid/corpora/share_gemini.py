"""ShareGemini: one long caption a video, asked for in one of nine wordings.

>>> from t2vid.schema import Counts
>>> turns = [{"from": "human", "value": "<video>\\nTell."}, {"from": "gpt", "value": "Rain."}]
>>> next(convert([(3, {"video": "a/1.mp4", "conversations": turns})], Counts())).id
'sharegemini/00003'
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, cast

from t2vid.corpora.clips import Clip, clip_of
from t2vid.corpora.layouts import DESCRIBE
from t2vid.corpora.triplets import row_id
from t2vid.schema import Counts
from t2vid.storage.fields import Record, Unfit, have, parsed

SOURCE = "sharegemini"
VIDEO_KEYS = ("video", "video_path", "video_name", "videoid", "video_id", "file", "name", "id")
TURNS_KEYS = ("conversations", "conversation", "messages")
QUESTION_KEYS = ("question", "q", "instruction", "prompt", "input")
ANSWER_KEYS = ("answer", "a", "caption", "output", "response")


def convert(
    rows: Iterable[tuple[int, Any]], counts: Counts, *, source: str = SOURCE
) -> Iterator[Clip]:
    """Give a `Clip` for each row that holds a video and a conversation.

    The Hub's file is described nowhere. The likeliest record is `{video, conversations}`, as in T2Vid's
    rearranged jsonl; other names of the two, or a caption with or without its instruction, will do.

    Args:
        rows: `(row number, record)` pairs.
        counts: where the other rows are counted by reason.
        source: name in the ids and the counts.

    Raises:
        RecordError: when the rows are no such records at all.
    """
    for row, clip in parsed(rows, _parse, source=source, counts=counts):
        yield replace(clip, id=row_id(source, row))


def _parse(record: Record) -> Clip:
    # "id" last: it names the row in T2Vid's file and might be all that names the video elsewhere.
    video = _first(record, VIDEO_KEYS)
    turns = _first(record, TURNS_KEYS)
    answer = _first(record, ANSWER_KEYS)
    if video is None or (turns is None and answer is None):
        have(record, "video", "conversations")  # says what is missing and what is there
        raise Unfit("neither a video nor a conversation")
    if turns is not None:
        return clip_of({**record, "video": record[video], "conversations": record[turns]}, "")
    question = _first(record, QUESTION_KEYS)
    # The nine wordings of the corpus are unpublished.
    asked = DESCRIBE if question is None else record[question]
    pair = [{"from": "human", "value": asked}, {"from": "gpt", "value": record[cast(str, answer)]}]
    return clip_of({**record, "video": record[video], "conversations": pair}, "")


def _first(record: Record, keys: Iterable[str]) -> str | None:
    return next((key for key in keys if record.get(key)), None)
