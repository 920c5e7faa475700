"""The figures of a report as PNG and SVG, for a paper: the map of instructions, the lengths.

from t2vid.insight.figures import map_figure
from t2vid.insight.plotting import to_bytes
Path("map.svg").write_bytes(to_bytes(map_figure(found), "svg"))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from t2vid.catalog import TOKENS_PER_FRAME
from t2vid.insight.diversity import Diversity, name_of_whole
from t2vid.insight.plotting import (
    PictureKind,
    caption_of,
    dot_area,
    drawable,
    few_ticks,
    legend_above,
    line_style,
    logarithmic,
    mark_style,
    new_figure,
    plain_number,
    tidy,
    to_bytes,
)
from t2vid.insight.rows import RowColumns

FIGURES = ("map", "frames", "durations", "words-a-frame", "text-tokens", "visual-tokens")
PERCENTILE = 99.9  # T2Vid, Fig. 3: longer rows are left out of the picture
_BINS = 40
_COLUMNS = 3
_KINDS: tuple[PictureKind, ...] = ("png", "svg")

Parts = Mapping[str, NDArray[np.float64]]


def figures(rows: RowColumns, found: Diversity | None) -> dict[str, bytes]:
    """Draw every figure of a report, `{file name: content}`, each as PNG and SVG.

    A measure that no row has, such as the frames of rows without any, has no picture.

    Args:
        rows: the rows as columns.
        found: the map; None for a single instruction.
    """
    drawn = length_figures(rows)
    if found is not None:
        drawn["map"] = map_figure(found)
    return {f"{n}.{kind}": to_bytes(each, kind) for n, each in drawn.items() for kind in _KINDS}


def map_figure(found: Diversity, *, columns: int | None = None) -> Any:
    """Draw the map, one panel a source and one for all: the paper's Figs. 4 and 6.

    Args:
        found: what `diversity` gave.
        columns: panels beside one another; by default what fits their number.
    """
    names = list(dict.fromkeys(found.labels))
    whole = name_of_whole(names)
    panels = [*names, whole] if len(names) > 1 else names
    columns = columns or min(_COLUMNS if len(panels) <= 3 * _COLUMNS else 5, len(panels))
    n_rows = -(-len(panels) // columns)
    wide = 3.4 * min(1, _COLUMNS / columns)
    figure = new_figure(max(3.6, wide * columns), 3.3 / 3.4 * wide * n_rows)
    labels = np.array(found.labels)
    order = np.random.default_rng(0).permutation(len(labels))  # so that no source hides another
    styles = {name: mark_style(number) for number, name in enumerate(names)}
    captions = {name: caption_of(name, number) for number, name in enumerate([*names, whole])}
    colours = np.array([styles[label][0] for label in found.labels])
    marks = np.array([styles[label][1][0] for label in found.labels])
    for number, name in enumerate(panels):
        axes = figure.add_subplot(n_rows, columns, number + 1)
        at = order[(labels[order] == name) | (name == whole)]
        area = dot_area(len(labels))
        for mark in dict.fromkeys(mark for _, (mark, _) in styles.values()):
            if len(some := at[marks[at] == mark]):
                look = {"s": area, "c": colours[some], "marker": mark}
                axes.scatter(*found.xy[some].T, **look, alpha=0.6, linewidths=0)
        axes.set_title(f"{captions[name]} ({len(at):,})", fontsize=10 if columns < 5 else 7)
        axes.set_xticks([]), axes.set_yticks([])
        axes.set_xlim(*_ends(found.xy[:, 0])), axes.set_ylim(*_ends(found.xy[:, 1]))
        if name == panels[-1]:
            _name_groups(axes, found, wide)
    if len(names) > 1:
        for name, (colour, (mark, _)) in styles.items():
            axes.scatter([], [], s=30, c=colour, marker=mark, label=captions[name])
        legend_above(figure)
    return figure


def _name_groups(axes: Any, found: Diversity, width_in: float) -> None:
    """Write the words of the largest groups above them; one that would cover another is left out."""
    taken: list[tuple[float, float, float]] = []
    for spot in (spot for spot in found.landmarks if drawable(spot.words)):
        (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
        x, y = (spot.x - left) / (right - left), (spot.y - low) / (high - low)
        half = (
            0.03 * len(spot.words) / width_in
        )  # of the panel: a letter of 7 pt is 0.06 inches wide
        x = min(max(x, half), 1 - half)
        if any(abs(x - ox) < half + wide and abs(y - oy) < 0.05 for ox, oy, wide in taken):
            continue
        taken.append((x, y, half))
        axes.annotate(
            spot.words,
            (x, y),
            xycoords="axes fraction",
            xytext=(0, 9),
            textcoords="offset points",
            fontsize=7,
            ha="center",
            va="center",
            bbox={"boxstyle": "round,pad=0.2", "fc": "white", "ec": "none", "alpha": 0.75},
        )


def length_figures(rows: RowColumns) -> dict[str, Any]:
    """Draw how the rows are distributed, each measure linear and logarithmic, by file name."""
    each = {
        "frames": ("frames of a row", rows.frames.astype(float)),
        "durations": ("seconds of video", rows.durations_s),
        "words-a-frame": ("words a frame (texts)", words_a_frame(rows)),
        "text-tokens": ("text tokens of a row", rows.text_tokens.astype(float)),
    }
    out = {}
    for file, (title, values) in each.items():
        if parts := _parts(rows, values):
            panels = [(parts, title, False), (parts, title, True)]
            out[file] = histograms(panels, names=rows.names())
    if rows.kept_frames.any():
        out["visual-tokens"] = histograms(
            [
                (
                    _parts(rows, rows.kept_frames.astype(float) * k),
                    f"visual tokens, {family}",
                    False,
                )
                for family, k in TOKENS_PER_FRAME.items()
            ],
            names=rows.names(),
        )
    return out


def words_a_frame(rows: RowColumns) -> NDArray[np.float64]:
    """Give the words on each frame of a text, NaN for anything else."""
    drawn = rows.is_text & (rows.frames > 0)
    out = np.full(len(rows), np.nan)
    out[drawn] = rows.n_words[drawn] / rows.frames[drawn]
    return out


def histograms(panels: list[tuple[Parts, str, bool]], *, names: Sequence[str] = ()) -> Any:
    """Draw distributions side by side.

    Args:
        panels: of each the values by source, what they are, and whether its axis is logarithmic.
        names: of all sources, so that each has its colour in every picture.
    """
    numbers = {
        name: n for n, name in enumerate(names or dict.fromkeys(n for p in panels for n in p[0]))
    }
    figure = new_figure(4.2 * len(panels) if len(panels) < 3 else 9.6, 3.3)
    one_measure = len({title for _, title, _ in panels}) == 1
    for number, (parts, title, log) in enumerate(panels):
        axes = figure.add_subplot(1, len(panels), number + 1)
        _histogram(axes, parts, numbers, log=log, medians=one_measure)
        tidy(
            axes,
            x=title + (", logarithmic" if log else ""),
            y="" if number else "rows, % of the source",
        )
    legend_above(figure)
    return figure


def _parts(rows: RowColumns, values: NDArray[np.float64]) -> Parts:
    parts = {name: values[rows.of(name)] for name in rows.names()}
    known = {name: part[np.isfinite(part) & (part > 0)] for name, part in parts.items()}
    return {name: part for name, part in known.items() if len(part)}


def _histogram(
    axes: Any, parts: Parts, numbers: Mapping[str, int], *, log: bool, medians: bool
) -> None:
    top = max(float(np.percentile(part, PERCENTILE, method="higher")) for part in parts.values())
    low = min(float(part.min()) for part in parts.values())
    # one bin where all rows are alike
    high = max(top, low * 1.01 + 1e-9)
    edges = np.geomspace(low, high, _BINS + 1) if log else np.linspace(0, high, _BINS + 1)
    for name, part in parts.items():
        shown = part[part <= edges[-1]]
        heights = 100 * np.histogram(shown, edges)[0] / len(part)
        colour, dash = line_style(numbers[name])
        caption = caption_of(name, numbers[name])
        label = f"{caption} (median {np.median(part):,.0f})" if medians else caption
        axes.stairs(heights, edges, fill=True, color=colour, alpha=0.16)
        axes.stairs(heights, edges, color=colour, label=label, linewidth=1.3, linestyle=dash)
    if log:
        logarithmic(axes, float(edges[0]), float(edges[-1]))
    else:
        axes.set_xlim(0, float(edges[-1]))
        axes.xaxis.set_major_locator(few_ticks())
        axes.xaxis.set_major_formatter(plain_number)


def _ends(values: NDArray[np.float64]) -> tuple[float, float]:
    room = 0.04 * float(np.ptp(values)) or 1.0
    return float(values.min()) - room, float(values.max()) + room
