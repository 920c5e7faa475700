"""Puts a frame's pages on pixels: strips to lines, lines to columns, header and footer around them.

>>> from t2vid.frames.render_spec import RenderSpec
>>> from t2vid.frames.text import iter_sheets
>>> draw_sheet(next(iter_sheets("Words.", RenderSpec())), RenderSpec(), 1).size
(448, 448)
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image

from t2vid.errors import InputError
from t2vid.frames.canvas import blank_frame
from t2vid.frames.page import Page, StyledPage
from t2vid.frames.render_spec import HEADER_FIELD, RenderSpec
from t2vid.frames.strip import WHITE, Gray
from t2vid.frames.styles import color_of, tone_of
from t2vid.frames.text import Sheet, area_of, iter_pages, running_spec

Colors = list[tuple[int, int, Image.Image]]  # coloured glyphs with their places
Tints = list[tuple[tuple[slice, slice], str]]  # where text has a colour of its own


def draw_sheet(
    sheet: Sheet, spec: RenderSpec, number: int, n_frames: int = 0, *, height_px: int = 0
) -> Image.Image:
    """Draw a frame.

    Args:
        sheet: what stands on it.
        spec: its layout.
        number: of the frame, from 1.
        n_frames: how many there are, for a header that says so.
        height_px: of the frame; 0 is the spec's.
    """
    gray = blank_frame(height_px or spec.height, spec.width)
    area, margin = area_of(spec), spec.margin_px
    colors: Colors = []
    tints: Tints = []
    left, top = margin, margin + area.header_px
    for page in sheet.pages:
        view = gray[top : len(gray) - margin - area.footer_px, left : left + area.room_px]
        if isinstance(page, Page):
            found = draw_page(view, page)
        else:
            found, boxes = draw_styled(view, page, spec.colors is not None)
            tints += [
                ((slice(y.start + top, y.stop + top), slice(x.start + left, x.stop + left)), kind)
                for (y, x), kind in boxes
            ]
        colors += [(left + x, top + y, picture) for x, y, picture in found]
        left += area.room_px + spec.font_px
    for text, at in ((spec.header, margin), (spec.footer, len(gray) - margin - area.footer_px)):
        if text:
            view = gray[at:, margin : margin + spec.width - 2 * margin]
            found = _running(view, text, spec, number, n_frames, below=at > margin)
            colors += [(margin + x, at + y, picture) for x, y, picture in found]
    return _image(gray, colors, tints, spec)


def draw_page(view: Gray, page: Page) -> Colors:
    """Draw a page: each line is one concatenation of its strips, right into its place.

    Args:
        view: the white pixels of the column.
        page: its lines.

    Returns:
        Coloured glyphs, with their places in the view.
    """
    colors: Colors = []
    top, step, line_px = 0, page.step_px, page.line_px
    put = np.concatenate if step >= line_px else _overlaid
    for strips, x, width, up, down, boxes, _, _ in page.lines:
        here = view[top : top + up + line_px + down, x : x + width]
        if boxes is None:
            boxes = [strip.padded(up, down)[: len(here)] for strip in strips]  # the edge may cut
            left = x
            for strip in strips:
                y = top + up - strip.up_px
                colors += [(left + x, y + down, picture) for x, down, picture in strip.colors]
                left += strip.full_px
        if boxes:
            try:
                put(boxes, 1, here)
            except ValueError:  # a font's surprise: the page's edge cuts what is larger
                _overlaid(boxes, 1, here)
        top += up + step + down
    return colors


def _overlaid(boxes: list[Gray], axis: int, here: Gray) -> None:
    """Do what `np.concatenate` does, for lines that run into each other or out of their page."""
    whole = np.concatenate(boxes, axis)[: here.shape[0], : here.shape[1]]
    part = here[: whole.shape[0], : whole.shape[1]]
    np.minimum(part, whole, out=part)


def draw_styled(view: Gray, page: StyledPage, colored: bool) -> tuple[Colors, Tints]:
    """Draw a page of marked-up text: rectangles first, then each strip at its place.

    Args:
        view: the white pixels of the column.
        page: its lines.
        colored: whether kinds of text have colours rather than shades.

    Returns:
        Coloured glyphs and boxes of coloured text, with their places in the view.
    """
    colors: Colors = []
    tints: Tints = []
    top = 0
    for n, line in enumerate(page.lines):
        top += line.before_px if n else 0
        for fill in line.fills:
            y = top + fill.y_px
            box = view[y : y + fill.height_px, fill.x_px : fill.x_px + fill.width_px]
            np.minimum(box, round(WHITE * (1 - fill.tone)), out=box)
        for piece in line.pieces:
            pixels, y, x = piece.strip.pixels, top + piece.y_px, piece.x_px
            if piece.kind and not colored:
                pixels = _toned(pixels, tone_of(piece.kind))
            here = view[y : y + len(pixels), x : x + pixels.shape[1]]
            np.minimum(here, pixels[: here.shape[0], : here.shape[1]], out=here)
            if piece.kind and colored:
                rows = slice(y, y + here.shape[0])
                tints.append(((rows, slice(x, x + here.shape[1])), piece.kind))
            colors += [(x + left, y + up, picture) for left, up, picture in piece.strip.colors]
        top += line.height_px
    return colors, tints


def _toned(pixels: Gray, tone: float) -> Gray:
    return _tones(tone)[pixels]


@lru_cache(maxsize=32)
def _tones(tone: float) -> Gray:
    return np.round(WHITE - (WHITE - np.arange(256)) * tone).astype(np.uint8)


def _running(
    view: Gray, text: str, spec: RenderSpec, number: int, n_frames: int, *, below: bool
) -> Colors:
    """Draw a header at the top of a view, or a footer a little further down."""
    seconds = number - 1
    fields = {
        "page": str(number),
        "pages": str(n_frames),
        "time": f"{seconds // 60}:{seconds % 60:02}",
    }
    shown = HEADER_FIELD.sub(lambda match: fields[match[1]], text)
    if not shown.strip():
        return []
    small = running_spec(spec)
    pages = list(iter_pages(shown, small))
    page = pages[0]
    if not isinstance(page, Page) or len(pages) > 1 or len(page.lines) > 1:
        raise InputError(
            f"{'footer' if below else 'header'} ({shown[:80]!r}) is wider than a frame; shorten it"
        )
    down = min(small.font_px, max(0, len(view) - spec.margin_px - page.line_px)) if below else 0
    return [(x, y + down, picture) for x, y, picture in draw_page(view[down:], page)]


def _image(gray: Gray, colors: Colors, tints: Tints, spec: RenderSpec) -> Image.Image:
    if spec.colors:
        image = Image.fromarray(gray).convert("P")  # a palette is Pillow's fastest way to colours
        image.putpalette(_palette(*spec.colors))
        image = image.convert("RGB")
        if tints:
            pixels = np.array(image)
            for box, kind in tints:
                shades = np.frombuffer(
                    _palette(color_of(kind, *spec.colors), spec.colors[1]), np.uint8
                )
                pixels[box] = shades.reshape(256, 3)[gray[box]]
            image = Image.fromarray(pixels)
    else:
        if spec.ink or spec.paper_gray != WHITE:
            gray = _shades(spec.ink, spec.paper_gray)[gray]
        # as `fromarray` does, in a third of its time
        image = Image.frombuffer("L", gray.shape[::-1], gray, "raw", "L", 0, 1)
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
