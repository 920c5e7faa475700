"""A video's frames as pictures: the ones `ffmpeg -vf fps=1` would extract, thinned to the budget.

>>> sample_video(b"no video")
Traceback (most recent call last):
t2vid.errors.BadVideo: <8 bytes>: not a video libav can read ...
"""

from __future__ import annotations

import io
import os
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import av
from PIL import Image

from t2vid.errors import BadVideo, MissingFile
from t2vid.frames.framelist import FrameList
from t2vid.frames.sampling import as_fraction, grid_limit, grid_size, subset
from t2vid.frames.spec import SampleSpec

Source = str | os.PathLike[str] | bytes | BinaryIO


@dataclass(frozen=True)
class VideoInfo:
    """What a video's container tells without decoding.

    Attributes:
        n_frames: frames that `sample_video` would give.
        duration_s: from the start of the file to the end of its last frame, in seconds.
        width: in pixels.
        height: in pixels.
    """

    n_frames: int
    duration_s: float
    width: int
    height: int


def sample_video(source: Source, spec: SampleSpec = SampleSpec()) -> FrameList:  # noqa: B008
    """Decode the frames of a video that `spec` asks for.

    Args:
        source: path, bytes or seekable binary file object of a video file.
        spec: which frames.

    Raises:
        BadVideo: naming the file, what was found in it and the next move.
        MissingFile: when the path does not exist.
    """
    name = _name(source)
    with _open(source, name) as container:
        stream = _stream(container, name)
        origin = _origin(container, stream)
        spans = [(f.pts - origin, f.duration or 0) for f in _decode(container, stream)]
        if not spans:
            raise BadVideo(f"{name}: no frame could be decoded; download or encode the file again")
        times = [start for start, _ in spans]
        scale = stream.time_base * as_fraction(spec.fps)
        total = grid_size(sum(spans[-1]), scale)
        wanted = subset(total, spec.max_frames, select=spec.select)
        picks = [max(0, bisect_right(times, grid_limit(n, scale)) - 1) for n in wanted]
        seconds = [float(times[i] * stream.time_base) for i in picks]
    images: dict[int, Image.Image] = {}
    with _open(source, name) as container:
        for i, frame in enumerate(_decode(container, _stream(container, name))):
            if i in picks:
                images[i] = Image.fromarray(frame.to_ndarray(format="rgb24"))
    return FrameList([images[i] for i in picks], timestamps_s=seconds, n_total=total)


def probe(source: Source, spec: SampleSpec = SampleSpec()) -> VideoInfo:  # noqa: B008
    """Tell how many frames `sample_video` would give and how long a video is, without decoding.

    Args:
        source: path, bytes or seekable binary file object of a video file.
        spec: which frames.

    Raises:
        BadVideo: naming the file, what was found in it and the next move.
        MissingFile: when the path does not exist.
    """
    name = _name(source)
    with _open(source, name) as container:
        stream = _stream(container, name)
        origin = _origin(container, stream)
        ends = [
            packet.pts - origin + (packet.duration or 0)
            for packet in container.demux(stream)
            if packet.pts is not None and not packet.is_discard
        ]
        end = max(ends, default=0)
        total = grid_size(end, stream.time_base * as_fraction(spec.fps))
        n_frames = len(subset(total, spec.max_frames, select=spec.select))
        return VideoInfo(n_frames, float(end * stream.time_base), stream.width, stream.height)


def _name(source: Source) -> str:
    if isinstance(source, bytes):
        return f"<{len(source):,} bytes>"
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    return str(getattr(source, "name", "<file object>"))


def _open(source: Source, name: str) -> Any:
    file: Any = source
    if isinstance(source, bytes):
        file = io.BytesIO(source)
    elif isinstance(source, str | os.PathLike):
        file = os.fspath(source)
        if not os.path.exists(file):
            raise MissingFile(f"{name}: no such file")
        if os.path.getsize(file) == 0:
            raise BadVideo(f"{name}: the file has 0 bytes; download it again")
    else:
        source.seek(0)
    try:
        return av.open(file)
    except (av.FFmpegError, ValueError) as error:
        raise BadVideo(f"{name}: not a video libav can read ({error}); download it again") from None


def _stream(container: Any, name: str) -> Any:
    stream = container.streams.best("video")
    if stream is None:
        found = ", ".join(f"{s.type} ({s.name})" for s in container.streams) or "no stream"
        raise BadVideo(
            f"{name}: no video stream in this {container.format.name} file, only {found}"
        )
    stream.thread_count = 1
    return stream


def _origin(container: Any, stream: Any) -> int:
    return round((container.start_time or 0) / (1_000_000 * stream.time_base))


def _decode(container: Any, stream: Any) -> Iterator[Any]:
    for packet in container.demux(stream):
        try:
            yield from (frame for frame in packet.decode() if frame.pts is not None)
        except av.FFmpegError:
            continue  # one broken packet; the frames around it are still there
