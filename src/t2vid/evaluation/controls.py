"""Does it use the video, and its time: a run beside the same questions asked under controls.

    t2vid eval me/my-model --benchmarks mvbench --controls --out runs/mine

>>> SAYS["shuffled"]
'the order of frames'
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from t2vid.evaluation.compare import compare_runs
from t2vid.evaluation.config import CONTROLS, EvalConfig
from t2vid.evaluation.runs import Run, video_of
from t2vid.evaluation.tables import Cell, Table, range_of, signed
from t2vid.scoring.statistics import Interval, holm, wilson

SIGNIFICANT = 0.05
# What a model that loses by a control has used.
SAYS = {
    "blind": "the video",
    "blank": "what is on the frames",
    "one": "more than one frame",
    "shuffled": "the order of frames",
    "reversed": "the direction of time",
    "other": "this video, not any",
    "subtitles": "more than the subtitles",
}


@dataclass(frozen=True)
class Contrast:
    """A run against one of its controls, on some questions that both answered.

    Attributes:
        control: name of the control.
        group: category of the questions; "" for all.
        n: questions.
        real: share that the run answered correctly.
        under_control: share under the control.
        interval: of the loss, over whole videos.
        p_value: of an exact McNemar test, corrected by Holm over the contrasts of its table.
    """

    control: str
    group: str
    n: int
    real: float
    under_control: float
    interval: Interval
    p_value: float

    @property
    def loss(self) -> float:
        """What the control takes away, as a share."""
        return self.real - self.under_control

    @property
    def verdict(self) -> str:
        """Say in words what was seen; a difference that luck explains is none."""
        # the test counts questions, the interval whole videos: both must say so
        if self.p_value >= SIGNIFICANT or self.interval.low <= 0 <= self.interval.high:
            return f"not shown to use {SAYS[self.control]}"
        if self.loss < 0:
            return f"better without {SAYS[self.control]}"
        return f"uses {SAYS[self.control]}"


def control_of(run: Run) -> str:
    """Give the control under which a run was asked; "none" where there was none."""
    return str(_protocol(run)["control"])


def controlled_runs(runs: Sequence[Run]) -> list[tuple[Run, dict[str, Run]]]:
    """Find the controls of each run: the same model, benchmark and way of asking.

    Where no run was asked exactly like a control, the control stands beside all of its model.
    """
    real = [run for run in runs if control_of(run) == "none"]
    found: list[tuple[Run, dict[str, Run]]] = [(run, {}) for run in real]
    for control in runs:
        kind = control_of(control)
        if kind not in CONTROLS:
            continue
        near = [pair for pair in found if _same_model(pair[0], control)]
        exact = [pair for pair in near if _asked(pair[0], kind) == _asked(control, kind)]
        for _, own in exact or near:
            own[kind] = control
    return [(run, {k: own[k] for k in CONTROLS if k in own}) for run, own in found if own]


def contrasts(
    real: Sequence[Mapping[str, Any]],
    controls: Mapping[str, Sequence[Mapping[str, Any]]],
    *,
    seed: int = 0,
) -> tuple[list[Contrast], list[Contrast]]:
    """Compare a run with its controls.

    Args:
        real: judged lines of the run.
        controls: judged lines of each control by its name.
        seed: of the bootstrap.

    Returns:
        One contrast a control over all questions, and one a control and category.
    """
    whole: list[Contrast] = []
    parts: list[Contrast] = []
    lines = {line["id"]: line for line in real}
    for name, other in controls.items():
        found = compare_runs(
            {line["id"]: line["correct"] for line in other},
            {line["id"]: line["correct"] for line in real},
            categories={key: str(line["category"]) for key, line in lines.items()},
            clusters={key: video_of(line) for key, line in lines.items()},
            seed=seed,
        )
        for group, one in found.items():
            if not isinstance(one, dict) or not one["n"]:
                continue
            made = Contrast(
                name,
                group.removeprefix("category: ") if group != "all" else "",
                one["n"],
                one["second"],
                one["first"],
                Interval(one["low"], one["high"]),
                one["p_value"],
            )
            (whole if group == "all" else parts).append(made)
    return _corrected(whole), _corrected(parts)


def control_tables(
    run: Run,
    judged: Sequence[Mapping[str, Any]],
    controls: Mapping[str, Sequence[Mapping[str, Any]]],
) -> list[Table]:
    """Give the table of a run against its controls, and the same by category.

    Args:
        run: the run.
        judged: its judged lines.
        controls: judged lines of each control by its name.
    """
    whole, parts = contrasts(judged, controls)
    right = sum(bool(line["correct"]) for line in judged)
    about = f"{run.name} on {run.header.get('benchmark', '')}"
    first = Table(
        f"Does {about} use the video, and its time?",
        [
            "asked",
            "accuracy",
            "95 % interval",
            "loss",
            "95 % interval of the loss",
            "p (Holm)",
            "n",
            "",
        ],
        [_row("as it is", right, len(judged), [None, None, None], "")],
        ["Loss: the run minus its control on the same questions; intervals draw whole videos."],
    )
    for one in whole:
        told: list[Cell] = [
            signed(100 * one.loss),
            range_of([one.interval.low, one.interval.high]),
            f"{one.p_value:.2g}",
        ]
        hits = round(one.under_control * one.n)
        first.rows.append(_row(CONTROLS[one.control], hits, one.n, told, one.verdict))
        lines = controls[one.control]
        if one.control == "subtitles" and (bare := sum(not x.get("n_cues") for x in lines)):
            first.notes.append(f"{bare:,} questions had no subtitles to show")
    groups = sorted({one.group for one in parts})
    if len(groups) < 2:
        return [first]
    by: dict[tuple[str, str], Contrast | None] = {(x.group, x.control): x for x in parts}
    second = Table(
        f"What {about} loses by category, points",
        ["category", "accuracy", *(CONTROLS[name] for name in controls)],
        [],
        [f"A star: p < {SIGNIFICANT} after Holm over {len(parts):,} comparisons."],
    )
    for group in groups:
        held = [by.get((group, name)) for name in controls]
        shown = next(one for one in held if one)
        cells: list[Cell] = [f"{group} ({shown.n:,})", 100 * shown.real]
        second.rows.append([*cells, *(_loss(one) for one in held)])
    return [first, second]


def _loss(one: Contrast | None) -> Cell:
    if one is None:
        return None
    star = "*" if one.p_value < SIGNIFICANT else ""
    return f"{signed(100 * one.loss)} {range_of([one.interval.low, one.interval.high])}{star}"


def _row(name: str, right: int, n: int, told: Sequence[Cell], says: str) -> list[Cell]:
    interval = wilson(right, n)
    share = 100 * right / n if n else None
    return [name, share, range_of([interval.low, interval.high]), *told, n, says]


def _corrected(found: Sequence[Contrast]) -> list[Contrast]:
    values = holm([one.p_value for one in found])
    return [replace(one, p_value=p) for one, p in zip(found, values, strict=True)]


def _same_model(run: Run, control: Run) -> bool:
    names = ("model", "model_identity", "benchmark")
    return all(run.header.get(name) == control.header.get(name) for name in names)


def _protocol(run: Run) -> dict[str, Any]:
    return EvalConfig.from_dict(dict(run.header.get("protocol") or {})).to_dict()


def _asked(run: Run, control: str) -> dict[str, Any]:
    left_out = {"control", "subtitles"} if control == "subtitles" else {"control"}
    return {k: v for k, v in _protocol(run).items() if k not in left_out}
