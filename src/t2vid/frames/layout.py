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
from collections.abc import Generator, Iterator, Sequence
from itertools import accumulate, chain, islice, pairwise

import numpy as np

from t2vid.frames.direction import Visual, is_backward, needs_bidi, reads_rtl, visual_order
from t2vid.frames.page import Line, Page, Span, repeated
from t2vid.frames.render_spec import RenderSpec
from t2vid.frames.runs import LineEnd, StripRun, portions
from t2vid.frames.segmentation import line_pieces, safe_text
from t2vid.frames.shaping import BLANKS, NEWLINE_MARK, NEWLINES, Shaper
from t2vid.frames.strip import Strip

MAX_CHARACTERS = 50_000_000  # a longer text is a corpus, not a row
_BLANK = frozenset(BLANKS)
_BLOCK = 1024  # pieces whose widths are summed at once
_PARAGRAPH = re.compile(f"[^{NEWLINES}]*(?:\\r\\n|[{NEWLINES}])|[^{NEWLINES}]+$")
_NEWLINE = f"(?>\\r\\n|[{NEWLINES}])"
_ONE_NEWLINE = re.compile(_NEWLINE)
_FLOWED = re.compile(f"(?s:.+?)(?:{_NEWLINE}[{BLANKS}]*{_NEWLINE}\\s*|\\Z)")
_FLOWING = (
    f"{NEWLINES}{BLANKS}\u00a0\u2007\u202f"  # no separators U+001C to U+001F: no font has them
)
_NEWLINES_TO_BLANKS = str.maketrans(NEWLINES, " " * len(NEWLINES))


class TextLayout:
    """Fills lines and pages.

    Args:
        spec: alignment, spacing, words a page.
        shaper: makes the strips.
        room_px: width of a line.
        tall_px: height of a page's text.
        traced: whether lines say what each strip was made from.
    """

    def __init__(
        self,
        spec: RenderSpec,
        shaper: Shaper,
        room_px: int,
        tall_px: int,
        *,
        traced: bool = False,
    ) -> None:
        self.shaper, self.room, self.tall = shaper, room_px, tall_px
        self.align, self.flow = spec.align, spec.whitespace == "flow"
        self.step_px = max(1, round(shaper.line_px * spec.line_spacing))
        self.max_words = spec.words_per_frame or MAX_CHARACTERS
        self.overlap, self.scrolled = spec.overlap_lines, spec.scroll_lines or 0
        self.marks, self.traced = spec.newline_marks, traced
        self.start = self.line_start = 0  # of the page and of the line, in characters
        self.lines: list[Line] = []
        self.height = self.page_words = self.n_kept = 0

    def pages(self, text: str) -> Iterator[Page]:
        """Give the pages; blank lines at the end of a text make no page of their own."""
        last: Page | None = None
        for page in self._full_pages(text):
            if last:
                yield last
            last = page
        if len(self.lines) > self.n_kept or last is None:
            if last:
                yield last
            last = self._page(len(text))
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
            for start, end in portions(paragraph):
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
            try:
                known = list(map(young.__getitem__, fresh))
            except KeyError:
                known = [young.get(key) or make(key) for key in fresh]
            strips, keys = strips + known, keys + fresh
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

    def _expanded(self, strips: list[Strip], starts: list[int], keys: list[str]) -> StripRun:
        """Put the parts of pieces with tabs in their place; a line breaks between pieces only."""
        run = StripRun(strips, starts, keys)
        if not any([strips[i].parts for i in run.specials]):
            return run
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
        return StripRun(flat, [*at, starts[-1]], names, breaks=run_breaks, words=words)

    def _both_ways(self, paragraph: str, offset: int, base_rtl: bool) -> Iterator[Page]:
        """Lay out what has both directions: lines in reading order, each seen in visual order."""
        body = paragraph.rstrip(NEWLINES)
        places: Sequence[int] = range(len(body) + 1)
        if self.marks and self.flow:
            body, places = _with_marks(paragraph)
        elif self.marks and len(body) < len(paragraph):
            body, places = body + NEWLINE_MARK, range(len(body) + 2)
        if self.flow:
            body = body.translate(_NEWLINES_TO_BLANKS)
        self.line_start = offset
        if base_rtl and is_backward(body):
            run = self._backward(body)
        else:
            run = self._directed(body, visual_order(safe_text(body), base_rtl=base_rtl))
        run.starts = [offset + places[edge] for edge in run.starts]
        run.starts[-1] = offset + len(paragraph)
        yield from self._fill(run, final=True)

    def _backward(self, body: str) -> StripRun:
        """Cut a paragraph where a line may break; each line is seen in reverse."""
        segments = list(line_pieces(body))
        keys = [self._flowed(key) or " " for key in segments] if self.flow else segments
        keys[0] = keys[0] if keys[0].strip() or not self.flow else ""
        young, make = self.shaper.young[True], self.shaper.strip
        strips = [young.get(key) or make(key, rtl=True) for key in keys]
        starts = list(accumulate(map(len, segments), initial=0))
        n = len(strips)
        ranks, ways = range(n - 1, -1, -1), [True] * n
        return StripRun(strips, starts, keys, ranks=ranks, ways=ways, base_rtl=True)

    def _directed(self, body: str, visual: Visual) -> StripRun:
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
        return StripRun(
            strips,
            edges,
            keys,
            breaks=part_breaks,
            words=list(accumulate(counts)),
            ranks=visual.rank[bounds].tolist(),
            ways=ways,
            base_rtl=visual.base_rtl,
        )

    def _fill(self, run: StripRun, *, final: bool) -> Generator[Page, None, int]:
        """Fill lines; give the part that begins a line which the run does not end."""
        i, n = 0, len(run.strips)
        one_way = run.breaks is None and (run.ranks is None or run.backward)
        simple = one_way and self.align == "left" and not (run.uneven or self.traced)
        while i < n:
            if simple:
                i = yield from self._fill_simply(run, i)
                if i == n:
                    break
            words = self.max_words - self.page_words
            line = run.line_end(i, self.room, words, self.shaper.after_tabs)
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

    def _fill_simply(self, run: StripRun, i: int) -> Generator[Page, None, int]:
        """Do what `_fill` does for the lines that need no second look; most lines are such."""
        strips, boxes, starts, backward = run.strips, run.boxes, run.starts, run.backward
        ends, rights, words = run.ends, run.rights, run.words
        specials = iter([*run.specials[bisect_left(run.specials, i) :], len(strips)])
        stop = next(specials)
        line_px, step_px, room = self.shaper.line_px, self.step_px, self.room
        lowest = self.tall - line_px  # where the last line of a page may begin
        lines, height, n_words = self.lines, self.height, self.page_words
        while True:
            limit = ends[i] + room
            j = bisect_right(rights, limit, i, stop)
            if j == stop:
                if stop == len(strips) or rights[stop] > limit or not strips[stop].newline:
                    break
                j += 1
                stop = next(specials)
            if j == i or n_words + words[j - 1] - words[i] >= self.max_words:
                break
            last = strips[j - 1]
            if not last.fit_px and (j > i + 1 or not last.newline):
                break
            if height > lowest and lines:
                self.height, self.page_words, self.line_start = height, n_words, starts[i]
                yield self._spill(starts[i], line_px)
                lines, height, n_words = self.lines, self.height, 0
            if last.fit_px:
                line = boxes[i:j]
                if last.tail_px:
                    line[-1] = last.bare().box
                if backward:
                    line.reverse()
            elif self.start and not lines:
                break
            else:
                line = []
            width = rights[j - 1] - ends[i]
            x = room - width if backward else 0
            lines.append(Line([], x, width, 0, 0, line, starts[i]))
            height += step_px
            n_words += words[j] - words[i]
            i = j
        self.height, self.page_words, self.line_start = height, n_words, starts[i]
        return i

    def _close_line(self, run: StripRun, i: int, line: LineEnd) -> Iterator[Page]:
        end = line.end
        strips = run.strips[i:end]
        spans = list(pairwise(run.starts[i : end + 1])) if self.traced else None
        for at, gap in line.gaps.items():
            if at < end:
                strips[at - i] = self.shaper.blank(gap)
        while strips and not strips[-1].fit_px:  # blanks at the end of a line need no room
            strips.pop()
        if strips:
            strips[-1] = strips[-1].bare()
        if run.ranks is not None:
            order = run.part_order(i, len(strips))
            strips = [strips[k] for k in order]
            spans = spans and [spans[k] for k in order]
        uneven = bool(run.uneven) and any([strip.uneven for strip in strips])
        words = run.words[end] - run.words[i]
        yield from self._close(strips, words, run.starts[end], spans, uneven, run.base_rtl)

    def _cut(self, run: StripRun, i: int) -> Iterator[Page]:
        """Fill lines with a part that is wider than one; its end goes on as any other part."""
        rtl = run.ways[i] if run.ways else False
        at, last = run.starts[i], None
        for text, strip in self.shaper.cut(run.keys[i], rtl=rtl):
            if last is not None:
                spans = [(at, at + len(last[0]))]
                at += len(last[0])
                before = last[1].bare()  # it may end with a blank from inside the piece
                yield from self._close([before], 0, at, spans, before.uneven, run.base_rtl)
            last = text, strip
        assert last is not None
        run.replace(i, at, *last)

    def _close(
        self,
        strips: list[Strip],
        words: int,
        end: int,
        spans: list[Span] | None,
        uneven: bool,
        rtl: bool,
    ) -> Iterator[Page]:
        """End a line; where the page is full, the line begins the next one."""
        up = max([strip.up_px for strip in strips]) if uneven else 0
        down = max([strip.down_px for strip in strips]) if uneven else 0
        needed = up + self.shaper.line_px + down
        if self.lines and self.height + needed > self.tall:
            yield self._spill(self.line_start, needed)
        if self.start and not self.lines and not strips:
            # as blanks at a line's end: blank lines between two pages need no room
            self.line_start = end
            return
        width = sum([strip.full_px for strip in strips])
        x = 0
        if rtl or self.align != "left":
            spare = max(0, self.room - width)
            x = spare // 2 if self.align == "center" else spare
        boxes = None if uneven else [strip.box for strip in strips]
        made = Line(strips, x, width, up, down, boxes, self.line_start, spans)
        self.lines.append(made)
        self.height += self.step_px + up + down
        self.page_words += words
        self.line_start = end

    def _page(self, end: int) -> Page:
        line_px = self.shaper.line_px
        return Page(self.start, end, self.lines, self.step_px, line_px, self.n_kept)

    def _spill(self, end: int, needed_px: int = 0) -> Page:
        """End a page; the next one may begin with lines of this one, where `needed_px` are left."""
        page = self._page(end)
        self.start, self.lines, self.height, self.page_words = end, [], 0, 0
        if self.scrolled or self.overlap:
            heights = [self.step_px + line.up_px + line.down_px for line in page.lines]
            room = self.tall - needed_px
            kept = repeated(page.lines, heights, room, last=self.overlap, scroll=self.scrolled)
            self.lines, self.height = kept, sum(heights[len(heights) - len(kept) :])
            self.start = kept[0].start if kept else end
        self.n_kept = len(self.lines)
        return page

    def _flowed(self, piece: str) -> str:
        """Turn blanks and a line break into one blank; an empty line ends the paragraph."""
        body = piece.rstrip(_FLOWING)
        if self.marks:
            marks = NEWLINE_MARK * len(_ONE_NEWLINE.findall(piece, len(body)))
            if marks:
                return f"{body}{marks} "
        if not body:
            return "\n" if piece.strip(BLANKS) else ""
        return body + " " * (len(body) < len(piece))


def _with_marks(paragraph: str) -> tuple[str, list[int]]:
    """Show newlines as marks and blanks; give the place in the paragraph of each character, too."""
    shown: list[str] = []
    places: list[int] = []
    at = 0
    for match in _ONE_NEWLINE.finditer(paragraph):
        shown += [paragraph[at : match.start()], NEWLINE_MARK, " "]
        places += [*range(at, match.start()), match.start(), match.start()]
        at = match.end()
    return "".join([*shown, paragraph[at:]]), [*places, *range(at, len(paragraph) + 1)]
