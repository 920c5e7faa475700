"""Accuracy and cost over ways of asking: numbers of frames, their size, the prompt (Figs. 1 and 7).

    points = measure(model, "t2vid/mvbench", ways(EvalConfig(), frames=[1, 8, 64]), out="sweep")
    points[0].value, points[0].tokens

`t2vid.pages.sweep` draws them.

>>> [folder for folder, how in ways(EvalConfig(), frames=[1, 8], sizes=[224]).items()]
['frames-001-size-224', 'frames-008-size-224']
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from t2vid.errors import InputError
from t2vid.evaluation.backends import TransformersBackend, backend_of, max_positions
from t2vid.evaluation.config import EvalConfig
from t2vid.evaluation.report import scores_of
from t2vid.evaluation.run import evaluate

FRAMES = (1, 2, 4, 8, 16, 24, 32, 64, 128)


@dataclass(frozen=True)
class Point:
    """What one way of asking gave, and what a question cost.

    Attributes:
        frames: at most so many frames were shown.
        value: accuracy in percent.
        low: lower end of its 95 % interval.
        high: upper end.
        n: questions behind it.
        size: of a frame, as in `EvalConfig`.
        prompt: its name or template.
        tokens: of the prompt, a question; None where nobody counted.
        seconds: a question, decoding and answer.
        usd: a question, where the price is known.
    """

    frames: int
    value: float
    low: float
    high: float
    n: int
    size: Any = None
    prompt: str = ""
    tokens: float | None = None
    seconds: float | None = None
    usd: float | None = None


def ways(
    protocol: EvalConfig,
    *,
    frames: Sequence[int] = FRAMES,
    sizes: Sequence[Any] = (),
    prompts: Sequence[str] = (),
) -> dict[str, EvalConfig]:
    """Give every combination, by the name of its folder.

    Args:
        protocol: asked in place of its own frames, size and prompt.
        frames: numbers of frames, each > 0.
        sizes: of frames, as in `EvalConfig`; none keeps the protocol's.
        prompts: names or templates; none keeps the protocol's.

    Raises:
        InputError: for no number of frames.
    """
    if not frames:
        raise InputError("frames is empty; give at least one number of frames")
    out = {}
    for n in sorted(set(frames)):
        for size in sizes or [protocol.size]:
            for prompt in prompts or [protocol.prompt]:
                name = f"frames-{n:03d}" + (f"-size-{_plain(size)}" if sizes else "")
                name += f"-prompt-{_plain(prompt)}" if prompts else ""
                out[name] = protocol.replace(frames=n, size=size, prompt=prompt)
    return out


def measure(
    model: Any,
    benchmark: Any,
    ways: Mapping[str, EvalConfig],
    *,
    out: str | Path,
    processor: Any = None,
    **kwargs: Any,
) -> list[Point]:
    """Evaluate in several ways; every way is a run of its own, so that it resumes like a run.

    Args:
        model: as for `evaluate`; loaded once.
        benchmark: as for `evaluate`.
        ways: how to ask, by the folder below `out`.
        out: folder of the runs.
        processor: of a model in this process.
        **kwargs: further arguments of `evaluate`.
    """
    backend, points = backend_of(model, processor), []
    for folder, how in ways.items():
        run = evaluate(backend, benchmark, how, out=Path(out) / folder, **kwargs)
        scores, clock = scores_of(run), run.clock()
        if not scores["n"]:
            raise InputError(
                f"no question of {run.header['benchmark']} that was asked has a public answer, so "
                "there is no accuracy to draw"
            )
        low, high = (100 * bound for bound in scores["wilson"])
        spent, n = scores.get("usage", {}), scores["n"]
        points.append(
            Point(
                how.frames,
                100 * scores["accuracy"],
                low,
                high,
                n,
                how.size,
                how.prompt,
                spent["prompt_tokens"] / n if spent.get("prompt_tokens") else None,
                clock["all_seconds"] / clock["questions"] if clock else None,
                spent["usd"] / n if "usd" in spent else None,
            )
        )
    return points


def context_frames(backend: Any) -> dict[str, int]:
    """Say how many frames fill the context of a model in this process, its text left out."""
    if not isinstance(backend, TransformersBackend) or not backend.encode.direct:
        return {}
    from t2vid.models.families import frame_px

    limit = max_positions(backend.model)
    cost = len(backend.encode.frame_ids(frame_px(backend.processor)))
    return {} if limit is None else {"max LLM context": limit // cost}


def _plain(value: Any) -> str:
    text = "x".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return re.sub(r"[^\w.-]+", "-", text)[:60].strip("-") or "own"
