"""Which frames of a video are shown: the grid of `ffmpeg -vf fps=`, and the rules that thin it out.

>>> subset(10, 4, sampling="paper")
[1, 3, 5, 8]
>>> grid = Grid(scale=Fraction(1, 30), end=Fraction(90))
>>> grid.size, [grid.limit(n) for n in range(grid.size)]
(3, [14, 44, 74])

A time is a whole number of ticks since the start of the file; `scale` is how many grid steps one
tick lasts (time base x fps), so that every comparison is exact.

    ticks    0 ...... 14 | 15 ...... 44 | 45 ...... 74 | ...     scale = 1/30
    grid n        0      |      1       |      2       |         the last frame of each stretch
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, sqrt
from typing import Literal, get_args

from t2vid import catalog

Sampling = Literal[
    "paper",
    "paper_eval",
    "midpoint",
    "linspace",
    "linspace_rounded",
    "interior",
    "internvl",
    "stride",
    "starts",
    "keyframes",
]
SAMPLINGS: tuple[str, ...] = get_args(Sampling)
_BEFORE_START = 2  # steps before zero that ffmpeg still writes where the clock begins there
_MINICPM_PATCH_PX = 14  # MiniCPM-Llama3-V-2.5, image_processing_minicpmv.py
FOLDER_FPS = 3.0  # MVBench stores its TVQA clips as three numbered images a second


@dataclass(frozen=True)
class Grid:
    """The steps of `ffmpeg -vf fps=` over the part of a video that is asked for.

    Args:
        scale: grid steps a tick.
        end: tick at which the last frame, or the part, ends.
        start: tick at which the part begins.
        first: tick of the first frame; steps before it repeat it, as ffmpeg does. Where it is before
            the start, so is the first step.
        alone: whether the file holds nothing but this video; ffmpeg then leaves such steps out.
    """

    scale: Fraction
    end: Fraction
    start: Fraction = Fraction(0)
    first: int = 0
    alone: bool = False

    @property
    def size(self) -> int:
        """How many frames there are; under half a step still one, where ffmpeg gives none."""
        steps = floor((self.end - self.start) * self.scale + Fraction(1, 2))
        return max(1, steps - (self._empty if self._begins_there else 0))

    def limit(self, n: int) -> int:
        """Give the last tick of step `n`: its frame is the last one that begins at or before it."""
        n = n + self._empty if self._begins_there else max(n, self._empty)
        return ceil(min(self.start + Fraction(2 * n + 1, 2) / self.scale, self.end)) - 1

    @property
    def _empty(self) -> int:
        """How many steps pass before the first frame; fewer than none where it is before the start."""
        steps = floor((self.first - self.start) * self.scale + Fraction(1, 2))
        return max(0 if self.start else -_BEFORE_START, steps)

    @property
    def _begins_there(self) -> bool:
        return self.alone or self._empty < 0

    def pick(self, times: Sequence[int], n: int) -> int:
        """Give the position in `times` (ascending ticks) of the frame of step `n`."""
        return max(0, bisect_right(times, self.limit(n)) - 1)


@dataclass(frozen=True)
class Course:
    """What the choice among the frames of a file needs to know of it.

    Args:
        tick: in seconds.
        end: tick, from the start of the file, at which the last frame ends.
        rate: frames a second, on average.
        name: what messages call the file.
        first: tick of the first frame.
        alone: whether the file holds nothing but this video.
    """

    tick: Fraction
    end: int
    rate: float
    name: str = "video"
    first: int = 0
    alone: bool = False

    @property
    def end_s(self) -> float:
        """Second at which the last frame ends."""
        return float(self.end * self.tick)


def as_fraction(value: float) -> Fraction:
    """Read a number as the decimal that a person typed.

    >>> as_fraction(29.97)
    Fraction(2997, 100)
    """
    return Fraction(str(value))


def grid_of(
    times: Sequence[int], *, scale: Fraction, start: Fraction, end: Fraction, alone: bool = False
) -> Grid:
    """Lay the grid over frames whose times are known.

    Args:
        times: ascending ticks.
        scale: grid steps a tick.
        start: tick at which the part begins.
        end: tick at which the part ends.
        alone: as in `Grid`.
    """
    inside = bisect_left(times, start) if start else 0
    # Where nothing begins inside the part, what is on screen at its start is shown.
    first = times[inside] if inside < len(times) and times[inside] < end else 0
    return Grid(scale, end, start, first, alone)


def subset(total: int, n: int | None, *, sampling: Sampling) -> list[int]:
    """Choose at most `n` of `total` frames, in order.

    Args:
        total: frames there are.
        n: frames wanted; None takes all.
        sampling: `paper` is the paper's training rule (middle of n equal segments, everything when
            there are no more than n); `paper_eval` its evaluation copy, which applies the rule even
            when there are exactly n, so that one frame comes twice and the last never;
            `midpoint` the middle of n equal parts; `linspace` lmms-eval's (first to last,
            truncated); `linspace_rounded` qwen-vl-utils' (first to last, rounded); `interior`
            VLMEvalKit's (n inner points of n + 1 parts); `internvl` the rule of InternVL's
            `get_index`, which shows frames twice where there are fewer than n; `starts`
            LongVideoBench's (every k-th from the first on, k = total // n); `stride` is
            `midpoint`, and `keyframes` spreads like `linspace`: these two say what is counted.

    >>> subset(4, 4, sampling="paper"), subset(4, 4, sampling="paper_eval")
    ([0, 1, 2, 3], [0, 1, 2, 2])
    """
    if n is None or (total <= n and sampling not in ("paper_eval", "internvl")):
        return list(range(total))
    if sampling == "internvl":
        segment = (total - 1) / n
        return [int(segment / 2 + round(segment * i)) for i in range(n)]
    n = min(n, total)
    if sampling in ("paper", "paper_eval"):
        # The paper rounds halves to even (numpy), and so does Python.
        segment = (total - 1) / n
        return [(round(segment * i) + round(segment * (i + 1))) // 2 for i in range(n)]
    if sampling in ("midpoint", "stride"):
        return [(2 * i + 1) * total // (2 * n) for i in range(n)]
    if sampling == "starts":
        return [total // n * i for i in range(n)]
    if sampling == "interior":
        return [int(i * (total / (n + 1))) for i in range(1, n + 1)]
    step = (total - 1) / max(n - 1, 1)
    if sampling == "linspace_rounded":
        return [round(i * step) for i in range(n)]
    # numpy's linspace, too, states the last one instead of reckoning it.
    return [int(i * step) for i in range(n - 1)] + [total - 1 if n > 1 else 0]


@dataclass(frozen=True)
class DecodeRun:
    """Consecutive packets to decode for some frames.

    Attributes:
        start: position of the keyframe in decode order.
        stop: position of the last packet to feed.
        targets: presentation ticks of the frames wanted.
    """

    start: int
    stop: int
    targets: frozenset[int]


def plan_runs(pts: Sequence[int], keys: Sequence[int], targets: Iterable[int]) -> list[DecodeRun]:
    """Decide which packets to decode: from the last keyframe shown no later, through the target.

    Args:
        pts: presentation tick of each packet in decode order, each once.
        keys: positions of the keyframes among them, ascending.
        targets: presentation ticks wanted.

    >>> plan_runs([0, 2, 1, 3, 5, 4], [0, 3], [1, 4, 5])
    [DecodeRun(start=0, stop=2, targets=frozenset({1})), DecodeRun(start=3, stop=5, targets=frozenset({4, 5}))]
    """
    where = {tick: position for position, tick in enumerate(pts)}
    runs: dict[int, DecodeRun] = {}
    for target in sorted(set(targets)):
        position = where[target]
        i = bisect_right(keys, position) - 1
        # Pictures that lead an open group need the group before: their own keyframe is shown later.
        while i > 0 and pts[keys[i]] > target:
            i -= 1
        start = keys[i] if i >= 0 else 0
        run = runs.get(start, DecodeRun(start, position, frozenset()))
        runs[start] = DecodeRun(start, max(run.stop, position), run.targets | {target})
    return list(runs.values())


def target_size(
    width: int, height: int, size: tuple[int, int] | int | str | None
) -> tuple[int, int]:
    """Give the size in pixels at which a frame is shown.

    Args:
        width: of the upright frame with square pixels.
        height: of the upright frame with square pixels.
        size: as in `SampleSpec`.

    >>> target_size(1280, 720, 364), target_size(1280, 720, "minicpm"), target_size(90, 60, 364)
    ((364, 205), (602, 336), (90, 60))
    """
    if size is None:
        return width, height
    if isinstance(size, str):
        family = catalog.paper_family(size)
        if family.pixels == "strips":
            return _own_shape(width, height, family.frame_px)
        return family.frame_px, family.frame_px
    if isinstance(size, tuple):
        return size
    ratio = min(1.0, size / max(width, height))
    return max(1, round(width * ratio)), max(1, round(height * ratio))


def _own_shape(width: int, height: int, edge: int) -> tuple[int, int]:
    """Keep the shape at the area of one patch of MiniCPM-V, in whole vision patches."""
    if width * height > edge * edge:
        shape = width / height
        height = int(edge / sqrt(shape))
        width = int(height * shape)
    patch = _MINICPM_PATCH_PX
    return max(round(width / patch), 1) * patch, max(round(height / patch), 1) * patch
