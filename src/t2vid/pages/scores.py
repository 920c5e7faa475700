"""Runs as tables, on a page, in Markdown or as JSON: side by side, or beside the paper's figures.

    t2vid report runs/idefics3-30k-* --as paper
    t2vid compare runs/before runs/after --margin 1

>>> report([])
Traceback (most recent call last):
t2vid.errors.InputError: no run to report; give the out= folders of evaluations
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from t2vid.errors import InputError
from t2vid.evaluation.beside_paper import paper_tables
from t2vid.evaluation.explain import ReadAnswers, read_answers
from t2vid.evaluation.report import (
    compare_tables,
    controls_of,
    cost_tables,
    overview,
    run_tables,
    scores_of,
)
from t2vid.evaluation.runs import Run
from t2vid.evaluation.tables import Table, to_json, to_markdown
from t2vid.pages.needle_map import needle_tables
from t2vid.pages.template import render
from t2vid.storage.files import output_file, write_atomically

Format = Literal["markdown", "html", "json"]


def report(
    runs: Iterable[Run | str | Path] = (),
    *,
    as_: Literal["runs", "paper"] = "runs",
    format: Format = "markdown",  # noqa: A002  (the name of the command's option)
    rows: Mapping[str, str] | None = None,
    out: str | Path | None = None,
) -> str:
    """Write the scores of runs as tables.

    Args:
        runs: runs or their folders; runs of one name on several benchmarks make one row. The
            paper's tables come without any, too.
        as_: "runs" for all figures of each run; "paper" for the paper's Tables 1 to 4 with ours
            beside them.
        format: of what is given and written.
        rows: for `paper`, the row of the paper that each run's name stands against, such as
            `Idefics3 30K` for `mine`; by default the one whose words are all in the name.
        out: file to write; without it the text is only given.

    Raises:
        InputError: for no run, or a row that the paper does not have.
        MissingFile: for a folder without a run.
    """
    opened = [Run.read(run) for run in runs]
    if not opened and as_ != "paper":
        raise InputError("no run to report; give the out= folders of evaluations")
    scores = [scores_of(run) for run in opened]
    if as_ == "paper":
        tables, title = paper_tables(scores, rows or {}), "Beside the paper"
    else:
        tables = [*overview(scores), *controls_of(opened), *needle_tables(opened)]
        tables = [*tables, *run_tables(scores)]
        names = list(dict.fromkeys(run.name for run in opened))
        who = ", ".join(names) if len(names) < 4 else f"{len(names)} models"
        tables, title = [*tables, *cost_tables(opened)], f"Scores of {who}"
    read = [read_answers(run) for run in opened] if format == "html" and as_ == "runs" else []
    return written(tables, title, format, out, read=read)


def compare(
    runs: Iterable[Run | str | Path],
    second: Any = None,
    *,
    margin: float | None = None,
    format: Format = "markdown",  # noqa: A002
    out: str | Path | None = None,
    seed: int = 0,
) -> str:
    """Compare runs on the questions that they share: exact McNemar, paired bootstrap, Holm.

    Args:
        runs: two or more runs or their folders; by category each is compared with the first.
        second: not used; `compare(first, second)` is `compare([first, second])` now.
        margin: points by which a run may be worse and still counts as no worse, such as 1.
        format: of what is given and written.
        out: file to write; without it the text is only given.
        seed: of the bootstrap.

    Raises:
        InputError: for fewer than two runs, or two that share no question.
    """
    if second is not None:
        text = "compare(first, second) is compare([first, second]) now"
        warnings.warn(text, DeprecationWarning, stacklevel=2)
        runs = [runs, second]  # type: ignore[list-item]
    opened = [Run.read(run) for run in runs]
    title = " and ".join(dict.fromkeys(run.name for run in opened)) + ", compared"
    return written(compare_tables(opened, margin=margin, seed=seed), title, format, out)


def written(
    tables: Sequence[Table],
    title: str,
    format_: str,
    out: str | Path | None,
    *,
    read: Sequence[ReadAnswers] = (),
) -> str:
    """Write tables in a format, to a file too where one is named.

    Args:
        tables: the tables.
        title: of the page.
        format_: `markdown`, `html` or `json`.
        out: file to write; without it the text is only given.
        read: answers of each run with the characters that decided them, for a page.

    Raises:
        InputError: for an unknown format.
    """
    if format_ == "html":
        text = render("tables.html", title=title, tables=tables, read=read)
    elif format_ == "json":
        text = to_json(tables)
    elif format_ == "markdown":
        text = to_markdown(tables)
    else:
        raise InputError(f"format ({format_!r}) must be 'markdown', 'html' or 'json'")
    if out is not None:
        write_atomically(output_file(out), text)
    return text
