"""Reads CSV and TSV rows as mappings, from any row on; an empty cell is missing.

>>> import io
>>> [value for _, value in rows(io.BytesIO(b"q,a\\nWhy?,\\n"), start=0)]
[{'q': 'Why?', 'a': None}]
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator
from typing import IO, Any

from t2vid.storage.json_list import MAX_RECORD_CHARS, BadRow

_BOM = codecs.BOM_UTF8
# Two or more plain names: what a table starts with and a text, a page or a picture does not.
_NAMES = re.compile(rb'"?[\w .-]+"?(?:[,;\t]"?[\w .-]+"?)+\r?\n.')

_NOT_UTF_8 = re.compile("[\udc80-\udcff]")  # what the decoder makes of such bytes


def looks_like_table(head: bytes) -> bool:
    """Tell whether a file that begins so is a table with named columns and a row.

    >>> looks_like_table(b"q,a\\n1,2"), looks_like_table(b"<html>,\\n")
    (True, False)
    """
    return _NAMES.match(head) is not None


def rows(file: IO[bytes], *, start: int) -> Iterator[tuple[int, Any]]:
    """Give `(byte offset, {column: cell})` of the rows.

    Args:
        file: the table; its first row names the columns.
        start: byte where a row begins; 0 is the first.
    """
    file.seek(0)
    first = file.readline()
    delimiter = max("\t;,", key=lambda mark: first.count(mark.encode()))
    file.seek(0)
    cells_of = _cells(file, 0, delimiter)
    _, names = next(cells_of, (0, []))
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
            yield at, {name: cell or None for name, cell in zip(names, cells, strict=True)}


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
