"""Arms and studies as small pictures: accuracies with intervals, and where guessing stands.

    Path("arms.png").write_bytes(chart(results))

>>> from t2vid.miniature.results import ArmResult
>>> one = ArmResult("hybrid", 1, 9, 1, 1.0, 1.0, ["a-last", "b-last"], [True, False], [], {})
>>> chart([one])[1:4]
b'PNG'
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from t2vid.insight.plotting import (
    COLOURS,
    DASHES,
    PictureKind,
    legend_above,
    new_figure,
    tidy,
    to_bytes,
)
from t2vid.miniature.arms import ARMS
from t2vid.miniature.questions import LETTERS, UNSEEN_KINDS
from t2vid.miniature.results import ArmResult
from t2vid.miniature.studies import Study, StudyPoint, of_tables
from t2vid.miniature.verdicts import accuracy

_WIDTH_IN, _BAR_IN, _FRAME_IN = 6.4, 0.27, 0.75
_CURVES_IN = 2.8  # height of a picture with curves
_CONTROLS = "#8b919c"
_ASKED = "right answers to kinds of question that no row about a clip asks, %; dashes: guessing"


class _Bar(NamedTuple):
    label: str
    mean: float
    low: float
    high: float
    colour: str


def chart(results: Sequence[ArmResult], *, kind: PictureKind = "png") -> bytes:
    """Draw the accuracy of every arm on the kinds of question that no row about a clip asks.

    Args:
        results: of all arms and seeds; those of studies are left out.
        kind: of file.
    """
    main = of_tables(results)
    by_arm = {name: [r for r in main if r.arm == name] for name in ARMS}
    return _bars(
        [
            _bar(
                f"{name}: {ARMS[name].title}",
                found,
                COLOURS[1]
                if name == "hybrid"
                else COLOURS[0]
                if ARMS[name].in_paper
                else _CONTROLS,
            )
            for name, found in by_arm.items()
            if found
        ],
        kind,
    )


def study_chart(
    study: Study, points: Mapping[StudyPoint, Sequence[ArmResult]], *, kind: PictureKind = "png"
) -> bytes:
    """Draw the points of a study: curves where they stand on an axis, else bars.

    Args:
        study: what was asked.
        points: those that were run, with their results.
        kind: of file.
    """
    hybrids = [point for point in points if point.arm == "hybrid"]
    bars = {
        point: _bar(
            point.label, found, COLOURS[1 if point in (hybrids or [study.reference]) else 0]
        )
        for point, found in points.items()
    }
    if not study.x:
        return _bars(list(bars.values()), kind)
    figure = new_figure(_WIDTH_IN, _CURVES_IN)
    axes = figure.add_subplot()
    lines = list(dict.fromkeys(point.line for point in points))
    for line, colour, dash in zip(lines, COLOURS, DASHES, strict=False):
        there = sorted((point for point in points if point.line == line), key=lambda p: p.x or 0.0)
        x, y = [point.x for point in there], [bars[point].mean for point in there]
        spread = [
            [bars[p].mean - bars[p].low for p in there],
            [bars[p].high - bars[p].mean for p in there],
        ]
        axes.errorbar(
            x, y, yerr=spread, color=colour, linestyle=dash, marker="o", capsize=2, label=line
        )
    axes.axhline(100 / len(LETTERS), color="black", linewidth=1, linestyle=(0, (4, 3)))
    axes.set_ylim(0, 100)
    tidy(axes, x=study.x, y="right on unseen kinds, %")
    if any(lines):
        legend_above(figure)
    return to_bytes(figure, kind)


def _bar(label: str, results: Sequence[ArmResult], colour: str) -> _Bar:
    found = accuracy(results, UNSEEN_KINDS)
    low, high = found.interval.low, found.interval.high
    return _Bar(label, 100 * found.mean, 100 * low, 100 * high, colour)


def _bars(bars: Sequence[_Bar], kind: PictureKind) -> bytes:
    figure = new_figure(_WIDTH_IN, _FRAME_IN + _BAR_IN * len(bars))
    axes: Any = figure.add_subplot()
    for place, bar in enumerate(bars):
        axes.barh(place, bar.mean, color=bar.colour, height=0.7)
        axes.plot([bar.low, bar.high], [place, place], color="black", linewidth=1.2)
        axes.annotate(
            f"{bar.mean:.0f}", (bar.high, place), (4, 0), textcoords="offset points", fontsize=8
        )
        axes.texts[-1].set_verticalalignment("center")
    axes.axvline(100 / len(LETTERS), color="black", linewidth=1, linestyle=(0, (4, 3)))
    axes.set_yticks(range(len(bars)), [bar.label for bar in bars])
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    tidy(axes)
    axes.set_xlabel(_ASKED, fontsize=8, loc="right")
    return to_bytes(figure, kind)
