"""What the page asks for: lists of rows that pass filters, a row's words and frames, rows put aside.

>>> rows = [{"id": "a", "source": "texts", "n_frames": 0, "messages": []}]
>>> browser = Browser(BrowseRows(rows))
>>> browser.page(0).positions, browser.page(0, RowFilters(source="clips")).positions
([0], [])
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from t2vid.browse.flags import FLAGS, CommonTraits, asked, n_frames_of, turns_in
from t2vid.browse.frames import ShownFrames, shown
from t2vid.browse.quarantine import Quarantine
from t2vid.browse.rows import BrowseRows
from t2vid.browse.words import plain
from t2vid.errors import InputError, pluralize

PAGE_ROWS = 10
SAMPLE_ROWS = 1000  # what flags compare a row with
SCAN_CPU_S = 1.5  # a click looks for rows that pass the filters no longer than this, or
COUNT_CPU_S = 0.2  # where a page is full, and
SCAN_STREAM_ROWS = 5_000  # at no more rows of a stream, which may have to be downloaded
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


ALL_ROWS = RowFilters()


@dataclass(frozen=True)
class RowList:
    """Some of the rows that pass the filters.

    Attributes:
        positions: their numbers in the dataset.
        more: True where there are or may be further ones.
        looked: rows of the dataset that were looked at to find them.
        total: all rows that pass; None where not all were looked at.
    """

    positions: list[int]
    more: bool
    looked: int
    total: int | None = None


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
        self._common = CommonTraits(self._first(sample))
        self._lock = threading.Lock()
        self._asked: RowFilters | None = None
        self._found: list[int] = []
        self._looked = self._turn = 0

    def page(self, number: int, filters: RowFilters = ALL_ROWS) -> RowList:
        """Give a page of the rows that pass.

        A call looks at a bounded number of rows; asking again looks further.

        Args:
            number: of the page, from 0.
            filters: which rows pass.
        """
        start = PAGE_ROWS * number
        wanted = start + PAGE_ROWS + 1
        if filters == ALL_ROWS:
            positions = [i for i in range(start, wanted) if self.rows.get(i) is not None]
            return RowList(positions[:PAGE_ROWS], len(positions) > PAGE_ROWS, wanted)
        with self._lock:
            if filters != self._asked:
                self._asked, self._found, self._looked = filters, [], 0
            ended = self._search(filters, wanted)
            more = not ended or len(self._found) >= wanted
            total = len(self._found) if ended else None
            return RowList(self._found[start : start + PAGE_ROWS], more, self._looked, total)

    def pages(self, number: int, filters: RowFilters = ALL_ROWS) -> Iterator[RowList]:
        """Give a page as it fills, until it is full, all rows were seen, or another one is asked for.

        Of a stream, whose rows may have to be downloaded, it is given once.

        Args:
            number: of the page, from 0.
            filters: which rows pass.
        """
        self._turn += 1
        turn = self._turn
        while turn == self._turn:
            page = self.page(number, filters)
            if turn == self._turn:  # or what was asked for meanwhile would be covered by this
                yield page
            if not self.rows.random_access or not page.more or len(page.positions) == PAGE_ROWS:
                return

    def line(self, position: int) -> str:
        """Describe a row for the list: number, id, source, frames and flags, then what is said."""
        row = self.row(position)
        marks = [*self.flags(position), *(["QUARANTINED"] if self.is_marked(position) else [])]
        parts = [f"{position:,}", str(row.get("id") or "-"), str(row.get("source") or "-")]
        parts += [pluralize(n_frames_of(row), "frame"), ", ".join(marks)]
        question, answer = (_cut(text, _LINE_CHARS) for text in asked(row))
        return (
            f"{' · '.join(part for part in parts if part)}\n{question}\n→ {answer or '(nothing)'}"
        )

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
            note = f"no frames ({type(error).__name__}): {error}"
            return ShownFrames([], [], 0, note, failed=True)

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

    def _first(self, n: int) -> Iterator[Mapping[str, Any]]:
        """Give the first rows one by one, and note their sources."""
        for row in map(self.rows.get, range(n)):
            if row is None:
                return
            if (source := str(row.get("source") or "")) and source not in self.sources:
                self.sources.append(source)
            yield row

    def _search(self, filters: RowFilters, wanted: int) -> bool:
        """Look on until enough rows are found; True when the rows have come to their end."""
        last = self._looked + (sys.maxsize if self.rows.random_access else SCAN_STREAM_ROWS)
        words = plain(filters.words).split()
        began = time.thread_time()

        def is_over() -> bool:
            if len(self._found) < wanted:
                return time.thread_time() - began > SCAN_CPU_S
            return not self.rows.random_access or time.thread_time() - began > COUNT_CPU_S

        while self._looked < last and not is_over():
            looked, rows = self.rows.chunk(
                self._looked,
                words,
                source=filters.source,
                least=filters.min_frames,
                most=filters.max_frames,
            )
            if not looked:
                return True
            for position, row in rows:
                if self._passes(row, filters):
                    self._found.append(position)
                if is_over():
                    self._looked = position + 1
                    return False
            self._looked += looked
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


def _says(row: Mapping[str, Any], words: str) -> bool:
    wanted = plain(words).split()
    said = " ".join(text for _, text in turns_in(row))
    whole = plain(f"{row.get('id') or ''} {said} {row.get('verdict', '')}")
    return all(word in whole for word in wanted)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
