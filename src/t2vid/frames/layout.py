"""How strips fill lines, and lines fill pages.

The text comes in runs: strips in reading order, of which a line takes as many as fit. Widths are
summed once for a run, so that the end of a line is found by bisection; only tabs, newlines and words
wider than a line are looked at one by one.

>>> from t2vid.frames.render_spec import RenderSpec
>>> from t2vid.frames.shaping import shaper_for
>>> layout = TextLayout(RenderSpec(), shaper_for("sans", 20, "error", 408, 408), 408, 408)
>>> [len(page.lines) for page in layout.pages("one two")]
[1]
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Generator, Iterator
from itertools import accumulate, chain, islice, pairwise
from operator import sub
from typing import NamedTuple, cast

import numpy as np

from t2vid.frames.direction import SEPARATORS, Visual, needs_bidi, reads_rtl, visual_order
from t2vid.frames.render_spec import RenderSpec
from t2vid.frames.segmentation import line_pieces, safe_text
from t2vid.frames.shaping import BLANKS, NEWLINES, Shaper
from t2vid.frames.strip import Strip

MAX_CHARACTERS = 50_000_000  # a longer text is a corpus, not a row
MAX_PARAGRAPH = 20_000  # characters whose direction is resolved at once: memory must not grow
_BLANK = frozenset(BLANKS)
_BLOCK = 1024  # pieces whose widths are summed at once
_PARAGRAPH = re.compile(f"[^{NEWLINES}]*(?:\\r\\n|[{NEWLINES}])|[^{NEWLINES}]+$")
_NEWLINE = f"(?>\\r\\n|[{NEWLINES}])"
_FLOWED = re.compile(f"(?s:.+?)(?:{_NEWLINE}[{BLANKS}]*{_NEWLINE}\\s*|\\Z)")
_FLOWING = (
    f"{NEWLINES}{BLANKS}\u00a0\u2007\u202f"  # no separators U+001C to U+001F: no font has them
)
_NEWLINES_TO_BLANKS = str.maketrans(NEWLINES, " " * len(NEWLINES))


class Line(NamedTuple):
    """One line: its strips from left to right, and where the first one stands.

    Attributes:
        strips: what is concatenated; the last one in reading order without its blanks.
        x_px: from the left margin.
        width_px: of all strips.
        up_px: rows of ink above the line's box.
        down_px: rows of ink below it.
        plain: whether every strip is exactly as high as the box and without colour.
    """

    strips: list[Strip]
    x_px: int = 0
    width_px: int = 0
    up_px: int = 0
    down_px: int = 0
    plain: bool = True


class Page(NamedTuple):
    """One frame of a text: its span in the source, the lines to draw and their distance."""

    start: int
    end: int
    lines: list[Line]
    step_px: int
    line_px: int


class _Run:
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
        ranks: list[int] | None = None,
        ways: list[bool] | None = None,
        base_rtl: bool = False,
    ) -> None:
        self.strips, self.starts, self.keys = strips, starts, keys
        self.breaks, self.ranks, self.ways, self.base_rtl = breaks, ranks, ways, base_rtl
        self.words = words or list(accumulate([strip.words for strip in strips], initial=0))
        self.was_cut = False
        self.separated = ranks is not None and any([key[:1] in SEPARATORS for key in keys])
        self.measure()

    def measure(self) -> None:
        """Sum up the widths, and find the strips that a line has to look at."""
        strips = self.strips
        self.ends = list(accumulate([strip.full_px for strip in strips], initial=0))
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


class _LineEnd(NamedTuple):
    """Where a line ends: its last part's successor, widths of its tabs, whether a newline ends it."""

    end: int
    gaps: dict[int, int]
    closed: bool


class TextLayout:
    """Fills lines and pages.

    Args:
        spec: alignment, spacing, words a page.
        shaper: makes the strips.
        room_px: width of a line.
        tall_px: height of a page's text.
    """

    def __init__(self, spec: RenderSpec, shaper: Shaper, room_px: int, tall_px: int) -> None:
        self.shaper, self.room, self.tall = shaper, room_px, tall_px
        self.align, self.flow = spec.align, spec.whitespace == "flow"
        self.step_px = max(1, round(shaper.line_px * spec.line_spacing))
        self.max_words = spec.words_per_frame or MAX_CHARACTERS
        self.start = self.line_start = 0  # of the page and of the line, in characters
        self.lines: list[Line] = []
        self.height = self.page_words = 0

    def pages(self, text: str) -> Iterator[Page]:
        """Give the pages; blank lines at the end of a text make no page of their own."""
        last: Page | None = None
        for page in self._full_pages(text):
            if last:
                yield last
            last = page
        if self.lines or last is None:
            if last:
                yield last
            last = Page(self.start, len(text), self.lines, self.step_px, self.shaper.line_px)
        yield last._replace(end=len(text))

    def _full_pages(self, text: str) -> Iterator[Page]:
        if not needs_bidi(text):
            yield from self._one_way(text, 0)
            return
        for match in (_FLOWED if self.flow else _PARAGRAPH).finditer(text):
            paragraph = match.group()
            if not needs_bidi(paragraph):
                yield from self._one_way(paragraph, match.start())
                continue
            base_rtl = reads_rtl(paragraph)
            for start, end in _portions(paragraph):
                at = match.start() + start
                yield from self._both_ways(paragraph[start:end], at, base_rtl)

    def _one_way(self, text: str, offset: int) -> Iterator[Page]:
        """Lay out what reads from left to right, a block of pieces after the other."""
        pieces = chain.from_iterable([line_pieces(text)])  # ICU's own would begin anew each time
        young, make = self.shaper.young[False], self.shaper.strip
        strips: list[Strip] = []
        keys: list[str] = []
        starts = [offset]
        self.line_start = offset
        final = False
        while not final:
            block = list(islice(pieces, _BLOCK))
            final = len(block) < _BLOCK
            fresh = [self._flowed(piece) for piece in block] if self.flow else block
            known = list(map(young.get, fresh))
            if None in known:
                known = [strip or make(key) for strip, key in zip(known, fresh, strict=True)]
            strips = strips + cast(list[Strip], known)
            keys = keys + fresh
            starts += list(accumulate(map(len, block), initial=starts.pop()))
            run = self._expanded(strips, starts, keys)
            rest = yield from self._fill(run, final=final)
            if final:
                return
            # the line that the block's end cut short goes on in the next one
            if run.breaks and rest in run.breaks and not run.was_cut:
                rest = run.breaks.index(rest)  # pieces, not their parts, go on
            else:
                strips, keys, starts = run.strips, run.keys, run.starts
            strips, keys, starts = strips[rest:], keys[rest:], starts[rest:]

    def _expanded(self, strips: list[Strip], starts: list[int], keys: list[str]) -> _Run:
        """Put the parts of pieces with tabs in their place; a line breaks between pieces only."""
        if not any([strip.parts for strip in strips]):
            return _Run(strips, starts, keys)
        flat: list[Strip] = []
        at, names, words, breaks = [], [], [0], []
        for strip, key, start in zip(strips, keys, starts, strict=False):
            breaks.append(len(flat))
            parts = strip.parts or (key,)
            for n, part in enumerate(parts):
                made = self.shaper.strip(part) if strip.parts else strip
                ends_here = made.words or (made.fit_px > 0 and n < len(parts) - 1)
                flat.append(made)
                names.append(part)
                at.append(start)
                words.append(words[-1] + ends_here)
                start += len(part)
        run_breaks = [*breaks, len(flat)]
        return _Run(flat, [*at, starts[-1]], names, breaks=run_breaks, words=words)

    def _both_ways(self, paragraph: str, offset: int, base_rtl: bool) -> Iterator[Page]:
        """Lay out what has both directions: lines in reading order, each seen in visual order."""
        body = paragraph.rstrip(NEWLINES)
        if self.flow:
            body = body.translate(_NEWLINES_TO_BLANKS)
        self.line_start, end = offset, offset + len(paragraph)
        run = self._directed(body, visual_order(safe_text(body), base_rtl=base_rtl), offset)
        run.starts[-1] = end
        yield from self._fill(run, final=True)

    def _directed(self, body: str, visual: Visual, offset: int) -> _Run:
        """Cut a paragraph where a line may break and where its direction changes."""
        cuts = visual.cuts()
        segments = list(line_pieces(body))
        breaks = list(accumulate(map(len, segments), initial=0))
        cuts[breaks[1:-1]] = True
        bounds = np.flatnonzero(cuts)
        ways = visual.rtl[bounds].tolist()
        edges = [*bounds.tolist(), len(body)]
        keys = [body[a:b] for a, b in pairwise(edges)]
        if self.flow:
            keys = [self._flowed(key) or " " for key in keys]
            keys[0] = keys[0] if keys[0].strip() else ""
        known, make = self.shaper.young, self.shaper.strip
        strips = [
            known[way].get(key) or make(key, rtl=way) for way, key in zip(ways, keys, strict=True)
        ]
        number = np.cumsum(cuts)  # of the part, one more than it
        part_breaks = [*(number[breaks[:-1]] - 1).tolist(), len(strips)]
        counts = [0] * (len(strips) + 1)
        for segment, after in zip(segments, part_breaks[1:], strict=True):
            if segment[-1] in _BLANK and not segment.isspace():
                counts[after] += 1  # a word ends with its segment
        return _Run(
            strips,
            [offset + edge for edge in edges],
            keys,
            breaks=part_breaks,
            words=list(accumulate(counts)),
            ranks=visual.rank[bounds].tolist(),
            ways=ways,
            base_rtl=visual.base_rtl,
        )

    def _fill(self, run: _Run, *, final: bool) -> Generator[Page, None, int]:
        """Fill lines; give the part that begins a line which the run does not end."""
        i, n = 0, len(run.strips)
        simple = run.breaks is None and self.align == "left" and not run.uneven
        while i < n:
            if simple:
                i = yield from self._fill_simply(run, i)
                if i == n:
                    break
            line = self._line(run, i)
            if line.end == n and not final and not line.closed:
                return i
            if line.end > i:
                yield from self._close_line(run, i, line)
                i = line.end
            elif self.page_words >= self.max_words:
                yield self._spill(run.starts[i])
            else:
                yield from self._cut(run, i)
        return i

    def _fill_simply(self, run: _Run, i: int) -> Generator[Page, None, int]:
        """Do what `_fill` does for the lines that need no second look; most lines are such."""
        strips, ends, rights, words = run.strips, run.ends, run.rights, run.words
        specials = iter([*run.specials[bisect_left(run.specials, i) :], len(strips)])
        stop = next(specials)
        line_px, step_px, room = self.shaper.line_px, self.step_px, self.room
        while True:
            limit = ends[i] + room
            j = bisect_right(rights, limit, i, stop)
            if j == stop:
                if stop == len(strips) or rights[stop] > limit or not strips[stop].newline:
                    return i
                j += 1
            if j == i or self.page_words + words[j - 1] - words[i] >= self.max_words:
                return i
            line = strips[i:j]
            last = line[-1]
            if not last.fit_px and (j > i + 1 or not last.newline):
                return i
            if last.tail_px:
                line[-1] = last.bare()
            if self.lines:
                if self.height + line_px > self.tall:
                    yield self._spill(run.starts[i])
            if not last.fit_px:
                if self.start and not self.lines:
                    return i
                line = []
            self.lines.append(Line(line, 0, rights[j - 1] - ends[i]))
            self.height += step_px
            self.page_words += words[j] - words[i]
            self.line_start = run.starts[j]
            i = j
            if j > stop:
                stop = next(specials)

    def _line(self, run: _Run, i: int) -> _LineEnd:
        """Find the end of the line that begins with part `i`; `end == i` where nothing fits."""
        strips, rights, n = run.strips, run.rights, len(run.strips)
        base = run.ends[i]  # where the line begins, in the run's widths
        gaps: dict[int, int] = {}
        j, closed = i, False
        at = bisect_left(run.specials, i)
        while True:
            stop = run.specials[at] if at < len(run.specials) else n
            j = bisect_right(rights, base + self.room, j, stop)
            if j < stop or stop == n:
                break
            strip = strips[stop]
            if strip.tabs:
                x = run.ends[stop] - base
                gaps[stop] = self.shaper.after_tabs(x, strip.tabs) - x
                base -= gaps[stop]
            elif not strip.newline or rights[stop] > base + self.room:
                break
            j, at = stop + 1, at + 1
            if strip.newline:
                closed = True
                break
        full = run.words[i] + self.max_words - self.page_words
        k = bisect_left(run.words, full, i, j)
        while k < j and rights[k] <= run.ends[k]:
            k += 1  # blanks need no room
        if k < j:
            j, closed = k, False
        if run.breaks is not None and j < n and not closed:
            allowed = run.breaks[bisect_right(run.breaks, j) - 1]
            j = allowed if allowed > i else j  # a piece wider than a line is cut between its parts
        return _LineEnd(j, gaps, closed)

    def _close_line(self, run: _Run, i: int, line: _LineEnd) -> Iterator[Page]:
        end = line.end
        strips = run.strips[i:end]
        for at, gap in line.gaps.items():
            if at < end:
                strips[at - i] = self.shaper.blank(gap)
        while strips and not strips[-1].fit_px:  # blanks at the end of a line need no room
            strips.pop()
        if strips:
            strips[-1] = strips[-1].bare()
        if run.ranks is not None:
            strips = [strips[k] for k in run.part_order(i, len(strips))]
        uneven = bool(run.uneven) and any([strip.uneven for strip in strips])
        words = run.words[end] - run.words[i]
        yield from self._close(strips, words, run.starts[end], uneven=uneven, rtl=run.base_rtl)

    def _cut(self, run: _Run, i: int) -> Iterator[Page]:
        """Fill lines with a part that is wider than one; its end goes on as any other part."""
        rtl = run.ways[i] if run.ways else False
        at, last = run.starts[i], None
        for text, strip in self.shaper.cut(run.keys[i], rtl=rtl):
            if last is not None:
                at += len(last[0])
                uneven = last[1].uneven
                yield from self._close([last[1]], 0, at, uneven=uneven, rtl=run.base_rtl)
            last = text, strip
        assert last is not None
        run.replace(i, at, *last)

    def _close(
        self, strips: list[Strip], words: int, end: int, *, uneven: bool, rtl: bool = False
    ) -> Iterator[Page]:
        """End a line; where the page is full, the line begins the next one."""
        up = max([strip.up_px for strip in strips]) if uneven else 0
        down = max([strip.down_px for strip in strips]) if uneven else 0
        if self.lines and self.height + up + self.shaper.line_px + down > self.tall:
            yield self._spill(self.line_start)
        if self.start and not self.lines and not strips:
            # as blanks at a line's end: blank lines between two pages need no room
            self.line_start = end
            return
        width = sum([strip.full_px for strip in strips])
        x = 0
        if rtl or self.align != "left":
            spare = max(0, self.room - width)
            x = spare // 2 if self.align == "center" else spare
        self.lines.append(Line(strips, x, width, up, down, not uneven))
        self.height += self.step_px + up + down
        self.page_words += words
        self.line_start = end

    def _spill(self, end: int) -> Page:
        page = Page(self.start, end, self.lines, self.step_px, self.shaper.line_px)
        self.start, self.lines, self.height, self.page_words = end, [], 0, 0
        return page

    def _flowed(self, piece: str) -> str:
        """Turn blanks and a line break into one blank; an empty line ends the paragraph."""
        body = piece.rstrip(_FLOWING)
        if not body:
            return "\n" if piece.strip(BLANKS) else ""
        return body + " " * (len(body) < len(piece))


def _portions(paragraph: str) -> Iterator[tuple[int, int]]:
    """Cut a paragraph of many pages, behind blanks where it has some; each portion ends its line."""
    start = 0
    while len(paragraph) - start > MAX_PARAGRAPH:
        blank = paragraph.rfind(" ", start, start + MAX_PARAGRAPH)
        end = blank + 1 if blank > start else start + MAX_PARAGRAPH
        yield start, end
        start = end
    yield start, len(paragraph)
