"""What layout gives to drawing: lines of strips, and the pages that they stand on.

>>> Page(0, 7, [Line([], start=0)], 23, 23).end
7
"""

from __future__ import annotations

from typing import NamedTuple, Protocol, TypeVar

from t2vid.frames.strip import Gray, Strip

Span = tuple[int, int]


class Line(NamedTuple):
    """One line: its strips from left to right, and where the first one stands.

    Attributes:
        strips: what is concatenated; the last one in reading order without its blanks.
        x_px: from the left margin.
        width_px: of all strips.
        up_px: rows of ink above the line's box.
        down_px: rows of ink below it.
        boxes: pixels of the strips, where each is exactly as high as the line's box and without
            colour; then the strips may be left out.
        start: where the line begins in the source.
        spans: what each strip was made from, where words are asked for.
    """

    strips: list[Strip]
    x_px: int = 0
    width_px: int = 0
    up_px: int = 0
    down_px: int = 0
    boxes: list[Gray] | None = None
    start: int = 0
    spans: list[Span] | None = None


class Page(NamedTuple):
    """One page of a text: its span in the source, the lines to draw and their distance.

    Attributes:
        start: where it begins in the source.
        end: where the next one begins, but for the lines that it repeats.
        lines: from top to bottom.
        step_px: from a line to the next one.
        line_px: height of a line's box.
        n_kept: leading lines that stood on the page before, too.
    """

    start: int
    end: int
    lines: list[Line]
    step_px: int
    line_px: int
    n_kept: int = 0

    @property
    def height_px(self) -> int:
        """How much of the page is filled."""
        steps = sum(line.up_px + self.step_px + line.down_px for line in self.lines)
        return steps - self.step_px + self.line_px if self.lines else 0


class PlacedStrip(NamedTuple):
    """A strip on a styled line, by its place from the line's top left.

    Attributes:
        strip: its pixels.
        x_px: of the pixels' left edge.
        y_px: of the pixels' top edge.
        span: what it was made from, without markup.
        kind: what is drawn in another shade: `link`, `keyword`, `string` …, or `""`.
        text: what it shows.
    """

    strip: Strip
    x_px: int
    y_px: int
    span: Span
    kind: str = ""
    text: str = ""


class Fill(NamedTuple):
    """A rectangle behind or beside the text; `tone` is 0 for the paper and 1 for the ink."""

    x_px: int
    y_px: int
    width_px: int
    height_px: int
    tone: float


class StyledLine(NamedTuple):
    """One line of marked-up text: pieces of several fonts, and rectangles.

    Attributes:
        start: where it begins in the source.
        height_px: with its share of the spacing.
        base_px: of the baseline, from the top.
        pieces: what is drawn.
        fills: rectangles behind the pieces.
        before_px: room above it, except at the top of a page.
        n_words: words on it.
    """

    start: int
    height_px: int
    base_px: int
    pieces: list[PlacedStrip]
    fills: list[Fill]
    before_px: int = 0
    n_words: int = 0


class StyledPage(NamedTuple):
    """One page of marked-up text, as `Page`."""

    start: int
    end: int
    lines: list[StyledLine]
    n_kept: int = 0

    @property
    def height_px(self) -> int:
        """How much of the page is filled."""
        before = sum(line.before_px for line in self.lines[1:])
        return before + sum(line.height_px for line in self.lines)


class _Starts(Protocol):
    @property
    def start(self) -> int: ...


L = TypeVar("L", bound=_Starts)


def repeated(
    lines: list[L], heights: list[int], room_px: int, *, last: int, scroll: int
) -> list[L]:
    """Give the lines of a page that the next one begins with.

    Args:
        lines: of the page.
        heights: of each of them.
        room_px: what they may take of the next page.
        last: so many of the last ones, or
        scroll: all but so many of the first ones; 0 for the other rule.

    >>> lines = [Line([], start=n) for n in range(5)]
    >>> [line.start for line in repeated(lines, [20] * 5, 100, last=2, scroll=0)]
    [3, 4]
    >>> [line.start for line in repeated(lines, [20] * 5, 50, last=0, scroll=1)]
    [3, 4]
    """
    first = scroll or max(1, len(lines) - last)  # a page without a new line would not end
    while first < len(lines) and sum(heights[first:]) > room_px:
        first += 1
    return lines[first:]
