"""Which frames of one video a `SampleSpec` means, once the times of its frames are known.

>>> course = Course(tick=Fraction(1, 10), end=40, rate=10.0)
>>> choose(range(40), [0, 20], SampleSpec(clips=((0, 1), (2, 4))), course)
Chosen(total=3, positions=[4, 24, 34])
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from fractions import Fraction
from math import floor
from typing import NamedTuple

from t2vid.errors import BadVideo
from t2vid.frames.budgets import n_frames
from t2vid.frames.sampling import Course, Grid, Sampling, as_fraction, grid_of, subset
from t2vid.frames.spec import SampleSpec

OF_THE_FILE = ("keyframes", "stride", "starts")  # rules that count frames of the file, not steps
_SAME_TICK = Fraction(1, 100)  # seconds that are read from a float fall a hair short of their tick


class Chosen(NamedTuple):
    """What is shown.

    Attributes:
        total: frames there would be without `max_frames`.
        positions: of those shown, among all frames of the file in order of time.
    """

    total: int
    positions: list[int]


class Steps:
    """The steps of `ffmpeg -vf fps=` over one or more parts of a video, one after the other.

    Args:
        grids: one for each part.
    """

    def __init__(self, grids: Sequence[Grid]) -> None:
        self._grids = list(grids)
        self.size = sum(grid.size for grid in self._grids)

    def limit(self, n: int) -> int:
        """Give the last tick of step `n`, counted over all parts."""
        for grid in self._grids:
            if n < grid.size:
                return grid.limit(n)
            n -= grid.size
        raise IndexError(n)


def parts_of(spec: SampleSpec, course: Course) -> list[tuple[Fraction, Fraction]]:
    """Give the ticks between which frames are asked for.

    Raises:
        BadVideo: when the video ends before a part begins.
    """
    parts = []
    for start_s, end_s in spec.clips or ((spec.start_s or 0.0, spec.end_s),):
        start, stop = as_fraction(start_s) / course.tick, Fraction(course.end)
        if end_s is not None:
            stop = min(stop, as_fraction(end_s) / course.tick)
        if start >= course.end > 0:
            asked = f"start_s ({start_s})" if spec.clips is None else f"the clip at {start_s} s"
            raise _too_short(course, f"it ends at {course.end_s:.2f} s, before {asked}")
        parts.append((start, stop))
    return parts


def span_s(spec: SampleSpec, course: Course) -> float:
    """Give how many seconds of a video frames are taken from."""
    if spec.listed:
        return course.end_s
    return float(sum(stop - start for start, stop in parts_of(spec, course)) * course.tick)


def limits_of(spec: SampleSpec, course: Course) -> list[int]:
    """Give the last tick at which each of the frames at `spec.timestamps` may begin.

    Raises:
        BadVideo: when the video ends before one of them.
    """
    limits = []
    for second in spec.timestamps or ():
        at = as_fraction(second) / course.tick + _SAME_TICK
        if at > course.end + 1 and course.end > 0:
            raise _too_short(course, f"it ends at {course.end_s:.2f} s, before timestamp {second}")
        limits.append(floor(at))
    return limits


def _too_short(course: Course, found: str) -> BadVideo:
    message = f"{course.name}: {found}; check the times, or leave it out"
    return BadVideo(message, reason="too short")


def by_steps(spec: SampleSpec) -> bool:
    """Say whether a spec asks for the frames of `ffmpeg -vf fps=`."""
    counted = spec.budgeted or spec.listed or spec.sampling in OF_THE_FILE
    return spec.fps is not None and not counted


def steps_of(spec: SampleSpec, course: Course, times: Sequence[int] | None = None) -> Steps:
    """Lay the steps of `ffmpeg -vf fps=` over a file.

    Args:
        spec: which parts, and how many frames a second.
        course: of the file.
        times: ascending ticks of its frames, where they are known.
    """
    scale = course.tick * as_fraction(spec.fps or 1)
    grids = [
        Grid(scale, stop, start, course.first, course.alone)
        if times is None
        else grid_of(times, scale=scale, start=start, end=stop, alone=course.alone)
        for start, stop in parts_of(spec, course)
    ]
    return Steps(grids)


def thinned(total: int, spec: SampleSpec) -> list[int]:
    """Choose among `total` frames as a spec says."""
    return subset(total, spec.max_frames, sampling=_rule(spec))


def choose(times: Sequence[int], keys: Sequence[int], spec: SampleSpec, course: Course) -> Chosen:
    """Choose among all frames of a video.

    Args:
        times: ascending ticks of every frame, from the start of the file.
        keys: ticks of those that decode alone.
        spec: which frames.
        course: of the file.

    Raises:
        BadVideo: when the video is too short for what is asked.
    """
    if spec.timestamps is not None:
        picks = [_shown_at(times, limit) for limit in limits_of(spec, course)]
        return Chosen(len(picks), picks)
    if spec.frames is not None:
        last = max(spec.frames)
        if last >= len(times):
            raise _too_short(course, f"it has {len(times):,} frames, and none with number {last}")
        return Chosen(len(spec.frames), list(spec.frames))
    if by_steps(spec):
        steps = steps_of(spec, course, times)
        wanted = thinned(steps.size, spec)
        return Chosen(steps.size, [_shown_at(times, steps.limit(n)) for n in wanted])
    inside = [i for part in parts_of(spec, course) for i in _inside(times, keys, spec, part)]
    if spec.budgeted:
        total, n = budget(len(inside), spec, course)
        return Chosen(total, [inside[i] for i in subset(len(inside), n, sampling=_rule(spec))])
    if spec.sampling == "stride" and spec.fps is not None:
        inside = inside[:: max(1, round(course.rate / spec.fps))]
    if spec.sampling == "starts":  # no more than `fps` a second
        most = max(1, n_frames(len(inside), course.rate, fps=spec.fps))
        n = min(most, spec.max_frames or most)
        return Chosen(most, [inside[i] for i in subset(len(inside), n, sampling="starts")])
    return Chosen(len(inside), [inside[n] for n in thinned(len(inside), spec)])


def budget(n_inside: int, spec: SampleSpec, course: Course) -> tuple[int, int]:
    """Give how many frames qwen-vl-utils' rules show of a part, without `max_frames` and with it.

    Raises:
        BadVideo: when the part has fewer frames than are asked for, or than one group.
    """

    def count(most: int | None) -> int:
        return n_frames(
            n_inside,
            course.rate,
            nframes=spec.nframes,
            fps=spec.fps,
            min_frames=spec.min_frames,
            max_frames=most,
            factor=spec.frame_factor,
        )

    n = count(spec.max_frames)
    if not max(1, spec.frame_factor) <= n <= n_inside:
        asked = max(n, spec.frame_factor)
        raise BadVideo(
            f"{course.name}: {asked} frames are asked for, and there are {n_inside}; "
            "lower nframes, min_frames or frame_factor, or leave it out",
            reason="too short",
        )
    return count(None), n


def _inside(
    times: Sequence[int], keys: Sequence[int], spec: SampleSpec, part: tuple[Fraction, Fraction]
) -> list[int]:
    """Give the positions of the frames of a part."""
    start, stop = part
    alone = set(keys) if spec.sampling == "keyframes" else None
    # qwen-vl-utils takes the frame that begins at the very end of a part, too.
    last = bisect_right(times, stop) if spec.budgeted else bisect_left(times, stop)
    # A file may begin before its zero: a stream's first packet need not be its first picture.
    found = range(bisect_left(times, start) if start else 0, last)
    inside = [i for i in found if alone is None or times[i] in alone]
    return inside or [_shown_at(times, floor(start))]


def _shown_at(times: Sequence[int], limit: int) -> int:
    return max(0, bisect_right(times, limit) - 1)


def _rule(spec: SampleSpec) -> Sampling:
    assert spec.sampling is not None  # the spec has set it
    return spec.sampling
