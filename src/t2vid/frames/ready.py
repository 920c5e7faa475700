"""Videos that are already pictures: folders of numbered images, and torchcodec decoders.

>>> sorted(["10.jpg", "9.jpg"], key=number_of)
['9.jpg', '10.jpg']
"""

from __future__ import annotations

import os
import re
from fractions import Fraction
from typing import Any

import av
import numpy as np
from PIL import ExifTags, Image, ImageOps

from t2vid.errors import BadVideo, InputError
from t2vid.frames.decoding import Painter
from t2vid.frames.framelist import FrameList
from t2vid.frames.sampling import Grid, as_fraction, choose, part_of, subset, target_size
from t2vid.frames.spec import SampleSpec
from t2vid.storage.media import Limits, bad, describe, local_size

_IMAGES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
_TICK = Fraction(1, 1_000_000)  # torchcodec tells times as floats of seconds

Shape = tuple[int, float, int, int, int]


def unwrapped(source: Any) -> Any:
    """Take what a `datasets.Video` column gives down to a path, bytes, bytes with a name, or a decoder."""
    encoded = getattr(source, "_hf_encoded", None)
    if isinstance(encoded, dict) and (encoded.get("path") or encoded.get("bytes") is not None):
        source = encoded
    if not isinstance(source, dict):
        return source
    if source.get("bytes") is not None:
        return source  # its path, where it has one, is what messages call it
    if source.get("path") is not None:
        return source["path"]
    raise InputError("a video needs a path or bytes, and this mapping has neither")


def is_folder(source: Any) -> bool:
    """Say whether a source is a local folder."""
    return isinstance(source, str | os.PathLike) and os.path.isdir(source)


def is_decoder(source: Any) -> bool:
    """Say whether a source is a torchcodec `VideoDecoder`."""
    return hasattr(source, "get_frames_played_at") and hasattr(source, "metadata")


def number_of(name: str) -> tuple[list[int], str]:
    """Sort key of a numbered file name."""
    return [int(digits) for digits in re.findall(r"\d+", name)], name


def from_folder(folder: str | os.PathLike[str], spec: SampleSpec, limits: Limits) -> FrameList:
    """Take the frames of a folder of numbered images, `spec.folder_fps` of them a second.

    Raises:
        BadVideo: for a folder without images, or an image that cannot be read.
    """
    names, total, picks = _pick(folder, spec)
    painter = Painter(spec.size)
    pictures: dict[int, Image.Image] = {}
    room = limits.max_bytes
    for i in sorted(set(picks)):
        pictures[i] = _image(os.path.join(folder, names[i]), painter, limits)
        room -= 3 * pictures[i].width * pictures[i].height
        if room < 0:
            found = f"its frames take more than {limits.max_bytes:,} bytes"
            raise bad(describe(folder), "memory", found, "ask for fewer or smaller ones")
    seconds = [float(i / as_fraction(spec.folder_fps)) for i in picks]
    return FrameList([pictures[i] for i in picks], timestamps_s=seconds, n_total=total)


def probe_folder(folder: str | os.PathLike[str], spec: SampleSpec) -> Shape:
    """Give the fields of a `VideoInfo` for a folder of numbered images."""
    names, total, picks = _pick(folder, spec)
    path = os.path.join(folder, names[0])
    local_size(path, path)
    try:
        with Image.open(path) as image:
            sideways = image.getexif().get(ExifTags.Base.Orientation, 1) >= 5
            size = target_size(*(image.size[::-1] if sideways else image.size), spec.size)
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise bad(path, "image", f"it is no image ({error})", "write it again") from None
    return len(picks), float(len(names) / as_fraction(spec.folder_fps)), *size, total


def from_decoder(decoder: Any, spec: SampleSpec, limits: Limits) -> FrameList:
    """Take the frames of a torchcodec decoder.

    Raises:
        InputError: for `select="keyframes"`, which a decoder does not tell.
        BadVideo: for frames that it cannot decode, or that would not fit into memory.
    """
    total, picks, seconds = _ask(decoder, spec)
    about = decoder.metadata
    room = 3 * about.width * about.height * len(picks)  # it scales nothing: they come as they are
    if room > limits.max_bytes:
        found = f"{len(picks):,} frames of {about.width}x{about.height} take {room / 1e6:,.0f} MB"
        raise bad(describe(decoder), "memory", found, "ask for fewer, or give the file itself")
    try:
        if spec.fps is None:
            batch = decoder.get_frames_at(indices=picks)
        else:
            batch = decoder.get_frames_played_at(seconds=seconds)
    except (RuntimeError, IndexError, ValueError) as error:
        found = f"torchcodec cannot read on ({str(error).splitlines()[0]:.120})"
        raise bad(describe(decoder), "unreadable", found, "give the file itself") from error
    arrays = np.asarray(batch.data)
    if arrays.shape[1] == 3:
        arrays = arrays.transpose(0, 2, 3, 1)
    painter = Painter(spec.size)
    frames = [av.VideoFrame.from_ndarray(np.ascontiguousarray(a), format="rgb24") for a in arrays]
    begin = about.begin_stream_seconds or 0.0
    shown = [float(t) - begin for t in np.asarray(batch.pts_seconds)]
    return FrameList([painter.paint(f) for f in frames], timestamps_s=shown, n_total=total)


def probe_decoder(decoder: Any, spec: SampleSpec) -> Shape:
    """Give the fields of a `VideoInfo` for a torchcodec decoder."""
    total, picks, _ = _ask(decoder, spec)
    about = decoder.metadata
    size = target_size(about.width, about.height, spec.size)
    return len(picks), about.end_stream_seconds - (about.begin_stream_seconds or 0.0), *size, total


def _pick(folder: str | os.PathLike[str], spec: SampleSpec) -> tuple[list[str], int, list[int]]:
    names = [name for name in os.listdir(folder) if name.lower().endswith(_IMAGES)]
    if not names:
        found = f"a folder of {len(os.listdir(folder)):,} files, none of them an image"
        move = f"give a video, or a folder of numbered {', '.join(_IMAGES)}"
        raise bad(describe(folder), "no images", found, move)
    names.sort(key=number_of)
    tick = 1 / as_fraction(spec.folder_fps)
    times = list(range(len(names)))
    part = part_of(spec, len(names), tick, describe(folder))
    return names, *choose(times, times, spec, part, tick)


def _image(path: str, painter: Painter, limits: Limits) -> Image.Image:
    local_size(path, path)  # a pipe would be waited for
    try:
        with Image.open(path) as image:
            if image.width * image.height > limits.max_pixels:
                found = f"it is {image.width}x{image.height}"
                raise bad(
                    path, "frame size", found, "leave it out, or raise Limits(max_pixels=...)"
                )
            upright = ImageOps.exif_transpose(image).convert("RGB")
    except BadVideo:
        raise
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise bad(path, "image", f"it is no image ({error})", "write it again") from None
    return painter.paint(av.VideoFrame.from_ndarray(np.asarray(upright), format="rgb24"))


def _ask(decoder: Any, spec: SampleSpec) -> tuple[int, list[int], list[float]]:
    """Say how many frames there are, which to ask for, and at which seconds they are shown."""
    if spec.select == "keyframes":
        raise InputError("a decoder does not tell its keyframes; give the file, or another select")
    about = decoder.metadata
    if spec.fps is None:
        total = len(decoder)
        return total, subset(total, spec.max_frames, select=spec.select), []
    begin = Fraction(about.begin_stream_seconds or 0)
    end = round((Fraction(about.end_stream_seconds) - begin) / _TICK)
    part = part_of(spec, end, _TICK, type(decoder).__name__)
    scale = _TICK * as_fraction(spec.fps)
    grid = Grid(scale, part[1], part[0])
    picks = subset(grid.size, spec.max_frames, select=spec.select)
    return grid.size, picks, [float(begin + grid.limit(n) * _TICK) for n in picks]
