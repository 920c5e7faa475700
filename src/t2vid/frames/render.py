"""Draw a text as gray frames.

>>> from t2vid.frames.spec import RenderSpec
>>> frames = render_text("A short text.", RenderSpec())
>>> len(frames), frames[0].size, frames[0].mode, frames.spans
(1, (448, 448), 'L', [(0, 13)])
"""

from __future__ import annotations

from PIL import Image, ImageDraw

from t2vid.errors import InputError
from t2vid.frames.fonts import load_font
from t2vid.frames.framelist import FrameList
from t2vid.frames.spec import RenderSpec
from t2vid.frames.text import Page, line_height, pages

_DEFAULT = RenderSpec()


def render_text(
    text: str, spec: RenderSpec = _DEFAULT, *, max_frames: int | None = None
) -> FrameList:
    """Draw a text.

    Args:
        text: any text with at least one character that is not blank.
        spec: size, font and layout.
        max_frames: draw only the leading frames; `FrameList.n_total` says how many there would be.

    Raises:
        InputError: for a blank text or a `max_frames` below 1.
    """
    if max_frames is not None and max_frames < 1:
        raise InputError(f"max_frames ({max_frames}) must be > 0, or None")
    laid_out = pages(text, spec)
    shown = laid_out[:max_frames]
    return FrameList(
        (_draw(page, spec) for page in shown),
        spans=[(page.start, page.end) for page in shown],
        n_total=len(laid_out),
    )


def count_frames(text: str, spec: RenderSpec = _DEFAULT) -> int:
    """Count the frames of a text without drawing them."""
    return len(pages(text, spec))


def _draw(page: Page, spec: RenderSpec) -> Image.Image:
    image = Image.new("L", (spec.width, spec.height), 255)
    draw = ImageDraw.Draw(image)
    font = load_font(spec.font, spec.font_px)
    y = spec.margin_px
    if spec.layout == "paper":
        steps = [int(font.getbbox(line)[3]) for line in page.lines]
        y = (spec.height - sum(steps)) // 2
    else:
        steps = [line_height(spec)] * len(page.lines)
    for line, step in zip(page.lines, steps, strict=True):
        draw.text((spec.margin_px, y), line, font=font, fill=0)
        y += step
    return image
