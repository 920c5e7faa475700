"""Several media in one value of a `Frames` column: pictures, videos and texts, one after another.

>>> value = together([StoredMedium("image", path="a.png"), StoredMedium("video", data=b"mp4", n=3)])
>>> [(one.kind, one.path, one.data, one.n) for one in media_of(value)]
[('image', 'a.png', None, 1), ('video', None, b'mp4', 3)]

Such a value names its media in its `spec`, as `{"media": [...]}`; what they hold themselves stands in
`bytes`, one after another. One text or video alone is stored as ever.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
from PIL import Image, UnidentifiedImageError

from t2vid.errors import InputError, MissingFile
from t2vid.storage.media import member_bytes

T = TypeVar("T")

_CHANNELS = (1, 3, 4)
_MAX_16_BIT = 65535


class StoredMedium(NamedTuple):
    """One of the media of a row.

    Attributes:
        kind: what it is.
        path: path or URL of a picture or a video.
        data: its content, where that is stored.
        text: what is drawn.
        spec: JSON of a `RenderSpec` or `SampleSpec`.
        n: frames that it gives: as many places it has in the conversation.
    """

    kind: Literal["image", "video", "text"]
    path: str | None = None
    data: bytes | None = None
    text: str | None = None
    spec: str | None = None
    n: int = 1

    @property
    def value(self) -> dict[str, Any]:
        """What a `Frames` column stores of it; of a picture `{path, bytes}`, as `Image` does."""
        own = {"path": self.path, "bytes": self.data}
        return own if self.kind == "image" else {**own, "text": self.text, "spec": self.spec}


def together(media: Sequence[StoredMedium]) -> dict[str, Any]:
    """Give the stored value of some media; of none the value of a row without frames."""
    if not media:
        return {"text": None, "path": None, "bytes": None, "spec": None}
    if len(media) == 1 and media[0].kind != "image":
        return media[0].value
    held, listed = b"", []
    for one in media:
        about = {k: v for k, v in one._asdict().items() if v is not None and k != "data"}
        if one.spec is not None:
            about["spec"] = json.loads(one.spec)
        if one.data is not None:
            about["bytes"] = [len(held), len(held) + len(one.data)]
            held += one.data
        listed.append(about)
    spec = json.dumps({"media": listed}, ensure_ascii=False, sort_keys=True)
    return {"text": None, "path": None, "bytes": held or None, "spec": spec}


def is_several(value: Mapping[str, Any] | None) -> bool:
    """Tell whether a stored value is made by `together` of several media, or of a picture."""
    return bool(value and value.get("spec") and value["spec"].startswith('{"media":'))


def is_blank(value: Mapping[str, Any] | None) -> bool:
    """Tell whether a stored value makes no frame."""
    known = value is not None and any(value.get(k) is not None for k in ("text", "path", "bytes"))
    return not known and not is_several(value)


def media_of(value: Mapping[str, Any]) -> list[StoredMedium]:
    """Give the media of a value that `is_several`."""
    out = []
    for about in json.loads(value["spec"])["media"]:
        span, spec = about.pop("bytes", None), about.pop("spec", None)
        data = value["bytes"][span[0] : span[1]] if span else None
        stored = None if spec is None else json.dumps(spec, ensure_ascii=False, sort_keys=True)
        out.append(StoredMedium(**about, data=data, spec=stored))
    return out


def with_paths(value: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    """Give a stored value with every path that it names changed.

    >>> with_paths({"text": None, "path": "a.mp4", "bytes": None, "spec": None}, str.upper)["path"]
    'A.MP4'
    """
    if is_several(value):
        spec = json.loads(value["spec"])
        for about in spec["media"]:
            if about.get("path") is not None:
                about["path"] = change(about["path"])
        return {**value, "spec": json.dumps(spec, ensure_ascii=False, sort_keys=True)}
    return value if value["path"] is None else {**value, "path": change(value["path"])}


def paths_in(value: Mapping[str, Any] | None) -> list[str]:
    """List the paths and URLs that a stored value names."""
    if not value or not is_several(value):
        return [value["path"]] if value and value.get("path") is not None else []
    return [p for about in json.loads(value["spec"])["media"] if (p := about.get("path"))]


def share_of(n_singles: int, n_sequences: int, limit: int | None) -> int | None:
    """Give how many frames each sequence may have where pictures and sequences share a limit."""
    if limit is None or not n_sequences:
        return None
    return max(1, (limit - n_singles) // n_sequences)


def thinned_together(sequences: Sequence[Sequence[T]], limit: int | None) -> list[list[T]]:
    """Leave frames out evenly over all sequences where they are too many together.

    >>> thinned_together([["a"], ["b", "c", "d"]], 2)
    [['a'], ['d']]
    """
    total = sum(map(len, sequences))
    if limit is None or total <= limit:
        return [list(one) for one in sequences]
    keep = {int(at) for at in np.linspace(0, total - 1, limit).round()}
    out, start = [], 0
    for one in sequences:
        out.append([frame for at, frame in enumerate(one, start) if at in keep])
        start += len(one)
    return out


def open_picture(path: str | None, data: bytes | None) -> Any:
    """Open a picture, upright, as `datasets` opens one, and make it `plain`.

    Args:
        path: path or URL.
        data: its content, which counts before the path.

    Raises:
        MissingFile: where there is no such file.
        InputError: for what is no picture; it names it.
    """
    import datasets

    data = member_bytes(path) if data is None else data
    try:
        return plain(datasets.Image().decode_example({"path": path, "bytes": data}))
    except FileNotFoundError:
        raise MissingFile(f"no such image: {path}") from None
    except (OSError, ValueError, SyntaxError) as error:
        name = path or f"<{len(data or b''):,} bytes>"
        raise InputError(
            f"{name} is no image that can be read ({why_no_picture(error, data)})"
        ) from error


def why_no_picture(error: Exception, data: bytes | None) -> str:
    """Say why bytes are no picture, where Pillow names a buffer by its address.

    >>> why_no_picture(UnidentifiedImageError(), b"<html>")
    "it begins with b'<html>'"
    """
    if data is None or not isinstance(error, UnidentifiedImageError):
        return str(error)
    return f"it begins with {data[:12]!r}" if data else "it is empty"


def plain(image: Image.Image) -> Image.Image:
    """Give a picture as 8 bits of RGB or gray: what is transparent lies on white.

    On white, as the published processors of Idefics3 and Qwen-VL lay it; 16 bits are scaled, where
    Pillow's own conversion would cut them off at 255.

    >>> plain(Image.new("LA", (1, 1), (0, 0))).getpixel((0, 0))
    (255, 255, 255)
    """
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    elif image.mode == "F" or image.mode.startswith("I"):
        return picture_of(np.asarray(image))
    return image if image.mode in ("RGB", "L") else image.convert("RGB")


def picture_of(pixels: Any) -> Image.Image:
    """Make a picture of an array or a tensor.

    Args:
        pixels: `(height, width)`, `(height, width, 1, 3 or 4)` or `(1, 3 or 4, height, width)`; of
            8 or 16 bits, or floats from 0 to 1 or to 255.

    Raises:
        InputError: for another shape or range; it names it.

    >>> picture_of(np.ones((3, 20, 10), dtype="float32")).size
    (10, 20)
    """
    array = np.asarray(pixels)
    if array.ndim == 3 and array.shape[0] in _CHANNELS and array.shape[2] not in _CHANNELS:
        array = array.transpose(1, 2, 0)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in _CHANNELS):
        raise InputError(
            f"an image is an array of shape {array.shape}; give (height, width), "
            "(height, width, 3) or (3, height, width)"
        )
    if array.dtype != np.uint8:
        low, top = float(array.min(initial=0)), float(array.max(initial=0))
        if not (low >= 0 and top <= _MAX_16_BIT):  # which no comparison with NaN is
            raise InputError(
                f"an image is an array of {array.dtype} from {low:g} to {top:g}; give 0 to 1, "
                "0 to 255, or 16 bits"
            )
        if top > 255 or array.dtype == np.uint16:
            array = array / 257
        elif top <= 1 and array.dtype.kind in "fb":
            array = array * 255.0
        array = array.round().astype(np.uint8)
    return plain(Image.fromarray(np.ascontiguousarray(array)))
