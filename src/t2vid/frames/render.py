"""Draw a text as gray frames.

>>> frames = render_text("A short text.")
>>> len(frames), frames[0].size, frames[0].mode, frames.spans
(1, (448, 448), 'L', [(0, 13)])

A line is one `np.concatenate` of the cached strips of its words into a frame-sized gray array. A
frame is RGB only where it holds a coloured glyph, or colours were asked for.
"""

from __future__ import annotations

import math
import numbers
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import islice

import numpy as np
from PIL import Image

from t2vid import catalog
from t2vid.errors import InputError, MissingGlyphs
from t2vid.frames import paper
from t2vid.frames.font_advice import describe_missing
from t2vid.frames.fonts import stack, uncovered
from t2vid.frames.framelist import FrameList
from t2vid.frames.layout import Line, Page
from t2vid.frames.render_spec import RenderSpec
from t2vid.frames.strip import WHITE, Gray, blank_pixels
from t2vid.frames.text import check_text, iter_pages
from t2vid.schema import WORDS_PER_FRAME

_DEFAULT = RenderSpec()


def render_text(
    text: str, spec: RenderSpec = _DEFAULT, *, max_frames: int | None = None
) -> FrameList:
    """Draw a text.

    Args:
        text: any text with at least one character that is not blank.
        spec: size, font and layout.
        max_frames: draw only the leading frames; `FrameList.n_total` says how many there would be.

    Returns:
        Images of mode `L` (`RGB` where `spec.colors` are set or a frame holds a coloured glyph), each
        with memory of its own.

    Raises:
        InputError: for a blank text, or a `max_frames` that is no whole number > 0.
        MissingGlyphs: when no available font covers a character and `on_missing` is `"error"`.
    """
    _check_whole("max_frames", max_frames)
    frames, spans, total = [], [], 0
    for start, end, image in _drawn(text, spec, max_frames):
        total += 1
        if image is not None:
            frames.append(image)
            spans.append((start, end))
    drawn = FrameList(frames, spans=spans, n_total=total)
    if spec.on_missing == "escape":
        drawn.missing = _escaped(text, spec)
    return drawn


def iter_frames(
    text: str, spec: RenderSpec = _DEFAULT
) -> Iterator[tuple[tuple[int, int], Image.Image]]:
    """Draw a text frame by frame, `((start, end), image)`, in memory that does not grow with it.

    Args:
        text: any text with at least one character that is not blank.
        spec: size, font and layout.

    Raises:
        InputError: for a blank text.
        MissingGlyphs: when no available font covers a character and `on_missing` is `"error"`.
    """
    for start, end, image in _drawn(text, spec, None):
        assert image is not None
        yield (start, end), image


def count_frames(text: str, spec: RenderSpec = _DEFAULT) -> int:
    """Count the frames of a text without drawing them."""
    return sum(1 for _ in _drawn(text, spec, 0))


def fit(
    text: str,
    spec: RenderSpec = _DEFAULT,
    *,
    max_frames: int | None = None,
    words_per_frame: int | None = None,
    min_font_px: int = 12,
) -> RenderSpec:
    """Give the layout with the largest font that puts a text into so many frames.

    Args:
        text: the text.
        spec: the layout whose font is made smaller, never larger.
        max_frames: at most so many frames, each filled with as many words as it holds.
        words_per_frame: or so many blank-separated words a frame: none has more, and the frames are
            at most a tenth more than that takes, which leaves room for the ends of paragraphs.
        min_font_px: below it nobody could read the frames.

    Raises:
        InputError: when it does not fit, saying what would.

    >>> fit("word " * 1500, max_frames=8).font_px
    16
    """
    check_text(text)
    if (max_frames is None) == (words_per_frame is None):
        raise InputError("fit needs max_frames or words_per_frame, and not both")
    _check_whole("max_frames", max_frames)
    _check_whole("words_per_frame", words_per_frame)
    if spec.layout == "paper" or spec.font_px < min_font_px:
        raise InputError(
            f"fit needs the layout 't2vid' ({spec.layout!r}) and font_px ({spec.font_px}) >= "
            f"min_font_px ({min_font_px})"
        )
    n_words = len(text.split())
    limit = max_frames or _frames_of_words(n_words, words_per_frame or 1)
    for font_px in range(spec.font_px, min_font_px - 1, -1):
        found = replace(spec, font_px=font_px, words_per_frame=words_per_frame)
        if sum(1 for _ in islice(iter_pages(text, found), limit + 1)) <= limit:
            return found
    least = count_frames(text, found)
    asked = f"max_frames ({max_frames}); allow {least:,}"
    if words_per_frame is not None:
        asked = (
            f"words_per_frame ({words_per_frame}) lets it have; ask for {n_words // least:,} words"
        )
    raise InputError(
        f"the text of {len(text):,} characters takes {least:,} frames at {min_font_px} px, more than "
        f"{asked}, or make the frames larger"
    )


def _check_whole(name: str, value: object) -> None:
    if value is not None and (not isinstance(value, numbers.Integral) or value < 1):
        raise InputError(f"{name} ({value!r}) must be a whole number > 0, or None")


def _frames_of_words(n_words: int, words_per_frame: int) -> int:
    """Give the frames that so many words may take, a tenth of them to spare."""
    return max(1, math.ceil(n_words / words_per_frame), n_words * 11 // (words_per_frame * 10))


def compression_ratio(
    text: str, spec: RenderSpec = _DEFAULT, *, family: str, n_text_tokens: int
) -> float:
    """Say how many text tokens one visual token stands for; above 1 the frames compress.

    Args:
        text: the text.
        spec: its layout.
        family: `"idefics3"`, `"internvl"` or `"minicpm"`, which say how many tokens a frame costs.
        n_text_tokens: tokens of the text by the model's tokenizer.
    """
    each = catalog.paper_family(family).tokens_per_frame
    return n_text_tokens / (count_frames(text, spec) * each)


def _drawn(
    text: str, spec: RenderSpec, max_frames: int | None
) -> Iterator[tuple[int, int, Image.Image | None]]:
    """Lay out and draw; pages beyond `max_frames` are laid out only."""
    check_text(text)
    wanted = sys.maxsize if max_frames is None else max_frames
    if spec.layout == "paper":
        escapes = _paper_escapes(text, spec)
        tokens = paper.pages(text, spec.words_per_frame or WORDS_PER_FRAME)
        for n, (start, end, words) in enumerate(tokens):
            shown = words.translate(escapes)
            yield start, end, _paper_frame(shown, spec) if n < wanted else None
    else:
        for n, page in enumerate(iter_pages(text, spec)):
            yield page.start, page.end, _draw(page, spec) if n < wanted else None


def _escaped(text: str, spec: RenderSpec) -> dict[str, int]:
    """Count the characters that are drawn as U+XXXX."""
    if spec.layout != "paper":
        return dict(uncovered(text, spec.font))
    return {char: text.count(char) for char in map(chr, _paper_escapes(text, spec))}


def _paper_frame(tokens: str, spec: RenderSpec) -> Image.Image:
    try:
        return paper.draw(tokens, spec)
    except OSError as error:  # FreeType's own, of a font whose tables are whole but damaged
        found = f"font {spec.font[:200]!r} cannot be drawn ({error})"
        raise InputError(f"{found}; it is damaged, give another") from None


def _paper_escapes(text: str, spec: RenderSpec) -> dict[int, str]:
    """Say how to write what the paper's one font lacks, or refuse it; the paper drew empty boxes."""
    known = stack(spec.font).primary.unicodes
    missing = {ord(c) for c in set(text) if not c.isspace() and ord(c) not in known}
    if missing and spec.on_missing == "error":
        raise MissingGlyphs(
            "the paper's layout has one font, which lacks "
            f"{describe_missing(''.join(sorted(map(chr, missing))))}; use the default layout, or "
            'on_missing="escape" to draw them as U+XXXX'
        )
    return {code: f"U+{code:04X}" for code in missing}


def _draw(page: Page, spec: RenderSpec) -> Image.Image:
    """Draw a page: the boxes of all lines come out of one concatenation, each goes to its place."""
    gray = np.full((spec.height, spec.width), WHITE, np.uint8)
    margin, width = spec.margin_px, spec.width
    colors: list[tuple[int, int, Image.Image]] = []
    arrays: list[Gray] = []
    tops: list[int] = []
    outside: list[tuple[int, Line]] = []
    top, pad, line_px = margin, 0, page.line_px
    for line in page.lines:
        if line.strips:
            base = top + line.up_px
            # what the line before leaves on its right, and this one on its left
            arrays.append(_white(line_px, pad + margin + line.x_px))
            arrays += [strip.box for strip in line.strips]
            if not line.plain:
                outside.append((base, line))
            pad = width - margin - line.x_px - line.width_px
            tops.append(base)
        top += line.up_px + page.step_px + line.down_px
    if arrays:
        arrays.append(_white(line_px, pad))
        block = np.concatenate(arrays, axis=1)
        at = 0
        for top in tops:
            here = gray[top : top + line_px]
            if page.step_px >= line_px:
                here[:] = block[:, at : at + width]
            else:  # lines that run into each other
                np.minimum(here, block[:, at : at + width], out=here)
            at += width
    for base, line in outside:
        colors += _ink_outside(gray, line, base, margin + line.x_px, line_px)
    return _image(gray, colors, spec)


@lru_cache(maxsize=4096)
def _white(height_px: int, width_px: int) -> Gray:
    return blank_pixels(height_px, width_px)


def _ink_outside(
    gray: Gray, line: Line, base: int, left: int, line_px: int
) -> list[tuple[int, int, Image.Image]]:
    """Draw what leaves a line's box above and below, and give its colours with their places."""
    colors = []
    for strip in line.strips:
        right = left + strip.full_px
        if strip.odd:
            top = base - strip.up_px
            if strip.up_px:
                here = gray[top:base, left:right]
                np.minimum(here, strip.pixels[: strip.up_px], out=here)
            if strip.down_px:
                here = gray[base + line_px : base + line_px + strip.down_px, left:right]
                np.minimum(here, strip.pixels[-strip.down_px :][: len(here)], out=here)
            colors += [(left + x, top + y, picture) for x, y, picture in strip.colors]
        left = right
    return colors


def _image(gray: Gray, colors: list[tuple[int, int, Image.Image]], spec: RenderSpec) -> Image.Image:
    if spec.colors:
        image = Image.fromarray(gray).convert("P")  # a palette is Pillow's fastest way to colours
        image.putpalette(_palette(*spec.colors))
        image = image.convert("RGB")
    else:
        if spec.ink or spec.paper_gray != WHITE:
            gray = _shades(spec.ink, spec.paper_gray)[gray]
        image = Image.fromarray(gray)
        if colors:
            image = image.convert("RGB")
    for x, y, picture in colors:
        image.paste(picture, (x, y), picture)
    return image


@lru_cache(maxsize=64)
def _shades(ink: int, paper_gray: int) -> Gray:
    """Map black on white to other grays."""
    return np.round(np.linspace(ink, paper_gray, 256)).astype(np.uint8)


@lru_cache(maxsize=64)
def _palette(ink: str, paper: str) -> bytes:
    """Map black on white to two colours and what lies between: 256 times red, green and blue."""
    first, last = (list(bytes.fromhex(color[1:])) for color in (ink, paper))
    return np.round(np.linspace(first, last, 256)).astype(np.uint8).tobytes()
