"""Where the frames of a text begin and end: pure decisions, no pixels.

>>> from t2vid.frames.spec import RenderSpec
>>> paginate("one two three", RenderSpec(words_per_frame=2))
[(0, 8), (8, 13)]
"""

from __future__ import annotations

import logging
import re
from typing import NamedTuple

from t2vid.errors import InputError
from t2vid.frames import paper
from t2vid.frames.fonts import covered, load_font
from t2vid.frames.spec import RenderSpec

log = logging.getLogger(__name__)

MAX_CHARACTERS = 50_000_000  # a longer text is a corpus, not a row
_PIECES = re.compile(r"\r\n|[\n\r\v\f\x85\u2028\u2029]|[^\S\n\r\v\f\x85\u2028\u2029]+|\S+")
_NEWLINES = frozenset(["\r\n", *"\n\r\v\f\x85\u2028\u2029"])


class Page(NamedTuple):
    """One frame of a text: its span in the source and the lines to draw."""

    start: int
    end: int
    lines: list[str]


def paginate(text: str, spec: RenderSpec) -> list[tuple[int, int]]:
    """Cut a text into one `(start, end)` span a frame; the spans concatenate to the text.

    Args:
        text: any text with at least one character that is not blank.
        spec: how it will be drawn.

    Raises:
        InputError: for a blank text.
    """
    return [(page.start, page.end) for page in pages(text, spec)]


def pages(text: str, spec: RenderSpec) -> list[Page]:
    """Lay a text out."""
    if not isinstance(text, str):
        raise InputError(f"text must be str, not {type(text).__name__}")
    if not text.strip():
        raise InputError(f"text ({text[:20]!r}) is blank; there is nothing to draw")
    if len(text) > MAX_CHARACTERS:
        raise InputError(f"text has {len(text):,} characters, more than {MAX_CHARACTERS:,}")
    if spec.layout == "paper":
        font = load_font(spec.font, spec.font_px)
        cut = paper.pages(text, spec.words_per_frame or len(text))
        room = spec.width - 2 * spec.margin_px
        return [Page(a, b, paper.wrap(_drawable(t, spec.font), font, room)) for a, b, t in cut]
    return _fill(text, spec)


def line_height(spec: RenderSpec) -> int:
    """Give the distance of two baselines in pixels."""
    ascent, descent = load_font(spec.font, spec.font_px).getmetrics()
    return ascent + descent


def _fill(text: str, spec: RenderSpec) -> list[Page]:
    """Fill lines with words and frames with lines; what does not fit goes to the next frame."""
    font = load_font(spec.font, spec.font_px)
    room = spec.width - 2 * spec.margin_px
    max_lines = max(1, (spec.height - 2 * spec.margin_px) // line_height(spec))
    max_words = spec.words_per_frame or len(text)
    widths: dict[str, float] = {}
    out: list[Page] = []
    lines: list[str] = []
    line, used, words, start = "", 0.0, 0, 0

    def spill(at: int) -> None:
        nonlocal lines, words, start
        out.append(Page(start, at, lines))
        lines, words, start = [], 0, at

    for match in _PIECES.finditer(text):
        piece, at = match.group(), match.start()
        if piece in _NEWLINES:
            lines.append(line)
            line, used = "", 0.0
            if len(lines) == max_lines:
                spill(match.end())
            continue
        blank = piece.isspace()
        if not blank and words == max_words:
            if line:
                lines.append(line)
                line, used = "", 0.0
            spill(at)
        words += not blank
        shown = piece.expandtabs(4) if blank else _drawable(piece, spec.font)
        if shown not in widths:
            widths[shown] = font.getlength(shown)
        if used + widths[shown] <= room or blank:
            # blanks may hang over the edge: they carry no ink
            line, used = line + shown, used + widths[shown]
            continue
        if line:
            lines.append(line)
            line, used = "", 0.0
            if len(lines) == max_lines:
                spill(at)
        if widths[shown] <= room:
            line, used = shown, widths[shown]
            continue
        for i, char in enumerate(piece):
            glyph = _drawable(char, spec.font)
            width = font.getlength(glyph)
            if line and used + width > room:
                lines.append(line)
                line, used = "", 0.0
                if len(lines) == max_lines:
                    spill(at + i)
            line, used = line + glyph, used + width
    if line or lines or start < len(text):
        lines.append(line)
        spill(len(text))
    return out


def _drawable(text: str, font: str) -> str:
    """Write `U+XXXX` for each character that the font cannot draw, and count them in the log."""
    known = covered(font)
    unknown = [c for c in text if ord(c) not in known and not c.isspace()]
    if unknown:
        log.info("%d characters are not in font %s; drawn as U+XXXX", len(unknown), font)
        return "".join(c if c not in unknown else f"U+{ord(c):04X}" for c in text)
    return text
