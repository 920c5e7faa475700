"""Runs beside the paper's Tables 1 to 4: ours under the row that each stands against, with the difference.

>>> [column for column in ("short", "avg") if column in _average({})]
[]
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from t2vid.catalog import BENCHMARKS
from t2vid.errors import InputError
from t2vid.evaluation import paper
from t2vid.evaluation.config import EvalConfig
from t2vid.evaluation.tables import Accuracy, Cell, Table, range_of, signed
from t2vid.scoring.statistics import newcombe, wilson


def paper_tables(scores: Sequence[Mapping[str, Any]], rows: Mapping[str, str]) -> list[Table]:
    """Give Tables 1 to 4 of the paper, ours below the row that each stands against."""
    ours: dict[str, dict[str, Accuracy]] = {}
    for one in scores:
        ours.setdefault(one["name"], {}).update(_figures(one))
    for figures in ours.values():
        figures |= _average(figures)
    against = {name: _against(name, rows) for name in ours}
    tables = []
    for number, title in paper.TITLES.items():
        columns = paper.columns_of(number)
        table = Table(title, ["model", *(paper.COLUMNS[name] for name in columns), "n"], [])
        placed: set[str] = set()
        for row in paper.ROWS:
            if number not in row.tables:
                continue
            values: list[Cell] = [row.values.get(name) for name in columns]
            table.rows.append([row.label, *values, None])
            for name in (name for name, other in against.items() if other == row):
                table.rows.append(_our_row(name, ours[name], columns, row.values))
                placed.add(name)
        for name in ours:
            fits = number == 4 or any(column in ours[name] for column in columns)
            if against[name] is None and fits:
                table.rows.append(_our_row(name, ours[name], columns, {}))
                placed.add(name)
        table.notes.extend(_paper_notes(placed, ours, scores))
        tables.append(table)
        if number == 3:
            tables.append(uncertainty_table())
    return tables


def uncertainty_table(best: str = "InternVL 30K hybrid") -> Table:
    """Give the intervals that the paper's Table 3 leaves out, and what its differences can tell.

    Args:
        best: label of the row to which the others are compared.

    >>> row = next(row for row in uncertainty_table().rows if row[0] == "InternVL 30K pure-text")
    >>> row[1:]
    [55.8, '[53.9, 57.7]', '+0.9', '[−1.8, 3.5]', 'luck explains it']
    """
    n = next(one.n_questions for one in BENCHMARKS if one.name == "video_mme")
    top = paper.row_named(best)
    assert top is not None, f"the paper has no row {best!r}"
    high = top.values["video_mme"] / 100
    head = [
        "model",
        "Video-MME",
        "95 % interval",
        f"{best} against it",
        "95 % interval",
        "so it is",
    ]
    table = Table("Table 3 with the intervals it leaves out", head, [])
    for row in (row for row in paper.ROWS if 3 in row.tables):
        share = row.values["video_mme"] / 100
        own = wilson(round(share * n), n)
        cells: list[Cell] = [row.label, row.values["video_mme"], range_of([own.low, own.high])]
        if row is top:
            table.rows.append([*cells, None, None, ""])
            continue
        apart = newcombe(share, n, high, n)
        says = "shown" if apart.low > 0 else "luck explains it"
        difference = signed(100 * (high - share))
        table.rows.append([*cells, difference, range_of([apart.low, apart.high]), says])
    error = 100 * math.sqrt(high * (1 - high) / n)
    table.notes.append(
        f"{n:,} questions: one standard error of an accuracy is about {error:.2f} points."
    )
    table.notes.append(
        "Intervals: Wilson's, and of differences Newcombe's, which takes the rows for independent. "
        "All rows answered the same questions, so the true ones are narrower; only the answers, "
        "which are not published, tell by how much. One seed each: what training again changes is "
        "in none of them."
    )
    return table


def _figures(scores: Mapping[str, Any]) -> dict[str, Accuracy]:
    figures = {}
    for source, part in scores["by_source"].items():
        if source in paper.BENCHMARKS:
            figures[source] = accuracy_of(part, "bootstrap")
        if source == "video_mme":
            for duration, group in part.get("by_duration", {}).items():
                figures[duration] = accuracy_of(group, "wilson")
    return figures


def accuracy_of(part: Mapping[str, Any], interval: str) -> Accuracy:
    """Give an accuracy with one of its intervals, in percent."""
    # drawn again, answers that are all wrong stay all wrong: no width would claim certainty
    interval = "wilson" if part["accuracy"] in (0, 1) else interval
    low, high = (100 * bound for bound in part[interval])
    return Accuracy(100 * part["accuracy"], low, high, part["n"])


def _average(figures: Mapping[str, Accuracy]) -> dict[str, Accuracy]:
    """Give the plain mean of the three benchmarks, whose questions are independent."""
    parts = [figures[name] for name in paper.BENCHMARKS if name in figures]
    if len(parts) < len(paper.BENCHMARKS):
        return {}
    mean = sum(part.value for part in parts) / len(parts)
    down = math.sqrt(sum((part.value - part.low) ** 2 for part in parts)) / len(parts)
    up = math.sqrt(sum((part.high - part.value) ** 2 for part in parts)) / len(parts)
    return {"avg": Accuracy(mean, mean - down, mean + up, sum(part.n for part in parts))}


def _against(name: str, rows: Mapping[str, str]) -> paper.PaperRow | None:
    if name not in rows:
        return paper.match(name)
    row = paper.row_named(rows[name])
    if row is None:
        known = ", ".join(row.label for row in paper.ROWS)
        raise InputError(f"the paper has no row {rows[name]!r}; it has {known}")
    return row


def _our_row(
    name: str, figures: Mapping[str, Accuracy], columns: Sequence[str], paper_: Mapping[str, float]
) -> list[Cell]:
    cells: list[Cell] = [
        figures[column].text(paper_.get(column)) if column in figures else None
        for column in columns
    ]
    n = sum(
        figures[source].n for source in paper.BENCHMARKS if source in figures and source in columns
    )
    return [f"ours: {name}", *cells, n]


def _paper_notes(
    placed: set[str],
    ours: Mapping[str, Mapping[str, Accuracy]],
    scores: Sequence[Mapping[str, Any]],
) -> list[str]:
    notes = ["Paper: T2Vid, arXiv 2411.19951."]
    if placed:
        notes.append("Ours: accuracy [95 % interval] and the difference to the paper's row above.")
    sizes = {benchmark.name: benchmark.n_questions for benchmark in BENCHMARKS}
    for one in scores:
        if one["name"] not in placed:
            continue
        for source, part in one["by_source"].items():
            size = sizes.get(source)
            short = f", {part['n']:,} of {size:,} questions" if size and part["n"] < size else ""
            notes.append(f"{one['name']} on {source}: {protocol_of(one)}{short}")
    return notes


def protocol_of(scores: Mapping[str, Any]) -> str:
    """Say how a run was asked and scored, with the hashes of then."""
    # The hashes as they were then: this version may ask otherwise.
    told = EvalConfig.from_dict(scores["protocol"]).summary()
    return f"{told} [asked {scores['asking_hash']}, scored {scores['protocol_hash']}]"
