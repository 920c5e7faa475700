"""Reads corpus files row by row: a JSON list, JSONL or Parquet, local or remote, of any size.

>>> import tempfile; path = Path(tempfile.mkdtemp(), "rows.json")
>>> _ = path.write_text('[{"a": 1}, {"a": 2}]')
>>> [(row, value["a"]) for row, value in read(str(path))]
[(0, 1), (1, 2)]

The kind is told from the first bytes, not from the name: a downloaded file is named after its
hash. A list may stand in an object, `{"data": [...]}`. A file of another kind is an error; a broken
line of JSONL is a `BadRow`, to be counted.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from t2vid.errors import MissingFile, RecordError

CHUNK = 1 << 20
MAX_RECORD_CHARS = 1 << 27  # one document with its question; the longest public one is under 2 MB
ROWS_PER_PART = 500
SUFFIXES = (".json", ".jsonl", ".parquet")

_BLANKS = b" \t\r\n"
_BOM = codecs.BOM_UTF8
# No key of a record of any format: as the first key of a file it holds the rows.
_WRAPPED = re.compile(
    rb'\{\s*"(?:data|rows|records|examples|annotations|questions|items)"\s*:\s*(?=\[)'
)


@dataclass(frozen=True)
class Part:
    """Consecutive rows of a file, so that several processes can share one file.

    Args:
        path: local path, or a URL that fsspec opens (`hf://`, `https://`, …).
        first_row: number of the first row in the file.
        n_rows: how many rows; None reads to the end.
        start: where the first row begins: a byte offset, for Parquet a row group.
    """

    path: str
    first_row: int = 0
    n_rows: int | None = None
    start: int = 0


@dataclass(frozen=True)
class BadRow:
    """A line that is no JSON; `reason` says where it broke."""

    reason: str


def read(part: Part | str) -> Iterator[tuple[int, Any]]:
    """Give `(row number, value)` for every row, holding one row and one chunk in memory.

    Args:
        part: the rows to read; a path or URL stands for the whole file.

    Raises:
        MissingFile: when there is no such file.
        RecordError: when the file is no JSON list, JSONL or Parquet, naming what was found.
    """
    part = Part(part) if isinstance(part, str) else part
    with _open(part.path) as file:
        kind, start = _kind(file, part.path)
        if kind == "parquet":
            rows = _parquet(file, part)
        elif kind in ("json", "wrapped"):
            rows = (value for _, value in _json_list(file, part, start, kind))
        else:
            rows = (_line(line) for _, line in _lines(file, part.start))
        for row, value in enumerate(rows, part.first_row):
            if part.n_rows is not None and row >= part.first_row + part.n_rows:
                return
            yield row, value


def split(path: str, *, rows_per_part: int = ROWS_PER_PART) -> list[Part]:
    """Cut a file into parts of equal row counts, in order, with one quick pass over it.

    Args:
        path: local path or URL.
        rows_per_part: rows of every part but the last; Parquet is cut at its row groups.

    Raises:
        MissingFile: when there is no such file.
        RecordError: when the file is no JSON list, JSONL or Parquet.
    """
    whole = Part(path)
    with _open(path) as file:
        kind, start = _kind(file, path)
        if kind == "parquet":
            return _row_groups(file, path)
        jsonl = kind == "jsonl"
        located = _lines(file, 0) if jsonl else _json_list(file, whole, start, kind)
        starts, n_rows = [], 0
        for start, _ in located:
            if n_rows % rows_per_part == 0:
                starts.append(start)
            n_rows += 1
    firsts = range(0, n_rows, rows_per_part)
    return [
        Part(path, first, min(rows_per_part, n_rows - first), start)
        for first, start in zip(firsts, starts, strict=True)
    ]


def in_folder(folder: str, name: str = "") -> list[str]:
    """Give the corpus files of a local folder.

    Args:
        folder: where to look, not deeper.
        name: the public name of the wanted file; where it is there, it is the only one.

    Raises:
        MissingFile: when the folder or a fitting file is not there.
    """
    root = Path(folder)
    if not root.is_dir():
        raise MissingFile(f"data_dir={folder!r} is not a folder")
    if name and (root / name).is_file():
        return [str(root / name)]
    found = sorted(str(path) for path in root.iterdir() if path.suffix in SUFFIXES)
    if not found:
        raise MissingFile(f"data_dir={folder!r} holds no file that ends in {', '.join(SUFFIXES)}")
    return found


def _open(path: str) -> IO[bytes]:
    try:
        if "://" not in path:
            return open(path, "rb")
        import fsspec

        opened: IO[bytes] = fsspec.open(path, "rb").open()
        return opened
    except FileNotFoundError as error:
        raise MissingFile(f"{path} does not exist; check data_files= or data_dir=") from error
    except IsADirectoryError as error:
        raise RecordError(f"{path} is a folder; give it as data_dir=, or name its files") from error


def _kind(file: IO[bytes], path: str) -> tuple[str, int]:
    """Tell the kind of a file and, for JSON, at which byte its list opens."""
    head = file.read(512)
    file.seek(0)
    if head.startswith(b"PAR1"):
        return "parquet", 0
    text = head.removeprefix(_BOM).lstrip(_BLANKS)
    begin = len(head) - len(text)
    if text.startswith(b"["):
        return "json", begin
    if wrapped := _WRAPPED.match(text):
        return "wrapped", begin + wrapped.end()
    found = f"starts with {head[:40]!r}" if head else "is empty"
    if text.startswith(b"{"):
        line, more, _ = text.partition(b"\n")
        if not more or not line.rstrip().endswith((b"{", b"[", b",")):
            return "jsonl", 0
        found = f"is one JSON object over several lines, starting with {text[:60]!r}"
    raise RecordError(
        f"{path} {found}; it must be a JSON list, JSONL (one object a line) or Parquet"
    )


def _lines(file: IO[bytes], start: int) -> Iterator[tuple[int, bytes]]:
    file.seek(start)
    for line in file:
        if line.strip(_BLANKS):
            yield start, line
        start += len(line)


def _line(line: bytes) -> Any:
    try:
        return json.loads(line.removeprefix(_BOM))
    except (ValueError, RecursionError) as error:
        return BadRow(f"{error} in {line[:60]!r}")


def _json_list(file: IO[bytes], part: Part, opens: int, kind: str) -> Iterator[tuple[int, Any]]:
    """Give `(byte offset, value)` of the elements, decoding one at a time from a growing window."""
    window = _Window(file, part, part.start or opens)
    if part.start == 0:
        window.skip("[")
    while True:
        char = window.skip(",")
        if char == "]":
            break
        start = window.byte
        yield start, window.value()
    window.to(window.at + 1)
    rest = window.skip("")
    if rest and not (kind == "wrapped" and rest in ",}"):  # what else the object says are no rows
        raise RecordError(
            f"{part.path} goes on after its list at byte {window.byte:,}; make it JSONL"
        )


class _Window:
    """The part of a JSON text that is in memory, and a position in it."""

    def __init__(self, file: IO[bytes], part: Part, start: int) -> None:
        file.seek(start)
        self.file, self.path, self.row = file, part.path, part.first_row
        self.decode = codecs.getincrementaldecoder("utf-8")().decode
        self.scan = json.JSONDecoder().raw_decode
        self.text, self.at, self.byte = "", 0, start

    def skip(self, mark: str) -> str:
        """Move past blanks and at most one `mark`; give the character there, "" at the end."""
        while True:
            if self.at == len(self.text) and not self.more(CHUNK):
                if mark:
                    raise self.error("the list is not closed")
                return ""
            char = self.text[self.at]
            if char == mark:
                mark = "\0"  # seen: a second one is an error of the value
            elif char not in " \t\r\n":
                return char
            self.to(self.at + 1)

    def value(self) -> Any:
        """Decode the value at the position and move past it."""
        size = CHUNK
        while True:
            try:
                value, end = self.scan(self.text, self.at)
            except RecursionError as error:
                raise self.error("it is nested too deep") from error
            except json.JSONDecodeError as error:
                # A string without an end, or a break at the very end: perhaps the rest is unread.
                cut = error.msg.startswith("Unterminated") or error.pos > len(self.text) - 16
                if not cut or len(self.text) > MAX_RECORD_CHARS or not self.more(size):
                    raise self.error(error.msg) from error
                size *= 2  # so that a record of n bytes costs O(n), not O(n²)
            else:
                self.row += 1
                self.to(end)
                return value

    def to(self, at: int) -> None:
        passed = self.text[self.at : at]
        self.byte += len(passed) if passed.isascii() else len(passed.encode())
        self.at = at

    def more(self, size: int) -> bool:
        """Read on; False at the end of the file."""
        data = self.file.read(size)
        try:
            self.text = self.text[self.at :] + self.decode(data, final=not data)
        except UnicodeDecodeError as error:
            raise self.error(f"it is not UTF-8 ({error.reason})") from error
        self.at = 0
        return bool(data)

    def error(self, why: str) -> RecordError:
        where = f"row {self.row:,} (byte {self.byte:,})"
        shown = self.text[self.at : self.at + 60]
        return RecordError(f"{self.path}: {where} is broken: {why}; it starts with {shown!r}")


def _parquet(file: IO[bytes], part: Part) -> Iterator[Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(file)
        groups = range(part.start, table.num_row_groups)
        for batch in table.iter_batches(batch_size=32, row_groups=list(groups)):
            yield from batch.to_pylist()
    except (pa.ArrowInvalid, OSError) as error:
        raise RecordError(f"{part.path} is a broken Parquet file: {error}") from error


def _row_groups(file: IO[bytes], path: str) -> list[Part]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(file).metadata
    except pa.ArrowInvalid as error:
        raise RecordError(f"{path} is a broken Parquet file: {error}") from error
    parts, first = [], 0
    for group in range(table.num_row_groups):
        n_rows = table.row_group(group).num_rows
        parts.append(Part(path, first, n_rows, group))
        first += n_rows
    return parts
