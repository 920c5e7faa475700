"""A video's frames as pictures: the ones `ffmpeg -vf fps=1` would extract, thinned to the budget.

>>> sample_video(b"no video")
Traceback (most recent call last):
t2vid.errors.BadVideo: <8 bytes>: it is text ('no video'...), not a video; download it again, ...
"""

from __future__ import annotations

import dataclasses
import logging
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import av
from PIL import Image

from t2vid.errors import pluralize
from t2vid.frames import ready
from t2vid.frames.decoding import Piece, Reader, Unplanned, opened_reader
from t2vid.frames.framelist import FrameList
from t2vid.frames.sampling import Grid, as_fraction, choose, part_of, subset
from t2vid.frames.spec import SampleSpec
from t2vid.storage.media import Limits, Media, Source, bad, opened

__all__ = ["Limits", "Source", "VideoInfo", "probe", "sample_video"]

logger = logging.getLogger(__name__)

T = TypeVar("T")

_FEW_BYTES = 4 * 1024**2  # a smaller local file is looked at whole faster than it is sought in


@dataclass(frozen=True)
class VideoInfo:
    """What a video's container tells without decoding.

    Attributes:
        n_frames: frames that `sample_video` would give.
        duration_s: from the start of the file to the end of its last frame, in seconds.
        width: of a frame as `sample_video` gives it, in pixels, turned upright as the container
            says; a turn that only the coded pictures tell of shows when they are decoded.
        height: likewise.
        n_total: frames there would be without `max_frames`.
    """

    n_frames: int
    duration_s: float
    width: int
    height: int
    n_total: int


def sample_video(
    source: Source | Any,
    spec: SampleSpec = SampleSpec(),  # noqa: B008
    *,
    limits: Limits = Limits(),  # noqa: B008
) -> FrameList:
    """Decode the frames of a video that `spec` asks for, and as little else as possible.

    Args:
        source: path, URL, `archive.zip::member`, bytes, binary file object, folder of numbered
            images, or what a `datasets.Video` column gives (`{path, bytes}` or a torchcodec
            decoder).
        spec: which frames, and their size.
        limits: how much the file may cost.

    Raises:
        BadVideo: naming the file, what was found in it and the next move.
        MissingFile: when there is no such file.
    """
    return _read(
        source,
        limits,
        decoder=lambda held: ready.from_decoder(held, spec, limits),
        folder=lambda path: ready.from_folder(path, spec, limits),
        file=lambda media, way: _sample(media, spec, limits, way),
    )


def probe(
    source: Source | Any,
    spec: SampleSpec = SampleSpec(),  # noqa: B008
    *,
    limits: Limits = Limits(),  # noqa: B008
) -> VideoInfo:
    """Tell how many frames `sample_video` would give and how long a video is, without decoding.

    Args:
        source: as for `sample_video`.
        spec: which frames, and their size.
        limits: how much the file may cost.

    Raises:
        BadVideo: naming the file, what was found in it and the next move.
        MissingFile: when there is no such file.
    """
    return _read(
        source,
        limits,
        decoder=lambda held: VideoInfo(*ready.probe_decoder(held, spec)),
        folder=lambda path: VideoInfo(*ready.probe_folder(path, spec)),
        file=lambda media, way: _probe(media, spec, limits, way),
    )


def _read(
    source: Any,
    limits: Limits,
    *,
    decoder: Callable[[Any], T],
    folder: Callable[[str], T],
    file: Callable[[Media, str], T],
) -> T:
    """Do what a kind of source asks for; a file is read in the cheapest way that works."""
    source = ready.unwrapped(source)
    if ready.is_decoder(source):
        return decoder(source)
    if ready.is_folder(source):
        return folder(source)
    with opened(source, limits) as media:
        for way in ("near", "whole", "sequence"):
            try:
                return file(media, way)
            except (av.FFmpegError, Unplanned) as error:
                media.check_time()
                failure = error
        text = getattr(failure, "strerror", None) or "no frame could be decoded"
        move = "download it again, or encode it with ffmpeg"
        raise bad(media.name, "unreadable", f"libav cannot read on ({text})", move) from failure


def _sample(media: Media, spec: SampleSpec, limits: Limits, way: str) -> FrameList:
    with opened_reader(media, limits) as reader:
        reader.check_complete(None, spec.end_s)
        if way == "near":
            _, grid = _far_grid(reader, spec, media)
            _check_room(reader, spec, media, limits, grid.size)
            wanted = subset(grid.size, spec.max_frames, select=spec.select)
            goals = [reader.origin + grid.limit(n) for n in wanted]
            return _decoded(reader.near(sorted(set(goals))), goals, grid.size, reader, spec)
        if way == "whole":
            piece = reader.whole()
            times, keys, end = _shown(piece, reader)
            total, picks = _choose(times, keys, end, spec, reader, media, limits)
            goals = [reader.origin + times[i] for i in picks]
            return _decoded([piece], goals, total, reader, spec)
        return _in_sequence(reader, spec, media, limits)


def _far_grid(reader: Reader, spec: SampleSpec, media: Media) -> tuple[int, Grid]:
    """Lay the grid over a file of which only the end is looked at; also give that end."""
    small = not media.remote and (media.size or 0) < _FEW_BYTES
    if spec.fps is None or spec.select == "keyframes" or small or not reader.indexed:
        raise Unplanned
    end = reader.tail().end - reader.origin
    reader.check_complete(end, spec.end_s)
    start, stop = part_of(spec, end, reader.tick, media.name)
    return end, Grid(reader.tick * as_fraction(spec.fps), stop, start, reader.first)


def _shown(piece: Piece, reader: Reader) -> tuple[list[int], list[int], int]:
    """Give times, keyframe times and the end of a file that was looked at whole."""
    keys = {piece.pts[i] for i in piece.keys}.intersection(piece.shown)
    times = sorted(tick - reader.origin for tick in piece.shown)
    return times, sorted(key - reader.origin for key in keys), piece.end - reader.origin


def _choose(
    times: list[int],
    keys: list[int],
    end: int,
    spec: SampleSpec,
    reader: Reader,
    media: Media,
    limits: Limits,
) -> tuple[int, list[int]]:
    reader.check_clock(times)
    reader.check_complete(end, spec.end_s)
    start, stop = part_of(spec, end, reader.tick, media.name)
    most = len(times)
    if spec.fps is not None:
        most = Grid(reader.tick * as_fraction(spec.fps), stop, start).size
    _check_room(reader, spec, media, limits, most)
    return choose(times, keys, spec, (start, stop), reader.tick)


def _check_room(reader: Reader, spec: SampleSpec, media: Media, limits: Limits, total: int) -> None:
    """Refuse pictures that together would not fit into memory."""
    n = total if spec.max_frames is None else min(total, spec.max_frames)
    width, height = reader.shape(spec.size)
    if 3 * width * height * n > limits.max_bytes:
        found = f"{n:,} frames of {width}x{height} take {3 * width * height * n / 1e6:,.0f} MB"
        move = f"ask for fewer or smaller ones, or give Limits(max_bytes=...) more than {limits.max_bytes:,}"
        raise bad(media.name, "memory", found, move)


def _decoded(
    pieces: Iterable[Piece], goals: Sequence[int], total: int, reader: Reader, spec: SampleSpec
) -> FrameList:
    """Decode, for each goal, the last frame shown at or before it."""
    painter = reader.painter(spec.size)
    start = reader.origin + as_fraction(spec.start_s or 0) / reader.tick
    first = reader.origin + reader.first
    pictures: dict[int, Image.Image] = {}
    ticks: dict[int, int] = {}
    for piece in pieces:
        shown = sorted(piece.shown)
        for goal in {goal for goal in goals if goal not in ticks and goal <= piece.known}:
            tick = shown[max(0, bisect_right(shown, goal) - 1)]
            # Only a look at the whole file tells what is first in it, or in a part of it.
            if not piece.whole and not start <= tick <= max(goal, first):
                raise Unplanned
            ticks[goal] = tick
        for frame in reader.decode(piece, set(ticks.values()) - set(pictures)):
            pictures[frame.pts] = painter.paint(frame)
    seconds = [float((ticks[goal] - reader.origin) * reader.tick) for goal in goals]
    return FrameList([pictures[ticks[goal]] for goal in goals], timestamps_s=seconds, n_total=total)


def _in_sequence(reader: Reader, spec: SampleSpec, media: Media, limits: Limits) -> FrameList:
    """Decode everything twice: to learn the times, and to take the pictures."""
    spans = list(reader.spans(reader.everything()))
    if not spans:
        raise Unplanned
    if reader.lost_packets:
        lost = pluralize(reader.lost_packets, "packet")
        logger.warning("%s: %s cannot be decoded", media.name, lost)
    times = [start for start, _, _ in spans]
    keys = [start for start, _, key in spans if key]
    total, picks = _choose(times, keys, spans[-1][1], spec, reader, media, limits)
    pictures: dict[int, Image.Image] = {}
    with opened_reader(media, limits) as again:
        painter = again.painter(spec.size)
        for i, frame in enumerate(again.everything()):
            if i in picks:
                pictures[i] = painter.paint(frame)
    seconds = [float(times[i] * reader.tick) for i in picks]
    return FrameList([pictures[i] for i in picks], timestamps_s=seconds, n_total=total)


def _probe(media: Media, spec: SampleSpec, limits: Limits, way: str) -> VideoInfo:
    with opened_reader(media, limits) as reader:
        reader.check_complete(None, spec.end_s)
        if way == "near":
            end, grid = _far_grid(reader, spec, media)
            total = grid.size
        else:
            if way == "whole":
                times, keys, end = _shown(reader.whole(), reader)
            else:  # no clean clock in the packets: count what there is
                spans = sorted(reader.spans(reader.packets()))
                if not spans:
                    raise Unplanned
                times, end = [start for start, _, _ in spans], spans[-1][1]
                keys = [start for start, _, key in spans if key]
            reader.check_clock(times)
            reader.check_complete(end, spec.end_s)
            part = part_of(spec, end, reader.tick, media.name)
            unlimited = dataclasses.replace(spec, max_frames=1)
            total, _ = choose(times, keys, unlimited, part, reader.tick)
        n = total if spec.max_frames is None else min(total, spec.max_frames)
        return VideoInfo(n, float(end * reader.tick), *reader.shape(spec.size), total)
