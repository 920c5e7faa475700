"""ShareGemini: one long caption a video, asked for in one of nine wordings.

>>> from t2vid.schema import Counts
>>> turns = [{"from": "human", "value": "<video>\\nTell."}, {"from": "gpt", "value": "Rain."}]
>>> next(convert([(3, {"video": "a/1.mp4", "conversations": turns})], Counts())).id
'sharegemini/00003'
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from t2vid.corpora.clips import Clip, clip_of
from t2vid.corpora.records import parsed
from t2vid.corpora.triplets import row_id
from t2vid.schema import Counts

SOURCE = "sharegemini"


def convert(
    rows: Iterable[tuple[int, Any]], counts: Counts, *, source: str = SOURCE
) -> Iterator[Clip]:
    """Give a `Clip` for each row that holds a video and a conversation.

    The Hub's file is described nowhere, so any record of `video` and `conversations` is taken, as
    T2Vid's rearranged jsonl has them.

    Args:
        rows: `(row number, record)` pairs.
        counts: where the other rows are counted by reason.
        source: name in the ids and the counts.

    Raises:
        RecordError: when the rows are no such records at all.
    """
    for row, clip in parsed(rows, lambda record: clip_of(record, ""), source=source, counts=counts):
        yield Clip(row_id(source, row), clip.video, clip.turns)
