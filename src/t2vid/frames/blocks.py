"""What a marked-up text consists of: blocks of text in styles, each with its place in the source.

>>> Block("text", 0, [StyledText("bold", 2, 6, "b")]).parts[0].text
'bold'
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class StyledText(NamedTuple):
    """Text in one style.

    Attributes:
        text: what is shown.
        start: where it begins in the source.
        end: where it ends there; as far as it is long, unless it is written otherwise (`&amp;`).
        style: any of `b` bold, `i` italic, `m` mono, `u` underlined, `s` struck through.
        kind: as in `styles`.
    """

    text: str
    start: int
    end: int
    style: str = ""
    kind: str = ""


class Marker(NamedTuple):
    """What stands left of an item: a bullet or a number, at the given depth of lists and quotes."""

    part: StyledText
    depth: int


class Block(NamedTuple):
    """A paragraph, a heading, code, a rule, or a row of a table.

    Attributes:
        kind: `text`, `code`, `rule` or `row`.
        start: where it begins in the source.
        parts: its text.
        level: of a heading, from 1; 0 for others.
        nest: containers around it, outermost first: `q` a quote, `l` a list.
        markers: bullets and numbers on its first line.
        tight: whether it follows the block before it closely.
        cells: of a row.
        aligns: of the cells: `left`, `center`, `right` or `""`.
        table: the cells of all rows of its table, the same list for each of them.
    """

    kind: str
    start: int
    parts: list[StyledText]
    level: int = 0
    nest: str = ""
    markers: tuple[Marker, ...] = ()
    tight: bool = False
    cells: tuple[list[StyledText], ...] = ()
    aligns: tuple[str, ...] = ()
    table: Sequence[tuple[list[StyledText], ...]] = ()
