"""A sweep over frames, sizes and prompts as a page and as pictures (the paper's Figs. 1 and 7).

    t2vid sweep me/my-model t2vid/mvbench --data-dir MVBench --mark "max training frames=24" --out sweep

>>> chart = draw({"m": [Point(1, 40.0, 35.0, 45.0, 100), Point(8, 50.0, 45.0, 55.0, 100)]}, {})
>>> chart.startswith(b"\\x89PNG")
True
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from t2vid.errors import InputError
from t2vid.evaluation.backends import backend_of
from t2vid.evaluation.config import EvalConfig
from t2vid.evaluation.processes import Processes
from t2vid.evaluation.sweep import FRAMES, Point, context_frames, measure, ways
from t2vid.insight.plotting import (
    PictureKind,
    caption_of,
    legend_above,
    line_style,
    new_figure,
    plain_number,
    tidy,
    to_bytes,
)
from t2vid.pages.bars import Bar, bar_chart
from t2vid.pages.charts import line_chart
from t2vid.pages.template import render
from t2vid.storage.files import PathLike, write_atomically
from t2vid.storage.staging import staged_folder

Axis = Literal["frames", "size"]

_X = {"frames": "frames shown of a video", "size": "longer edge of a frame, pixels"}
_Y = "accuracy, %"


def sweep(
    model: Any,
    benchmark: Any,
    protocol: EvalConfig | str | Path = "t2vid",
    *,
    out: PathLike,
    frames: Sequence[int] = FRAMES,
    sizes: Sequence[str | int] = (),
    prompts: Sequence[str] = (),
    marks: Mapping[str, str | int] | None = None,
    processor: Any = None,
    batch_size: int = 8,
    workers: int = 1,
    limit: int | None = None,
    data_dir: str | Path | None = None,
    **kwargs: Any,
) -> list[Point]:
    """Evaluate at several numbers of frames, sizes and prompts, and draw the curves.

    Writes `sweep.json`, `sweep.png`, `sweep.svg` and `sweep.html` into `out`; every point is a run
    in it, so that it resumes. One curve a size and prompt over frames; with one number of frames,
    over sizes.

    Args:
        model: a folder, a Hub name, `openai:MODEL@URL`, or what else `t2vid.evaluate` takes.
        benchmark: the name of one, such as `"t2vid/mvbench"`, a file of questions, or a dataset.
        protocol: asked at each point in place of its own frames, size and prompt.
        out: folder of the sweep, or a URL to which it is sent at the end.
        frames: numbers of frames, each > 0.
        sizes: of frames, as in `EvalConfig`; none keeps the protocol's.
        prompts: names or templates; none keeps the protocol's.
        marks: frames at which a line is drawn, by name: 24 for `max training frames`, say; the
            context of a model in this process is marked by itself.
        processor: of a model in this process.
        batch_size: questions answered at a time.
        workers: threads that decode ahead.
        limit: ask only about the first videos, so many questions at most.
        data_dir: folder of the benchmark's files.
        **kwargs: further arguments of `evaluate`.

    Raises:
        InputError: for no number of frames, or a mark that is none.
    """
    how = EvalConfig.named(protocol)
    edges = [int(size) if str(size).isdigit() else size for size in sizes]
    lines = {}
    for mark, n in (marks or {}).items():
        if not str(n).isdecimal() or not int(n):
            raise InputError(f"mark {mark!r} ({n}) must be a whole number of frames > 0")
        lines[mark] = int(n)
    planned = ways(how, frames=frames, sizes=edges, prompts=prompts)
    backend = backend_of(model, processor)
    asking = {"batch_size": batch_size, "workers": workers, "limit": limit, "data_dir": data_dir}
    lines |= context_frames(backend)
    with staged_folder(out) as folder:
        points = measure(backend, benchmark, planned, out=folder, **asking, **kwargs)
        if Processes.found().rank == 0:
            told = f"{how.summary()} [{how.asking_hash}]"
            write_sweep(folder, backend.name, points, lines, told)
    return points


def write_sweep(
    folder: Path, name: str, points: Sequence[Point], marks: Mapping[str, int], protocol: str
) -> None:
    """Write the page of a sweep, its pictures and its figures.

    Args:
        folder: where they go.
        name: of the model.
        points: what was measured.
        marks: limits in frames, by name.
        protocol: how the questions were asked, in words.
    """
    several = len({point.frames for point in points}) > 1
    edges = {point.size for point in points}
    by_size = not several and len(edges) > 1 and all(isinstance(edge, int) for edge in edges)
    axis: Axis = "size" if by_size else "frames"
    series = _series(name, points, axis)
    shown = marks if axis == "frames" else {}
    facts = {"points": [asdict(point) for point in points], "marks": dict(marks)}
    write_atomically(folder / "sweep.json", json.dumps(facts, indent=1))
    write_atomically(folder / "sweep.png", draw(series, shown, "png", axis=axis))
    write_atomically(folder / "sweep.svg", draw(series, shown, "svg", axis=axis))
    write_atomically(folder / "sweep.html", _page(name, points, series, shown, axis, protocol))


def _series(name: str, points: Sequence[Point], axis: Axis) -> dict[str, list[Point]]:
    """Sort points into curves: one a size and prompt, named after what differs among them."""
    sizes, prompts = ({getattr(p, what) for p in points} for what in ("size", "prompt"))
    curves: dict[str, list[Point]] = {}
    order = list(dict.fromkeys(point.prompt for point in points))
    short = {one: " ".join(one.split())[:40] for one in order}
    alike = len(set(short.values())) < len(short)  # own templates that begin alike
    for point in points:
        parts = [f"{point.size} px"] if axis == "frames" and len(sizes) > 1 else []
        number = f"prompt {order.index(point.prompt) + 1}: " if alike else ""
        parts += [number + short[point.prompt]] if len(prompts) > 1 else []
        curves.setdefault(", ".join(parts) or name, []).append(point)
    return {label: sorted(held, key=lambda p: getattr(p, axis)) for label, held in curves.items()}


def draw(
    series: Mapping[str, Sequence[Point]],
    marks: Mapping[str, int],
    kind: PictureKind = "png",
    *,
    axis: Axis = "frames",
) -> bytes:
    """Draw curves with their 95 % bands.

    Args:
        series: points by model.
        marks: frames at which a line is drawn, by name; those far beyond the points are left out.
        kind: of file.
        axis: what varies along the horizontal axis.

    Returns:
        The content of the file.
    """
    frames = sorted({getattr(point, axis) for points in series.values() for point in points})
    if len(frames) == 1 and len(series) > 1:
        return _bars(series, kind)
    figure = new_figure(7, 4)
    axes = figure.subplots()
    for at, (name, points) in enumerate(series.items()):
        xs, (colour, dash) = [getattr(point, axis) for point in points], line_style(at)
        values = [point.value for point in points]
        label = caption_of(name, at, what="curve")
        axes.plot(xs, values, marker="o", color=colour, label=label, linestyle=dash)
        low, high = [point.low for point in points], [point.high for point in points]
        axes.fill_between(xs, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.set_xscale("log", base=2)
    axes.set_xticks(frames, minor=False)
    axes.set_xticks([], minor=True)
    axes.xaxis.set_major_formatter(plain_number)
    tidy(axes, x=_X[axis], y=_Y)
    shown = sorted((n, name) for name, n in marks.items() if n <= 2 * frames[-1])
    for height, (n, name) in enumerate(shown):
        axes.axvline(n, color="#666666", linestyle="--", linewidth=1)
        # above the axes, one line each: no curve and no other mark is there
        axes.annotate(
            f"{caption_of(name, height, what='mark')}: {n:,}",
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


def _bars(series: Mapping[str, Sequence[Point]], kind: PictureKind) -> bytes:
    """Draw curves of a single point each, which would lie above one another, as bars."""
    figure = new_figure(7, 0.8 + 0.3 * len(series))
    axes = figure.subplots()
    for at, (name, (point, *_)) in enumerate(series.items()):
        label = caption_of(name, at, what="curve")
        whisker = [[point.value - point.low], [point.high - point.value]]
        axes.barh(label, point.value, 0.6, color=line_style(0)[0], xerr=whisker, capsize=2)
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    tidy(axes, x=_Y)
    return to_bytes(figure, kind)


def _page(
    name: str,
    points: Sequence[Point],
    series: Mapping[str, Sequence[Point]],
    marks: Mapping[str, int],
    axis: Axis,
    protocol: str,
) -> str:
    xs = [getattr(point, axis) for point in points]
    far = [f"{one}: {n:,} frames, beyond the picture" for one, n in marks.items() if n > max(xs)]
    if len(set(xs)) > 1 or len(series) == 1:
        curve = line_chart(
            {label: [(getattr(p, axis), p.value) for p in held] for label, held in series.items()},
            bands={
                label: [(getattr(p, axis), p.low, p.high) for p in held]
                for label, held in series.items()
            },
            marks=marks,
            x=_X[axis],
            y=_Y,
            caption="Shaded: 95 % interval (Wilson).",
            log=True,
        )
    else:
        bars = {
            label: {name: Bar(p.value / 100, p.low / 100, p.high / 100)}
            for label, (p,) in series.items()
        }
        curve = bar_chart(bars, x=_Y, caption="Whiskers: 95 % interval (Wilson).")
    varied = {what for what in ("size", "prompt") if len({getattr(p, what) for p in points}) > 1}
    over = varied | {axis} if len(set(xs)) > 1 or not varied else varied
    head = ["frames", *sorted(varied), _Y, "95 % interval", "questions", "tokens a question"]
    head += ["seconds a question", "USD a question"]
    rows = [
        [
            p.frames,
            *(str(getattr(p, what)) for what in sorted(varied)),
            p.value,
            f"[{p.low:.1f}, {p.high:.1f}]",
            p.n,
            p.tokens,
            None if p.seconds is None else f"{p.seconds:.3g}",
            None if p.usd is None else f"{p.usd:.4g}",
        ]
        for p in points
    ]
    known = [at for at in range(len(head)) if any(row[at] is not None for row in rows)]
    return render(
        "sweep.html",
        title=f"{name}: accuracy over {' and '.join(sorted(over))}",
        intro=protocol,
        curve=curve,
        shape="Curve" if len(set(xs)) > 1 or len(series) == 1 else "Bars",
        head=[head[at] for at in known],
        rows=[[row[at] for at in known] for row in rows],
        notes=far,
    )
