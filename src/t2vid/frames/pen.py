"""The pen of one strip: shapes runs of text, puts marks over their letters, keeps the mono grid.

A font that has no anchor for a letter and its mark leaves the mark beside the letter. Such a mark is
put over, under or on its letter here, by the ink of both.
"""

from __future__ import annotations

import io
import unicodedata
from typing import NamedTuple

import uharfbuzz as hb
from PIL import Image

from t2vid.errors import InputError
from t2vid.frames import fonts
from t2vid.frames.segmentation import graphemes
from t2vid.frames.typeface import INVISIBLE, Typeface, mark_place

MAX_STRIKE_PX = 1024  # a larger bitmap in a font is a bomb, not an emoji
# scripts whose letters stand each in a cell of the grid; those of others join, and keep their widths
_CELL_SCRIPTS = frozenset(
    "Zyyy Zinh Latn Grek Cyrl Armn Geor Hani Hira Kana Hang Bopo Hebr Thai Brai Runr Yiii".split()
)
Box = tuple[int, int, int, int]


class Missing(Exception):
    """Characters that no available font covers; turned into `MissingGlyphs` where the text is known."""


class Placed(NamedTuple):
    """A glyph and where it stands, in 64ths of a pixel; `char` is what it was made from."""

    font: hb.Font
    face: Typeface
    glyph: int
    x: int
    y: int
    char: str
    loose: bool = False  # a mark that its font did not attach
    squeeze: float = 1.0  # horizontal scale

    def ink(self) -> tuple[float, float, float, float] | None:
        """Give left, bottom, right and top of the ink; None for a glyph without any."""
        box = self.font.get_glyph_extents(self.glyph)
        if box is None or not (box.width and box.height):
            return None
        left = self.x + box.x_bearing * self.squeeze
        top = self.y + box.y_bearing
        return left, top + box.height, left + box.width * self.squeeze, top


class Pen:
    """Collects the glyphs of one strip; places are in 64ths of a pixel.

    Args:
        draw: what outlines are rasterised into.
        gap_px: between a letter and a mark that is put over it.
        cell_px: width of a cell of the mono grid; 0 without a grid.
        lang: language of the text as a BCP 47 tag; `""` leaves it open.
    """

    def __init__(self, draw: hb.RasterDraw, gap_px: int, cell_px: int, lang: str) -> None:
        self.draw, self.gap, self.cell, self.lang = draw, gap_px * 64, cell_px * 64, lang
        self.x = 0
        self.glyphs: list[Placed] = []

    def write(
        self, text: str, face: Typeface, font: hb.Font, rtl: bool, *, shape_rtl: bool | None = None
    ) -> None:
        """Shape a run in one typeface and put its glyphs where the pen is.

        Args:
            text: the run.
            face: its typeface.
            font: the same at its size.
            rtl: whether the strip reads from right to left.
            shape_rtl: whether the run itself does, where it differs.
        """
        if shape_rtl is None:
            shape_rtl = rtl
        if self.cell and script(text) in _CELL_SCRIPTS:
            clusters = list(graphemes(text))
            for cluster in clusters if shape_rtl == rtl else clusters[::-1]:
                n_cells = cells(cluster)
                placed, x = self._shape(cluster, face, font, shape_rtl)
                self._place(*_into(placed, x, n_cells * self.cell), rtl)
            return
        placed, x = self._shape(text, face, font, shape_rtl)
        if self.glyphs and all(map(mark_place, text)):
            x = 0  # a mark whose letter another font drew
        if self.cell:
            x = -(-x // self.cell) * self.cell
        self._place(placed, x, rtl)

    def skip(self, width_px: int, rtl: bool) -> None:
        """Leave room for what is drawn without a font."""
        self._place([], width_px * 64, rtl)

    def _place(self, placed: list[Placed], x: int, rtl: bool) -> None:
        if rtl:  # runs follow in reading order, so the earlier ones move to the right of this one
            self.glyphs = placed + [g._replace(x=g.x + x) for g in self.glyphs]
        else:
            self.glyphs += [g._replace(x=g.x + self.x) for g in placed]
        self.x += x

    def _shape(
        self, text: str, face: Typeface, font: hb.Font, rtl: bool
    ) -> tuple[list[Placed], int]:
        buffer = shaped(text, font, "rtl" if rtl else "ltr", self.lang)
        x, placed = 0, []
        for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
            char = text[info.cluster]
            if info.codepoint == 0 and char not in INVISIBLE:
                raise Missing(char)
            loose = not (position.x_offset or position.y_offset) and bool(mark_place(char))
            at = (x + position.x_offset, position.y_offset)
            placed.append(Placed(font, face, info.codepoint, *at, char, loose))
            if not (loose and len(text) > 1):
                x += position.x_advance
        return placed, x

    def paint(self) -> list[tuple[Box, Image.Image]]:
        """Draw outlines into the raster, and give coloured glyphs apart, with their boxes."""
        if any(placed.loose for placed in self.glyphs):
            self._put_marks()
        colors = []
        for font, face, glyph, x, y, _, _, squeeze in self.glyphs:
            picture = _color(font, glyph) if face.has_color else None
            if picture is None:
                self.draw.transform = (squeeze, 0, 0, 1, x, y)
                self.draw.draw_glyph(font, glyph)
                continue
            box = font.get_glyph_extents(glyph)
            edges = (x + box.x_bearing * squeeze, y + box.y_bearing + box.height)
            size = (max(1, round(box.width * squeeze / 64)), max(1, round(-box.height / 64)))
            at = (round(edges[0] / 64), round(edges[1] / 64))
            shown = picture.resize(size, Image.Resampling.BOX)
            colors.append(((at[0], at[1], at[0] + size[0], at[1] + size[1]), shown))
        return colors

    def _put_marks(self) -> None:
        """Put each loose mark where its class says, clear of what its letter has there already."""
        at: dict[int, list[int]] = {}
        base = -1
        order = range(len(self.glyphs))
        for i in order:
            if not mark_place(self.glyphs[i].char):
                base = i
            elif base >= 0:
                at.setdefault(base, []).append(i)
        # what reads from right to left has its marks before their letter
        if base >= 0 and mark_place(self.glyphs[0].char):
            at, base = {}, -1
            for i in reversed(order):
                if not mark_place(self.glyphs[i].char):
                    base = i
                elif base >= 0:
                    at.setdefault(base, []).insert(0, i)
        for base, marks in at.items():
            self._put(base, marks)

    def _put(self, base: int, marks: list[int]) -> None:
        letter = self.glyphs[base].ink()
        if letter is None:
            return
        left, low, right, high = letter
        for i in marks:
            mark = self.glyphs[i]
            ink = mark.ink()
            if ink is None:
                continue
            if mark.loose:
                dx = (left + right - ink[0] - ink[2]) / 2
                place, dy = mark_place(mark.char), 0.0
                if place == "above":
                    dy = max(0.0, high + self.gap - ink[1])
                elif place == "below":
                    dy = min(0.0, low - self.gap - ink[3])
                elif unicodedata.category(mark.char) == "Me":
                    dy = (letter[1] + letter[3] - ink[1] - ink[3]) / 2
                self.glyphs[i] = mark._replace(x=mark.x + round(dx), y=mark.y + round(dy))
                ink = (ink[0] + dx, ink[1] + dy, ink[2] + dx, ink[3] + dy)
            if mark_place(mark.char) != "on":
                low, high = min(low, ink[1]), max(high, ink[3])


def _into(placed: list[Placed], x: int, cell: int) -> tuple[list[Placed], int]:
    """Put a letter into its cells: in their middle, squeezed where it is wider than they are."""
    if x > cell + 32:
        scale = cell / x if cell else 1.0
        return [g._replace(x=round(g.x * scale), squeeze=scale) for g in placed], cell
    shift = (cell - x) // 2
    # advances that differ from the cell by rounding stay where they are
    shift = shift if shift > 32 else 0
    return [g._replace(x=g.x + shift) for g in placed], cell


def cells(cluster: str) -> int:
    """Say how many cells of a grid a grapheme takes: 2 for what is wide in East Asia, and emoji.

    >>> cells("a"), cells("\u4e2d"), cells("\u2500"), cells("\u200b")
    (1, 2, 1, 0)
    """
    if all(char in INVISIBLE for char in cluster):
        return 0
    if fonts.is_emoji(cluster):
        return 2
    return 2 if unicodedata.east_asian_width(cluster[0]) in "WF" else 1


def shaped(
    text: str, font: hb.Font, direction: str, lang: str, *, by_char: bool = True
) -> hb.Buffer:
    """Shape a run of one script; `by_char` says of each glyph which character it was made from."""
    buffer = hb.Buffer()
    buffer.add_str(text)
    if by_char:
        buffer.cluster_level = hb.BufferClusterLevel.MONOTONE_CHARACTERS
    buffer.direction = direction
    buffer.script = script(text)
    buffer.language = lang or "und"  # the default is the locale of the machine
    hb.shape(font, buffer)
    return buffer


def script(text: str) -> str:
    """Give the script of the first character that belongs to one."""
    if text.isascii():
        return "Latn" if text.upper() != text.lower() else "Zyyy"
    return next((found for char in text if (found := fonts.script_of(char)) != "Zyyy"), "Zyyy")


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
