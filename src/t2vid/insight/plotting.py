"""The one style of t2vid's pictures: colours, plain ticks, and files that are the same each time.

>>> log_ticks(2, 300)
[3.0, 10.0, 30.0, 100.0, 300.0]
>>> dot_area(46) > 10 * dot_area(20_000)
True
"""

from __future__ import annotations

import io
import math
import unicodedata
import warnings
from typing import Any, Literal

from t2vid.errors import require

# They keep 3:1 against light and dark backgrounds and differ for the common kinds of colour
# blindness; lines differ in their dashes, too.
COLOURS = ("#3b6fd4", "#c2621b", "#2f8f5b", "#a14fb5", "#8a7a1f", "#c23b5e")
DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)), (0, (3, 1.5)), "-.")
# What a dot looks like, as matplotlib names it and as an SVG path around 0, 0: with six colours each,
# 24 sources are told apart.
MARKS = (
    ("o", "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0"),
    ("s", "M-4.4-4.4h8.8v8.8h-8.8z"),
    ("^", "M0-6L5.5 4.5h-11z"),
    ("D", "M0-6L6 0L0 6L-6 0z"),
)
DPI = 150
_LABEL_PT, _TICK_PT = 9, 8  # readable in a column of a two-column paper
PictureKind = Literal["png", "svg"]


def line_style(number: int) -> tuple[str, Any]:
    """Give the colour and the dashes of a curve: six colours six times over, each time other dashes.

    >>> line_style(0), line_style(6)[0] == line_style(0)[0], line_style(6) == line_style(0)
    (('#3b6fd4', '-'), True, False)
    """
    turn = number // len(COLOURS)
    return COLOURS[number % len(COLOURS)], DASHES[(number + turn) % len(DASHES)]


def mark_style(number: int) -> tuple[str, tuple[str, str]]:
    """Give the colour and the mark of a source on a map.

    >>> mark_style(0)[0] == mark_style(6)[0], mark_style(6)[1][0]
    (True, 's')
    """
    return COLOURS[number % len(COLOURS)], MARKS[number // len(COLOURS) % len(MARKS)]


def caption_of(name: str, number: int, *, what: str = "source") -> str:
    """Give a name as a picture may write it: short, on one line, in letters that matplotlib has.

    Args:
        name: of a source or a curve.
        number: its place, for a name that cannot be written.
        what: it is.

    >>> caption_of("two\\nlines", 0), caption_of("_mine", 1), caption_of("视频", 2)
    ('two lines', ' _mine', 'source 3')
    """
    plain = " ".join(name.split())
    if not plain or not drawable(plain):
        return f"{what} {number + 1}"
    plain = plain if len(plain) <= 48 else plain[:47] + "…"
    return plain if plain[0] != "_" else f" {plain}"  # a legend leaves out what begins so


def new_figure(width_in: float, height_in: float) -> Any:
    """Give a matplotlib figure that lays itself out.

    Args:
        width_in: inches.
        height_in: inches.

    Raises:
        MissingExtra: when matplotlib is not installed.
    """
    require("matplotlib", extra="insight")
    from matplotlib.figure import Figure

    return Figure(figsize=(width_in, height_in), dpi=DPI, layout="constrained")


def tidy(axes: Any, *, x: str = "", y: str = "") -> None:
    """Give axes their labels, their sizes, and no box."""
    axes.set_xlabel(x, fontsize=_LABEL_PT)
    axes.set_ylabel(y, fontsize=_LABEL_PT)
    axes.tick_params(labelsize=_TICK_PT)
    axes.spines[["top", "right"]].set_visible(False)


def legend_above(figure: Any) -> None:
    """Put one legend above all panels, where it hides no curve; names that repeat stand once."""
    found: dict[str, Any] = {}
    for axes in figure.axes:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    if found:
        # a letter of 8 pt is about 4.6 pt wide; the line before it and the gap after it take 40
        fit = int(72 * figure.get_figwidth() / (4.6 * max(map(len, found)) + 40))
        columns = max(1, min(3, len(found), fit))
        lines = -(-len(found) // columns)
        figure.set_figheight(figure.get_figheight() + 0.17 * max(0, lines - 4))
        figure.legend(
            found.values(),
            found.keys(),
            loc="outside upper left",
            ncols=columns,
            frameon=False,
            fontsize=_TICK_PT,
        )


def few_ticks() -> Any:
    """Give a locator of at most six round numbers, so that their labels do not touch."""
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10])


def logarithmic(axes: Any, low: float, high: float) -> None:
    """Make the horizontal axis logarithmic, with few, plain numbers on it.

    Args:
        axes: of matplotlib.
        low: its start, > 0.
        high: its end.
    """
    from matplotlib.ticker import NullFormatter, NullLocator

    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.set_xticks(log_ticks(low, high))
    axes.xaxis.set_major_formatter(plain_number)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())


def log_ticks(low: float, high: float) -> list[float]:
    """Choose round numbers on a logarithmic axis, so few that their labels do not touch.

    Args:
        low: start of the axis, > 0.
        high: its end.
    """
    decades = math.log10(high / low)
    leads = (1,) if decades > 3 else (1, 3) if decades > 1.2 else (1, 2, 5)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found = [float(f"{lead}e{power}") for power in powers for lead in leads]
    found = [value for value in found if low * 0.999 <= value <= high * 1.001]
    step = -(-len(found) // 7)  # an axis over many decades
    # a narrow axis has no such number, or one
    return found[:: step or 1] if len(found) > 1 else [float(f"{v:.3g}") for v in (low, high)]


def plain_number(value: float, _: object = None) -> str:
    """Write a tick.

    >>> plain_number(1000), plain_number(0.5), plain_number(2_500_000)
    ('1,000', '0.5', '2.5M')
    """
    for size, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M")):
        if abs(value) >= size:
            return f"{value / size:,.10g}{unit}"
    return f"{value:,.10g}"


def drawable(text: str) -> bool:
    """Tell whether matplotlib writes a text right: it joins no letters and has few fonts.

    >>> drawable("épisode один"), drawable("视频"), drawable("مقطع")
    (True, False, False)
    """
    simple = ("LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "GEORGIAN")
    return all(c.isascii() or unicodedata.name(c, "").startswith(simple) for c in text)


def dot_area(n: int) -> float:
    """Give the area of a dot in square points that fits so many on one map.

    Args:
        n: number of points.
    """
    return min(36.0, max(3.0, 15_000 / max(1, n)))


def to_bytes(figure: Any, kind: PictureKind = "png") -> bytes:
    """Give the content of a PNG or SVG file: the same figure is the same file.

    Args:
        figure: of matplotlib.
        kind: of file.
    """
    import matplotlib
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        text.set_parse_math(False)  # names hold dollars, not formulas
    # no version, no date and no random names in it
    metadata = {"Software": None} if kind == "png" else {"Date": None, "Creator": None}
    file = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "t2vid"}), warnings.catch_warnings():
        # names of sources may be of a script that matplotlib's font lacks; the page shows them
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        figure.savefig(file, format=kind, metadata=metadata)
    return file.getvalue()
