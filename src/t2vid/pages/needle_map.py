"""Needles found by depth and length, as a heat map.

>>> lines = [{"category": "0 %", "duration": "8", "correct": True}]
>>> shares(lines)
{('0 %', '8'): (1.0, 1)}
>>> draw(lines).startswith(b"\\x89PNG")
True
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from PIL import Image

from t2vid.evaluation.runs import Run
from t2vid.evaluation.tables import Cell, Table
from t2vid.insight.plotting import PictureKind, new_figure, tidy, to_bytes

SOURCE = "needles"


def needle_tables(runs: Iterable[Run]) -> list[Table]:
    """Give a table of each run that was asked about needles, and write its picture beside it.

    Args:
        runs: scored runs; `needles.png` and `needles.svg` are written into their folders.
    """
    tables = []
    for run in runs:
        lines = needle_lines(run)
        if not lines:
            continue
        drawn = draw(lines, "png")
        (run.folder / "needles.png").write_bytes(drawn)
        (run.folder / "needles.svg").write_bytes(draw(lines, "svg"))
        found = shares(lines)
        depths, lengths = _axes(found)
        title, map_ = f"{run.name}: needles found, %", Image.open(io.BytesIO(drawn))
        table = Table(title, ["depth", *lengths], [], picture=map_)
        for depth in depths:
            cells: list[Cell] = [
                100 * found[depth, n][0] if (depth, n) in found else None for n in lengths
            ]
            table.rows.append([depth, *cells])
        counts = sorted({n for _, n in found.values()})
        each = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
        table.notes.append(
            f"columns: frames of a sequence; {each} questions a cell, guessing finds 25 %"
        )
        table.notes.append(f"picture: {run.folder / 'needles.png'}")
        tables.append(table)
    return tables


def needle_lines(run: Run) -> list[dict[str, Any]]:
    """Give the judged lines of a run that ask for needles."""
    if SOURCE not in str(run.header.get("benchmark")):
        return []
    return [x for x in run.judged() if x["source"] == SOURCE and not x.get("rotation")]


def shares(lines: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], tuple[float, int]]:
    """Give the share found and the number of questions, by depth and length."""
    cells: dict[tuple[str, str], list[bool]] = {}
    for line in lines:
        key = str(line["category"]), str(line["duration"])
        cells.setdefault(key, []).append(bool(line["correct"]))
    return {key: (sum(right) / len(right), len(right)) for key, right in cells.items()}


def draw(lines: Sequence[Mapping[str, Any]], kind: PictureKind = "png") -> bytes:
    """Draw the heat map: lengths to the right, depth downwards.

    Args:
        lines: judged lines.
        kind: of file.
    """
    found = shares(lines)
    depths, lengths = _axes(found)
    figure = new_figure(1.6 + 0.62 * len(lengths), 1.2 + 0.42 * len(depths))
    axes = figure.subplots()
    blank = float("nan")
    values = [[100 * found.get((d, n), (blank, 0))[0] for n in lengths] for d in depths]
    # light where it is found: the numbers stay readable, and gray printing keeps the order
    image = axes.imshow(values, cmap="cividis", vmin=0, vmax=100, aspect="auto")
    for y, line in enumerate(values):
        for x, value in enumerate(line):
            if value == value:
                ink = "white" if value < 55 else "black"
                axes.text(x, y, f"{value:.0f}", ha="center", va="center", color=ink, fontsize=8)
    axes.set_xticks(range(len(lengths)), [f"{int(n):,}" for n in lengths])
    axes.set_yticks(range(len(depths)), depths)
    tidy(axes, x="frames", y="depth of the needle")
    bar = figure.colorbar(image, ax=axes)
    bar.set_label("found, %", fontsize=9)
    bar.ax.tick_params(labelsize=8)
    return to_bytes(figure, kind)


def _axes(found: Mapping[tuple[str, str], Any]) -> tuple[list[str], list[str]]:
    depths = sorted({depth for depth, _ in found}, key=lambda text: float(text.rstrip(" %")))
    return depths, sorted({length for _, length in found}, key=int)
