"""What the page asks for: lists of rows that pass filters, a row's words and frames, rows put aside.

>>> rows = [{"id": "a", "source": "texts", "n_frames": 0, "messages": []}]
>>> browser = Browser(BrowseRows(rows))
>>> browser.page(0).positions, browser.page(0, RowFilters(source="clips")).positions
([0], [])
"""

from __future__ import annotations

import threading
import time
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from t2vid.browse.flags import FLAGS, CommonTraits, asked, n_frames_of, turns_in
from t2vid.browse.frames import ShownFrames, shown
from t2vid.browse.quarantine import Quarantine
from t2vid.browse.rows import BrowseRows
from t2vid.errors import InputError, pluralize

PAGE_ROWS = 10
SAMPLE_ROWS = 1000  # what flags compare a row with
SCAN_ROWS = 20_000  # a click looks at so many rows for those that pass the filters, or
SCAN_STREAM_ROWS = 5_000  # of a stream, which may have to be downloaded
SCAN_CPU_S = 1.5  # and computes no longer than this
_LINE_CHARS = 90  # of an instruction and of an answer in the list


@dataclass(frozen=True)
class RowFilters:
    """Which rows are listed; a row has to pass all of them.

    Args:
        words: words that all stand in its turns or its id, in any order and any case.
        source: rows of this source alone; "" lists all.
        min_frames: rows with at least so many frames.
        max_frames: rows with at most so many frames; None is no limit.
        flags: rows with all of these flags, out of `FLAGS`.
    """

    words: str = ""
    source: str = ""
    min_frames: int = 0
    max_frames: int | None = None
    flags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the values."""
        if unknown := [flag for flag in self.flags if flag not in FLAGS]:
            raise InputError(f"flag ({unknown[0]!r}) must be one of {list(FLAGS)}")


@dataclass(frozen=True)
class RowList:
    """Some of the rows that pass the filters.

    Attributes:
        positions: their numbers in the dataset.
        more: True where there are or may be further ones.
        looked: rows of the dataset that were looked at to find them.
    """

    positions: list[int]
    more: bool
    looked: int


class Browser:
    """Looks through rows.

    Args:
        rows: the rows.
        quarantine: JSON-lines file of the rows put aside; None keeps the list in memory.
        sample: rows that flags compare with.

    Raises:
        InputError: for a file that is no such list.
    """

    def __init__(
        self,
        rows: BrowseRows,
        *,
        quarantine: str | Path | None = None,
        sample: int = SAMPLE_ROWS,
    ) -> None:
        self.rows = rows
        self.quarantine = Quarantine(quarantine, dataset=rows.name)
        self.sources: list[str] = []
        first = (rows.get(i) for i in range(sample))
        self._common = CommonTraits(self._noting_sources(row for row in first if row is not None))
        self._lock = threading.Lock()
        self._asked: RowFilters | None = None
        self._found: list[int] = []
        self._looked = 0

    def page(self, number: int, filters: RowFilters = RowFilters()) -> RowList:  # noqa: B008  frozen
        """Give a page of the rows that pass.

        A call looks at a bounded number of rows; asking again looks further.

        Args:
            number: of the page, from 0.
            filters: which rows pass.
        """
        start = PAGE_ROWS * number
        wanted = start + PAGE_ROWS + 1
        if filters == RowFilters():
            positions = [i for i in range(start, wanted) if self.rows.get(i) is not None]
            return RowList(positions[:PAGE_ROWS], len(positions) > PAGE_ROWS, wanted)
        with self._lock:
            if filters != self._asked:
                self._asked, self._found, self._looked = filters, [], 0
            ended = self._search(filters, wanted)
            more = not ended or len(self._found) >= wanted
            return RowList(self._found[start : start + PAGE_ROWS], more, self._looked)

    def line(self, position: int) -> str:
        """Describe a row for the list: number, id, source, frames and flags, then what is said."""
        row = self.row(position)
        marks = [*self.flags(position), *(["QUARANTINED"] if self.is_marked(position) else [])]
        parts = [f"{position:,}", str(row.get("id") or "-"), str(row.get("source") or "-")]
        parts += [pluralize(n_frames_of(row), "frame"), ", ".join(marks)]
        question, answer = (_cut(text, _LINE_CHARS) for text in asked(row))
        return f"{' · '.join(part for part in parts if part)}\n{question}\n→ {answer}"

    def flags(self, position: int) -> list[str]:
        """Name the flags of a row, out of `FLAGS`."""
        return self._common.flags(self.row(position))

    def turns(self, position: int) -> list[tuple[str, str]]:
        """Give the conversation of a row as `(role, text)`."""
        row = self.row(position)
        verdict = [("verdict", str(row["verdict"]))] if "verdict" in row else []
        return [*turns_in(row), *verdict]

    def show(self, position: int) -> ShownFrames:
        """Make the frames of a row, within bounds; a row that cannot be shown gives a note."""
        row = self.row(position)
        try:
            return shown(row.get("images"), self.rows, source=str(row.get("source") or ""))
        except Exception as error:  # rows come from strangers: a broken one is looked at, too
            return ShownFrames([], [], 0, f"no frames ({type(error).__name__}): {error}")

    def row_with(self, position: int, frames: Sequence[Image.Image]) -> dict[str, Any]:
        """Give a row with these frames instead of what it stores."""
        return {**self.row(position), "images": [*frames]}

    def mark(self, position: int) -> bool:
        """Put a row aside, or back; True when it is put aside now."""
        row = self.row(position)
        return self.quarantine.toggle(position, row, flags=self._common.flags(row))

    def is_marked(self, position: int) -> bool:
        """Tell whether a row is put aside."""
        return self.quarantine.holds(position, self.row(position))

    def row(self, position: int) -> Mapping[str, Any]:
        """Give a row as it is stored.

        Raises:
            InputError: for a position behind the last row.
        """
        row = self.rows.get(position)
        if row is None:
            raise InputError(f"{self.rows.name} has no row {position:,}")
        return row

    def _search(self, filters: RowFilters, wanted: int) -> bool:
        """Look on until enough rows are found; True when the rows have come to their end."""
        last = self._looked + (SCAN_ROWS if self.rows.random_access else SCAN_STREAM_ROWS)
        until = time.thread_time() + SCAN_CPU_S
        while self._looked < last and len(self._found) < wanted and time.thread_time() < until:
            chunk = self.rows.chunk(self._looked)
            if not chunk:
                return True
            for row in self._noting_sources(chunk):
                if self._passes(row, filters):
                    self._found.append(self._looked)
                self._looked += 1
                if len(self._found) >= wanted or self._looked >= last:
                    break
        return False

    def _passes(self, row: Mapping[str, Any], filters: RowFilters) -> bool:
        n, source = n_frames_of(row), str(row.get("source") or "")
        return (
            (not filters.source or source == filters.source)
            and n >= filters.min_frames
            and (filters.max_frames is None or n <= filters.max_frames)
            and (not filters.words or _says(row, filters.words))
            and (not filters.flags or set(filters.flags) <= set(self._common.flags(row)))
        )

    def _noting_sources(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        for row in rows:
            source = str(row.get("source") or "")
            if source and source not in self.sources:
                self.sources.append(source)
            yield row


def _says(row: Mapping[str, Any], words: str) -> bool:
    wanted = _plain(words).split()

    def hold(said: Iterable[str]) -> bool:
        whole = _plain(f"{row.get('id') or ''} {' '.join(said)} {row.get('verdict', '')}")
        return all(word in whole for word in wanted)

    turns = row.get("messages")
    # Reading a row's layout takes thirty times as long as seeing that a word is nowhere in it.
    if isinstance(turns, list) and all(map(_is_plain_turn, turns)) and not hold(_strings(turns)):
        return False
    return hold(text for _, text in turns_in(row))


def _is_plain_turn(turn: Any) -> bool:
    given = turn.items() if isinstance(turn, Mapping) else [("", turn)]
    return {key for key, value in given if value is not None} <= {"role", "content"}


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _strings(one)


def _plain(text: str) -> str:
    """Make one text of those that look alike: composed letters, full width, any case."""
    return text.casefold() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
