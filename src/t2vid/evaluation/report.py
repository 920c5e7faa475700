"""Scores of runs as tables: one beside another, against their controls, by group.

>>> table = run_tables([])[0]
>>> table.title, table.rows
('Accuracy, %', [])
"""

from __future__ import annotations

import itertools
import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from t2vid.errors import InputError
from t2vid.evaluation.beside_paper import accuracy_of, protocol_of
from t2vid.evaluation.compare import compare_runs
from t2vid.evaluation.controls import control_tables, controlled_runs
from t2vid.evaluation.runs import Run, video_of
from t2vid.evaluation.score import score
from t2vid.evaluation.tables import Cell, Table, range_of, signed
from t2vid.scoring.probe import ProbeReport
from t2vid.scoring.statistics import Interval, holm


def scores_of(run: Run) -> dict[str, Any]:
    """Give the scores of a run; they are computed where answers have come since."""
    path = run.folder / "scores.json"
    if path.is_file():
        scores: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(path, Path):  # what was copied to a URL is done
            return scores
        newest = max((p.stat().st_mtime_ns for p in run.folder.glob("answers*.jsonl")), default=0)
        if path.stat().st_mtime_ns >= newest:
            return scores
    return score(run)


def judged_lines(run: Run) -> list[dict[str, Any]]:
    """Give the judged answers of a run, the first rotation of each question with a right answer."""
    scores_of(run)  # writes judged.jsonl where it is missing or old
    return [line for line in run.judged() if line["answer"] and not line.get("rotation")]


def overview(scores: Sequence[Mapping[str, Any]]) -> list[Table]:
    """Give one table of all runs by benchmark, where there are several of both."""
    held = {
        (one["name"], source): part for one in scores for source, part in one["by_source"].items()
    }
    names, sources = (list(dict.fromkeys(key[at] for key in held)) for at in (0, 1))
    if len(sources) < 2:
        return []
    table = Table("All benchmarks, accuracy in %", ["run", *sources, "mean"], [])
    for name in names:
        parts = [held.get((name, source)) for source in sources]
        shares = [100 * part["accuracy"] for part in parts if part]
        cells: list[Cell] = [accuracy_of(p, "bootstrap").text() if p else None for p in parts]
        mean = sum(shares) / len(shares) if len(shares) == len(sources) else None
        table.rows.append([name, *cells, mean])
    table.notes.append(
        "Intervals: 95 %, drawing whole videos. The mean counts benchmarks alike, and stands only "
        "where a run has all of them."
    )
    return [table]


def cost_tables(runs: Sequence[Run]) -> list[Table]:
    """Give what the answers of each run cost: tokens, money, time, and how long the model waited."""
    head = ["run", "benchmark", "prompt tokens", "answer tokens", "USD", "asked", "questions/s"]
    table = Table("Cost", [*head, "model waited, %"], [])
    for run in runs:
        spent, clock = scores_of(run).get("usage", {}), run.clock()
        if not spent and not clock:
            continue
        seconds = clock.get("seconds")
        table.rows.append(
            [
                run.name,
                str(run.header.get("benchmark", "")),
                spent.get("prompt_tokens"),
                spent.get("completion_tokens") or None,
                f"{spent['usd']:.4f}" if "usd" in spent else None,
                int(clock["questions"]) if clock else None,
                clock["questions"] / seconds if seconds else None,
                100 * clock["waited_s"] / clock["all_seconds"] if seconds else None,
            ]
        )
    if not table.rows:
        return []
    table.notes.append(
        "Waited: the share of the time in which no question was ready for the model."
    )
    return [table]


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
        if lost.get("questions"):
            left = lost["counted_as"] == "drop"
            why = ", ".join(f"{n:,} {kind}" for kind, n in lost.get("why", {}).items())
            overall.notes.append(
                f"{one['name']}: {lost['questions']:,} questions without a readable video or an answer "
                f"{'are left out (missing=drop)' if left else 'count as wrong'}{why and ': '}{why}"
            )
        if "judge_probe" in one:
            overall.notes.append(f"{one['name']}: {ProbeReport(**one['judge_probe'])}")
        if one.get("without_answer"):
            overall.notes.append(
                f"{one['name']}: {one['without_answer']:,} questions have no public right answer and are left out"
            )
        if one.get("captions_unread"):
            overall.notes.append(
                f"{one['name']}: {one['captions_unread']:,} captions name no option and count as wrong: only a "
                "judge reads them (t2vid score --judge)"
            )
        for why, n in one.get("unfinished", {}).items():
            limit = "; raise max_new_tokens" if why == "length" else ""
            overall.notes.append(
                f"{one['name']}: the server ended {n:,} answers before a letter ({why}){limit}"
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
                    _percent(part["accuracy"]),
                    range_of(part["wilson"]),
                    _by_video(part),
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
        *_official_tables(scores),
        *_their_tables(scores),
        *_group_tables(scores, "by_duration", "duration"),
        *_group_tables(scores, "by_category", "category"),
        _decided(scores),
    ]


def _by_video(part: Mapping[str, Any]) -> str:
    """Give the interval over videos; of what is all right or all wrong, one that has a width."""
    certain = part["accuracy"] in (0, 1)
    return range_of(part["wilson" if certain else "bootstrap"])


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def compare_tables(
    runs: Sequence[Run], *, margin: float | None = None, seed: int = 0
) -> list[Table]:
    """Compare runs: every pair as a whole, and each with the first by category.

    Args:
        runs: two or more that share questions.
        margin: points by which a run may be worse and still count as no worse.
        seed: of the bootstrap.

    Raises:
        InputError: for fewer than two runs, or two that share no question.
    """
    if len(runs) < 2:
        raise InputError(f"runs ({len(runs)}) must be two or more to be compared")
    if margin is not None and margin <= 0:
        raise InputError(f"margin ({margin}) must be > 0, in points")
    names = _names(runs)
    lines = [{line["id"]: line for line in judged_lines(run)} for run in runs]
    found = {}
    for a, b in itertools.combinations(range(len(runs)), 2):
        both = lines[a] | lines[b]
        found[a, b] = compare_runs(
            {key: bool(line["correct"]) for key, line in lines[a].items()},
            {key: bool(line["correct"]) for key, line in lines[b].items()},
            categories={key: str(line["category"]) for key, line in both.items()}
            if a == 0
            else None,
            clusters={key: video_of(line) for key, line in both.items()},
            seed=seed,
        )
        if not found[a, b]["all"]["n"]:
            raise InputError(
                f"{names[a]} and {names[b]} share no question; compare runs of one benchmark"
            )
    pairs = holm([one["all"]["p_value"] for one in found.values()])
    whole = Table("Comparison, accuracy in %", _compare_head("runs", "first", "second", margin), [])
    for (pair, one), p in zip(found.items(), pairs, strict=True):
        label = " → ".join(names[at] for at in pair)
        whole.rows.append(_compared(label, one["all"], p, margin))
        whole.notes.extend(_left_out(one, *(names[at] for at in pair)))
        whole.notes.extend(_differences(*(runs[at] for at in pair)))
    if margin is not None:
        whole.notes.append(_MARGIN.format(margin=margin))
    by_category = {
        (b, group): part
        for (a, b), one in found.items()
        if a == 0
        for group, part in one.items()
        if group.startswith("category: ")
    }
    if len({group for _, group in by_category}) < 2:
        return [whole]
    corrected = dict(
        zip(by_category, holm([x["p_value"] for x in by_category.values()]), strict=True)
    )
    tables = [whole]
    for b in range(1, len(runs)):
        title = f"{names[b]} against {names[0]} by category, accuracy in %"
        table = Table(title, _compare_head("category", names[0], names[b], margin), [])
        for (run, group), part in sorted(by_category.items(), key=lambda one: _natural(one[0][1])):
            if run == b:
                label = group.removeprefix("category: ") or "(none)"
                table.rows.append(_compared(label, part, corrected[run, group], margin))
        table.notes.append(f"Holm over {len(by_category):,} comparisons.")
        tables.append(table)
    return tables


_MARGIN = (
    "No worse: the whole interval lies above −{margin:g} points; equivalent: also below {margin:g}; "
    "worse: below −{margin:g}; open: the questions are too few to tell."
)


def _compare_head(group: str, first: str, second: str, margin: float | None) -> list[str]:
    head = [group, "n", first, second, "difference", "95 % interval", "only first right"]
    head += ["only second right", "p (McNemar)", "p (Holm)"]
    return head + ([] if margin is None else [f"by {margin:g} points"])


def _compared(
    label: str, part: Mapping[str, Any], corrected: float, margin: float | None
) -> list[Cell]:
    row: list[Cell] = [
        label,
        part["n"],
        100 * part["first"],
        100 * part["second"],
        signed(100 * part["difference"]),
        range_of([part["low"], part["high"]]),
        part["only_first"],
        part["only_second"],
        f"{part['p_value']:.2g}",
        f"{corrected:.2g}",
    ]
    if margin is not None:
        row.append(equivalence(Interval(part["low"], part["high"]), margin / 100))
    return row


def equivalence(interval: Interval, margin: float) -> str:
    """Say what an interval of a difference tells about a margin.

    >>> [equivalence(Interval(low, high), 0.01) for low, high in ((-0.005, 0.03), (-0.03, 0.0))]
    ['no worse', 'open']
    """
    if interval.low > -margin:
        return "equivalent" if interval.high < margin else "no worse"
    return "worse" if interval.high < -margin else "open"


def _names(runs: Sequence[Run]) -> list[str]:
    counts = Counter(run.name for run in runs)
    return [run.name if counts[run.name] == 1 else f"{run.name} ({run.folder})" for run in runs]


def _left_out(one: Mapping[str, Any], first: str, second: str) -> list[str]:
    lost = one["only_in_first"], one["only_in_second"]
    if not any(lost):
        return []
    return [
        f"left out: {lost[0]:,} questions answered only in {first}, {lost[1]:,} only in {second}"
    ]


def controls_of(runs: Sequence[Run]) -> list[Table]:
    """Give the tables of each run against its controls."""
    return [
        table
        for run, controls in controlled_runs(runs)
        for table in control_tables(
            run, judged_lines(run), {name: judged_lines(one) for name, one in controls.items()}
        )
    ]


def _official_tables(scores: Sequence[Mapping[str, Any]]) -> list[Table]:
    """Give the table of each benchmark's authors, where it is more than an accuracy."""
    tables = []
    for source in sorted({source for one in scores for source in one.get("official", {})}):
        runs = [one for one in scores if source in one.get("official", {})]
        names = list(dict.fromkeys(name for one in runs for name in one["official"][source]))
        table = Table(
            f"{source}: the authors' score", ["figure", *(one["name"] for one in runs)], []
        )
        for name in names:
            table.rows.append([name, *(one["official"][source].get(name) for one in runs)])
        for one in runs:
            if one["protocol"].get("scheme") == "official":
                table.notes.append(
                    f"{one['name']}: read and counted as the authors' scorer does, mistakes included"
                )
        tables.append(table)
    return tables


def _their_tables(scores: Sequence[Mapping[str, Any]]) -> list[Table]:
    """Compare with what the tool that wrote a file of answers counted and printed."""
    found = [one for one in scores if one.get("theirs") or one.get("printed")]
    if not found:
        return []
    head = ["run", "answers it judged", "by the tool, %", "by t2vid, %", "judged alike"]
    table = Table("Beside the tool that wrote the answers", head, [])
    for one in found:
        if said := one["theirs"]:
            shares = [100 * said["theirs"], 100 * said["ours"]]
            table.rows.append([one["name"], said["n"], *shares, said["alike"]])
            table.notes.extend(
                f"{one['name']}, {line['id']}: {line['prediction'][:60]!r} is read as {line['letter'] or 'open'}, and "
                f"the tool counted it as {'right' if line['theirs'] else 'wrong'} (right: {line['answer']})"
                for line in said["differ"][:3]
            )
        if one["printed"]:
            figures = ", ".join(f"{name} {value:g}" for name, value in one["printed"].items())
            table.notes.append(f"{one['name']}: the tool printed {figures}")
    return [table]


def _group_tables(scores: Sequence[Mapping[str, Any]], key: str, name: str) -> list[Table]:
    tables = []
    for source in sorted({source for one in scores for source in one["by_source"]}):
        runs = [one for one in scores if key in one["by_source"].get(source, {})]
        found = {group for one in runs for group in one["by_source"][source][key]}
        groups = sorted(found, key=_natural)
        if not groups:
            continue
        table = Table(f"{source} by {name}, %", [name, *(one["name"] for one in runs)], [])
        for group in groups:
            cells: list[Cell] = []
            for one in runs:
                part = one["by_source"][source][key].get(group)
                cells.append(accuracy_of(part, "wilson").text() if part else None)
            sizes = {one["by_source"][source][key].get(group, {}).get("n", 0) for one in runs}
            table.rows.append([f"{group or '(none)'} ({max(sizes):,})", *cells])
        tables.append(table)
    return tables


def _natural(name: str) -> list[tuple[float, str]]:
    """Order by the numbers in names, which come first: 8 before 16, 5 % before 25 %, task 2 before 10."""
    parts = re.findall(r"\d+(?:\.\d+)?|[^\d]+", name)
    return [(float(part), "") if part[0].isdecimal() else (math.inf, part) for part in parts]


def _decided(scores: Sequence[Mapping[str, Any]]) -> Table:
    rules = sorted({rule for one in scores for rule in one["decided_by"]})
    table = Table("How answers were read", ["rule", *(one["name"] for one in scores)], [])
    for rule in rules:
        table.rows.append([rule, *(one["decided_by"].get(rule, 0) for one in scores)])
    return table


def _differences(first: Run, second: Run) -> list[str]:
    a, b = (run.header.get("protocol", {}) for run in (first, second))
    names = [name for name in {**a, **b} if a.get(name) != b.get(name)]
    told = [f"{name} {a.get(name)!r} and {b.get(name)!r}" for name in names]
    return ["asked or judged differently: " + "; ".join(told)] if told else []
