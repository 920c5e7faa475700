"""Runs as tables: beside each other, beside the paper's figures, or one against another.

    t2vid report runs/idefics3-30k-* --as paper
    t2vid compare runs/before runs/after

>>> print(markdown([Table("Scores", ["run", "accuracy"], [["a", 51.23]])]))
### Scores
<BLANKLINE>
| run | accuracy |
|---|---:|
| a | 51.2 |
<BLANKLINE>
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from t2vid.errors import InputError
from t2vid.evaluation import paper
from t2vid.evaluation.compare import compare_runs
from t2vid.evaluation.protocol import Protocol
from t2vid.evaluation.runs import Run
from t2vid.evaluation.score import score
from t2vid.insight import page

Format = Literal["markdown", "html", "json"]
CONTROLS = {"text": "question alone", "blank": "gray frames"}

Cell = str | int | float | None


@dataclass(frozen=True)
class Table:
    """A table with its title, and notes under it."""

    title: str
    head: list[str]
    rows: list[list[Cell]]
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Figure:
    """An accuracy in percent, its 95 % interval, and the questions behind it."""

    value: float
    low: float
    high: float
    n: int

    def text(self, against: float | None = None) -> str:
        """Write it: `53.1 [51.2, 55.0] −3.2`."""
        shown = f"{self.value:.1f} [{self.low:.1f}, {self.high:.1f}]"
        if against is None:
            return shown
        return f"{shown} {self.value - against:+.1f}".replace("-", "−")


def report(
    runs: Iterable[Run | str | Path],
    *,
    as_: Literal["runs", "paper"] = "runs",
    format: Format = "markdown",  # noqa: A002  (the name of the command's option)
    rows: Mapping[str, str] | None = None,
    out: str | Path | None = None,
) -> str:
    """Write the scores of runs as tables.

    Args:
        runs: runs or their folders; runs of one name on several benchmarks make one row.
        as_: `runs` for all figures of each run; `paper` for the paper's Tables 1 to 4 with ours
            beside them.
        format: of what is given and written.
        rows: for `paper`, the row of the paper that each run's name stands against, such as
            `{"mine": "Idefics3 30K"}`; by default the one whose words are all in the name.
        out: file to write; None only gives the text.

    Raises:
        InputError: for no run, or a row that the paper does not have.
        MissingFile: for a folder without a run.
    """
    opened = [Run.read(run) for run in runs]
    if not opened:
        raise InputError("no run to report; give the out= folders of evaluations")
    scores = [scores_of(run) for run in opened]
    if as_ == "paper":
        tables, title = paper_tables(scores, rows or {}), "Beside the paper"
    else:
        tables, title = [*run_tables(scores), *control_tables(opened)], "Scores"
    return _written(tables, title, format, out)


def compare(
    first: Run | str | Path,
    second: Run | str | Path,
    *,
    format: Format = "markdown",  # noqa: A002
    out: str | Path | None = None,
    seed: int = 0,
) -> str:
    """Compare two runs on the questions that both answered: exact McNemar, paired bootstrap.

    Args:
        first: a run or its folder.
        second: another.
        format: of what is given and written.
        out: file to write; None only gives the text.
        seed: of the bootstrap.
    """
    a, b = Run.read(first), Run.read(second)
    return _written([compare_table(a, b, seed=seed)], f"{a.name} and {b.name}", format, out)


def scores_of(run: Run) -> dict[str, Any]:
    """Give the scores of a run; they are computed where answers have come since."""
    path = run.folder / "scores.json"
    if path.is_file():
        scores: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        newest = max((p.stat().st_mtime_ns for p in run.folder.glob("answers*.jsonl")), default=0)
        if path.stat().st_mtime_ns >= newest:
            return scores
    return score(run)


def run_tables(scores: Sequence[Mapping[str, Any]]) -> list[Table]:
    """Give every figure of every run: overall, how answers were read, by group."""
    head = ["run", "benchmark", "accuracy", "95 % interval", "by video", "guessing", "n", "of"]
    head += ["macro", "no letter", "errors"]
    overall = Table("Accuracy, %", head, [])
    for one in scores:
        overall.notes.append(f"{one['name']}: {_protocol(one)}")
        if "circular" in one:
            part = one["circular"]
            overall.notes.append(
                f"{one['name']}: {100 * part['circular_accuracy']:.1f} % of {part['questions']:,} "
                "questions are answered correctly in every rotation of their options"
            )
        if one.get("judge_errors"):
            overall.notes.append(f"{one['name']}: the judge failed {one['judge_errors']:,} times")
        sources = one["by_source"]
        whole = {"all": one} if len(sources) > 1 else {}
        for source, part in {**sources, **whole}.items():
            overall.rows.append(
                [
                    one["name"],
                    source,
                    100 * part["accuracy"],
                    _range(part["wilson"]),
                    _range(part["bootstrap"]),
                    100 * part["guessing"],
                    part["n"],
                    one["questions"] if part is one or not whole else None,
                    100 * part["macro_accuracy"],
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


def paper_tables(scores: Sequence[Mapping[str, Any]], rows: Mapping[str, str]) -> list[Table]:
    """Give Tables 1 to 4 of the paper, ours below the row that each stands against."""
    ours: dict[str, dict[str, Figure]] = {}
    for one in scores:
        ours.setdefault(one["name"], {}).update(_figures(one))
    for figures in ours.values():
        figures |= _average(figures)
    against = {name: _against(name, rows) for name in ours}
    tables = []
    for number, title in paper.TITLES.items():
        columns = paper.columns_of(number)
        table = Table(title, ["", *(paper.COLUMNS[name] for name in columns), "n"], [])
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
    return tables


def compare_table(first: Run, second: Run, *, seed: int = 0) -> Table:
    """Compare two runs, as a whole and by category."""
    a, b = _correct(first), _correct(second)
    lines = {line["id"]: line for line in [*_judged(first), *_judged(second)]}
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
                    _range([part["low"], part["high"]]),
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


def control_tables(runs: Sequence[Run]) -> list[Table]:
    """Compare each run with its controls: the same model without frames, or with gray ones."""
    tables = []
    for run in runs:
        for control in runs:
            kind = _strategy(control)
            same = all(
                run.header.get(name) == control.header.get(name)
                for name in ("model", "model_identity", "benchmark")
            )
            if same and kind in CONTROLS and _strategy(run) not in CONTROLS:
                table = compare_table(control, run)
                title = f"Is {run.name} looking? Against the {CONTROLS[kind]}"
                tables.append(Table(title, table.head, table.rows[:1], table.notes[:1]))
    return tables


def markdown(tables: Sequence[Table]) -> str:
    """Write tables as Markdown."""
    parts = []
    for table in tables:
        numeric = [
            bool(table.rows) and all(isinstance(row[at], int | float | None) for row in table.rows)
            for at in range(len(table.head))
        ]
        lines = [f"### {table.title}", "", _line(table.head)]
        lines.append("|" + "|".join("---:" if right else "---" for right in numeric) + "|")
        lines += [_line([_shown(cell) for cell in row]) for row in table.rows]
        lines += ["", *(f"- {note}" for note in table.notes)]
        parts.append("\n".join(lines).rstrip() + "\n")
    return "\n".join(parts)


def html(tables: Sequence[Table], title: str) -> str:
    """Write tables as one self-contained page."""
    sections = [
        page.section(
            table.title,
            page.table(table.head, [[_bare(cell) for cell in row] for row in table.rows]),
            *(page.paragraph(note) for note in table.notes),
        )
        for table in tables
    ]
    return page.page(title, sections)


def _written(tables: Sequence[Table], title: str, format_: str, out: str | Path | None) -> str:
    if format_ == "html":
        text = html(tables, title)
    elif format_ == "json":
        text = json.dumps([asdict(table) for table in tables], indent=1, ensure_ascii=False)
    elif format_ == "markdown":
        text = markdown(tables)
    else:
        raise InputError(f"format ({format_!r}) must be 'markdown', 'html' or 'json'")
    if out is not None:
        Path(out).write_text(text, encoding="utf-8")
    return text


def _figures(scores: Mapping[str, Any]) -> dict[str, Figure]:
    figures = {}
    for source, part in scores["by_source"].items():
        if source in paper.BENCHMARKS:
            figures[source] = _figure(part, "bootstrap")
        if source == "video_mme":
            for duration, group in part.get("by_duration", {}).items():
                figures[duration] = _figure(group, "wilson")
    return figures


def _figure(part: Mapping[str, Any], interval: str) -> Figure:
    low, high = (100 * bound for bound in part[interval])
    return Figure(100 * part["accuracy"], low, high, part["n"])


def _average(figures: Mapping[str, Figure]) -> dict[str, Figure]:
    """Give the plain mean of the three benchmarks, whose questions are independent."""
    parts = [figures[name] for name in paper.BENCHMARKS if name in figures]
    if len(parts) < len(paper.BENCHMARKS):
        return {}
    mean = sum(part.value for part in parts) / len(parts)
    down = math.sqrt(sum((part.value - part.low) ** 2 for part in parts)) / len(parts)
    up = math.sqrt(sum((part.high - part.value) ** 2 for part in parts)) / len(parts)
    return {"avg": Figure(mean, mean - down, mean + up, sum(part.n for part in parts))}


def _against(name: str, rows: Mapping[str, str]) -> paper.PaperRow | None:
    if name not in rows:
        return paper.match(name)
    row = paper.row_named(rows[name])
    if row is None:
        known = ", ".join(row.label for row in paper.ROWS)
        raise InputError(f"the paper has no row {rows[name]!r}; it has {known}")
    return row


def _our_row(
    name: str, figures: Mapping[str, Figure], columns: Sequence[str], paper_: Mapping[str, float]
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
    placed: set[str], ours: Mapping[str, Mapping[str, Figure]], scores: Sequence[Mapping[str, Any]]
) -> list[str]:
    notes = ["Paper: T2Vid, arXiv 2411.19951."]
    if placed:
        notes.append("Ours: accuracy [95 % interval] and the difference to the paper's row above.")
    for one in scores:
        if one["name"] not in placed:
            continue
        for source, part in one["by_source"].items():
            size = paper.OFFICIAL_SIZE.get(source)
            short = f", {part['n']:,} of {size:,} questions" if size and part["n"] < size else ""
            notes.append(f"{one['name']} on {source}: {_protocol(one)}{short}")
    return notes


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
                cells.append(_figure(part, "wilson").text() if part else None)
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


def _judged(run: Run) -> list[dict[str, Any]]:
    scores_of(run)  # writes judged.jsonl where it is missing or old
    text = (run.folder / "judged.jsonl").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    return [line for line in lines if not line.get("rotation")]


def _correct(run: Run) -> dict[str, bool]:
    return {line["id"]: bool(line["correct"]) for line in _judged(run)}


def _strategy(run: Run) -> str:
    return str(run.header.get("protocol", {}).get("strategy", ""))


def _differences(first: Run, second: Run) -> list[str]:
    a, b = (run.header.get("protocol", {}) for run in (first, second))
    names = [name for name in {**a, **b} if a.get(name) != b.get(name)]
    told = [f"{name} {a.get(name)!r} and {b.get(name)!r}" for name in names]
    return ["asked or judged differently: " + "; ".join(told)] if told else []


def _protocol(scores: Mapping[str, Any]) -> str:
    # The hashes as they were then: this version may ask otherwise.
    told = Protocol.from_dict(scores["protocol"]).summary()
    return f"{told} [asked {scores['asking_hash']}, scored {scores['protocol_hash']}]"


def _range(bounds: Sequence[float]) -> str:
    return f"[{100 * bounds[0]:.1f}, {100 * bounds[1]:.1f}]".replace("-", "−")


def _bare(cell: Cell) -> str | int | float:
    return cell if isinstance(cell, int | float) and not math.isnan(cell) else _shown(cell)


def _shown(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float):
        return "–" if math.isnan(cell) else f"{cell:.1f}"
    return f"{cell:,}" if isinstance(cell, int) else cell


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
