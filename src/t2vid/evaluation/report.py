"""Scores of runs as tables: one beside another, against their controls, by group.

>>> table = run_tables([])[0]
>>> table.title, table.rows
('Accuracy, %', [])
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from t2vid.evaluation.beside_paper import accuracy_of, protocol_of
from t2vid.evaluation.compare import compare_runs
from t2vid.evaluation.controls import control_tables, controlled_runs
from t2vid.evaluation.runs import Run
from t2vid.evaluation.score import score
from t2vid.evaluation.tables import Cell, Table, range_of
from t2vid.scoring.probe import ProbeReport


def scores_of(run: Run) -> dict[str, Any]:
    """Give the scores of a run; they are computed where answers have come since."""
    path = run.folder / "scores.json"
    if path.is_file():
        scores: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        newest = max((p.stat().st_mtime_ns for p in run.folder.glob("answers*.jsonl")), default=0)
        if path.stat().st_mtime_ns >= newest:
            return scores
    return score(run)


def judged_lines(run: Run) -> list[dict[str, Any]]:
    """Give the judged answers of a run, the first rotation of each question."""
    scores_of(run)  # writes judged.jsonl where it is missing or old
    return [line for line in run.judged() if not line.get("rotation")]


def run_tables(scores: Sequence[Mapping[str, Any]]) -> list[Table]:
    """Give every figure of every run: overall, how answers were read, by group."""
    head = ["run", "benchmark", "accuracy", "95 % interval", "by video", "guessing", "n", "of"]
    head += ["macro", "no letter", "errors"]
    overall = Table("Accuracy, %", head, [])
    for one in scores:
        overall.notes.append(f"{one['name']}: {protocol_of(one)}")
        if "circular" in one:
            part = one["circular"]
            overall.notes.append(
                f"{one['name']}: {100 * part['circular_accuracy']:.1f} % of {part['questions']:,} "
                "questions are answered correctly in every rotation of their options"
            )
        lost = one.get("missing", {})
        if lost.get("questions") and lost["counted_as"] == "drop":
            overall.notes.append(
                f"{one['name']}: {lost['questions']:,} questions without a readable video or an answer are left out "
                "(missing=drop)"
            )
        if "judge_probe" in one:
            overall.notes.append(f"{one['name']}: {ProbeReport(**one['judge_probe'])}")
        if one.get("judge_errors"):
            overall.notes.append(f"{one['name']}: the judge failed {one['judge_errors']:,} times")
        sources = one["by_source"]
        whole = {"all": one} if len(sources) > 1 else {}
        for source, part in {**sources, **whole}.items():
            overall.rows.append(
                [
                    one["name"],
                    source,
                    _percent(part["accuracy"]),
                    range_of(part["wilson"]),
                    range_of(part["bootstrap"]),
                    _percent(part["guessing"]),
                    part["n"],
                    one["questions"] if part is one or not whole else None,
                    _percent(part["macro_accuracy"]),
                    part["unanswered"],
                    part["errors"],
                ]
            )
    overall.notes.append(
        "Every question asked is in the denominator; no letter counts as wrong. Intervals: "
        "Wilson's, and a bootstrap that draws whole videos."
    )
    return [
        overall,
        *_group_tables(scores, "by_duration", "duration"),
        *_group_tables(scores, "by_category", "category"),
        _decided(scores),
    ]


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def compare_table(first: Run, second: Run, *, seed: int = 0) -> Table:
    """Compare two runs, as a whole and by category."""
    a, b = _correct(first), _correct(second)
    lines = {line["id"]: line for line in [*judged_lines(first), *judged_lines(second)]}
    found = compare_runs(
        a,
        b,
        categories={name: str(line["category"]) for name, line in lines.items()},
        clusters={name: f"{line['source']}/{line['video']}" for name, line in lines.items()},
        seed=seed,
    )
    head = ["", "n", first.name, second.name, "difference", "95 % interval", "only first right"]
    table = Table("Comparison, accuracy in %", [*head, "only second right", "p (McNemar)"], [])
    for group, part in found.items():
        if isinstance(part, dict) and part["n"]:
            table.rows.append(
                [
                    group.removeprefix("category: "),
                    part["n"],
                    100 * part["first"],
                    100 * part["second"],
                    f"{100 * part['difference']:+.1f}".replace("-", "−"),
                    range_of([part["low"], part["high"]]),
                    part["only_first"],
                    part["only_second"],
                    f"{part['p_value']:.2g}",
                ]
            )
    lost = found["only_in_first"], found["only_in_second"]
    if any(lost):
        table.notes.append(
            f"left out: {lost[0]:,} questions answered only in {first.name}, {lost[1]:,} only in "
            f"{second.name}"
        )
    table.notes.extend(_differences(first, second))
    return table


def controls_of(runs: Sequence[Run]) -> list[Table]:
    """Give the tables of each run against its controls."""
    return [
        table
        for run, controls in controlled_runs(runs)
        for table in control_tables(
            run, judged_lines(run), {name: judged_lines(one) for name, one in controls.items()}
        )
    ]


def _group_tables(scores: Sequence[Mapping[str, Any]], key: str, name: str) -> list[Table]:
    tables = []
    for source in sorted({source for one in scores for source in one["by_source"]}):
        runs = [one for one in scores if key in one["by_source"].get(source, {})]
        groups = sorted({group for one in runs for group in one["by_source"][source][key]})
        if not groups:
            continue
        table = Table(f"{source} by {name}, %", [name, *(one["name"] for one in runs)], [])
        for group in groups:
            cells: list[Cell] = []
            for one in runs:
                part = one["by_source"][source][key].get(group)
                cells.append(accuracy_of(part, "wilson").text() if part else None)
            sizes = {one["by_source"][source][key].get(group, {}).get("n", 0) for one in runs}
            table.rows.append([f"{group} ({max(sizes):,})", *cells])
        tables.append(table)
    return tables


def _decided(scores: Sequence[Mapping[str, Any]]) -> Table:
    rules = sorted({rule for one in scores for rule in one["decided_by"]})
    table = Table("How answers were read", ["rule", *(one["name"] for one in scores)], [])
    for rule in rules:
        table.rows.append([rule, *(one["decided_by"].get(rule, 0) for one in scores)])
    return table


def _correct(run: Run) -> dict[str, bool]:
    return {line["id"]: bool(line["correct"]) for line in judged_lines(run)}


def _differences(first: Run, second: Run) -> list[str]:
    a, b = (run.header.get("protocol", {}) for run in (first, second))
    names = [name for name in {**a, **b} if a.get(name) != b.get(name)]
    told = [f"{name} {a.get(name)!r} and {b.get(name)!r}" for name in names]
    return ["asked or judged differently: " + "; ".join(told)] if told else []
