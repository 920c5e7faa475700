"""A word as a strip of gray pixels: fallback by grapheme, HarfBuzz shaping and rasterising, a cache.

>>> shaper = shaper_for("sans", 20, "error", 408, 408)
>>> strip = shaper.strip("frame ")
>>> strip.pixels.shape[0] == shaper.line_px, strip.fit_px < strip.full_px
(True, True)

Outlines are rasterised unhinted; a strip widens where ink would leave it.
"""

from __future__ import annotations

import math
import re
import threading
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import uharfbuzz as hb
from PIL import Image

from t2vid.frames import fonts
from t2vid.frames.grid import DRAWN, GridCells
from t2vid.frames.pen import Box, Missing, Pen, shaped
from t2vid.frames.segmentation import graphemes
from t2vid.frames.strip import WHITE, OddStrip, Strip, as_odd, blank_pixels, shrunk
from t2vid.frames.typeface import INVISIBLE, Typeface

TAB_SPACES = 4
CACHE_BYTES = 24 * 2**20  # one of two generations; 30,000 English words at 20 px
LONG_WORD = 2_000  # characters: no word of any language, but data; its letters need no kerning
NEWLINES = "\n\r\v\f\x85\u2028\u2029"
NEWLINE_MARK = "\u21b5"
BLANKS = " \t\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2008\u2009\u200a\u205f\u3000"
_ESCAPE = re.compile("(U\\+[0-9A-F]{4,6})")
TABS = re.compile(f"([{BLANKS}]*\t[{BLANKS}]*)")


class Shaper:
    """Makes strips in one font at one size, and keeps the most recent ones.

    Args:
        font: name of a font stack.
        font_px: size in pixels.
        on_missing: `"error"`, or `"escape"` to draw `U+XXXX` instead.
        room_px: width of a line.
        tall_px: height of a page's text, which no line may exceed.
        lang: language of the text as a BCP 47 tag.
        style: `""`, or `b` and `i` for bold and italic.
        marked: whether newlines are shown.
    """

    def __init__(
        self,
        font: str,
        font_px: int,
        on_missing: str,
        room_px: int,
        tall_px: int,
        lang: str = "",
        style: str = "",
        marked: bool = False,
    ) -> None:
        self.stack, self.lang, self.marked = fonts.stack(font, lang, style), lang, marked
        self.font_px, self.on_missing = font_px, on_missing
        self.room_px, self.tall_px = room_px, tall_px
        self._fonts: dict[Typeface, hb.Font] = {}
        extents = self._font(self.stack.primary).get_font_extents("ltr")
        self.ascent_px = max(1, math.ceil(extents.ascender / 64))
        self.descent_px = max(0, math.ceil(-extents.descender / 64))
        self.line_px = self.ascent_px + self.descent_px
        self.raster = hb.RasterDraw()
        self.raster.scale_factor = (64, 64)
        # cells of the mono grid, 0 without one
        self.cell_px = round(self._advance_of("0")) if self.stack.grid else 0
        self._cells = GridCells(self.cell_px, self.line_px, font_px) if self.cell_px else None
        self._simple = set(range(0x21, 0x7F)) <= set(self.stack.primary.unicodes)
        self._blank_px: dict[str, float] = {}
        # strips that read from left to right and from right to left, the young and the old ones
        self.young: tuple[dict[str, Strip], dict[str, Strip]] = ({}, {})
        self._old: tuple[dict[str, Strip], dict[str, Strip]] = ({}, {})
        self._bytes = 0
        self._too_wide = OddStrip(np.empty((self.line_px, 0), np.uint8), room_px + 1)
        self._too_wide.special = True
        self.tab_px = max(1, round(self._advance(" ") * TAB_SPACES))

    def strip(self, piece: str, *, rtl: bool = False) -> Strip:
        """Give the strip of a piece of text that reads in one direction.

        A piece of more than `LONG_WORD` characters comes undrawn and wider than a line, to be cut.

        Raises:
            Missing: when no available font covers a character and `on_missing` is `"error"`.
        """
        found = self.young[rtl].get(piece)
        if found is not None:
            return found
        if len(piece) > LONG_WORD:
            return self._make(piece, rtl) if "\t" in piece else self._too_wide
        found = self._old[rtl].get(piece) or self._make(piece, rtl)
        size = found.pixels.nbytes + 400  # the objects around the pixels
        if self._bytes + size > CACHE_BYTES:
            # the dicts stay the same objects: the layout loop holds on to the young ones
            for young, old in zip(self.young, self._old, strict=True):
                old.clear()
                old.update(young)
                young.clear()
            self._bytes = 0
        self.young[rtl][piece] = found
        self._bytes += size
        return found

    def blank(self, width_px: int) -> Strip:
        """Give a white strip."""
        return Strip(blank_pixels(self.line_px, width_px), 0)

    def after_tabs(self, x_px: int, tabs: str) -> int:
        """Say where the pen stands after blanks with tabs in them that begin at `x_px`."""
        x = float(x_px)
        for char in tabs:
            x = (x // self.tab_px + 1) * self.tab_px if char == "\t" else x + self._advance(char)
        return min(round(x), max(x_px, self.room_px))

    def cut(
        self, piece: str, *, rtl: bool = False, room_px: int | None = None
    ) -> Iterator[tuple[str, Strip]]:
        """Cut a piece that is wider than a line at grapheme boundaries; each part fits a line."""
        room = self.room_px if room_px is None else room_px
        fitting = self._fitting if len(piece) <= LONG_WORD else self._set_apart
        young, used = self.young[rtl], 0
        part: list[str] = []
        body = piece.rstrip(NEWLINES + BLANKS)
        for cluster in graphemes(body):
            width = (young.get(cluster) or self.strip(cluster, rtl=rtl)).fit_px
            if part and used + width > room:
                yield from fitting(part, rtl, room)
                part, used = [], 0
            part.append(cluster)
            used += width
        yield from fitting([*part, piece[len(body) :]], rtl, room)

    def _set_apart(self, clusters: list[str], rtl: bool, room: int) -> Iterator[tuple[str, Strip]]:
        """Put graphemes side by side that were drawn one by one, as megabytes without a blank need."""
        strips = [self.strip(cluster, rtl=rtl) for cluster in clusters]
        if rtl or any(strip.odd or strip.tail_px for strip in strips):
            yield from self._fitting(clusters, rtl, room)
            return
        pixels = np.concatenate([strip.pixels for strip in strips], axis=1)
        if pixels.shape[1] > room:  # a single grapheme
            yield from self._fitting(clusters, rtl, room)
        else:
            yield "".join(clusters), Strip(pixels, int(pixels.shape[1]))

    def _fitting(self, clusters: list[str], rtl: bool, room: int) -> Iterator[tuple[str, Strip]]:
        text = "".join(clusters)
        strip = self._make(text, rtl)
        if strip.fit_px <= room:
            yield text, strip
        elif len(clusters) > 1:
            # shaped together they are wider than apart
            half = len(clusters) // 2
            yield from self._fitting(clusters[:half], rtl, room)
            yield from self._fitting(clusters[half:], rtl, room)
        else:
            yield text, shrunk(strip, room)

    def _make(self, piece: str, rtl: bool) -> Strip:
        body = piece.rstrip(NEWLINES)
        visible = body.rstrip(BLANKS)
        newline = len(body) < len(piece)
        if "\t" in body and not (newline and not visible):
            return self._tabbed(body, visible, piece[len(body) :])
        is_word, tail = bool(visible), body[len(visible) :]
        if newline and self.marked:
            visible, tail = (body if visible else "") + NEWLINE_MARK, ""
        # what comes after blanks as wide as a line goes to the next line, however many there are
        tail_px = min(sum(map(self._advance, tail)), float(self.room_px)) if tail else 0.0
        if visible and self._simple and not rtl and visible.isascii() and visible.isprintable():
            strip = self._latin(visible, tail_px)
        else:
            strip = self._written(visible, tail_px, rtl)
        strip.words = 1 if is_word and (tail or newline) else 0
        if newline or strip.fit_px > self.room_px:
            strip = strip if isinstance(strip, OddStrip) else as_odd(strip)
            strip.newline, strip.special = newline, True
        return strip

    def _tabbed(self, body: str, visible: str, newline: str) -> OddStrip:
        """Make the stand-in of a piece with tabs: blanks of unknown width, or parts around them."""
        strip = OddStrip(np.empty((self.line_px, 0), np.uint8), 0)
        strip.special = True
        if visible:
            parts = [part for part in TABS.split(body) if part]
            strip.parts = (*parts[:-1], parts[-1] + newline)
        else:
            strip.tabs = body
        return strip

    def _written(self, visible: str, tail_px: float, rtl: bool) -> Strip:
        pen = Pen(self.raster, max(1, round(self.font_px / 16)), self.cell_px, self.lang)
        drawn: list[tuple[int, str]] = []
        for text, face in self._runs(visible, rtl):
            if face is None:
                drawn += [(pen.x // 64 + n * self.cell_px, char) for n, char in enumerate(text)]
                pen.skip(len(text) * self.cell_px, rtl)
            elif rtl and text not in visible:  # `U+XXXX` reads from left to right everywhere
                for part in filter(None, _ESCAPE.split(text)):
                    pen.write(part, face, self._font(face), rtl, shape_rtl=part[:2] != "U+")
            else:
                pen.write(text, face, self._font(face), rtl)
        strip = self.rasterised(pen.x, tail_px, pen.paint(), rtl=rtl)
        if drawn and self._cells:
            for x, char in drawn:
                top = strip.up_px
                here = strip.pixels[top : top + self.line_px, x : x + self.cell_px]
                np.minimum(here, self._cells.draw(char)[:, : here.shape[1]], out=here)
            # full cells are the ink, blank ones at the end too
            strip.fit_px = max(strip.fit_px, min(strip.full_px, drawn[-1][0] + self.cell_px))
            strip.tail_px = strip.full_px - strip.fit_px
        return strip

    def _latin(self, text: str, tail_px: float) -> Strip:
        """Do what a pen does, without its books: most of a text is this, and a cold start waits."""
        font, draw, x = self._font(self.stack.primary), self.raster, 0
        draw_glyph = draw.draw_glyph
        cell = self.cell_px * 64
        buffer = shaped(text, font, "ltr", self.lang, by_char=False)
        for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
            draw.transform = (1, 0, 0, 1, x + position.x_offset, position.y_offset)
            draw_glyph(font, info.codepoint)
            x += cell or position.x_advance
        return self.rasterised(x, tail_px, [])

    def rasterised(
        self, x: int, tail_px: float, colors: list[tuple[Box, Image.Image]], *, rtl: bool = False
    ) -> Strip:
        """Turn what was drawn into the raster into a strip.

        Args:
            x: how far the pen moved, in 64ths of a pixel.
            tail_px: pixels of blanks behind it.
            colors: coloured glyphs with their boxes.
            rtl: whether the blanks stand at the left.
        """
        image = self.raster.render()
        left, low, width, high, stride = image.extents
        if not (width and high):
            left = low = 0
        west, south, east, north = left, low, left + width, low + high
        for box, _ in colors:
            west, south = min(west, box[0]), min(south, box[1])
            east, north = max(east, box[2]), max(north, box[3])
        shift = -west if west < 0 else 0
        ink_px = max(round(x / 64), east)
        full_px = shift + max(ink_px, round(x / 64 + tail_px))
        up = down = 0
        if north > self.ascent_px or south < -self.descent_px:
            up, down = max(0, north - self.ascent_px), max(0, -south - self.descent_px)
            if up + self.line_px + down > self.tall_px:
                # marks piled up beyond a whole page; the page's edge cuts them
                up, down = min(up, self.tall_px - self.line_px), 0
        pixels = np.empty((up + self.line_px + down, full_px), np.uint8)
        pixels.fill(WHITE)
        fit_px = shift + ink_px
        if rtl:
            shift += full_px - fit_px
        if width and high:
            top, start = up + self.ascent_px - low - high, shift + left
            here = pixels[top : top + high, start : start + width]
            # rows come from the bottom up; a page's edge may have cut some
            raw = np.ndarray(
                (len(here), width), np.uint8, image.buffer, (high - 1) * stride, (-stride, 1)
            )
            np.invert(raw, out=here)
        if not (up or down or colors):
            return Strip(pixels, fit_px, rtl=rtl)
        strip = OddStrip(pixels, fit_px, rtl=rtl)
        strip.rise(up, down)
        strip.colors = tuple(
            (shift + box[0], up + self.ascent_px - box[3], picture) for box, picture in colors
        )
        return strip

    def _runs(self, text: str, rtl: bool) -> Iterator[tuple[str, Typeface | None]]:
        """Cut a text where the typeface or the script changes; None draws cells of the grid."""
        if self._cells and not rtl and not text.isascii():
            at = 0
            for match in DRAWN.finditer(text):
                yield from self._typed_runs(text[at : match.start()])
                yield match.group(), None
                at = match.end()
            text = text[at:]
        yield from self._typed_runs(text)

    def _typed_runs(self, text: str) -> Iterator[tuple[str, Typeface]]:
        face = self.stack.primary
        if text.isascii():
            if text and not text.isprintable():
                text = "".join(c if c.isprintable() else self._visible(c, face)[0][0] for c in text)
            if text:
                yield text, face
            return
        run, script = "", "Zyyy"
        for cluster in graphemes(text):
            for shown, found in self._visible(cluster, face):
                new = fonts.script_of(shown[0])
                changed = new != script and "Zyyy" not in (new, script)
                if run and (found is not face or changed):
                    yield run, face
                    run, script = "", "Zyyy"
                face = found
                run += shown
                script = script if new == "Zyyy" else new
        if run:
            yield run, face

    def _visible(self, cluster: str, face: Typeface) -> list[tuple[str, Typeface]]:
        """Choose what to draw for a grapheme and in which typeface."""
        if all(c in INVISIBLE for c in cluster):
            return [(cluster, face)]
        if cluster in BLANKS or cluster == "\u00a0":
            return [(" ", face if ord(" ") in face.unicodes else self.stack.primary)]
        found = self.stack.find(cluster)
        if found is not None:
            if not all(ord(c) in found.unicodes or c in INVISIBLE for c in cluster):
                # HarfBuzz composes by itself, but not before a variation selector
                cluster = unicodedata.normalize("NFC", cluster)
            return [(cluster, found)]
        alone = [c for c in cluster if c not in INVISIBLE]
        faces = [(c, found) for c in alone if (found := self.stack.find(c)) is not None]
        if len(faces) == len(
            alone
        ):  # where no font has both the letter and its mark, each in its own
            one = len({found for _, found in faces}) == 1
            return [(cluster, faces[0][1])] if one else faces
        if self.on_missing == "error":
            raise Missing("".join(c for c in alone if self.stack.find(c) is None))
        return [("".join(f"U+{ord(c):04X}" for c in alone), self.stack.primary)]

    def _advance(self, blank: str) -> float:
        if blank == "\t":
            return self._advance(" ") * TAB_SPACES
        if blank not in self._blank_px:
            font = self._font(self.stack.primary)
            glyph = font.get_nominal_glyph(ord(blank))
            width = font.get_glyph_h_advance(glyph) / 64 if glyph else self.font_px / 4
            self._blank_px[blank] = float(self.cell_px) if self.cell_px else width
            if blank == "\u3000":
                self._blank_px[blank] = float(2 * self.cell_px or self.font_px)
        return self._blank_px[blank]

    def _advance_of(self, char: str) -> float:
        font = self._font(self.stack.primary)
        return float(font.get_glyph_h_advance(font.get_nominal_glyph(ord(char)))) / 64

    def _font(self, face: Typeface) -> hb.Font:
        if face not in self._fonts:
            font = hb.Font(face.face)
            font.scale = (self.font_px * 64, self.font_px * 64)
            if not self.stack.is_styled(face):
                # no such face of this script here: thicker outlines, slanted ones
                if "b" in self.stack.style:
                    font.synthetic_bold = (1 / 32, 1 / 32, True)
                if "i" in self.stack.style:
                    font.synthetic_slant = 0.2
            self._fonts[face] = font
        return self._fonts[face]


def shaper_for(
    font: str,
    font_px: int,
    on_missing: str,
    room_px: int,
    tall_px: int,
    lang: str = "",
    style: str = "",
    marked: bool = False,
) -> Shaper:
    """Give this thread's shaper of a font, a size and a page; the last few keep their strips."""
    # a shaper draws into one raster, so two threads must not share it
    thread = threading.get_ident()
    return _shaper(thread, font, font_px, on_missing, room_px, tall_px, lang, style, marked)


@lru_cache(maxsize=16)
def _shaper(thread: int, *args: Any) -> Shaper:
    return Shaper(*args)
