"""Video-ChatGPT, VideoInstruct100K: one question and answer a row about an ActivityNet video.

>>> from t2vid.schema import Counts
>>> record = {"q": "What?", "a": "A boat.\\nQA_GT_caption_based_noisy", "video_id": "v_0"}
>>> next(convert([(0, record)], Counts())).turns
(('user', 'What?'), ('assistant', 'A boat.'))
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from t2vid.corpora.clips import Clip, bounds_of, clip_of, without_marker, without_open_end
from t2vid.corpora.triplets import row_id
from t2vid.schema import Counts
from t2vid.storage.fields import Record, have, needed, parsed

SOURCE = "video_chatgpt"
# Left over in the published answers; the authors call it noise that may be removed (issue 69).
NOISE = "QA_GT_caption_based_noisy"


def convert(
    rows: Iterable[tuple[int, Any]], counts: Counts, *, source: str = SOURCE
) -> Iterator[Clip]:
    """Give a `Clip` for each row: `{q, a, video_id}`, or the conversations made of them.

    Args:
        rows: `(row number, record)` pairs.
        counts: where the other rows are counted by reason.
        source: name in the ids and the counts.

    Raises:
        RecordError: when the rows are no such records at all.
    """

    def parse(record: Record) -> Clip:
        if "conversations" in record:
            clip = clip_of(record, "")
            turns = tuple((role, said.removesuffix(NOISE).strip()) for role, said in clip.turns)
            return replace(clip, turns=without_open_end(turns))
        have(record, "q", "a", "video_id")
        answer = needed(record, "a", "answer").removesuffix(NOISE).strip()
        turns = (("user", without_marker(needed(record, "q", "question"))), ("assistant", answer))
        video = needed(record, "video_id", "video")
        return Clip("", video, without_open_end(turns), bounds_of(record))

    for row, clip in parsed(rows, parse, source=source, counts=counts):
        yield replace(clip, id=row_id(source, row))
