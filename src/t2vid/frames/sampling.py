"""Which frames of a video are shown: the grid that `ffmpeg -vf fps=` walks, and the rules that thin it out.

>>> subset(10, 4, select="paper")
[1, 3, 5, 8]
>>> grid_size(90, Fraction(1, 30)), grid_limit(0, Fraction(1, 30))
(3, 14)

A time is a whole number of ticks since the start of the file; `scale` is how many grid steps
one tick lasts (time base x fps), so that every comparison below is between integers.

    ticks    0 ...... 14 | 15 ...... 44 | 45 ...... 74 | ...     scale = 1/30
    grid n        0      |      1       |      2       |         the last frame of each stretch
"""

from __future__ import annotations

from fractions import Fraction
from typing import Literal, get_args

Select = Literal[
    "paper", "paper_eval", "midpoint", "linspace", "linspace_rounded", "interior", "keyframes"
]
SELECTS: tuple[str, ...] = get_args(Select)


def as_fraction(fps: float) -> Fraction:
    """Read a rate as the decimal that a person typed, so that 29.97 is 2997/100.

    >>> as_fraction(29.97)
    Fraction(2997, 100)
    """
    return Fraction(str(fps))


def grid_size(end: int, scale: Fraction) -> int:
    """Count the frames that `ffmpeg -vf fps=` emits; a clip shorter than half a step gives one, not none.

    Args:
        end: ticks from the start of the file to the end of the last frame.
        scale: grid steps a tick.
    """
    num, den = scale.as_integer_ratio()
    return max(1, (2 * end * num + den) // (2 * den))


def grid_limit(n: int, scale: Fraction) -> int:
    """Give the last tick that belongs to grid frame `n`: the frame shown is the last one at or before it.

    Args:
        n: position on the grid, from 0.
        scale: grid steps a tick.
    """
    num, den = scale.as_integer_ratio()
    return -(-(2 * n + 1) * den // (2 * num)) - 1


def subset(total: int, n: int | None, *, select: Select) -> list[int]:
    """Choose at most `n` of `total` frames, in order.

    Args:
        total: frames there are.
        n: frames wanted; None takes all.
        select: `paper` is the paper's training rule (middle of n equal segments, everything when
            there are no more than n); `paper_eval` its evaluation copy, which applies the rule even
            when there are exactly n, so that one frame comes twice and the last never;
            `midpoint` the middle of n equal parts; `linspace` lmms-eval's (first to last,
            truncated); `linspace_rounded` qwen-vl-utils' (first to last, rounded); `interior`
            VLMEvalKit's (n inner points of n + 1 parts); `keyframes` spreads like `linspace`.

    >>> subset(4, 4, select="paper"), subset(4, 4, select="paper_eval")
    ([0, 1, 2, 3], [0, 1, 1, 2])
    """
    if n is None or (total <= n and select != "paper_eval"):
        return list(range(total))
    n = min(n, total)
    if select in ("paper", "paper_eval"):
        # The paper rounds halves to even (numpy), and so does Python.
        segment = (total - 1) / n
        return [(round(segment * i) + round(segment * (i + 1))) // 2 for i in range(n)]
    if select == "midpoint":
        return [(2 * i + 1) * total // (2 * n) for i in range(n)]
    if select == "interior":
        step = total / (n + 1)
        return [int(i * step) for i in range(1, n + 1)]
    if n == 1:
        return [0]
    step = (total - 1) / (n - 1)
    if select == "linspace_rounded":
        return [round(i * step) for i in range(n)]
    return [int(i * step) for i in range(n)]
