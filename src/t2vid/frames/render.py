"""Draw a text as gray frames.

>>> frames = render_text("A short text.")
>>> len(frames), frames[0].size, frames[0].mode, frames.spans
(1, (448, 448), 'L', [(0, 13)])

A frame is RGB only where it holds a coloured glyph, or colours were asked for.
"""

from __future__ import annotations

import math
import numbers
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from PIL import Image

from t2vid import catalog
from t2vid.errors import InputError, MissingGlyphs
from t2vid.frames import paper
from t2vid.frames.cropped import mark_cropped
from t2vid.frames.drawing import draw_sheet
from t2vid.frames.font_advice import describe_missing
from t2vid.frames.fonts import stack, uncovered
from t2vid.frames.framelist import FrameList
from t2vid.frames.render_spec import RenderSpec
from t2vid.frames.text import Sheet, area_of, check_text, iter_sheets
from t2vid.frames.wear import worn
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
    drawn.source = (text, spec)
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
        if sum(1 for _ in islice(iter_sheets(text, found), limit + 1)) <= limit:
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
            image = _paper_frame(shown, spec) if n < wanted else None
            if image is not None and spec.wear:
                image = worn(image, spec.wear, spec.wear_seed, n + 1)
            yield start, end, image
        return
    n_frames = 0
    if wanted and any("{pages}" in line for line in (spec.header, spec.footer)):
        n_frames = sum(1 for _ in iter_sheets(text, spec))
    last_px = spec.height
    sheets = _with_last(iter_sheets(text, spec))
    for number, (sheet, is_last) in enumerate(sheets, start=1):
        image = None
        if number <= wanted:
            if spec.crop_last and is_last:
                area = area_of(spec)
                last_px = spec.height - area.tall_px + min(area.tall_px, sheet.height_px)
            image = draw_sheet(sheet, spec, number, n_frames, height_px=last_px)
            if spec.wear:
                image = worn(image, spec.wear, spec.wear_seed, number, paper=_paper(spec))
            if last_px < spec.height:
                mark_cropped(image, spec.height, _paper(spec))
        yield sheet.start, sheet.end, image


def _paper(spec: RenderSpec) -> str:
    return (
        spec.colors[1] if spec.colors else f"#{spec.paper_gray:02x}" + f"{spec.paper_gray:02x}" * 2
    )


def _with_last(sheets: Iterator[Sheet]) -> Iterator[tuple[Sheet, bool]]:
    """Say of each whether it is the last one."""
    held = next(sheets)
    for sheet in sheets:
        yield held, False
        held = sheet
    yield held, True


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
