"""Accuracy over the number of frames, with the model's limits (the paper's Figs. 1 and 7).

    found = measure(model, "t2vid/mvbench", out="sweep")
    found.points[0].value

`t2vid.pages.sweep` draws it.

>>> Sweep("m", [Point(1, 40.0, 35.0, 45.0, 100)], {"max training frames": 24}, "t2vid").marks
{'max training frames': 24}
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from t2vid.errors import InputError
from t2vid.evaluation.backends import TransformersBackend, backend_of, max_positions
from t2vid.evaluation.config import EvalConfig
from t2vid.evaluation.report import scores_of
from t2vid.evaluation.run import evaluate

FRAMES = (1, 2, 4, 8, 16, 24, 32, 64)


@dataclass(frozen=True)
class Point:
    """Accuracy in percent at a number of frames, its interval, and the questions behind it."""

    frames: int
    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Sweep:
    """What a sweep found.

    Attributes:
        name: of the model.
        points: accuracies, the fewest frames first.
        marks: limits in frames, by name.
        protocol: how the questions were asked, in words, with its hash.
    """

    name: str
    points: list[Point]
    marks: dict[str, int]
    protocol: str


def measure(
    model: Any,
    benchmark: Any,
    protocol: EvalConfig | str | Path = "t2vid",
    *,
    out: str | Path,
    frames: Sequence[int] = FRAMES,
    marks: Mapping[str, int] | None = None,
    processor: Any = None,
    **kwargs: Any,
) -> Sweep:
    """Evaluate at several numbers of frames, and write `sweep.json`.

    Every number is a run of its own, `out/frames-008`, so that a sweep resumes like a run.

    Args:
        model: as for `evaluate`.
        benchmark: as for `evaluate`.
        protocol: asked at each number of frames in place of its own.
        out: folder of the sweep.
        frames: numbers of frames, each > 0.
        marks: limits to show, by name, such as `{"max training frames": 24}`; the context of a
            model in this process is marked by itself.
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
    text = json.dumps({"points": [asdict(point) for point in points], "marks": lines}, indent=1)
    (folder / "sweep.json").write_text(text, encoding="utf-8")
    return Sweep(backend.name, points, lines, f"{how.summary()} [{how.asking_hash}]")


def context_frames(backend: Any) -> dict[str, int]:
    """Say how many frames fill the context of a model in this process, its text left out."""
    if not isinstance(backend, TransformersBackend) or not backend.encode.direct:
        return {}
    from t2vid.models.families import frame_px

    limit = max_positions(backend.model)
    cost = len(backend.encode.frame_ids(frame_px(backend.processor)))
    return {} if limit is None else {"max LLM context": limit // cost}
