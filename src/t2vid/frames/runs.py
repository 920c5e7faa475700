"""Strips in reading order, with what finding the ends of lines needs.

>>> from t2vid.frames.shaping import shaper_for
>>> strip = shaper_for("sans", 20, "error", 408, 408).strip("one ")
>>> StripRun([strip], [0, 4], ["one "]).words
[0, 1]
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from operator import sub
from typing import NamedTuple

from t2vid.frames.direction import SEPARATORS
from t2vid.frames.strip import Strip

MAX_PARAGRAPH = 20_000  # characters whose direction is resolved at once: memory must not grow


class LineEnd(NamedTuple):
    """Where a line ends: its last part's successor, widths of its tabs, whether a newline ends it."""

    end: int
    gaps: dict[int, int]
    closed: bool


class StripRun:
    """Strips in reading order, with all that finding the ends of lines needs.

    Args:
        strips: one a part of the text.
        starts: where each part begins in the text, and where the last one ends.
        keys: the text that each strip was made from.
        breaks: the parts before which a line may break, and the end; None for all.
        words: words that end before each part; None takes them from the strips.
        ranks: for text in both directions, each part's place from the left.
        ways: for the same, whether each part reads from right to left.
        base_rtl: whether its paragraph reads from right to left.
    """

    def __init__(
        self,
        strips: list[Strip],
        starts: list[int],
        keys: list[str],
        *,
        breaks: list[int] | None = None,
        words: list[int] | None = None,
        ranks: Sequence[int] | None = None,
        ways: list[bool] | None = None,
        base_rtl: bool = False,
    ) -> None:
        self.strips, self.starts, self.keys = strips, starts, keys
        self.breaks, self.ranks, self.ways, self.base_rtl = breaks, ranks, ways, base_rtl
        self.words = words or list(accumulate([strip.words for strip in strips], initial=0))
        self.was_cut = False
        self.backward = isinstance(ranks, range)  # all of it reads from right to left
        self.separated = (
            ranks is not None and not self.backward and any([key[:1] in SEPARATORS for key in keys])
        )
        self.measure()

    def measure(self) -> None:
        """Sum up the widths, and find the strips that a line has to look at."""
        strips = self.strips
        self.ends = list(accumulate([strip.full_px for strip in strips], initial=0))
        self.boxes = [strip.box for strip in strips]
        self.rights = list(map(sub, self.ends[1:], [strip.tail_px for strip in strips]))
        odd = [i for i, strip in enumerate(strips) if strip.odd]
        self.uneven = [i for i in odd if strips[i].uneven]
        self.specials = [i for i in odd if strips[i].special]

    def replace(self, i: int, start: int, key: str, strip: Strip) -> None:
        """Put the rest of a part in its place, whose beginning stands on lines already."""
        self.starts[i] = start
        self.keys[i], self.strips[i] = key, strip
        self.was_cut = True
        self.measure()

    def part_order(self, i: int, n: int) -> list[int]:
        """Give the parts `i` to `i + n` from left to right, counted from `i`.

        Rule L1: separators stand in the paragraph's direction, and so do the blanks before them.
        """
        if self.backward:
            return list(range(n - 1, -1, -1))
        assert self.ranks is not None
        ranks = self.ranks[i : i + n]
        if not self.separated:
            return sorted(range(n), key=ranks.__getitem__)
        groups: list[list[int]] = []
        at = 0
        for k in range(n + 1):
            if k < n and self.keys[i + k][:1] not in SEPARATORS:
                continue
            last = k
            while k < n and last > at and not self.keys[i + last - 1].strip():
                last -= 1
            groups.append(sorted(range(at, last), key=ranks.__getitem__))
            groups += [[one] for one in range(last, min(k + 1, n))]
            at = k + 1
        if self.base_rtl:
            groups.reverse()
        return [k for group in groups for k in group]

    def line_end(
        self, i: int, room_px: int, max_words: int, after_tabs: Callable[[int, str], int]
    ) -> LineEnd:
        """Find the end of the line that begins with part `i`; `end == i` where nothing fits.

        Args:
            i: the part.
            room_px: width of the line.
            max_words: words that it may have.
            after_tabs: says where the pen stands after blanks with tabs.
        """
        strips, rights, n = self.strips, self.rights, len(self.strips)
        base = self.ends[i]  # where the line begins, in the run's widths
        gaps: dict[int, int] = {}
        j, closed = i, False
        at = bisect_left(self.specials, i)
        while True:
            stop = self.specials[at] if at < len(self.specials) else n
            j = bisect_right(rights, base + room_px, j, stop)
            if j < stop or stop == n:
                break
            strip = strips[stop]
            if strip.tabs:
                x = self.ends[stop] - base
                gaps[stop] = after_tabs(x, strip.tabs) - x
                base -= gaps[stop]
            elif not strip.newline or rights[stop] > base + room_px:
                break
            j, at = stop + 1, at + 1
            if strip.newline:
                closed = True
                break
        full = self.words[i] + max_words
        k = bisect_left(self.words, full, i, j)
        while k < j and rights[k] <= self.ends[k]:
            k += 1  # blanks need no room
        if k < j:
            j, closed = k, False
        if self.breaks is not None and j < n and not closed:
            allowed = self.breaks[bisect_right(self.breaks, j) - 1]
            # a piece wider than a line is cut between its parts; not because its page is full
            j = allowed if allowed > i or max_words <= 0 else j
        return LineEnd(j, gaps, closed)


def portions(paragraph: str) -> Iterator[tuple[int, int]]:
    """Cut a paragraph of many pages, behind blanks where it has some; each portion ends its line."""
    start = 0
    while len(paragraph) - start > MAX_PARAGRAPH:
        blank = paragraph.rfind(" ", start, start + MAX_PARAGRAPH)
        end = blank + 1 if blank > start else start + MAX_PARAGRAPH
        yield start, end
        start = end
    yield start, len(paragraph)
