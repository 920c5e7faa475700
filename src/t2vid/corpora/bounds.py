"""Single values of a row: whether one is given, and which part of a video is meant.

>>> clip_bounds({"start": "0:02", "end": 5}, 1)
[{'start_s': 2.0, 'end_s': 5.0}]
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from t2vid.errors import LayoutError
from t2vid.storage.fields import is_missing

_BOUNDS = (("start_s", "end_s"), ("video_start", "video_end"), ("start", "end"))


def given(record: Mapping[str, Any], key: str) -> Any:
    """Give a value, or None where it is absent, None or NaN or one of its relatives."""
    value = record.get(key)
    return None if is_missing(value) else value


def listed(value: Any) -> Any:
    """Give a list that a CSV cell or a tool stored as JSON; anything else as it is.

    >>> listed('["a.png"]'), listed("[a].png")
    (['a.png'], '[a].png')
    """
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def clip_bounds(record: Mapping[str, Any], n_videos: int) -> list[dict[str, float]]:
    """Give the bounds of each video in seconds, where the row states them."""
    for names in _BOUNDS:
        found = [given(record, key) for key in names]
        if n_videos and any(value is not None for value in found):
            lists = [v if isinstance(v, list) else [v] * n_videos for v in found]
            return [
                {
                    key: _seconds(values[at])
                    for key, values in zip(("start_s", "end_s"), lists, strict=True)
                    if at < len(values) and values[at] is not None
                }
                for at in range(n_videos)
            ]
    return [{} for _ in range(n_videos)]


def _seconds(value: Any) -> float:
    """Read seconds, or a clock time.

    >>> _seconds("1:02.5"), _seconds(3)
    (62.5, 3.0)
    """
    try:
        total = 0.0
        for part in str(value).split(":"):
            total = total * 60 + float(part)
        if not 0 <= total < math.inf:
            raise ValueError(value)
        return total
    except ValueError as error:
        raise LayoutError(
            f"a clip's bound is {value!r}; it must be seconds or a time like 1:02.5",
            reason="unknown bound",
        ) from error
