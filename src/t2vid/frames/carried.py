"""Frames that find back to what they were made from, when `datasets` writes a row that was read.

`map`, `from_list` and others turn every picture of a row into a PNG file before a feature sees it.
So each frame writes its place among the frames into such a file, and the first one what they were
made from. Where a column gets whole sequences back, they are made once more and compared, and what
they were made from is stored; anything else is pixels, which a `Frames` column refuses.

>>> from PIL import Image
>>> from datasets.features.image import encode_pil_image
>>> frames = [Image.new("L", (8, 8))]
>>> carry(frames, {"text": "A page."})
>>> restored([encode_pil_image(frames[0])], lambda value: frames)
{'text': 'A page.'}
>>> restored([encode_pil_image(frames[0].point(lambda v: 255))], lambda value: frames) is None
True
"""

from __future__ import annotations

import base64
import hashlib
import io
import itertools
import json
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

from t2vid.frames.cropped import CroppedFrame

PLACE, MADE_FROM = "t2vid-place", "t2vid-made-from"
_numbers = itertools.count()
_key = secrets.token_bytes(32)


def carry(frames: Sequence[Image.Image], made_from: Mapping[str, Any]) -> None:
    """Mark frames as made from a value; copies of them carry no mark.

    Args:
        frames: all of them, in order.
        made_from: plain JSON values and bytes.
    """
    key = f"{os.getpid()}.{next(_numbers)}"
    for at, frame in enumerate(frames):
        if type(frame) in (Image.Image, CroppedFrame, CarriedFrame):
            frame.__class__ = CarriedFrame
            frame.mark = f"{key} {at} {len(frames)}", None if at else made_from  # type: ignore[attr-defined]


def restored(
    pictures: Sequence[Any], remake: Callable[[Mapping[str, Any]], Sequence[Image.Image]]
) -> Mapping[str, Any] | None:
    """Give the value that pictures were made from.

    Args:
        pictures: `{path, bytes}` of PNG files, as `datasets` encodes pictures.
        remake: makes the frames of a value again.

    Returns:
        None unless these are all frames of one reading, in order and untouched.
    """
    keys, found = set(), []
    for at, picture in enumerate(pictures):
        data = picture.get("bytes") if isinstance(picture, Mapping) else None
        if data is None:
            return None
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            place = image.info.get(PLACE, "").split()
            if len(place) != 3 or place[1:] != [str(at), str(len(pictures))]:
                return None
            keys.add(place[0])
            found.append(image)
    if len(keys) != 1 or MADE_FROM not in found[0].info:
        return None
    try:
        told = _sealed(base64.b64decode(found[0].info[MADE_FROM]), keys.pop())
        value = json.loads(told, object_hook=_with_bytes)
    except ValueError:  # of another process, which had another key
        return None
    again = remake(value)
    # A mark outlives drawing on the picture, so the pictures decide.
    if len(again) != len(found) or any(
        one.mode != two.mode or one.tobytes() != two.tobytes()
        for one, two in zip(found, again, strict=True)
    ):
        return None
    return dict(value)


class CarriedFrame(CroppedFrame):
    """A picture that writes its mark where `datasets` encodes it: to memory, as PNG.

    Its copies are plain pictures; sent to another process it is one that has no mark.
    """

    mark: tuple[str, Mapping[str, Any] | None] | None = None

    def save(self, fp: Any, format: str | None = None, **params: Any) -> None:
        """Save as Pillow does; `params` are those of the format."""
        if self.mark is not None and isinstance(fp, io.BytesIO) and format == "PNG" and not params:
            place, made_from = self.mark
            params["pnginfo"] = chunks = PngImagePlugin.PngInfo()
            chunks.add_text(PLACE, place)
            if made_from is not None:
                # Not compressed: Pillow reads no more than a megabyte of what is.
                told = _sealed(json.dumps(made_from, default=_as_json).encode(), place.split()[0])
                chunks.add_text(MADE_FROM, base64.b64encode(told).decode("ascii"))
        super().save(fp, format, **params)


def _sealed(data: bytes, reading: str) -> bytes:
    """Seal or open: a stream cipher of this process's key, and no reading has another's stream."""
    stream = hashlib.shake_256(_key + reading.encode()).digest(len(data))
    return (np.frombuffer(data, np.uint8) ^ np.frombuffer(stream, np.uint8)).tobytes()


def _as_json(value: bytes) -> dict[str, str]:
    return {"base64": base64.b64encode(value).decode("ascii")}


def _with_bytes(value: dict[str, Any]) -> Any:
    return base64.b64decode(value["base64"]) if set(value) == {"base64"} else value
