"""Reads corpus files row by row: JSON, JSONL, CSV or Parquet, local or remote, of any size.

>>> import tempfile; from pathlib import Path; path = Path(tempfile.mkdtemp(), "rows.json")
>>> _ = path.write_text('[{"a": 1}, {"a": 2}]')
>>> [(row, value["a"]) for row, value in read(str(path))]
[(0, 1), (1, 2)]

The kind is told from the first bytes, not from the name: a downloaded file is named after its
hash. A list may stand in an object, `{"data": [...]}`; any of them may be packed (gzip, bz2, xz, a
zip of one file, and zstd where zstandard is installed). NaN is read as None. A file of another kind
is an error; a row that cannot be read is a `BadRow`, to be counted.
"""

from __future__ import annotations

import codecs
import functools
import gzip
import itertools
import lzma
import math
import re
import zlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any

from t2vid.errors import MissingFile, RecordError
from t2vid.storage import csv_table
from t2vid.storage.files import path_of, version_at
from t2vid.storage.json_list import CHUNK_BYTES, DECODER, checked, elements
from t2vid.storage.json_list import BadRow as BadRow
from t2vid.storage.packed import unpacked

ROWS_PER_PART = 500
SUFFIXES = (".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".parquet")
PACKED = ("", ".gz", ".bz2", ".xz", ".zst", ".zip")

_BLANKS = b" \t\r\n"
_BOM = codecs.BOM_UTF8
_HEAD_BYTES = 4096
_ROW_BYTES = 1 << 14  # read for one row of a list; more follows where it is longer
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


def read(part: Part | str, *, only: Collection[str] | None = None) -> Iterator[tuple[int, Any]]:
    """Give `(row number, value)` for every row, holding one row and one chunk in memory.

    Args:
        part: the rows to read; a path or URL stands for the whole file.
        only: columns of a Parquet file to read, of those that it has; None reads all.

    Raises:
        MissingFile: when there is no such file.
        RecordError: when the file is of no known kind, naming what was found.
    """
    part = Part(part) if isinstance(part, str) else part
    try:
        yield from _read(part, only)
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
        # of a stream, which `datasets` unpacks on the way
        raise RecordError(f"{part.path} is broken packed data: {error}") from error


def _read(part: Part, only: Collection[str] | None) -> Iterator[tuple[int, Any]]:
    with _open(part.path) as file:
        kind, opens = _kind(file, part.path)
        if kind == "parquet":
            rows = _parquet(file, part, only)
        else:
            rows = (value for _, value in _located(file, kind, opens, part))
        for row, value in enumerate(rows, part.first_row):
            if part.n_rows is not None and row >= part.first_row + part.n_rows:
                return
            yield row, _line(value) if kind == "jsonl" else value


def split(path: str, *, rows_per_part: int = ROWS_PER_PART) -> list[Part]:
    """Cut a file into parts of equal row counts, in order, with one quick pass over it.

    Args:
        path: local path or URL.
        rows_per_part: rows of every part but the last; Parquet is cut at its row groups.

    Raises:
        MissingFile: when there is no such file.
        RecordError: when the file is of no known kind.
    """
    with _open(path) as file:
        kind, opens = _kind(file, path)
        if kind == "parquet":
            return _row_groups(file, path)
        starts, n_rows = [], 0
        for start, _ in _located(file, kind, opens, Part(path)):
            if n_rows % rows_per_part == 0:
                starts.append(start)
            n_rows += 1
    firsts = range(0, n_rows, rows_per_part)
    return [
        Part(path, first, min(rows_per_part, n_rows - first), start)
        for first, start in zip(firsts, starts, strict=True)
    ]


def starts(path: str) -> Iterator[int]:
    """Give where each row begins, as `picked` takes it, with one pass over the file.

    Raises:
        MissingFile: when there is no such file.
        RecordError: when the file is of no known kind.
    """
    with _open(path) as file:
        kind, opens = _kind(file, path)
        if kind == "parquet":
            for part in _row_groups(file, path):
                yield from itertools.repeat(part.start, part.n_rows or 0)
        else:
            yield from (start for start, _ in _located(file, kind, opens, Part(path)))


def picked(path: str, places: Iterable[tuple[int, int]]) -> Iterator[Any]:
    """Give the rows at some places, opening the file once; fastest in the order of the file.

    Args:
        path: local path or URL.
        places: number of each row, and where it begins by `starts`.
    """
    with _open(path) as file:
        kind, opens = _kind(file, path)
        version = version_at(path_of(path)) if kind == "parquet" else ""
        for row, start in places:
            if version:
                first, table = _group(path, version, start)
                yield _without_nan(table.slice(row - first, 1).to_pylist()[0])
            else:
                found = next(_located(file, kind, opens, Part(path, row, 1, start)), None)
                if found is None:
                    raise RecordError(f"{path} has no row {row:,} any more; it changed meanwhile")
                yield _line(found[1]) if kind == "jsonl" else found[1]


def read_json(path: str) -> Any:
    """Read a small JSON file whole, whatever its layout.

    Raises:
        MissingFile: when there is no such file.
        RecordError: when it is no JSON.
    """
    with _open(path) as file:
        try:
            return DECODER.decode(file.read().decode("utf-8-sig"))
        except (ValueError, RecursionError) as error:
            raise RecordError(f"{path} is no JSON file: {error}") from error


def in_folder(folder: str, name: str = "") -> list[str]:
    """Give the corpus files of a folder.

    Args:
        folder: path or URL; only the folder itself is looked at.
        name: the public name of the wanted file; where it is there, it is the only one.

    Raises:
        MissingFile: when the folder or a fitting file is not there.
    """
    root = path_of(folder)
    if not root.is_dir():
        raise MissingFile(f"data_dir={folder!r} is not a folder")
    if name and (root / name).is_file():
        return [str(root / name)]
    endings = tuple(suffix + packing for suffix in SUFFIXES for packing in PACKED)
    found = sorted(str(path) for path in root.iterdir() if path.name.endswith(endings))
    if not found:
        raise MissingFile(f"data_dir={folder!r} holds no file that ends in {', '.join(SUFFIXES)}")
    return found


def _open(path: str) -> IO[bytes]:
    try:
        return unpacked(path_of(path))
    except FileNotFoundError as error:
        raise MissingFile(f"{path} does not exist; check data_files= or data_dir=") from error
    except IsADirectoryError as error:
        raise RecordError(f"{path} is a folder; give it as data_dir=, or name its files") from error


def _kind(file: IO[bytes], path: str) -> tuple[str, int]:
    """Tell the kind of a file and, for JSON, at which byte its list opens."""
    head = file.read(_HEAD_BYTES)
    file.seek(0)
    if head.startswith(b"PAR1"):
        return "parquet", 0
    text = head.removeprefix(_BOM).lstrip(_BLANKS)
    begin = len(head) - len(text)
    if text.startswith(b"["):
        return ("jsonl", 0) if _has_lists_as_lines(file, text, begin) else ("json", begin)
    if wrapped := _WRAPPED.match(text):
        return "wrapped", begin + wrapped.end()
    found = f"starts with {head[:40]!r}" if text else "is empty"
    if text.startswith(b"{"):
        line, more, _ = text.partition(b"\n")
        if not more or not line.rstrip().endswith((b"{", b"[", b",")):
            return "jsonl", 0
        found = f"is one JSON object over several lines, starting with {text[:60]!r}"
    elif csv_table.looks_like_table(head):
        return "csv", 0
    elif head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        found = "is text in UTF-16; save it as UTF-8"
    raise RecordError(
        f"{path} {found}; it must be a JSON list, JSONL (one object a line), CSV or Parquet"
    )


def _has_lists_as_lines(file: IO[bytes], head: bytes, begin: int) -> bool:
    """Tell JSONL whose lines are lists from one list; `]` and `[` on two lines are in no list."""
    line, more, _ = head.partition(b"\n")
    if more and not line.rstrip().endswith(b"]"):
        return False  # as nearly every list shows by its first few bytes
    file.seek(begin)
    line, _, more = file.read(CHUNK_BYTES).partition(b"\n")
    file.seek(0)
    return line.rstrip().endswith(b"]") and more.lstrip().startswith(b"[")


def _located(file: IO[bytes], kind: str, opens: int, part: Part) -> Iterator[tuple[int, Any]]:
    """Give where each row begins, and the row; of JSONL the line."""
    if kind == "jsonl":
        return _lines(file, part.start)
    if kind == "csv":
        return csv_table.rows(file, part.path, start=part.start)
    return elements(
        file,
        part.path,
        start=part.start or opens,
        row=part.first_row,
        inside=part.start > 0,
        wrapped=kind == "wrapped",
        chunk_bytes=CHUNK_BYTES if part.n_rows != 1 else _ROW_BYTES,
    )


def _lines(file: IO[bytes], start: int) -> Iterator[tuple[int, bytes]]:
    file.seek(start)
    for line in file:
        if line.strip(_BLANKS):
            yield start, line
        start += len(line)


def _line(line: bytes) -> Any:
    try:
        return checked(DECODER.decode(line.removeprefix(_BOM).decode()), line)
    except UnicodeDecodeError as error:
        return BadRow(f"not UTF-8 ({error.reason}) in {line[:60]!r}; save the file as UTF-8")
    except (ValueError, RecursionError) as error:
        return BadRow(f"{error} in {line[:60]!r}")


def _parquet(file: IO[bytes], part: Part, only: Collection[str] | None) -> Iterator[Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(file)
        groups = range(part.start, table.num_row_groups)
        names = table.schema_arrow.names
        if len(set(names)) < len(names):
            raise RecordError(f"{part.path} has several columns of one name: {names}")
        columns = names if only is None else [name for name in names if name in only]
        has_numbers = re.search(r"\b(?:double|float|halffloat)\b", str(table.schema_arrow))
        # Arrow's threads may outlive a Python file, and then end the process by an abort.
        batches = table.iter_batches(
            32, row_groups=list(groups), columns=columns, use_threads=False
        )
        for batch in batches:
            rows = batch.to_pylist()
            yield from map(_without_nan, rows) if has_numbers else rows
    except (pa.ArrowInvalid, OSError) as error:
        raise RecordError(f"{part.path} is a broken Parquet file: {error}") from error


@functools.lru_cache(maxsize=1)
def _group(path: str, _version: str, group: int) -> tuple[int, Any]:
    """Give the number of the first row of a row group, and the group; the last one is kept."""
    import pyarrow.parquet as pq

    with _open(path) as file:
        first = _row_groups(file, path)[group].first_row
        return first, pq.ParquetFile(file).read_row_group(group, None, False)


def _without_nan(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    return [_without_nan(item) for item in value] if isinstance(value, list) else value


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
