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

from t2vid.errors import InputError, MissingGlyphs
from t2vid.frames import paper
from t2vid.frames.font_advice import describe_missing
from t2vid.frames.fonts import guess_lang
from t2vid.frames.layout import MAX_CHARACTERS, Page, TextLayout
from t2vid.frames.pen import Missing
from t2vid.frames.render_spec import RenderSpec
from t2vid.frames.shaping import shaper_for
from t2vid.frames.typeface import INVISIBLE
from t2vid.schema import WORDS_PER_FRAME

_VISIBLE = re.compile(f"[^\\s\u2800{''.join(sorted(INVISIBLE))}]")  # U+2800: Braille without a dot


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
    lang = spec.lang or guess_lang(text)
    shaper = shaper_for(spec.font, spec.font_px, spec.on_missing, room, tall, lang)
    if shaper.line_px > tall:
        raise InputError(
            f"a line of font {spec.font[:200]!r} at font_px ({spec.font_px}) is {shaper.line_px} px high, "
            f"more than the {tall} px between the margins; make it smaller, or the frame higher"
        )
    layout = TextLayout(spec, shaper, room, tall)
    try:
        yield from layout.pages(text)
    except Missing as error:
        shown = describe_missing("".join(dict.fromkeys(str(error))))
        raise MissingGlyphs(
            f'no available font draws every character: {shown}; or draw them as U+XXXX with on_missing="escape"'
        ) from None
