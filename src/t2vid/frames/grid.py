"""What is drawn to fill its cell of the mono grid: box drawing, blocks and Braille.

No font draws these so that they meet at every size, above and below too, which tables, trees and
bars need.

>>> GridCells(12, 23, 20).draw("\u2588").shape
(23, 12)
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw

from t2vid.frames.strip import Gray, blank_pixels

DRAWN = re.compile("[\u2500-\u259f\u2800-\u28ff]+")
_SIDES = {"UP": "U", "DOWN": "D", "LEFT": "L", "RIGHT": "R", "HORIZONTAL": "LR", "VERTICAL": "UD"}
_WEIGHTS = ("LIGHT", "HEAVY", "SINGLE", "DOUBLE")
_DASHES = {"DOUBLE": 2, "TRIPLE": 3, "QUADRUPLE": 4}
_QUADRANTS = {  # upper left, upper right, lower left, lower right
    "\u2596": 2, "\u2597": 1, "\u2598": 8, "\u2599": 11, "\u259a": 9,
    "\u259b": 14, "\u259c": 13, "\u259d": 4, "\u259e": 6, "\u259f": 7,
}  # fmt: skip
_SMOOTH = 4  # times larger, for what is neither level nor upright


class GridCells:
    """Draws one character a cell.

    Args:
        width_px: of a cell.
        height_px: of a line.
        font_px: size of the font, which the strokes go with.
    """

    def __init__(self, width_px: int, height_px: int, font_px: int) -> None:
        self.width, self.height = width_px, height_px
        self.light = max(1, round(font_px / 14))
        self.heavy = 2 * self.light + 1
        self.draw = lru_cache(maxsize=512)(self._draw)

    def _draw(self, char: str) -> Gray:
        """Give the pixels of a character, `(height_px, width_px)`."""
        if char >= "\u2800":
            return self._braille(ord(char) - 0x2800)
        if char >= "\u2580":
            return self._block(char)
        name = unicodedata.name(char).removeprefix("BOX DRAWINGS ")
        if "DIAGONAL" in name or "ARC" in name:
            return self._curve(name)
        if "DASH" in name:
            return self._dashes(name)
        return self._arms(arms(name))

    def _arms(self, sides: dict[str, str]) -> Gray:
        cell = blank_pixels(self.height, self.width)
        for side, weight in sides.items():
            wide = {"HEAVY": self.heavy, "DOUBLE": 3 * self.light}.get(weight, self.light)
            cell[self._arm(side, wide)] = 0
        for side, weight in sides.items():
            if weight == "DOUBLE":
                cell[self._arm(side, self.light)] = 255
        for pair in ("UD", "LR"):  # a single line goes through a double one
            if all(sides.get(side) in ("LIGHT", "SINGLE") for side in pair):
                for side in pair:
                    cell[self._arm(side, self.light)] = 0
        return cell

    def _arm(self, side: str, thick: int) -> tuple[slice, slice]:
        """Give the bar from the cell's middle to one of its sides."""
        top, left = (self.height - thick) // 2, (self.width - thick) // 2
        middle_y, middle_x = slice(top, top + thick), slice(left, left + thick)
        return {
            "U": (slice(0, top + thick), middle_x),
            "D": (slice(top, self.height), middle_x),
            "L": (middle_y, slice(0, left + thick)),
            "R": (middle_y, slice(left, self.width)),
        }[side]

    def _dashes(self, name: str) -> Gray:
        weight, number, _, way = name.split(" ")
        cell = self._arms(dict.fromkeys(_SIDES[way], weight))
        along = self.width if way == "HORIZONTAL" else self.height
        n = _DASHES[number]
        gap = max(1, along // (3 * n))
        for i in range(n):
            end = (i + 1) * along // n
            if way == "HORIZONTAL":
                cell[:, end - gap : end] = 255
            else:
                cell[end - gap : end] = 255
        return cell

    def _curve(self, name: str) -> Gray:
        width, height, pen = (_SMOOTH * edge for edge in (self.width, self.height, self.light))
        image = Image.new("L", (width, height), 255)
        draw = ImageDraw.Draw(image)
        if "DIAGONAL" in name:
            if "CROSS" in name or "UPPER RIGHT" in name:
                draw.line((0, height, width, 0), fill=0, width=pen)
            if "CROSS" in name or "UPPER LEFT" in name:
                draw.line((0, 0, width, height), fill=0, width=pen)
        else:
            # the quarter of an ellipse that ends where straight lines of the neighbours begin
            x = _SMOOTH * ((self.width - self.light) // 2)
            y = _SMOOTH * ((self.height - self.light) // 2)
            radius = min(x, y)
            right, down = "RIGHT" in name, "DOWN" in name
            corner_x, corner_y = (x, y)
            left = corner_x if right else corner_x + pen - 2 * radius - pen
            top = corner_y if down else corner_y + pen - 2 * radius - pen
            box = (left, top, left + 2 * radius + pen - 1, top + 2 * radius + pen - 1)
            start = {(True, True): 180, (False, True): 270, (False, False): 0, (True, False): 90}
            draw.arc(box, start[right, down], start[right, down] + 90, fill=0, width=pen)
            edge = corner_y + radius if down else corner_y - radius + pen
            span = (edge, height) if down else (0, edge)
            draw.rectangle((x, span[0], x + pen - 1, span[1] - 1), fill=0)
            edge = corner_x + radius if right else corner_x - radius + pen
            span = (edge, width) if right else (0, edge)
            draw.rectangle((span[0], y, span[1] - 1, y + pen - 1), fill=0)
        return np.asarray(image.resize((self.width, self.height), Image.Resampling.BOX)).copy()

    def _block(self, char: str) -> Gray:
        cell, code = blank_pixels(self.height, self.width), ord(char)
        if "\u2591" <= char <= "\u2593":
            cell[:] = 255 - 64 * (code - 0x2590)
        elif char in _QUADRANTS:
            bits, y, x = _QUADRANTS[char], self.height // 2, self.width // 2
            for bit, rows in ((8, slice(0, y)), (2, slice(y, None))):
                cell[rows, :x] = 0 if bits & bit else 255
                cell[rows, x:] = 0 if bits & (bit >> 1) else 255
        elif char == "\u2580":
            cell[: self.height // 2] = 0
        elif char <= "\u2588":
            cell[self.height - self.height * (code - 0x2580) // 8 :] = 0
        elif char <= "\u258f":
            cell[:, : max(1, self.width * (0x2590 - code) // 8)] = 0
        elif char == "\u2590":
            cell[:, self.width // 2 :] = 0
        elif char == "\u2594":
            cell[: max(1, self.height // 8)] = 0
        else:
            cell[:, self.width - max(1, self.width // 8) :] = 0
        return cell

    def _braille(self, bits: int) -> Gray:
        cell = blank_pixels(self.height, self.width)
        dot = max(2, self.width // 4)
        # the first six bits go down the left column and then the right one, two more lie below
        for bit, (column, row) in enumerate(
            [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)]
        ):
            if bits >> bit & 1:
                x = (2 * column + 1) * self.width // 4 - dot // 2
                y = (2 * row + 1) * self.height // 8 - dot // 2
                cell[max(0, y) : y + dot, max(0, x) : x + dot] = 0
        return cell


def arms(name: str) -> dict[str, str]:
    """Read the sides of a box-drawing character and their weights from its Unicode name.

    >>> arms("DOWN HEAVY AND RIGHT LIGHT")
    {'D': 'HEAVY', 'R': 'LIGHT'}
    """
    clauses = [clause.split(" ") for clause in name.split(" AND ")]
    weights = [[word for word in clause if word in _WEIGHTS] for clause in clauses]
    common = weights[0] if sum(map(len, weights)) == 1 else []
    return {
        side: (found or common)[0]
        for clause, found in zip(clauses, weights, strict=True)
        for word in clause
        for side in _SIDES.get(word, "")
    }
