"""Line charts as SVG in a page: readable at any width, light and dark.

>>> svg = line_chart({"loss": [(1, 4.0), (100, 0.5)]}, x="step", y="loss")
>>> svg.count("<polyline"), "http" in svg
(1, False)
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from t2vid.insight.plotting import COLOURS
from t2vid.pages.template import render

DASHES = ("", "7 3", "2 3", "9 3 2 3", "4 2", "1 2")  # curves differ without their colours, too
_WIDTH, _HEIGHT = 600, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 16, 30, 50
_TICKS = 5  # at the most, or a phone's larger labels would touch

Points = Sequence[tuple[float, float]]


class Tick(NamedTuple):
    """A mark on an axis: where it stands in the drawing, and what it says."""

    at: float
    text: str


class Curve(NamedTuple):
    """One series: its name, colour, dashes, the points of its line, of its band, and its dots."""

    name: str
    colour: str
    dash: str
    line: str
    band: str
    dots: list[tuple[float, float]]


def line_style(number: int) -> tuple[str, str]:
    """Give the colour and the dashes of a curve: six colours six times over, each time other dashes.

    >>> line_style(0), line_style(7)
    (('#3b6fd4', ''), ('#c2621b', '2 3'))
    """
    turn = number // len(COLOURS)
    return COLOURS[number % len(COLOURS)], DASHES[(number + turn) % len(DASHES)]


def line_chart(
    series: Mapping[str, Points],
    *,
    x: str,
    y: str,
    caption: str = "",
    bands: Mapping[str, Sequence[tuple[float, float, float]]] | None = None,
    marks: Mapping[str, float] | None = None,
    log: bool = False,
) -> Markup:
    """Draw curves, with the intervals around them and upright lines at limits.

    Args:
        series: `{name: [(x, y), …]}`; dots are drawn where there are at most 20 points.
        x: what the horizontal axis is.
        y: what the vertical axis is; it starts at 0.
        caption: text under the chart.
        bands: `{name: [(x, low, high), …]}` of some series.
        marks: `{name: x}` of upright lines; those outside the axis are left out.
        log: a horizontal axis in powers of two, ticks at the points themselves.
    """
    bands, marks = bands or {}, marks or {}
    xs = sorted({point[0] for points in series.values() for point in points})
    tops = [point[1] for points in series.values() for point in points]
    tops += [high for band in bands.values() for _, _, high in band]
    y_ticks = ticks(0.0, max(tops))
    y_end = y_ticks[-1]

    def across(value: float) -> float:
        low, high, at = (math.log2(v) if log else v for v in (xs[0], xs[-1], value))
        share = (at - low) / ((high - low) or 1)
        return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)

    def up(value: float) -> float:
        return round(_TOP + (1 - value / y_end) * (_HEIGHT - _TOP - _BOTTOM), 1)

    def drawn(points: Points) -> str:
        return " ".join(f"{across(a)},{up(b)}" for a, b in points)

    curves = []
    for number, (name, points) in enumerate(series.items()):
        band = bands.get(name, [])
        outline = [(a, low) for a, low, _ in band] + [(a, high) for a, _, high in reversed(band)]
        curves.append(
            Curve(
                name,
                *line_style(number),
                drawn(points),
                drawn(outline),
                [(across(a), up(b)) for a, b in points] if len(points) <= 20 else [],
            )
        )
    return Markup(  # noqa: S704  (the template has escaped what it was given)
        render(
            "line_chart.html",
            x=x,
            y=y,
            caption=caption,
            curves=curves,
            width=_WIDTH,
            height=_HEIGHT,
            left=_LEFT,
            right=_WIDTH - _RIGHT,
            top=_TOP,
            floor=_HEIGHT - _BOTTOM,
            x_ticks=[
                Tick(across(v), _label(v))
                for v in (_thinned(xs) if log else ticks(xs[0], xs[-1]))
                if xs[0] <= v <= xs[-1]
            ],
            y_ticks=[Tick(up(v), _label(v)) for v in y_ticks],
            marks=[
                Tick(across(v), f"{name}: {_label(v)}")
                for name, v in marks.items()
                if xs[0] <= v <= xs[-1]
            ],
        )
    )


def ticks(low: float, high: float, *, most: int = _TICKS) -> list[float]:
    """Give round numbers that cover a range, at most `most` steps of them.

    >>> ticks(0, 87), ticks(0, 0)
    ([0.0, 20.0, 40.0, 60.0, 80.0, 100.0], [0.0, 1.0])
    """
    span = high - low
    if span <= 0:
        return [float(low), float(low) + 1.0]
    rough = span / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(lead * power for lead in (1, 2, 2.5, 5, 10) if lead * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(number * step, 10) for number in range(first, last + 1)]


def _thinned(values: Sequence[float]) -> list[float]:
    """Give at most nine of the values, the ends included."""
    step = -(-(len(values) - 1) // 8) or 1
    return [*values[:-1:step], values[-1]]


def _label(value: float) -> str:
    return f"{value:,.10g}"
