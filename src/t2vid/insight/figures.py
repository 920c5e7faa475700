"""The figures of a report as PNG files, for a paper: maps, lengths, budgets, contact sheets.

from t2vid.insight.figures import map_png
Path("map.png").write_bytes(map_png(found))
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from t2vid.catalog import TOKENS_PER_FRAME
from t2vid.errors import require
from t2vid.insight.diversity import Diversity
from t2vid.insight.page import COLOURS
from t2vid.insight.rows import Rows

PERCENTILE = 99.9  # T2Vid, Fig. 3: longer rows are left out of the picture
_BINS = 40
_COLUMNS = 3


def map_png(found: Diversity) -> bytes:
    """Draw the map, one panel a source and one for all: the paper's Figs. 4 and 6."""
    names = list(dict.fromkeys(found.labels))
    panels = [*names, "all"] if len(names) > 1 else names
    columns = min(_COLUMNS, len(panels))
    n_rows = -(-len(panels) // columns)
    figure = _figure(3.4 * columns, 3.3 * n_rows)
    labels = np.array(found.labels)
    order = np.random.default_rng(0).permutation(len(labels))  # so that no source hides another
    colours = np.array([COLOURS[names.index(label) % len(COLOURS)] for label in found.labels])
    for number, name in enumerate(panels):
        axes = figure.add_subplot(n_rows, columns, number + 1)
        at = order[(labels[order] == name) | (name == "all")]
        size = 2.5 if len(labels) > 4000 else 7
        axes.scatter(*found.xy[at].T, s=size, c=colours[at], alpha=0.6, linewidths=0)
        axes.set_title(f"{name} ({len(at):,})", fontsize=10)
        axes.set_xticks([]), axes.set_yticks([])
        axes.set_xlim(*_ends(found.xy[:, 0])), axes.set_ylim(*_ends(found.xy[:, 1]))
    return _png(figure)


def lengths_pngs(rows: Rows) -> dict[str, bytes]:
    """Draw how the rows are distributed, `{file name: PNG}`, each linear and logarithmic.

    A measure that no row has, such as the frames of rows without any, has no picture.
    """
    each = {
        "frames": ("frames", rows.frames.astype(float)),
        "durations": ("seconds of video", rows.durations_s),
        "words-a-frame": ("words a frame (texts)", words_a_frame(rows)),
        "text-tokens": ("text tokens", rows.text_tokens.astype(float)),
    }
    out = {}
    for file, (title, values) in each.items():
        if parts := _parts(rows, values):
            out[f"{file}.png"] = _pair(parts, title)
    if rows.kept_frames.any():
        out["visual-tokens.png"] = _visual(rows)
    return out


def words_a_frame(rows: Rows) -> NDArray[np.float64]:
    """Give the words on each frame of a text, NaN for a video."""
    drawn = ~rows.is_video & (rows.frames > 0)
    out = np.full(len(rows), np.nan)
    out[drawn] = rows.n_words[drawn] / rows.frames[drawn]
    return out


def _parts(rows: Rows, values: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    parts = {name: values[rows.of(name)] for name in rows.names()}
    known = {name: part[np.isfinite(part) & (part > 0)] for name, part in parts.items()}
    return {name: part for name, part in known.items() if len(part)}


def _pair(parts: Mapping[str, NDArray[np.float64]], title: str) -> bytes:
    figure = _figure(8.4, 3.2)
    for number, log in enumerate((False, True)):
        axes = figure.add_subplot(1, 2, number + 1)
        _histogram(axes, parts, title, log=log)
        if number == 0:
            axes.set_ylabel("rows, % of the source")
            axes.legend(frameon=False, fontsize=8)
    return _png(figure)


def _visual(rows: Rows) -> bytes:
    """Draw visual tokens, one panel a family."""
    figure = _figure(8.4, 3.0)
    for number, (family, each) in enumerate(TOKENS_PER_FRAME.items()):
        axes = figure.add_subplot(1, len(TOKENS_PER_FRAME), number + 1)
        parts = _parts(rows, rows.kept_frames.astype(float) * each)
        _histogram(axes, parts, f"visual tokens, {family}", log=False)
        if number == 0:
            axes.set_ylabel("rows, % of the source")
            axes.legend(frameon=False, fontsize=7)
    return _png(figure)


def _histogram(
    axes: Any, parts: Mapping[str, NDArray[np.float64]], title: str, *, log: bool
) -> None:
    top = max(float(np.percentile(part, PERCENTILE, method="higher")) for part in parts.values())
    low = min(float(part.min()) for part in parts.values())
    # one bin where all rows are alike
    high = max(top, low * 1.01 + 1e-9)
    edges = np.geomspace(low, high, _BINS + 1) if log else np.linspace(0, high, _BINS + 1)
    for number, (name, part) in enumerate(parts.items()):
        shown = part[part <= edges[-1]]
        heights = 100 * np.histogram(shown, edges)[0] / len(part)
        colour = COLOURS[number % len(COLOURS)]
        label = f"{name} (median {np.median(part):,.0f})"
        axes.stairs(heights, edges, fill=True, color=colour, alpha=0.16)
        axes.stairs(heights, edges, color=colour, label=label, linewidth=1.3)
    if log:
        axes.set_xscale("log")
    axes.set_xlabel(title + (", logarithmic" if log else ""), fontsize=9)
    axes.tick_params(labelsize=8)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _figure(width: float, height: float) -> Any:
    require("matplotlib", extra="insight")
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=150, layout="constrained")


def _png(figure: Any) -> bytes:
    file = io.BytesIO()
    # without the version of the library in it, the same figure is the same file
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()


def _ends(values: NDArray[np.float64]) -> tuple[float, float]:
    room = 0.04 * float(np.ptp(values)) or 1.0
    return float(values.min()) - room, float(values.max()) + room
