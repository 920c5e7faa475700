"""Runs the converter of a corpus, whichever it is.

>>> from t2vid import catalog
>>> rows = [(0, {"context": "It rains.", "question": "Why?", "answer": "Clouds."})]
>>> next(converted(catalog.corpus("triplets"), rows, Counts(), source="mine")).id
'mine/00000'
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from typing import Any

from t2vid.catalog import Corpus
from t2vid.corpora.clips import Clip
from t2vid.corpora.layouts import LayoutRow
from t2vid.corpora.triplets import Triplet
from t2vid.schema import Counts


def converted(
    entry: Corpus,
    rows: Iterable[tuple[int, Any]],
    counts: Counts,
    *,
    source: str,
    options: Any = None,
) -> Iterator[Triplet | Clip | LayoutRow]:
    """Give a `Triplet` for each usable row of a text corpus, a `Clip` for each of a video corpus.

    Of a corpus of rows with any media it is a `LayoutRow`.

    Args:
        entry: the corpus.
        rows: `(row number, record)` pairs.
        counts: where unusable rows are counted by reason.
        source: name in the ids and the counts.
        options: holds the corpus's further options as attributes; None leaves them at their defaults.

    Raises:
        RecordError: when the rows are no rows of this corpus at all.
    """
    given = {} if options is None else {name: getattr(options, name) for name in entry.options}
    found: Iterator[Triplet | Clip | LayoutRow] = importlib.import_module(entry.converter).convert(
        rows, counts, source=source, **given
    )
    return found
