"""Which rows of a table may hold some words, seen in Arrow's own columns without making rows of them.

>>> import pyarrow as pa
>>> table = pa.table({"id": ["a", "b"], "messages": [[{"text": "Two Boats"}], [{"text": "A pier"}]]})
>>> may_hold(table, ["boat"]).tolist()
[True, False]
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def plain(text: str) -> str:
    """Make one text of those that look alike: composed letters, full width, any case."""
    return text.casefold() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()


def may_hold(table: Any, words: Sequence[str]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Tell for each row whether all words may stand in it; one that holds them is never left out.

    Args:
        table: rows.
        words: as `plain` gives them.

    Returns:
        A truth value for each row.
    """
    found = np.zeros((len(words), table.num_rows), dtype=bool)
    numbers = any(char.isdigit() for word in words for char in word)
    for column in table.columns:
        for texts, rows in _texts(column.combine_chunks(), np.arange(len(column)), numbers):
            escaped = pc.match_substring(texts, "\\")  # JSON, in which letters may be numbers
            for at, word in enumerate(words):
                held = pc.or_(pc.match_substring(texts, word), escaped).fill_null(False)
                found[at, rows[held.to_numpy(zero_copy_only=False)]] = True
    return np.asarray(found.all(axis=0))


def may_be(
    table: Any, *, source: str = "", least: int = 0, most: int | None = None
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Tell for each row whether its columns `source` and `n_frames` may be what is asked for.

    Args:
        table: rows; a column of another type, or a value that is not there, lets a row pass.
        source: "" is any.
        least: frames.
        most: frames; None is any number.
    """
    found = np.ones(table.num_rows, dtype=bool)
    kinds = dict(zip(table.schema.names, table.schema.types, strict=True))
    if source and pa.types.is_string(kinds.get("source")):
        found &= pc.equal(table["source"], source).fill_null(False).to_numpy()
    if (least or most is not None) and pa.types.is_integer(kinds.get("n_frames")):
        n = table["n_frames"]
        for holds in (pc.greater_equal(n, least), None if most is None else pc.less_equal(n, most)):
            if holds is not None:
                found &= holds.fill_null(True).to_numpy()
    return found


def _texts(array: Any, rows: Any, numbers: bool) -> Iterator[tuple[Any, Any]]:
    """Give every array of texts inside an array, in plain letters, and the row of each text."""
    kind = array.type
    if isinstance(array, pa.ExtensionArray):
        yield from _texts(array.storage, rows, numbers)
    elif pa.types.is_dictionary(kind):
        yield from _texts(array.dictionary_decode(), rows, numbers)
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        yield from _texts(array.flatten(), rows[pc.list_parent_indices(array)], numbers)
    elif pa.types.is_struct(kind):
        for field in array.flatten():
            yield from _texts(field, rows, numbers)
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        yield _plain_texts(array), rows
    elif numbers and (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        yield pa.array([str(value) for value in array.to_pylist()], pa.string()), rows


def _plain_texts(array: Any) -> Any:
    lowered = pc.ascii_lower(array)
    wide = pc.invert(pc.string_is_ascii(array)).fill_null(False)
    if not pc.any(wide).as_py():
        return lowered
    return pc.replace_with_mask(
        lowered,
        wide,
        pa.array([plain(text) for text in array.filter(wide).to_pylist()], array.type),
    )
