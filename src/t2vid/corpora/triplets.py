"""Anyone's rows of context, question and answer: the form that every long-text corpus ends in.

>>> from t2vid.schema import Counts
>>> rows = [(0, {"context": "It rains.", "question": "Why?", "answer": "Clouds."})]
>>> next(convert(rows, Counts())).question
'Why?'
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from t2vid.schema import Counts
from t2vid.storage.fields import Record, have, needed, parsed, text

SOURCE = "triplets"
KEYS = ("context", "question", "answer")


@dataclass(frozen=True)
class Triplet:
    """A long text with a question and its answer; `id` is `source/row number`, `more` further turns."""

    id: str
    context: str
    question: str
    answer: str
    more: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def turns(self) -> tuple[tuple[str, str], ...]:
        """What is said, as `(role, text)` pairs."""
        return (("user", self.question), ("assistant", self.answer), *self.more)


def convert(
    rows: Iterable[tuple[int, Any]],
    counts: Counts,
    *,
    source: str = SOURCE,
    columns: Mapping[str, str] | None = None,
    question: str = "",
) -> Iterator[Triplet]:
    """Give a `Triplet` for each usable row.

    Args:
        rows: `(row number, record)` pairs.
        counts: where unusable rows are counted by reason.
        source: name in the ids and the counts.
        columns: what the columns are called in the file, e.g. `{"context": "document"}`.
        question: asked where the rows have none.

    Raises:
        RecordError: when the rows are no triplets at all.
    """
    names = [(columns or {}).get(key, key) for key in KEYS]
    asked = names[1] if question else ""

    def parse(record: Record) -> tuple[str, str, str]:
        have(record, *(name for name in names if name != asked))
        if asked:
            record = {**record, asked: text(record, asked) or question}
        context, said, answer = (
            needed(record, name, key) for name, key in zip(names, KEYS, strict=True)
        )
        return context, said, answer

    for row, (context, said, answer) in parsed(rows, parse, source=source, counts=counts):
        yield Triplet(row_id(source, row), context, said, answer)


def row_id(source: str, row: int) -> str:
    """Name a row after its place in the file, which no filter changes.

    >>> row_id("longalpaca", 12)
    'longalpaca/00012'
    """
    return f"{source}/{row:05d}"
