"""A sweep over the number of frames as a page and as pictures (the paper's Figs. 1 and 7).

    sweep(model, "t2vid/mvbench", out="sweep", marks={"max training frames": 24})

>>> chart = draw({"m": [Point(1, 40.0, 35.0, 45.0, 100), Point(8, 50.0, 45.0, 55.0, 100)]}, {})
>>> chart.startswith(b"\\x89PNG")
True
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from t2vid.evaluation.config import EvalConfig
from t2vid.evaluation.sweep import FRAMES, Point, Sweep, measure
from t2vid.insight.plotting import (
    COLOURS,
    DASHES,
    PictureKind,
    legend_above,
    new_figure,
    plain_number,
    tidy,
    to_bytes,
)
from t2vid.pages.charts import line_chart
from t2vid.pages.template import render

_X, _Y = "frames shown of a video", "accuracy, %"


def sweep(
    model: Any,
    benchmark: Any,
    protocol: EvalConfig | str | Path = "t2vid",
    *,
    out: str | Path,
    frames: Sequence[int] = FRAMES,
    marks: Mapping[str, int] | None = None,
    processor: Any = None,
    **kwargs: Any,
) -> list[Point]:
    """Evaluate at several numbers of frames and draw the curve.

    Writes `sweep.json`, `sweep.png`, `sweep.svg` and `sweep.html` into `out`.

    Args:
        model: as for `evaluate`.
        benchmark: as for `evaluate`.
        protocol: asked at each number of frames in place of its own.
        out: folder of the sweep; every number of frames is a run in it, so that it resumes.
        frames: numbers of frames, each > 0.
        marks: frames at which a line is drawn, by name, such as `{"max training frames": 24}`; the
            context of a model in this process is marked by itself.
        processor: of a model in this process.
        **kwargs: further arguments of `evaluate`.

    Raises:
        InputError: for no number of frames.
    """
    found = measure(
        model,
        benchmark,
        protocol,
        out=out,
        frames=frames,
        marks=marks,
        processor=processor,
        **kwargs,
    )
    folder = Path(out)
    for kind in ("png", "svg"):
        (folder / f"sweep.{kind}").write_bytes(draw({found.name: found.points}, found.marks, kind))
    (folder / "sweep.html").write_text(_page(found), encoding="utf-8")
    return found.points


def draw(
    series: Mapping[str, Sequence[Point]], marks: Mapping[str, int], kind: PictureKind = "png"
) -> bytes:
    """Draw curves with their 95 % bands.

    Args:
        series: points by model.
        marks: frames at which a line is drawn, by name; those far beyond the points are left out.
        kind: of file.

    Returns:
        The content of the file.
    """
    figure = new_figure(7, 4)
    axes = figure.subplots()
    frames = sorted({point.frames for points in series.values() for point in points})
    for at, (name, points) in enumerate(series.items()):
        xs, colour = [point.frames for point in points], COLOURS[at % len(COLOURS)]
        values = [point.value for point in points]
        axes.plot(
            xs, values, marker="o", color=colour, label=name, linestyle=DASHES[at % len(DASHES)]
        )
        low, high = [point.low for point in points], [point.high for point in points]
        axes.fill_between(xs, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.set_xscale("log", base=2)
    axes.set_xticks(frames, minor=False)
    axes.set_xticks([], minor=True)
    axes.xaxis.set_major_formatter(plain_number)
    tidy(axes, x=_X, y=_Y)
    shown = sorted((n, name) for name, n in marks.items() if n <= 2 * frames[-1])
    for height, (n, name) in enumerate(shown):
        axes.axvline(n, color="#666666", linestyle="--", linewidth=1)
        # above the axes, one line each: no curve and no other mark is there
        axes.annotate(
            f"{name}: {n:,}",
            (n, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2 + 11 * height),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=8,
        )
    legend_above(figure)
    return to_bytes(figure, kind)


def _page(found: Sweep) -> str:
    points, most = found.points, max(point.frames for point in found.points)
    rows = [[p.frames, p.value, f"[{p.low:.1f}, {p.high:.1f}]", p.n] for p in points]
    far = [
        f"{name}: {n:,} frames, beyond the picture" for name, n in found.marks.items() if n > most
    ]
    curve = line_chart(
        {found.name: [(p.frames, p.value) for p in points]},
        bands={found.name: [(p.frames, p.low, p.high) for p in points]},
        marks=found.marks,
        x=_X,
        y=_Y,
        caption="Shaded: 95 % interval (Wilson).",
        log=True,
    )
    return render(
        "sweep.html",
        title=f"{found.name}: accuracy over frames",
        intro=found.protocol,
        curve=curve,
        head=["frames", _Y, "95 % interval", "questions"],
        rows=rows,
        notes=far,
    )
