"""Rows of any layout, read from a file: what fits none is counted, and most of it is an error.

>>> from t2vid.schema import Counts
>>> counts, file = Counts(), [(0, {"query": "Why?", "response": "So."}), (1, {"query": "Who?"}),
...                           (2, {"query": "Who?", "response": "They."})]
>>> [row.id for row in convert(file, counts, source="mine")], dict(counts.dropped)
(['mine/00000', 'mine/00002'], {'no known layout': 1})
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from t2vid.corpora.layouts import LayoutRow, is_conversation, own_id, rows_of
from t2vid.corpora.triplets import row_id
from t2vid.errors import InputError, LayoutError, RecordError
from t2vid.schema import Counts
from t2vid.storage.fields import PATIENCE, shown
from t2vid.storage.records import BadRow

SOURCE = "rows"


def convert(
    rows: Iterable[tuple[int, Any]],
    counts: Counts,
    *,
    source: str = SOURCE,
    layout: str = "",
    columns: Mapping[str, str] | None = None,
    question: str = "",
    own_ids: bool = False,
) -> Iterator[LayoutRow]:
    """Give a `LayoutRow` for each usable row; of a packed list, each of its rows.

    Args:
        rows: `(row number, record)` pairs.
        counts: where the other rows are counted by reason.
        source: name in the ids and the counts.
        layout: name of the layout; "" finds it by each row's keys.
        columns: what a layout's keys are called in the file, e.g. `{"messages": "dialog"}`.
        question: asked where a row has an answer, caption or completion and no question of its own.
        own_ids: keep the ids that rows have themselves.

    Raises:
        RecordError: when most of the rows fit no layout; it shows one and says what is expected.
    """
    failed, n_rows = 0, 0
    first = ""
    for number, value in rows:
        n_rows += 1
        try:
            value = {"messages": value} if is_conversation(value) else value
            record = renamed(value, columns or {}, question)
            found = list(rows_of(record, number=number, layout=layout or None))
            if any(turn.role == "user" and turn.is_blank for row in found for turn in row.turns):
                raise LayoutError("a user's turn is empty", reason="empty question")
        except LayoutError as error:
            failed += 1
            first = first or f"{error}; row {number} is {shown(value)}"
            counts.drop(error.reason, source=source, example=f"row {number}: {error}")
            if failed == n_rows == PATIENCE:
                break
            continue
        parts = record if isinstance(record, list) else [record]
        for at, (row, part) in enumerate(zip(found, parts, strict=True)):
            place = f"{row_id(source, number)}.{at}" if isinstance(record, list) else ""
            own = own_id(part) if own_ids else ""
            yield row._replace(id=own or place or row_id(source, number))
    if 2 * failed > n_rows:
        raise RecordError(f"{failed:,} of {n_rows:,} rows of {source!r} cannot be read: {first}")


def renamed(value: Any, columns: Mapping[str, str], question: str = "") -> Any:
    """Give a record with the keys of its layout, and a question where it has none.

    Raises:
        LayoutError: for one that could not be read.
    """
    if isinstance(value, BadRow):
        raise LayoutError(value.reason, reason="not JSON")
    if isinstance(value, list):
        return [renamed(one, columns, question) for one in value]
    if not isinstance(value, Mapping):
        return value  # refused under its kind
    named = {key: value[name] for key, name in columns.items() if name in value}
    asked = {"question": question} if question and "question" not in {**value, **named} else {}
    return {**{k: v for k, v in value.items() if k not in columns.values()}, **named, **asked}


def check_present(rows: Iterable[tuple[int, Any]], columns: Mapping[str, str], name: str) -> None:
    """Refuse a column that no row has: without it, rows would lose their pictures in silence.

    Args:
        rows: `(row number, record)` pairs, of which no more are read than it takes to see all.
        columns: what a layout's keys are called in the file.
        name: what messages call the rows.

    Raises:
        RecordError: naming the columns, and those that there are.
    """
    left, there = set(columns.values()), set[str]()
    for _, value in rows if left else ():
        for record in value if isinstance(value, list) else [value]:
            there |= set(map(str, record)) if isinstance(record, Mapping) else set()
        if left <= there:
            return
    if missing := sorted(left - there):
        raise RecordError(
            f"no row of {name!r} has a column {missing}, which columns= names; they have "
            f"{sorted(there)}"
        )


def check_columns(columns: Mapping[str, str] | None, known: Iterable[str]) -> None:
    """Refuse a mapping of columns with a key that no reader asks for.

    Raises:
        InputError: naming it.
    """
    names = list(known)
    if unknown := sorted(set(columns or {}) - set(names)):
        raise InputError(f"columns names {unknown}; it can name {names}")
