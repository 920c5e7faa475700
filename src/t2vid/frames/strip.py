"""A piece of a line as gray pixels.

Strips of one line are as high as the line and as wide as the pen moves, so that a line is one
concatenation.

>>> Strip(blank_pixels(23, 40), fit_px=34).tail_px
6
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

WHITE = 255
Gray = NDArray[np.uint8]


class Strip:
    """A piece of a line that is as high as the line and has no surprises.

    Attributes:
        pixels: gray, `(line, full_px)`.
        fit_px: width of the ink, which has to fit into the line.
        full_px: how far the pen moves, blanks at the end included.
        tail_px: the blanks at the end, on the left where the strip reads from right to left.
        words: 1 where a word ends here.
        rtl: whether it reads from right to left.
        box: the pixels inside the line's box.
        odd: whether it is an `OddStrip`.
    """

    __slots__ = (
        "pixels", "fit_px", "full_px", "tail_px", "words", "odd", "rtl", "box", "_bare", "_padded",
    )  # fmt: skip

    newline = uneven = special = False
    up_px = down_px = 0
    tabs = ""
    parts: tuple[str, ...] = ()
    colors: tuple[tuple[int, int, Image.Image], ...] = ()

    def __init__(self, pixels: Gray, fit_px: int, words: int = 0, *, rtl: bool = False) -> None:
        self.pixels, self.fit_px, self.words, self.rtl = pixels, fit_px, words, rtl
        self.box = pixels
        self.full_px = int(pixels.shape[1])
        self.tail_px = self.full_px - fit_px
        self.odd = False
        self._bare: Strip | None = None
        self._padded: tuple[int, int, Gray] | None = None

    def padded(self, up_px: int, down_px: int) -> Gray:
        """Give the pixels with so many rows above and below the line's box."""
        known = self._padded
        if known is None or known[0] < up_px or known[1] < down_px:
            up, down = max(up_px, self.up_px), max(down_px, self.down_px)
            if known is not None:  # lines differ: once it is large enough, each takes its part
                up, down = max(up, known[0]), max(down, known[1])
            pixels = blank_pixels(up + len(self.box) + down, self.full_px)
            pixels[up - self.up_px : len(pixels) - down + self.down_px] = self.pixels
            known = self._padded = (up, down, pixels)
        up, down, pixels = known
        return pixels[up - up_px : len(pixels) - down + down_px]

    def bare(self) -> Strip:
        """Give the strip without the blanks at its end, as it stands at the end of a line."""
        if not self.tail_px:
            return self
        if self._bare is None:
            self._bare = self._without_tail()
        return self._bare

    def _without_tail(self) -> Strip:
        cut = self.tail_px if self.rtl else 0
        return Strip(self.pixels[:, cut : cut + self.fit_px], self.fit_px, self.words)


class OddStrip(Strip):
    """A strip that a line has to look at.

    Attributes:
        up_px: rows of ink above the line's box.
        down_px: rows of ink below it.
        colors: `(x, y, RGBA image)` of coloured glyphs, from the top left of `pixels`.
        tabs: nothing but blanks with a tab among them, whose width depends on the place.
        newline: whether the line ends here.
        uneven: whether its ink leaves the line's box, or has colours.
        special: whether a line cannot take it by its width alone.
        parts: what it has to be cut into, because a tab stands inside; it is not drawn itself.
    """

    def __init__(self, pixels: Gray, fit_px: int, words: int = 0, *, rtl: bool = False) -> None:
        super().__init__(pixels, fit_px, words, rtl=rtl)
        self.odd = True
        self.newline = self.uneven = self.special = False
        self.up_px = self.down_px = 0
        self.tabs = ""
        self.parts = ()
        self.colors = ()

    def rise(self, up_px: int, down_px: int) -> None:
        """Say how many rows of the pixels lie above and below the line's box."""
        self.up_px, self.down_px, self.uneven = up_px, down_px, True
        self.box = self.pixels[up_px : len(self.pixels) - down_px]

    def _without_tail(self) -> Strip:
        cut = self.tail_px if self.rtl else 0
        bare = OddStrip(self.pixels[:, cut : cut + self.fit_px], self.fit_px, self.words)
        if self.uneven:
            bare.rise(self.up_px, self.down_px)
        bare.colors = tuple((x - cut, y, picture) for x, y, picture in self.colors)
        return bare


def as_odd(strip: Strip) -> OddStrip:
    """Give the same strip as one that a line has to look at."""
    return OddStrip(strip.pixels, strip.fit_px, strip.words, rtl=strip.rtl)


def shrunk(strip: Strip, width_px: int) -> Strip:
    """Give a strip made narrower: of a single grapheme, better than cut off."""
    size = (width_px, strip.pixels.shape[0])
    pixels = np.asarray(Image.fromarray(strip.pixels).resize(size, Image.Resampling.BOX))
    small = OddStrip(pixels, width_px, strip.words)
    if strip.uneven:
        small.rise(strip.up_px, strip.down_px)
    small.newline = small.special = strip.newline
    return small


def blank_pixels(height_px: int, width_px: int) -> Gray:
    """Give white pixels."""
    return np.full((height_px, max(0, width_px)), WHITE, np.uint8)
