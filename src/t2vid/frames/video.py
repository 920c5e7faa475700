"""A video's frames as pictures: the ones `ffmpeg -vf fps=1` would extract, thinned to the budget.

>>> sample_video(b"no video")
Traceback (most recent call last):
t2vid.errors.BadVideo: <8 bytes>: it is text ('no video'...), not a video; download it again, ...
"""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Literal, TypeVar, overload

import av

from t2vid.errors import InputError
from t2vid.frames import ready
from t2vid.frames.choosing import Chosen, by_steps, choose, limits_of, span_s, steps_of, thinned
from t2vid.frames.complete import check_complete
from t2vid.frames.decoding import Reader, opened_reader
from t2vid.frames.framelist import FrameList
from t2vid.frames.info import VideoInfo, described
from t2vid.frames.output import FrameSink, Output, Sampled, check_output
from t2vid.frames.packets import Piece, Unplanned
from t2vid.frames.pictures import FrameConverter, degrees
from t2vid.frames.sampling import Course, as_fraction
from t2vid.frames.spec import SampleSpec
from t2vid.storage.media import Limits, Media, Source, bad, opened

__all__ = ["Limits", "Source", "VideoInfo", "probe", "sample_video", "sample_videos"]

logger = logging.getLogger(__name__)

T = TypeVar("T")

_FEW_BYTES = 4 * 1024**2  # a smaller local file is looked at whole faster than it is sought in


@overload
def sample_video(
    source: Source | Any,
    spec: SampleSpec = ...,
    *,
    limits: Limits = ...,
    output: Literal["pil"] = ...,
) -> FrameList: ...
@overload
def sample_video(
    source: Source | Any,
    spec: SampleSpec = ...,
    *,
    limits: Limits = ...,
    output: Literal["numpy", "torch"],
) -> Any: ...
def sample_video(
    source: Source | Any,
    spec: SampleSpec = SampleSpec(),  # noqa: B008
    *,
    limits: Limits = Limits(),  # noqa: B008
    output: Output = "pil",
) -> Any:
    """Decode the frames of a video that `spec` asks for, and as little else as possible.

    Args:
        source: path, URL, `archive.zip::member`, bytes, binary file object, folder of numbered
            images, animated WebP, or what a `datasets.Video` column gives (`{path, bytes}` or a
            torchcodec decoder).
        spec: which frames, and their size.
        limits: how much the file may cost.
        output: what to give: `"pil"`, a `FrameList` of images; `"numpy"`, an array of shape
            (N, height, width, 3); `"torch"`, a tensor of shape (N, 3, height, width); both uint8.

    Raises:
        BadVideo: naming the file, what was found in it and the next move.
        MissingFile: when there is no such file.
    """
    check_output(output)
    return _sampled(source, spec=spec, limits=limits, output=output)


def sample_videos(
    sources: Iterable[Source | Any],
    spec: SampleSpec = SampleSpec(),  # noqa: B008
    *,
    limits: Limits = Limits(),  # noqa: B008
    output: Output = "pil",
    num_threads: int = 4,
) -> Iterator[Any]:
    """Decode several videos at once, each in a thread of its own, and give them in their order.

    Args:
        sources: as for `sample_video`, each.
        spec: which frames, and their size.
        limits: how much each file may cost.
        output: as for `sample_video`.
        num_threads: videos decoded at once.

    Raises:
        BadVideo: at the place of the video that cannot be read.
    """
    check_output(output)
    if isinstance(num_threads, bool) or not isinstance(num_threads, int) or num_threads < 1:
        raise InputError(f"num_threads ({num_threads!r}) must be a whole number > 0")
    sample = partial(_sampled, spec=spec, limits=limits, output=output)
    with ThreadPoolExecutor(num_threads) as pool:
        waiting: list[Any] = []
        for source in sources:
            waiting.append(pool.submit(sample, source))
            if len(waiting) > 2 * num_threads:  # so that few frames wait in memory
                yield waiting.pop(0).result()
        for future in waiting:
            yield future.result()


def probe(
    source: Source | Any,
    spec: SampleSpec = SampleSpec(),  # noqa: B008
    *,
    limits: Limits = Limits(),  # noqa: B008
) -> VideoInfo:
    """Tell how many frames `sample_video` would give and how long a video is.

    Nothing is decoded where the packets tell when each frame is shown, as in mp4, Matroska and most
    transport streams.

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
        spec,
        limits,
        pictures=lambda held: held.probe(spec),
        file=lambda media, way: _probe(media, spec, limits, way),
    )


def _sampled(source: Any, *, spec: SampleSpec, limits: Limits, output: Output) -> Any:
    sampled = _read(
        source,
        spec,
        limits,
        pictures=lambda held: held.sample(spec, limits, output),
        file=lambda media, way: _sample(media, spec, limits, way, output),
    )
    if output != "pil":
        return sampled.frames
    return FrameList(
        sampled.frames,
        timestamps_s=sampled.seconds,
        n_total=sampled.info.n_total,
        info=sampled.info,
    )


def _read(
    source: Any,
    spec: SampleSpec,
    limits: Limits,
    *,
    pictures: Callable[[ready.Pictures | ready.Decoder], T],
    file: Callable[[Media, str], T],
) -> T:
    """Do what a kind of source asks for; a file is read in the cheapest way that works."""
    source = ready.unwrapped(source)
    held = ready.held_in(source, spec, limits)
    if held is not None:
        return pictures(held)
    with opened(source, limits) as media:
        animation = ready.animation_in(media)
        if animation is not None:
            return pictures(animation)
        ways = ("near", "whole", "sequence")
        for way in ways[0 if _is_worth_seeking(media, spec) else 1 :]:
            try:
                return file(media, way)
            except (av.FFmpegError, Unplanned) as error:
                media.check_time()
                failure = error
        text = getattr(failure, "strerror", None) or "no frame could be decoded"
        move = "download it again, or encode it with ffmpeg"
        raise bad(media.name, "unreadable", f"libav cannot read on ({text})", move) from failure


def _is_worth_seeking(media: Media, spec: SampleSpec) -> bool:
    """Say whether to look at a file only where its frames are, if it has an index."""
    small = not media.remote and (media.size or 0) < _FEW_BYTES
    return not small and (by_steps(spec) or spec.timestamps is not None)


def _sample(
    media: Media, spec: SampleSpec, limits: Limits, way: str, output: Output = "pil"
) -> Sampled:
    with opened_reader(media, limits) as reader:
        check_complete(reader, media, None, _until_s(spec))
        if way == "near":
            course = _far_course(reader, spec, media)
            total, goals = _far_goals(spec, course)
            goals = [reader.origin + goal for goal in goals]
            pieces: Iterable[Piece] = reader.near(sorted(set(goals)))
        elif way == "whole":
            piece = reader.whole()
            times, keys, end = _shown(piece, reader)
            course = reader.course(end, times)
            total, picks = _choose(times, keys, spec, course, reader, media)
            goals, pieces = [reader.origin + times[i] for i in picks], [piece]
        else:
            return _in_sequence(reader, spec, media, limits, output)
        _check_room(reader, spec, media, limits, len(goals))
        sink = FrameSink(goals, output)
        ticks = _decode(pieces, goals, sink, reader, spec, media)
        seconds = [float((ticks[goal] - reader.origin) * reader.tick) for goal in goals]
        return Sampled(sink.frames(), _info(seconds, total, course, reader, spec), seconds)


def _far_course(reader: Reader, spec: SampleSpec, media: Media) -> Course:
    """Learn how long a file is of which only the end is looked at."""
    if not reader.indexed:
        raise Unplanned
    end = reader.tail().end - reader.origin
    check_complete(reader, media, end, _until_s(spec))
    return reader.course(end)


def _far_goals(spec: SampleSpec, course: Course) -> tuple[int, list[int]]:
    """Give how many frames there would be, and by which tick each of those shown begins."""
    if spec.timestamps is not None:
        limits = limits_of(spec, course)
        return len(limits), limits
    steps = steps_of(spec, course)
    return steps.size, [steps.limit(n) for n in thinned(steps.size, spec)]


def _shown(piece: Piece, reader: Reader) -> tuple[list[int], list[int], int]:
    """Give times, keyframe times and the end of a file that was looked at whole."""
    keys = {piece.pts[i] for i in piece.keys}.intersection(piece.shown)
    times = sorted(tick - reader.origin for tick in piece.shown)
    return times, sorted(key - reader.origin for key in keys), piece.end - reader.origin


def _choose(
    times: list[int],
    keys: list[int],
    spec: SampleSpec,
    course: Course,
    reader: Reader,
    media: Media,
) -> Chosen:
    reader.check_clock(times)
    check_complete(reader, media, course.end, _until_s(spec))
    return choose(times, keys, spec, course)


def _until_s(spec: SampleSpec) -> float | None:
    """Give the second at which what is asked for ends; None for the end of the file."""
    if spec.timestamps is not None:
        return max(spec.timestamps)
    if spec.clips is not None:
        return max(end_s for _, end_s in spec.clips)
    return spec.end_s


def _check_room(reader: Reader, spec: SampleSpec, media: Media, limits: Limits, n: int) -> None:
    """Refuse pictures that together would not fit into memory."""
    width, height = spec.shape(*reader.upright, n)
    if 3 * width * height * n > limits.max_bytes:
        found = f"{n:,} frames of {width}x{height} take {3 * width * height * n / 1e6:,.0f} MB"
        move = f"ask for fewer or smaller ones, or give Limits(max_bytes=...) more than {limits.max_bytes:,}"
        raise bad(media.name, "memory", found, move)


def _decode(
    pieces: Iterable[Piece],
    goals: Sequence[int],
    sink: FrameSink,
    reader: Reader,
    spec: SampleSpec,
    media: Media,
) -> dict[int, int]:
    """Decode, for each goal, the last frame shown at or before it; give the tick of each."""
    converter = _converter(reader, spec, len(goals))
    # A single part also has an earliest frame, which tells whether a plan went wrong.
    start = reader.origin + as_fraction(spec.start_s or 0) / reader.tick
    first = reader.origin + reader.first
    ticks: dict[int, int] = {}
    for piece in pieces:
        shown = sorted(piece.shown)
        wanted: dict[int, list[int]] = {}
        for goal in {goal for goal in goals if goal not in ticks and goal <= piece.known}:
            tick = shown[max(0, bisect_right(shown, goal) - 1)]
            # Only a look at the whole file tells what is first in it, or in a part of it.
            if not piece.whole and not start <= tick <= max(goal, first):
                raise Unplanned
            ticks[goal] = tick
            wanted.setdefault(tick, []).append(goal)
        for frame in reader.decode(piece, wanted):
            array = converter.array(frame)
            for goal in wanted[frame.pts]:
                sink.put(goal, array)
    _warn_flat(converter, media)
    return ticks


def _in_sequence(
    reader: Reader, spec: SampleSpec, media: Media, limits: Limits, output: Output
) -> Sampled:
    """Decode everything twice: to learn the times, and to take the pictures."""
    times, keys, end = _decoded_times(reader)
    reader.warn()
    course = reader.course(end, times)
    total, picks = _choose(times, keys, spec, course, reader, media)
    _check_room(reader, spec, media, limits, len(picks))
    sink, last = FrameSink(picks, output), max(picks)
    with opened_reader(media, limits) as again:
        converter = _converter(again, spec, len(picks))
        for i, frame in enumerate(again.everything()):
            if sink.wants(i):
                sink.put(i, converter.array(frame))
            if i >= last:
                break
    _warn_flat(converter, media)
    seconds = [float(times[i] * reader.tick) for i in picks]
    return Sampled(sink.frames(), _info(seconds, total, course, reader, spec), seconds)


def _decoded_times(reader: Reader) -> tuple[list[int], list[int], int]:
    """Give times, keyframe times and the end of a file by decoding all of it."""
    spans = list(reader.spans(reader.everything()))
    if not spans:
        raise Unplanned
    return (
        [start for start, _, _ in spans],
        [start for start, _, key in spans if key],
        spans[-1][1],
    )


def _converter(reader: Reader, spec: SampleSpec, n: int) -> FrameConverter:
    return FrameConverter(
        lambda width, height: spec.shape(width, height, n), reader.aspect, tonemap=spec.tonemap
    )


def _warn_flat(converter: FrameConverter, media: Media) -> None:
    if converter.flat is not None:
        logger.warning(
            "%s: it is HDR (%s), and its frames look flat as they are; give "
            "SampleSpec(tonemap='hable')",
            media.name,
            converter.flat,
        )


def _info(
    seconds: Sequence[float], total: int, course: Course, reader: Reader, spec: SampleSpec
) -> VideoInfo:
    return described(
        seconds,
        total,
        course,
        spec.shape(*reader.upright, len(seconds)),
        span_s=span_s(spec, course),
        rotation=degrees(reader.matrix),
        codec=reader.stream.codec_context.name,
    )


def _probe(media: Media, spec: SampleSpec, limits: Limits, way: str) -> VideoInfo:
    with opened_reader(media, limits) as reader:
        check_complete(reader, media, None, _until_s(spec))
        if way == "near":
            course = _far_course(reader, spec, media)
            total, goals = _far_goals(spec, course)
            shown = [max(course.first, goal) * reader.tick for goal in goals]
            # The frame that is on screen then, going by the rate: nothing around it was looked at.
            seconds = [int(float(second) * course.rate) / course.rate for second in shown]
        else:
            if way == "whole":
                times, keys, end = _shown(reader.whole(), reader)
            else:  # no clean clock in the packets: only decoding tells which are shown, and when
                times, keys, end = _decoded_times(reader)
            course = reader.course(end, times)
            total, picks = _choose(times, keys, spec, course, reader, media)
            seconds = [float(times[i] * reader.tick) for i in picks]
        return _info(seconds, total, course, reader, spec)
