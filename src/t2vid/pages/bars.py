"""Bars with intervals as SVG in a page: several arms side by side for each group.

>>> svg = bar_chart({"first": {"video": Bar(0.9, 0.8, 1.0), "hybrid": Bar(0.8, 0.7, 0.9)}}, x="share")
>>> svg.count('class="whisker"')
2
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from markupsafe import Markup

from t2vid.insight.plotting import COLOURS
from t2vid.pages.charts import Tick, ticks
from t2vid.pages.template import render

_WIDTH, _LEFT, _RIGHT, _TOP, _FOOT = 600, 144, 16, 8, 50
_BAR, _GAP = 11, 12
_LABEL_CHARS, _CUT_CHARS, _LINE = 17, 52, 22  # longer names stand above their bars


class Bar(NamedTuple):
    """A share with its interval, all from 0 to 1."""

    share: float
    low: float
    high: float


class Drawn(NamedTuple):
    """A bar in the drawing: its height, ends of bar and whisker, colour and what it says."""

    y: float
    end: float
    low: float
    high: float
    colour: str
    title: str


def bar_chart(
    groups: Mapping[str, Mapping[str, Bar]], *, x: str, caption: str = "", mark: float | None = None
) -> Markup:
    """Draw one bar an arm in each group, lying, with its interval as a whisker.

    Args:
        groups: `{group: {arm: Bar}}`; every group has the same arms.
        x: what the horizontal axis is, in per cent.
        caption: text under the chart.
        mark: a share at which an upright line stands, such as that of guessing.
    """
    arms = list(dict.fromkeys(arm for bars in groups.values() for arm in bars))
    above = _LINE if any(len(group) > _LABEL_CHARS for group in groups) else 0
    left = _RIGHT if above else _LEFT
    step = above + len(arms) * _BAR + _GAP
    height = _TOP + step * len(groups) + _FOOT

    def across(share: float) -> float:
        return round(left + share * (_WIDTH - left - _RIGHT), 1)

    labels, drawn = [], []
    for row, (group, bars) in enumerate(groups.items()):
        top = _TOP + row * step + above
        cut = group if len(group) <= _CUT_CHARS else f"{group[: _CUT_CHARS - 1]}…"
        labels.append(Tick(top - 9 if above else top + (step - _GAP) / 2, cut))
        for place, arm in enumerate(arms):
            bar = bars[arm]
            says = f"{group}, {arm}: {100 * bar.share:.1f} %"
            title = f"{says} ({100 * bar.low:.1f} to {100 * bar.high:.1f})"
            end, low, high = (across(value) for value in bar)
            drawn.append(
                Drawn(top + place * _BAR, end, low, high, COLOURS[place % len(COLOURS)], title)
            )
    return Markup(  # noqa: S704  (the template has escaped what it was given)
        render(
            "bar_chart.html",
            x=x,
            caption=caption,
            labels=labels,
            bars=drawn,
            bar=_BAR - 2,
            legend=[(arm, COLOURS[n % len(COLOURS)]) for n, arm in enumerate(arms)],
            width=_WIDTH,
            height=height,
            left=left,
            above=above,
            top=_TOP,
            floor=height - _FOOT,
            x_ticks=[Tick(across(v / 100), f"{v:.0f}") for v in ticks(0, 100)],
            mark=None if mark is None else across(mark),
        )
    )
