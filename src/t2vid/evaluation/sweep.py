"""Accuracy over the number of frames, with the model's limits marked (the paper's Figs. 1 and 7).

>>> chart = draw({"m": [Point(1, 40.0, 35.0, 45.0, 100), Point(8, 50.0, 45.0, 55.0, 100)]}, {})
>>> chart.startswith(b"\\x89PNG")
True
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from t2vid.errors import InputError, require
from t2vid.evaluation.backends import TransformersBackend, backend_of, max_positions
from t2vid.evaluation.config import EvalConfig
from t2vid.evaluation.report import scores_of
from t2vid.evaluation.run import evaluate
from t2vid.evaluation.tables import Table, html
from t2vid.insight import page

# dark enough for 3:1 against white, apart for the common kinds of colour blindness
_COLOURS = ("#3b6fd4", "#c2621b", "#2f8f5b", "#a14fb5", "#8a7a1f")


@dataclass(frozen=True)
class Point:
    """Accuracy in percent at a number of frames, its interval, and the questions behind it."""

    frames: int
    value: float
    low: float
    high: float
    n: int


def sweep(
    model: Any,
    benchmark: Any,
    protocol: EvalConfig | str | Path = "t2vid",
    *,
    out: str | Path,
    frames: Sequence[int] = (1, 2, 4, 8, 16, 24, 32, 64),
    marks: Mapping[str, int] | None = None,
    processor: Any = None,
    **kwargs: Any,
) -> list[Point]:
    """Evaluate at several numbers of frames and draw the curve.

    Every number is a run of its own, `out/frames-008`, so that a sweep resumes like a run. Writes
    `sweep.json`, `sweep.png` and `sweep.html`.

    Args:
        model: as for `evaluate`.
        benchmark: as for `evaluate`.
        protocol: asked at each number of frames in place of its own.
        out: folder of the sweep.
        frames: numbers of frames, each > 0.
        marks: frames at which a line is drawn, by name, such as `{"max training frames": 24}`; the
            context of a model in this process is marked by itself.
        processor: of a model in this process.
        **kwargs: further arguments of `evaluate`.

    Raises:
        InputError: for no number of frames.
    """
    if not frames:
        raise InputError("frames is empty; give at least one number of frames")
    folder, how = Path(out), EvalConfig.named(protocol)
    backend = backend_of(model, processor)
    points = []
    for n in sorted(set(frames)):
        run = evaluate(
            backend, benchmark, how.replace(frames=n), out=folder / f"frames-{n:03d}", **kwargs
        )
        scores = scores_of(run)
        low, high = (100 * bound for bound in scores["wilson"])
        points.append(Point(n, 100 * scores["accuracy"], low, high, scores["n"]))
    lines = {**(marks or {}), **context_frames(backend)}
    (folder / "sweep.png").write_bytes(draw({backend.name: points}, lines))
    text = json.dumps({"points": [asdict(point) for point in points], "marks": lines}, indent=1)
    (folder / "sweep.json").write_text(text, encoding="utf-8")
    (folder / "sweep.html").write_text(_page(backend.name, points, lines, how), encoding="utf-8")
    return points


def context_frames(backend: Any) -> dict[str, int]:
    """Say how many frames fill the context of a model in this process, its text left out."""
    if not isinstance(backend, TransformersBackend) or not backend.encode.direct:
        return {}
    from t2vid.models.families import frame_px

    limit = max_positions(backend.model)
    cost = len(backend.encode.frame_ids(frame_px(backend.processor)))
    return {} if limit is None else {"max LLM context": limit // cost}


def draw(series: Mapping[str, Sequence[Point]], marks: Mapping[str, int]) -> bytes:
    """Draw curves with their 95 % bands as a PNG.

    Args:
        series: points by model.
        marks: frames at which a line is drawn, by name; those far beyond the points are left out.

    Returns:
        The content of a PNG file.
    """
    require("matplotlib", extra="insight")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    most = max(point.frames for points in series.values() for point in points)
    for at, (name, points) in enumerate(series.items()):
        xs, colour = [point.frames for point in points], _COLOURS[at % len(_COLOURS)]
        axes.plot(xs, [point.value for point in points], "o-", color=colour, label=name)
        low, high = [point.low for point in points], [point.high for point in points]
        axes.fill_between(xs, low, high, color=colour, alpha=0.15, linewidth=0)
    for name, n in marks.items():
        if n <= 2 * most:
            axes.axvline(n, color="#666666", linestyle="--", linewidth=1)
            place = axes.get_xaxis_transform()
            told = f"{name}: {n:,}"
            axes.text(n, 0.03, told, transform=place, rotation=90, ha="right", fontsize=8)
    axes.set_xscale("log", base=2)
    axes.set_xticks(sorted({point.frames for points in series.values() for point in points}))
    axes.get_xaxis().set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_xlabel("frames shown of a video")
    axes.set_ylabel("accuracy, %")
    axes.legend(frameon=False, loc="best")
    axes.spines[["top", "right"]].set_visible(False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _page(name: str, points: Sequence[Point], marks: Mapping[str, int], how: EvalConfig) -> str:
    head = ["frames", "accuracy, %", "95 % interval", "n"]
    rows: list[list[Any]] = [
        [p.frames, p.value, f"[{p.low:.1f}, {p.high:.1f}]", p.n] for p in points
    ]
    notes = [f"{what}: {n:,} frames" for what, n in marks.items()] + [
        f"{how.summary()} [{how.asking_hash}]"
    ]
    text = html([Table("Accuracy", head, rows, notes)], f"{name} over frames")
    far = max(point.frames for point in points)
    curve = page.line_chart(
        {
            name: [(point.frames, point.value) for point in points],
            # an upright line for each limit within the picture; the notes name the others
            **{what: [(n, 0.0), (n, 100.0)] for what, n in marks.items() if n <= far},
        },
        x="frames shown of a video",
        y="accuracy, %",
    )
    return text.replace("\n<section>", f"\n{page.section('Curve', curve)}\n<section>", 1)
