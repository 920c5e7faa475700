"""Single values of a row: whether one is given, which part of a video is meant, how it is sampled.

>>> clip_options({"start": "0:02", "end": 5, "fps": 2}, 1)
[{'start_s': 2.0, 'end_s': 5.0, 'fps': 2}]
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from t2vid.errors import LayoutError
from t2vid.storage.fields import is_missing

_BOUNDS = (("start_s", "end_s"), ("video_start", "video_end"), ("start", "end"))
_SAMPLING = {key: key for key in ("fps", "nframes", "min_frames", "max_frames")}
_SAMPLING |= {"num_frames": "nframes"}
# From these on, a row beside its video describes the file, as its width and height do: no training
# set is sampled at a camera's rate.
_OF_THE_FILE = {"fps": 10, "num_frames": 65}


def given(record: Mapping[str, Any], key: str) -> Any:
    """Give a value, or None where it is absent, None or NaN or one of its relatives."""
    value = record.get(key)
    return None if is_missing(value) else value


def first_given(record: Mapping[str, Any], *keys: str, default: Any) -> Any:
    """Give the value of the first key that has one, else the default.

    >>> first_given({"text": None, "content": "Why?"}, "text", "content", default="")
    'Why?'
    """
    return next((v for key in keys if (v := given(record, key)) is not None), default)


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


def clip_options(record: Mapping[str, Any], n_videos: int) -> list[dict[str, Any]]:
    """Give what a row says of each of its videos: bounds in seconds, and how it is sampled.

    Args:
        record: the row; a list holds a value for each video.
        n_videos: how many videos it shows.

    Returns:
        Of each video `start_s`, `end_s` and qwen-vl-utils' words for sampling, where they are said.
    """
    out: list[dict[str, Any]] = [{} for _ in range(n_videos)]
    if not out:
        return out
    bounds = next((b for b in _BOUNDS if any(given(record, key) is not None for key in b)), ())
    names = {**dict(zip(bounds, ("start_s", "end_s"), strict=False)), **_SAMPLING}
    for key, name in names.items():
        value = given(record, key)
        values = value if isinstance(value, list) else [value] * n_videos
        for options, one in zip(out, values, strict=False):
            if one is not None:
                one = seconds(one) if key in bounds else _number(one)
                if not (isinstance(one, int | float) and one >= _OF_THE_FILE.get(key, math.inf)):
                    options[name] = one
    return out


def _number(value: Any) -> Any:
    """Read a number that a table holds as text."""
    try:
        return float(value) if "." in value else int(value)
    except (TypeError, ValueError):
        return value  # refused as it is, where it is used


def seconds(value: Any) -> float:
    """Read seconds, or a clock time.

    >>> seconds("1:02.5"), seconds(3)
    (62.5, 3.0)

    Raises:
        LayoutError: for what is neither.
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
