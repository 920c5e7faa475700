"""Reads CSV and TSV rows as mappings, from any row on; an empty cell is missing.

>>> import io
>>> [value for _, value in rows(io.BytesIO(b"q,a\\nWhy?,\\n"), "x.csv", start=0)]
[{'q': 'Why?', 'a': None}]
"""

from __future__ import annotations

import codecs
import csv
import itertools
import re
from collections.abc import Iterator
from typing import IO, Any

from t2vid.errors import RecordError
from t2vid.storage.json_list import MAX_RECORD_CHARS, BadRow

_BOM = codecs.BOM_UTF8
# What no name of a column holds, and a page or a picture does.
_NO_NAME = re.compile(r"[<>{}\x00-\x08\x0e-\x1f\x7f]")
_NOT_UTF_8 = re.compile("[\udc80-\udcff]")  # what the decoder makes of such bytes


def looks_like_table(head: bytes) -> bool:
    """Tell whether a file that begins so is a table of named columns, two or more of them.

    >>> looks_like_table(b"q,a\\n1,2"), looks_like_table(b"<html>,\\n")
    (True, False)
    """
    try:
        line = head.splitlines()[0].decode("utf-8-sig") if head else ""
    except UnicodeDecodeError:
        return False
    names = next(csv.reader([line], delimiter=_delimiter(head)), [])
    return len(names) > 1 and any(map(str.strip, names)) and not _NO_NAME.search(line)


def rows(file: IO[bytes], name: str, *, start: int) -> Iterator[tuple[int, Any]]:
    """Give `(byte offset, {column: cell})` of the rows; a column without a name is left out.

    Args:
        file: the table; its first row names the columns.
        name: what messages call it.
        start: byte where a row begins; 0 is the first.

    Raises:
        RecordError: when there is no row, or two columns have one name.
    """
    file.seek(0)
    delimiter = _delimiter(file.readline())
    file.seek(0)
    cells_of = _cells(file, 0, delimiter)
    _, names = next(cells_of, (0, []))
    if twice := sorted({column for column in names if column and names.count(column) > 1}):
        raise RecordError(f"{name} has several columns {twice}; give each a name of its own")
    first = next(cells_of, None)
    if first is None:
        raise RecordError(f"{name} names the columns {names} and has no row below them")
    cells_of = itertools.chain([first], cells_of)
    if start:
        file.seek(start)
        cells_of = _cells(file, start, delimiter)
    for at, cells in cells_of:
        if _NOT_UTF_8.search("".join(cells)):
            yield at, BadRow(f"not UTF-8 in {str(cells)[:60]}; save the file as UTF-8")
        elif len(cells) != len(names):
            reason = f"{len(cells)} cells under {len(names)} columns: {str(cells)[:60]}"
            yield at, BadRow(reason)
        elif cells:
            # pandas writes its index into such a column
            yield at, {key: cell or None for key, cell in zip(names, cells, strict=True) if key}


def _delimiter(line: bytes) -> str:
    first = line.splitlines()[:1] or [b""]
    return max("\t;,", key=lambda mark: first[0].count(mark.encode()))


def _cells(file: IO[bytes], start: int, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    read = start

    def lines() -> Iterator[str]:
        nonlocal read
        while line := file.readline():
            text = line.removeprefix(_BOM) if read == 0 else line
            read += len(line)
            yield text.decode("utf-8", "surrogateescape")

    csv.field_size_limit(MAX_RECORD_CHARS)
    at = start
    for cells in csv.reader(lines(), delimiter=delimiter):
        if cells:
            yield at, cells
        at = read
