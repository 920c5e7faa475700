"""The media of a row made into frames within its budget, each in its place in the conversation.

>>> from t2vid.corpora.layouts import read_row
>>> row = read_row({"messages": [{"role": "user", "content": "<image>Why?"},
...     {"role": "assistant", "content": "So."}], "image": "a.png"})
>>> written(row.turns, [Shown([None], 1)])[0]["content"]
[{'type': 'image'}, {'type': 'text', 'text': 'Why?'}]
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from t2vid.corpora.layouts import read_row, read_unshown
from t2vid.corpora.placing import Medium, Turn
from t2vid.errors import InputError, kind_of
from t2vid.frames.feature import FIELDS, Frames, video_value
from t2vid.frames.spec import SampleSpec
from t2vid.frames.together import (
    open_picture,
    picture_of,
    plain,
    share_of,
    thinned_together,
)

_SAMPLING = ("fps", "nframes", "min_frames", "max_frames", "start_s", "end_s")


class Shown(NamedTuple):
    """What is shown of one medium.

    Attributes:
        frames: its frames, within the budget.
        n_places: how many frames it has without one; a conversation may hold a place for each.
    """

    frames: Sequence[Any]
    n_places: int


def show(
    media: Sequence[Medium],
    *,
    reader: Frames,
    limit: int | None = None,
    size: Callable[[dict[str, Any]], dict[str, Any]] = dict,
    folder: str | None = None,
) -> list[Shown]:
    """Make the frames of a row's media.

    Args:
        media: of the row.
        reader: the `Frames` feature that draws and decodes; its own budget holds without `limit`.
        limit: frames of all media together; videos share what images leave.
        size: gives the stored value of a video the size at which it is decoded.
        folder: where relative paths start.

    Raises:
        InputError: for an image that cannot be read; it names it.
        BadVideo: for a video that cannot be decoded.
    """
    n_images = sum(one.kind == "image" for one in media)
    n_others = len(media) - n_images
    share = share_of(n_images, n_others, limit)
    shown = []
    for one in media:
        if one.kind == "image":
            shown.append(Shown([_image(one.value, folder)], 1))
        else:
            shown.append(_sequence(one, reader=reader, limit=share, size=size, folder=folder))
    kept = thinned_together([one.frames for one in shown], limit)
    return [
        one if len(frames) == len(one.frames) else Shown(frames, one.n_places)
        for one, frames in zip(shown, kept, strict=True)
    ]


def written(turns: Sequence[Turn], shown: Sequence[Shown]) -> list[dict[str, Any]]:
    """Write turns for a chat template, an image part for each frame where its medium stands.

    Where a medium has as many places as frames, each frame takes its own; else all stand at the
    first.

    Args:
        turns: as `read_row` gives them.
        shown: of each medium.
    """
    n_places = [
        sum(part == at for turn in turns for part in turn.parts) for at in range(len(shown))
    ]
    met = [0] * len(shown)
    out = []
    for turn in turns:
        content: list[dict[str, Any]] = []
        for part in turn.parts:
            if isinstance(part, str):
                content.append({"type": "text", "text": part})
                continue
            one, place = shown[part], met[part]
            met[part] += 1
            if n_places[part] == one.n_places:
                n = int(place < len(one.frames))
            else:
                n = len(one.frames) if place == 0 else 0
            content += [{"type": "image"}] * n
        spoken: dict[str, Any] = {"role": turn.role, "content": content}
        out.append(spoken | ({"tool_calls": turn.tool_calls} if turn.tool_calls else {}))
    return out


def conversation(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give the turns of a row of any layout, an image part at each place of a medium.

    Args:
        row: its columns of media may be left out.
    """
    read = read_unshown(row)
    n = [
        sum(part == at for turn in read.turns for part in turn.parts)
        for at in range(len(read.media))
    ]
    return written(read.turns, [Shown([None] * places, places) for places in n])


def place_frames(messages: Sequence[Mapping[str, Any]], n_frames: int) -> list[dict[str, Any]]:
    """Make the number of image parts of a conversation equal the number of its frames.

    Args:
        messages: turns whose places all belong to one sequence of frames.
        n_frames: how many frames there are.

    Raises:
        LayoutError: when there are frames and no user turn.

    >>> turn = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Why?"}]}
    >>> [part["type"] for part in place_frames([turn], 2)[0]["content"]]
    ['image', 'image', 'text']
    """
    read = read_row({"messages": messages, "images": dict.fromkeys(FIELDS)}, answered=False)
    return written(read.turns, [Shown([None] * n_frames, n_frames)])


def count_frames(media: Sequence[Medium], *, reader: Frames, folder: str | None = None) -> int:
    """Count the frames of a row's media without drawing, and of videos without decoding, them.

    Args:
        media: of the row.
        reader: as for `show`.
        folder: where relative paths start.
    """
    from t2vid.frames.render import count_frames as pages
    from t2vid.frames.spec import RenderSpec
    from t2vid.frames.video import probe

    n = 0
    for one in media:
        value = one.value
        if one.kind == "image":
            n += 1
        elif isinstance(value, list):  # of frames, or what reading a `Frames` column gave
            n += len(value)
        else:
            stored = value if one.kind == "frames" else _stored(one, folder)
            if stored.get("text") is not None:
                n += pages(stored["text"], RenderSpec.from_json(stored["spec"]))
            elif stored.get("path") is not None or stored.get("bytes") is not None:
                spec = SampleSpec.from_json(stored["spec"])
                if reader.max_frames:
                    spec = replace(spec, max_frames=reader.max_frames)
                n += probe({"path": stored["path"], "bytes": stored["bytes"]}, spec).n_frames
    return n


def _sequence(
    one: Medium,
    *,
    reader: Frames,
    limit: int | None,
    size: Callable[[dict[str, Any]], dict[str, Any]],
    folder: str | None,
) -> Shown:
    value = one.value
    if hasattr(value, "encoded"):  # a FrameList that was read already
        return _cut(value, limit)
    if isinstance(value, list) or getattr(value, "ndim", 0) == 4:  # frames, one by one
        return _cut([_image(frame, folder) for frame in value], limit)
    stored = dict.fromkeys(FIELDS) | dict(value) if one.kind == "frames" else _stored(one, folder)
    feature = replace(reader, decode=True, max_frames=limit or reader.max_frames)
    frames = feature.decode_example(size(stored))
    is_text = frames.spans is not None
    return Shown(frames, frames.n_total if is_text else len(frames))


def _cut(frames: Sequence[Any], limit: int | None) -> Shown:
    n = len(frames)
    if limit is None or n <= limit:
        return Shown(frames, n)
    if getattr(frames, "spans", None) is not None:
        return Shown(frames[:limit], n)  # pages are read from the start
    keep = np.linspace(0, n - 1, limit).round().astype(int)
    return Shown([frames[int(at)] for at in keep], n)


def _stored(one: Medium, folder: str | None) -> dict[str, Any]:
    """Give what a `Frames` column would store of a video."""
    value = one.value
    if isinstance(value, Mapping):
        value = value.get("bytes") if value.get("bytes") is not None else value.get("path")
    if not isinstance(value, str | bytes):
        raise InputError(
            f"a video is {kind_of(one.value)}; give a path, a URL, bytes or a list of frames"
        )
    # Budgets of pixels are left out: a frame is decoded at the size that its model takes.
    options = {key: value for key, value in one.options.items() if key in _SAMPLING}
    if {"nframes", "min_frames"} & set(options):
        options["frame_factor"] = 2  # who counts frames in qwen-vl-utils' words gets pairs of them
    return video_value(_at(value, folder), SampleSpec(**options))


def _image(value: Any, folder: str | None) -> Any:
    from PIL import Image as Pillow

    if isinstance(value, Pillow.Image):
        return plain(value)
    if isinstance(value, Mapping):
        stored = {"path": value.get("path"), "bytes": value.get("bytes")}
    elif isinstance(value, bytes):
        stored = {"path": None, "bytes": value}
    elif isinstance(value, str):
        stored = {"path": _at(value, folder), "bytes": None}
    elif hasattr(value, "__array__"):
        return picture_of(value)
    else:
        raise InputError(f"an image is {kind_of(value)}; give a path, a URL, bytes or an image")
    return open_picture(stored["path"], stored["bytes"])


def _at(value: Any, folder: str | None) -> Any:
    if isinstance(value, bytes) or folder is None or "://" in value or value.startswith("data:"):
        return value
    return os.path.join(folder, value)
