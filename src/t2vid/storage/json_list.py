"""Reads the elements of a JSON list one at a time, however large the list is.

>>> import io
>>> [(at, value) for at, value in elements(io.BytesIO(b'[{"a": 1}, NaN]'), "x", start=0)]
[(1, {'a': 1}), (11, None)]
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from t2vid.errors import RecordError

CHUNK_BYTES = 1 << 20
MAX_RECORD_CHARS = 1 << 27  # one document with its question; the longest public one is under 2 MB

# NaN, Infinity and -Infinity are no JSON and stand for a value that is missing.
DECODER = json.JSONDecoder(parse_constant=lambda _: None)


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be read; `reason` says where it broke."""

    reason: str


def checked(value: Any, written: str | bytes) -> Any:
    r"""Give a value, or a `BadRow` where a text in it is no Unicode: nothing could store that.

    Args:
        value: what was read.
        written: the JSON that it was read from; only an escape in it can give half a character.

    >>> checked({"q": "\ud83d"}, r'{"q": "\\ud83d"}').reason[:21]
    'half of a character ('
    """
    escape = b"\\ud" if isinstance(written, bytes) else "\\ud"
    if escape in written.lower():  # type: ignore[operator]
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            around = error.object[max(error.start - 20, 0) : error.end + 20]
            return BadRow(f"half of a character (a lone surrogate) in {around!r}")
    return value


def elements(
    file: IO[bytes],
    name: str,
    *,
    start: int,
    row: int = 0,
    inside: bool = False,
    wrapped: bool = False,
    chunk_bytes: int = CHUNK_BYTES,
) -> Iterator[tuple[int, Any]]:
    """Give `(byte offset, value)` of the elements, decoding one at a time from a growing window.

    Args:
        file: the text, from which more is read as it is needed.
        name: what messages call it.
        start: byte where the list opens, or where an element begins.
        row: number of the first element, for messages.
        inside: whether `start` is an element and not the opening bracket.
        wrapped: whether the list stands in an object, so that more may follow it.
        chunk_bytes: read at once.

    Raises:
        RecordError: where the text is no list, naming the row and its first characters.
    """
    window = _Window(file, name, start, row, chunk_bytes)
    if not inside:
        window.skip("[")
    while True:
        char = window.skip(",")
        if char == "]":
            break
        start = window.byte
        yield start, window.value()
    window.to(window.at + 1)
    rest = window.skip("")
    if rest and not (wrapped and rest in ",}"):  # what else the object says are no rows
        raise RecordError(f"{name} goes on after its list at byte {window.byte:,}; make it JSONL")


class _Window:
    """The part of a JSON text that is in memory, and a position in it."""

    def __init__(self, file: IO[bytes], name: str, start: int, row: int, chunk: int) -> None:
        file.seek(start)
        self.file, self.name, self.row, self.chunk = file, name, row, chunk
        self.decode = codecs.getincrementaldecoder("utf-8")().decode
        self.scan = DECODER.raw_decode
        self.text, self.at, self.byte = "", 0, start

    def skip(self, mark: str) -> str:
        """Move past blanks and at most one `mark`; give the character there, "" at the end."""
        while True:
            if self.at == len(self.text) and not self.more(self.chunk):
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
        size = self.chunk
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
                value = checked(value, self.text[self.at : end])
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
        return RecordError(f"{self.name}: {where} is broken: {why}; it starts with {shown!r}")
