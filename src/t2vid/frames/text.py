"""Where the frames of a text begin and end: pure decisions, no pixels.

>>> from t2vid.frames.render_spec import RenderSpec
>>> paginate("one two three", RenderSpec(words_per_frame=2))
[(0, 8), (8, 13)]

A text is cut where a line may break (UAX #14, by ICU), each piece is measured as the strip it will be
drawn with, strips fill lines and lines fill frames. Text that reads from right to left is broken in
reading order and seen in visual order (UAX #9).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from t2vid.errors import InputError, MissingGlyphs
from t2vid.frames import paper
from t2vid.frames.font_advice import describe_missing
from t2vid.frames.fonts import guess_lang, uncovered
from t2vid.frames.layout import MAX_CHARACTERS, TextLayout
from t2vid.frames.page import Page, StyledPage
from t2vid.frames.pen import Missing
from t2vid.frames.render_spec import RenderSpec
from t2vid.frames.shaping import shaper_for
from t2vid.frames.styled import StyledLayout
from t2vid.frames.typeface import INVISIBLE
from t2vid.schema import WORDS_PER_FRAME

_VISIBLE = re.compile(f"[^\\s\u2800{''.join(sorted(INVISIBLE))}]")  # U+2800: Braille without a dot


def paginate(text: str, spec: RenderSpec) -> list[tuple[int, int]]:
    """Cut a text into one `(start, end)` span a frame.

    The spans concatenate to the text; where frames repeat lines, each begins with those it repeats.

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
    return [(sheet.start, sheet.end) for sheet in iter_sheets(text, spec)]


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


class Sheet(NamedTuple):
    """What one frame shows of a text: its span in the source, and a page for each column."""

    start: int
    end: int
    pages: list[Page | StyledPage]

    @property
    def height_px(self) -> int:
        """How much of the frame's height its text takes."""
        return max(page.height_px for page in self.pages)


class Area(NamedTuple):
    """Where text may stand: width of a column, height, and what header and footer take of it."""

    room_px: int
    tall_px: int
    header_px: int
    footer_px: int


def area_of(spec: RenderSpec) -> Area:
    """Give the room for text on a frame."""
    above, below = (
        running_spec(spec).font_px * 2 if line else 0 for line in (spec.header, spec.footer)
    )
    wide = spec.width - 2 * spec.margin_px - (spec.columns - 1) * spec.font_px
    tall = spec.height - 2 * spec.margin_px - above - below
    return Area(wide // spec.columns, tall, above, below)


def running_spec(spec: RenderSpec) -> RenderSpec:
    """Give how headers and footers are drawn: smaller than the text, in its middle."""
    small = max(4, round(0.75 * spec.font_px))
    return RenderSpec(
        width=spec.width,
        height=spec.height,
        font=spec.font,
        font_px=small,
        margin_px=spec.margin_px,
        words_per_frame=None,
        on_missing=spec.on_missing,
        align="center",
        lang=spec.lang,
    )


def iter_sheets(text: str, spec: RenderSpec, *, traced: bool = False) -> Iterator[Sheet]:
    """Lay a text out frame by frame, so that memory does not grow with its length.

    Args:
        text: what `check_text` took.
        spec: its layout, any but the paper's.
        traced: whether lines say what each strip was made from.

    Raises:
        MissingGlyphs: naming the characters, their script and what would cover them.
    """
    if spec.columns > 1 and spec.words_per_frame is not None:
        each = max(1, spec.words_per_frame // spec.columns)
        spec = dataclasses.replace(spec, words_per_frame=each)
    pages = iter_pages(text, spec, traced=traced)
    while found := list(islice(pages, spec.columns)):
        yield Sheet(found[0].start, found[-1].end, found)


def iter_pages(text: str, spec: RenderSpec, *, traced: bool = False) -> Iterator[Page | StyledPage]:
    """Lay a text out page by page; of several columns, each is a page."""
    area = area_of(spec)
    lang = spec.lang or guess_lang(text)
    try:
        if spec.markup != "plain":
            yield from StyledLayout(spec, area.room_px, area.tall_px, lang).pages(text)
            return
        shaper = shaper_for(
            spec.font,
            spec.font_px,
            spec.on_missing,
            area.room_px,
            area.tall_px,
            lang,
            "",
            spec.newline_marks,
        )
        if shaper.line_px > area.tall_px:
            raise InputError(
                f"a line of font {spec.font[:200]!r} at font_px ({spec.font_px}) is {shaper.line_px} px "
                f"high, more than the {area.tall_px} px between the margins; make it smaller, or the "
                "frame higher"
            )
        layout = TextLayout(spec, shaper, area.room_px, area.tall_px, traced=traced)
        yield from layout.pages(text)
    except Missing as error:
        lacking = uncovered(text, spec.font) or dict.fromkeys(str(error))
        shown = describe_missing("".join(lacking))
        raise MissingGlyphs(
            f'no available font draws every character: {shown}; or draw them as U+XXXX with on_missing="escape"'
        ) from None
