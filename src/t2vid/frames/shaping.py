"""A word as a strip of gray pixels: fallback by grapheme, HarfBuzz shaping and rasterising, a cache.

>>> shaper = shaper_for("sans", 20, "error", 408, 408)
>>> strip = shaper.strip("frame ")
>>> strip.pixels.shape[0] == shaper.line_px, strip.fit_px < strip.full_px
(True, True)

Strips of one line are as high as the line and as wide as the pen moves, so that a line is one
concatenation. Outlines are rasterised unhinted; a strip widens where ink would leave it.
"""

from __future__ import annotations

import io
import math
import threading
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import accumulate, pairwise

import numpy as np
import uharfbuzz as hb
from icu4py.breakers import CharacterBreaker, LineBreaker
from numpy.typing import NDArray
from PIL import Image

from t2vid.errors import InputError
from t2vid.frames import fonts
from t2vid.frames.fonts import INVISIBLE, Typeface

WHITE = 255
TAB_SPACES = 4
CACHE_BYTES = 24 * 2**20  # one of two generations; 30,000 English words at 20 px
LONG_WORD = 2_000  # characters: no word of any language, but data; its letters need no kerning
MAX_STRIKE_PX = 1024  # a larger bitmap in a font is a bomb, not an emoji
NEWLINES = "\n\r\v\f\x85\u2028\u2029"
BLANKS = " \t\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2008\u2009\u200a\u205f\u3000"
_SURROGATES = {c: 0xFFFD for c in range(0xD800, 0xE000)}

Gray = NDArray[np.uint8]
_Key = str | tuple[str]  # a piece; alone in a tuple where it reads from right to left


class Missing(Exception):
    """Characters that no available font covers; turned into `MissingGlyphs` where the text is known."""


class Strip:
    """A piece of a line.

    Attributes:
        pixels: gray, `(up_px + line + down_px, full_px)`.
        fit_px: width of the ink, which has to fit into the line.
        full_px: how far the pen moves, blanks at the end included.
        words: 1 where a word ends here.
        up_px: rows of ink above the line's box.
        down_px: rows of ink below it.
        colors: `(x, y, RGBA image)` of coloured glyphs, from the top left of `pixels`.
        tabs: the blanks at the end where they hold a tab, whose width depends on the place.
        newline: whether the line ends here.
        plain: whether it is as high as the line, without colour, tabs and newline.
    """

    __slots__ = (
        "pixels", "fit_px", "full_px", "words", "up_px", "down_px", "colors", "tabs", "newline", "plain"
    )  # fmt: skip

    def __init__(self, pixels: Gray, fit_px: int, words: int = 0) -> None:
        self.pixels, self.fit_px, self.words = pixels, fit_px, words
        self.full_px = int(pixels.shape[1])
        self.up_px = self.down_px = 0
        self.colors: list[tuple[int, int, Image.Image]] = []
        self.tabs = ""
        self.newline = False
        self.plain = True


class Shaper:
    """Makes strips in one font at one size, and keeps the most recent ones.

    Args:
        font: name of a font stack.
        font_px: size in pixels.
        on_missing: `"error"`, or `"escape"` to draw `U+XXXX` instead.
        room_px: width of a line.
        tall_px: height of a page's text, which no line may exceed.
    """

    def __init__(self, font: str, font_px: int, on_missing: str, room_px: int, tall_px: int):
        self.stack = fonts.stack(font)
        self.font_px, self.on_missing = font_px, on_missing
        self.room_px, self.tall_px = room_px, tall_px
        self._fonts: dict[Typeface, hb.Font] = {}
        extents = self._font(self.stack.primary).get_font_extents("ltr")
        self.ascent_px = max(1, math.ceil(extents.ascender / 64))
        self.descent_px = max(0, math.ceil(-extents.descender / 64))
        self.line_px = self.ascent_px + self.descent_px
        self.raster = hb.RasterDraw()
        self.raster.scale_factor = (64, 64)
        self._grid = font == "mono"
        letters = set(range(0x21, 0x7F))
        self._simple = not self._grid and letters <= set(self.stack.primary.unicodes)
        self._blank_px: dict[str, float] = {}
        self.young: dict[_Key, Strip] = {}
        self._old: dict[_Key, Strip] = {}
        self._bytes = 0
        self._too_wide = Strip(np.empty((self.line_px, 0), np.uint8), room_px + 1)
        self.tab_px = max(1, round(self._advance(" ") * TAB_SPACES))

    def strip(self, piece: str, *, rtl: bool = False) -> Strip:
        """Give the strip of a piece of text that reads in one direction.

        A piece of more than `LONG_WORD` characters comes undrawn and wider than a line, to be cut.

        Raises:
            Missing: when no available font covers a character and `on_missing` is `"error"`.
        """
        key = (piece,) if rtl else piece
        found = self.young.get(key)
        if found is not None:
            return found
        if len(piece) > LONG_WORD:
            return self._too_wide
        found = self._old.get(key) or self._make(piece, rtl)
        size = found.pixels.nbytes + 400  # the objects around the pixels
        if self._bytes + size > CACHE_BYTES:
            # both dicts stay the same objects: the layout loop holds on to `young`
            self._old.clear()
            self._old.update(self.young)
            self.young.clear()
            self._bytes = 0
        self.young[key] = found
        self._bytes += size
        return found

    def blank(self, width_px: int) -> Strip:
        """Give a white strip."""
        return Strip(np.full((self.line_px, max(0, width_px)), WHITE, np.uint8), 0)

    def after_tabs(self, x_px: int, tabs: str) -> int:
        """Say where the pen stands after blanks with tabs in them that begin at `x_px`."""
        x = float(x_px)
        for char in tabs:
            x = (x // self.tab_px + 1) * self.tab_px if char == "\t" else x + self._advance(char)
        return min(round(x), max(x_px, self.room_px))

    def cut(self, piece: str, *, rtl: bool = False) -> Iterator[tuple[str, Strip]]:
        """Cut a piece that is wider than a line at grapheme boundaries; each part fits a line."""
        fitting = self._fitting if len(piece) <= LONG_WORD else self._set_apart
        young, used = self.young, 0
        part: list[str] = []
        body = piece.rstrip(NEWLINES + BLANKS)
        for cluster in graphemes(body):
            key = (cluster,) if rtl else cluster
            width = (young.get(key) or self.strip(cluster, rtl=rtl)).fit_px
            if part and used + width > self.room_px:
                yield from fitting(part, rtl)
                part, used = [], 0
            part.append(cluster)
            used += width
        yield from fitting([*part, piece[len(body) :]], rtl)

    def _set_apart(self, clusters: list[str], rtl: bool) -> Iterator[tuple[str, Strip]]:
        """Put graphemes side by side that were drawn one by one, as megabytes without a blank need."""
        strips = [self.strip(cluster, rtl=rtl) for cluster in clusters]
        if rtl or not all(strip.plain and strip.fit_px == strip.full_px for strip in strips):
            yield from self._fitting(clusters, rtl)
            return
        pixels = np.concatenate([strip.pixels for strip in strips], axis=1)
        if pixels.shape[1] > self.room_px:  # a single grapheme
            yield from self._fitting(clusters, rtl)
        else:
            yield "".join(clusters), Strip(pixels, int(pixels.shape[1]))

    def _fitting(self, clusters: list[str], rtl: bool) -> Iterator[tuple[str, Strip]]:
        text = "".join(clusters)
        strip = self._make(text, rtl)
        if strip.fit_px <= self.room_px:
            yield text, strip
        elif len(clusters) > 1:
            # shaped together they are wider than apart
            half = len(clusters) // 2
            yield from self._fitting(clusters[:half], rtl)
            yield from self._fitting(clusters[half:], rtl)
        else:
            yield text, self._shrunk(strip)

    def _shrunk(self, strip: Strip) -> Strip:
        # one grapheme wider than a line: narrower is better than cut off
        size = (self.room_px, strip.pixels.shape[0])
        pixels = np.asarray(Image.fromarray(strip.pixels).resize(size, Image.Resampling.BOX))
        small = Strip(pixels, self.room_px, strip.words)
        small.up_px, small.down_px = strip.up_px, strip.down_px
        return small

    def _make(self, piece: str, rtl: bool) -> Strip:
        body = piece.rstrip(NEWLINES)
        visible = body.rstrip(BLANKS)
        tail = body[len(visible) :]
        tabs = tail if "\t" in tail else ""
        # what comes after blanks as wide as a line goes to the next line, however many there are
        wide = 0.0 if tabs else sum(map(self._advance, tail))
        tail_px = min(wide, float(self.room_px))
        if visible and self._simple and not rtl and visible.isascii() and visible.isprintable():
            strip = self._latin(visible, tail_px)
        else:
            pen = _Pen(self)
            for text, face in self._runs(visible):
                pen.write(text, face, rtl)
            strip = pen.strip(tail_px)
        strip.newline = len(body) < len(piece)
        strip.words = 1 if visible and (tail or strip.newline) else 0
        strip.tabs = tabs
        strip.plain = not (strip.newline or tabs or strip.colors or strip.up_px or strip.down_px)
        return strip

    def _latin(self, text: str, tail_px: float) -> Strip:
        """Do what a pen does, without its books: most of a text is this, and a cold start waits."""
        font, draw, x = self._font(self.stack.primary), self.raster, 0
        draw_glyph = draw.draw_glyph
        buffer = _shaped(text, font, "ltr")
        for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
            draw.transform = (1, 0, 0, 1, x + position.x_offset, position.y_offset)
            draw_glyph(font, info.codepoint)
            x += position.x_advance
        return self.rasterised(x, tail_px, [])

    def rasterised(
        self, x: int, tail_px: float, colors: list[tuple[tuple[int, int, int, int], Image.Image]]
    ) -> Strip:
        """Turn what was drawn into the raster into a strip.

        Args:
            x: how far the pen moved, in 64ths of a pixel.
            tail_px: pixels of blanks behind it.
            colors: coloured glyphs with their boxes.
        """
        image = self.raster.render()
        extents = image.extents
        width, high = extents.width, extents.height
        left, low = (extents.x_origin, extents.y_origin) if width and high else (0, 0)
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
        if width and high:
            raw = np.frombuffer(image.buffer, np.uint8).reshape(high, extents.stride)
            top, start = up + self.ascent_px - low - high, shift + left
            here = pixels[top : top + high, start : start + width]
            # rows come from the bottom up; a page's edge may have cut some
            np.invert(raw[::-1, :width][: len(here)], out=here)
        strip = Strip(pixels, shift + ink_px)
        if up or down or colors:
            strip.up_px, strip.down_px = up, down
            strip.colors = [
                (shift + box[0], up + self.ascent_px - box[3], picture) for box, picture in colors
            ]
        return strip

    def _runs(self, text: str) -> Iterator[tuple[str, Typeface]]:
        """Cut a text where the typeface or the script changes."""
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
            self._blank_px[blank] = float(round(width)) if self._grid else width
            if blank == "\u3000":
                self._blank_px[blank] = float(self.font_px)
        return self._blank_px[blank]

    def _font(self, face: Typeface) -> hb.Font:
        if face not in self._fonts:
            font = hb.Font(face.face)
            font.scale = (self.font_px * 64, self.font_px * 64)
            self._fonts[face] = font
        return self._fonts[face]


class _Pen:
    """Collects the glyphs of one strip; places are in 64ths of a pixel."""

    def __init__(self, shaper: Shaper) -> None:
        self.shaper = shaper
        self.x = 0
        self.glyphs: list[tuple[hb.Font, Typeface, int, int, int]] = []

    def write(self, text: str, face: Typeface, rtl: bool) -> None:
        """Shape a run in one typeface and put its glyphs where the pen is."""
        font, grid = self.shaper._font(face), self.shaper._grid
        buffer = _shaped(text, font, "rtl" if rtl else "ltr")
        x, placed = 0, []
        for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
            if info.codepoint == 0 and text[info.cluster] not in INVISIBLE:
                raise Missing(text[info.cluster])
            place = (x + position.x_offset, position.y_offset)
            placed.append((font, face, info.codepoint, *place))
            x += round(position.x_advance / 64) * 64 if grid else position.x_advance
        if not self.glyphs and not rtl:
            self.glyphs = placed
        elif rtl:  # runs follow in reading order, so the earlier ones move to the right of this one
            self.glyphs = [(f, t, g, left + x, up) for f, t, g, left, up in self.glyphs] + placed
        else:
            self.glyphs += [(f, t, g, left + self.x, up) for f, t, g, left, up in placed]
        self.x += x

    def strip(self, tail_px: float) -> Strip:
        """Rasterise what was written, with so many pixels of blanks behind it."""
        return self.shaper.rasterised(self.x, tail_px, self._paint())

    def _paint(self) -> list[tuple[tuple[int, int, int, int], Image.Image]]:
        """Draw outlines into the raster, and give coloured glyphs apart, with their boxes."""
        draw, colors = self.shaper.raster, []
        for font, face, glyph, x, y in self.glyphs:
            picture = _color(font, glyph) if face.has_color else None
            if picture is None:
                draw.transform = (1, 0, 0, 1, x, y)
                draw.draw_glyph(font, glyph)
                continue
            box = font.get_glyph_extents(glyph)
            edges = (x + box.x_bearing, y + box.y_bearing + box.height)
            size = (max(1, round(box.width / 64)), max(1, round(-box.height / 64)))
            at = (round(edges[0] / 64), round(edges[1] / 64))
            shown = picture.resize(size, Image.Resampling.BOX)
            colors.append(((at[0], at[1], at[0] + size[0], at[1] + size[1]), shown))
        return colors


def _color(font: hb.Font, glyph: int) -> Image.Image | None:
    """Read the picture of a coloured glyph; None where the font has only its outline."""
    data = font.get_glyph_color_png(glyph)
    if not data or not len(data.data):
        return None
    try:
        picture = Image.open(io.BytesIO(data.data))
        if max(picture.size) > MAX_STRIKE_PX:
            raise InputError(
                f"a glyph of the font is a picture of {picture.width}x{picture.height} pixels, more "
                f"than {MAX_STRIKE_PX}; use another font"
            )
        return picture.convert("RGBA")
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"a glyph of the font is no picture ({error}); use another font") from None


def shaper_for(font: str, font_px: int, on_missing: str, room_px: int, tall_px: int) -> Shaper:
    """Give this thread's shaper of a font, a size and a page; the last few keep their strips."""
    # a shaper draws into one raster, so two threads must not share it
    return _shaper(font, font_px, on_missing, room_px, tall_px, threading.get_ident())


@lru_cache(maxsize=8)
def _shaper(
    font: str, font_px: int, on_missing: str, room_px: int, tall_px: int, thread: int
) -> Shaper:
    return Shaper(font, font_px, on_missing, room_px, tall_px)


def _shaped(text: str, font: hb.Font, direction: str) -> hb.Buffer:
    buffer = hb.Buffer()
    buffer.add_str(text)
    buffer.direction = direction
    buffer.script = _script(text)
    buffer.language = "und"  # the default is the locale of the machine
    hb.shape(font, buffer)
    return buffer


def _script(text: str) -> str:
    """Give the script of the first character that belongs to one."""
    if text.isascii():
        return "Latn" if text.upper() != text.lower() else "Zyyy"
    return next((found for char in text if (found := fonts.script_of(char)) != "Zyyy"), "Zyyy")


def safe_text(text: str) -> str:
    """Give a text of equal length that ICU can hold: lone surrogates become U+FFFD."""
    return text if text.isascii() else text.translate(_SURROGATES)


def graphemes(text: str) -> Iterable[str]:
    """Cut a text into grapheme clusters (UAX #29)."""
    return _cut(CharacterBreaker, text)


def line_pieces(text: str) -> Iterable[str]:
    """Cut a text wherever a line may or must break (UAX #14)."""
    return _cut(LineBreaker, text)


def _cut(breaker: type, text: str) -> Iterable[str]:
    safe = safe_text(text)
    pieces: Iterable[str] = breaker(safe, "en")
    if safe == text:
        return pieces
    ends = [0, *accumulate(len(piece) for piece in pieces)]
    return [text[start:end] for start, end in pairwise(ends)]
