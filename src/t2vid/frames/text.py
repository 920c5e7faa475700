"""Where the frames of a text begin and end: pure decisions, no pixels.

>>> from t2vid.frames.render_spec import RenderSpec
>>> paginate("one two three", RenderSpec(words_per_frame=2))
[(0, 8), (8, 13)]

A text is cut where a line may break (UAX #14, by ICU), each piece is measured as the strip it will be
drawn with, strips fill lines and lines fill frames. Text that reads from right to left is broken in
reading order and seen in visual order (UAX #9).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from t2vid.errors import InputError, MissingGlyphs
from t2vid.frames import fonts, paper
from t2vid.frames.direction import Visual, needs_bidi, reads_rtl, visual_order
from t2vid.frames.fonts import INVISIBLE
from t2vid.frames.render_spec import RenderSpec
from t2vid.frames.shaping import (
    BLANKS,
    NEWLINES,
    Missing,
    Shaper,
    Strip,
    line_pieces,
    safe_text,
    shaper_for,
)
from t2vid.schema import WORDS_PER_FRAME

_VISIBLE = re.compile(f"[^\\s\u2800{''.join(sorted(INVISIBLE))}]")  # U+2800: Braille without a dot
MAX_CHARACTERS = 50_000_000  # a longer text is a corpus, not a row
MAX_PARAGRAPH = 20_000  # characters whose direction is resolved at once: memory must not grow
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
        strips: what is concatenated.
        x_px: from the left margin.
        up_px: rows of ink above the line's box.
        down_px: rows of ink below it.
        plain: whether every strip is exactly as high as the box and without colour.
    """

    strips: list[Strip]
    x_px: int = 0
    up_px: int = 0
    down_px: int = 0
    plain: bool = True


class Page(NamedTuple):
    """One frame of a text: its span in the source, the lines to draw and their distance."""

    start: int
    end: int
    lines: list[Line]
    step_px: int


def paginate(text: str, spec: RenderSpec) -> list[tuple[int, int]]:
    """Cut a text into one `(start, end)` span a frame; the spans concatenate to the text.

    Args:
        text: any text with at least one character that is not blank.
        spec: how it will be drawn.

    Raises:
        InputError: for a blank text, or one of more than 50 million characters.
        MissingGlyphs: when no available font covers a character and `on_missing` is `"error"`; of
            the paper's layout only drawing tells.
    """
    check_text(text)
    if spec.layout == "paper":
        return [(a, b) for a, b, _ in paper.pages(text, spec.words_per_frame or WORDS_PER_FRAME)]
    return [(page.start, page.end) for page in iter_pages(text, spec)]


def check_text(text: object) -> None:
    """Refuse what cannot be drawn at all.

    Raises:
        InputError: for a value that is no text, a blank text or one that is too long.
    """
    if not isinstance(text, str):
        raise InputError(f"text must be str, not {type(text).__name__}")
    if not _VISIBLE.search(text):
        raise InputError(
            f"text ({text[:20]!r}) is blank or has invisible characters only; there is nothing to draw"
        )
    if len(text) > MAX_CHARACTERS:
        raise InputError(
            f"text has {len(text):,} characters, more than {MAX_CHARACTERS:,}; cut it into rows"
        )


def iter_pages(text: str, spec: RenderSpec) -> Iterator[Page]:
    """Lay a text out page by page, so that memory does not grow with its length.

    Raises:
        MissingGlyphs: naming the characters, their script and what would cover them.
    """
    room, tall = spec.width - 2 * spec.margin_px, spec.height - 2 * spec.margin_px
    shaper = shaper_for(spec.font, spec.font_px, spec.on_missing, room, tall)
    if shaper.line_px > tall:
        raise InputError(
            f"a line of font {spec.font[:200]!r} at font_px ({spec.font_px}) is {shaper.line_px} px high, "
            f"more than the {tall} px between the margins; make it smaller, or the frame higher"
        )
    layout = _Layout(spec, shaper, room, tall)
    try:
        yield from layout.pages(text)
    except Missing as error:
        shown = fonts.describe_missing("".join(dict.fromkeys(str(error))))
        raise MissingGlyphs(
            f'no available font draws every character: {shown}; or draw them as U+XXXX with on_missing="escape"'
        ) from None


def _portions(paragraph: str) -> Iterator[tuple[int, int]]:
    """Cut a paragraph of many pages, behind blanks where it has some; each portion ends its line."""
    start = 0
    while len(paragraph) - start > MAX_PARAGRAPH:
        blank = paragraph.rfind(" ", start, start + MAX_PARAGRAPH)
        end = blank + 1 if blank > start else start + MAX_PARAGRAPH
        yield start, end
        start = end
    yield start, len(paragraph)


class _Layout:
    """Fills lines and pages; `x`, `words` and `at` are those of the line in work."""

    def __init__(self, spec: RenderSpec, shaper: Shaper, room: int, tall: int) -> None:
        self.shaper, self.room, self.tall = shaper, room, tall
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
            last = Page(self.start, len(text), self.lines, self.step_px)
        yield last._replace(end=len(text))

    def _full_pages(self, text: str) -> Iterator[Page]:
        if not needs_bidi(text):
            yield from self._fill(text)
            return
        for match in (_FLOWED if self.flow else _PARAGRAPH).finditer(text):
            paragraph = match.group()
            if not needs_bidi(paragraph):
                yield from self._fill(paragraph, match.start())
                continue
            base_rtl = reads_rtl(safe_text(paragraph.translate(_NEWLINES_TO_BLANKS)))
            for start, end in _portions(paragraph):
                at = match.start() + start
                yield from self._fill_both_ways(paragraph[start:end], at, base_rtl)

    def _fill(self, text: str, offset: int = 0) -> Iterator[Page]:
        shaper, room, young = self.shaper, self.room, self.shaper.young
        strips: list[Strip] = []
        x = words = 0
        plain = True
        at = self.line_start = offset
        for piece in line_pieces(text):
            key = self._flowed(piece) if self.flow else piece
            strip = young.get(key) or shaper.strip(key)
            fit = strip.fit_px
            if x + fit > room or (fit and self.page_words + words >= self.max_words):
                if strips:
                    yield from self._close(strips, words, at, plain)
                    strips, x, words, plain = [], 0, 0, True
                if fit and self.page_words >= self.max_words:
                    yield self._spill(at)
                if fit > room:
                    begin = at
                    for part, strip in shaper.cut(key):
                        if strips:
                            yield from self._close(strips, 0, begin, plain)
                        strips, plain = [strip], strip.plain
                        begin += len(part)
                    strips, plain = [], True  # the last part goes on as any other piece
            strips.append(strip)
            at += len(piece)
            words += strip.words
            x += strip.full_px
            if not strip.plain:
                plain = plain and not (strip.up_px or strip.down_px or strip.colors)
                if strip.tabs:
                    stop = shaper.after_tabs(x, strip.tabs)
                    strips.append(shaper.blank(stop - x))
                    x = stop
                if strip.newline:
                    yield from self._close(strips, words, at, plain)
                    strips, x, words, plain = [], 0, 0, True
        if strips:
            yield from self._close(strips, words, at, plain)

    def _fill_both_ways(self, paragraph: str, offset: int, base_rtl: bool) -> Iterator[Page]:
        """Fill lines in reading order, and put the strips of each into visual order."""
        body = paragraph.rstrip(NEWLINES)
        if self.flow:
            body = body.translate(_NEWLINES_TO_BLANKS)
        visual = visual_order(safe_text(body), base_rtl=base_rtl)
        pieces: list[tuple[int, Strip]] = []
        x = words = 0
        at = 0
        self.line_start = offset
        for segment in line_pieces(body):
            for start, strip in self._directed(segment, at, visual):
                over = x + strip.fit_px > self.room
                full = strip.fit_px and self.page_words + words >= self.max_words
                if (over or full) and pieces:
                    yield from self._close_visual(pieces, words, offset + start, offset, visual)
                    pieces, x, words = [], 0, 0
                if strip.fit_px and self.page_words >= self.max_words:
                    yield self._spill(offset + start)
                if strip.tabs:
                    strip = self.shaper.blank(self.shaper.after_tabs(x, strip.tabs) - x)
                pieces.append((start, strip))
                x += strip.full_px
                words += strip.words
            at += len(segment)
            words += segment[-1:] in BLANKS and bool(segment.strip())
        yield from self._close_visual(pieces, words, offset + len(paragraph), offset, visual)

    def _directed(self, segment: str, at: int, visual: Visual) -> Iterator[tuple[int, Strip]]:
        """Cut a piece where its direction changes, and blanks from words; each part fits a line."""
        begin = 0
        for i in range(1, len(segment) + 1):
            inside = i < len(segment)
            if inside and visual.rtl[at + i] == visual.rtl[at + begin]:
                if (segment[i] in BLANKS) == (segment[begin] in BLANKS):
                    continue
            part, rtl = segment[begin:i], visual.rtl[at + begin]
            place = at + begin
            if self.flow and part[0] in BLANKS:
                part = " "
            strip = self.shaper.strip(part, rtl=rtl)
            if strip.fit_px <= self.room:
                yield place, strip
            else:
                for text, cut in self.shaper.cut(part, rtl=rtl):
                    yield place, cut
                    place += len(text)
            begin = i

    def _close_visual(
        self, pieces: list[tuple[int, Strip]], words: int, end: int, offset: int, visual: Visual
    ) -> Iterator[Page]:
        while pieces and not pieces[-1][1].fit_px:  # blanks at the end of a line need no room
            pieces.pop()
        strips: list[Strip] = []
        if pieces:
            order = visual.line(pieces[0][0], min(end - offset, len(visual.text)))
            place = {i: n for n, i in enumerate(order)}
            strips = [strip for _, strip in sorted(pieces, key=lambda piece: place[piece[0]])]
        plain = not any(strip.up_px or strip.down_px or strip.colors for strip in strips)
        yield from self._close(strips, words, end, plain, rtl=visual.base_rtl)

    def _close(
        self, strips: list[Strip], words: int, end: int, plain: bool, *, rtl: bool = False
    ) -> Iterator[Page]:
        """End a line; where the page is full, the line begins the next one."""
        while not rtl and strips and not strips[-1].fit_px:
            strips.pop()
        up = down = 0
        if not plain:
            up = max((strip.up_px for strip in strips), default=0)
            down = max((strip.down_px for strip in strips), default=0)
        height = self.step_px + up + down
        if self.lines and self.height + up + self.shaper.line_px + down > self.tall:
            yield self._spill(self.line_start)
        if self.start and not self.lines and not strips:
            # as blanks at a line's end: blank lines between two pages need no room
            self.line_start = end
            return
        x = 0
        if rtl or self.align != "left":
            spare = max(0, self.room - sum(strip.full_px for strip in strips))
            x = spare // 2 if self.align == "center" else spare
        self.lines.append(Line(strips, x, up, down, plain))
        self.height += height
        self.page_words += words
        self.line_start = end

    def _spill(self, end: int) -> Page:
        page = Page(self.start, end, self.lines, self.step_px)
        self.start, self.lines, self.height, self.page_words = end, [], 0, 0
        return page

    def _flowed(self, piece: str) -> str:
        """Turn blanks and a line break into one blank; an empty line ends the paragraph."""
        body = piece.rstrip(_FLOWING)
        if not body:
            return "\n" if piece.strip(BLANKS) else ""
        return body + " " * (len(body) < len(piece))
