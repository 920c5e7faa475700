"""Where each word stands on the frames of a text: boxes in pixels, with their place in the source.

>>> from t2vid.frames.render_spec import RenderSpec
>>> ((first, second),) = word_boxes("Two words.", RenderSpec(), 1)
>>> second.text, second.span, second.box
('words.', (4, 10), (63, 24, 121, 40))

A word is what stands between blanks. One that goes on in the next line has a box on each of them,
with the part of the text that stands there. Boxes are as tight as the ink.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from t2vid.errors import InputError
from t2vid.frames.page import Page, PlacedStrip, Span, StyledPage
from t2vid.frames.render_spec import RenderSpec
from t2vid.frames.strip import WHITE
from t2vid.frames.text import area_of, check_text, iter_sheets
from t2vid.frames.typeface import INVISIBLE
from t2vid.frames.wear import warp

Box = tuple[int, int, int, int]
_WORD = re.compile(r"\S+")
_APART = re.compile(r"[\s|]")  # in the markup between two pieces: they are in two cells, or items


class WordBox(NamedTuple):
    """A word, or the part of it that stands on one line.

    Attributes:
        text: what is shown, of marked-up text without its markup.
        span: `(start, end)` in the source.
        box: left, top, right and bottom in pixels of the frame; right and bottom lie outside.
    """

    text: str
    span: Span
    box: Box


def word_boxes(text: str, spec: RenderSpec, n_frames: int) -> list[list[WordBox]]:
    """Give the words of each frame in reading order; words without ink have no box.

    Args:
        text: the source.
        spec: how it was drawn.
        n_frames: leading frames that are wanted.

    Raises:
        InputError: for the paper's layout, which draws other words than the source has.
    """
    check_text(text)
    if spec.layout == "paper":
        raise InputError(
            "the paper's layout draws word tokens, not the words of the text; take the layout 't2vid'"
        )
    area = area_of(spec)
    found = []
    for sheet in islice(iter_sheets(text, spec, traced=True), n_frames):
        words: list[WordBox] = []
        for column, page in enumerate(sheet.pages):
            left = spec.margin_px + column * (area.room_px + spec.font_px)
            top = spec.margin_px + area.header_px
            lines = _styled(page) if isinstance(page, StyledPage) else _plain(page, text)
            for line in lines:
                words += [
                    word._replace(box=_moved(word.box, left, top))
                    for word in _words(line, text)
                    if word.box[2]  # without ink a word has no box
                ]
        if spec.wear:
            size = (spec.width, spec.height)
            words = [_warped(word, size, spec) for word in words]
        found.append(words)
    return found


def _plain(page: Page, text: str) -> Iterator[list[PlacedStrip]]:
    top = 0
    for line in page.lines:
        x, pieces = line.x_px, []
        for strip, span in zip(line.strips, line.spans or [], strict=False):
            y = top + line.up_px - strip.up_px
            pieces.append(PlacedStrip(strip, x, y, span, "", text[slice(*span)]))
            x += strip.full_px
        yield pieces
        top += line.up_px + page.step_px + line.down_px


def _styled(page: StyledPage) -> Iterator[list[PlacedStrip]]:
    top = 0
    for n, line in enumerate(page.lines):
        top += line.before_px if n else 0
        yield [p._replace(y_px=p.y_px + top) for p in line.pieces if p.span[0] < p.span[1]]
        top += line.height_px


def _words(line: list[PlacedStrip], text: str) -> Iterator[WordBox]:
    """Join pieces with nothing blank between them, and cut those that have something inside."""
    held: WordBox | None = None
    for piece in sorted(line, key=lambda piece: piece.span):
        matches = list(_WORD.finditer(piece.text))
        seen = [not INVISIBLE.issuperset(match[0]) for match in matches]
        inked = iter(_ink(piece, sum(seen)))
        boxes = [next(inked) if each else None for each in seen]
        literal = piece.span[1] - piece.span[0] == len(piece.text)
        apart = held and _APART.search(text, held.span[1], piece.span[0])
        if held and (apart or not (matches and matches[0].start() == 0)):
            yield held
            held = None
        for match, box in zip(matches, boxes, strict=True):
            start, end = piece.span
            if literal:
                start, end = start + match.start(), start + match.end()
            if held and match.start() == 0:
                held = WordBox(held.text + match[0], (held.span[0], end), _joined(held.box, box))
            else:
                if held:
                    yield held
                held = WordBox(match[0], (start, end), box or (0, 0, 0, 0))
            if match.end() < len(piece.text):
                yield held
                held = None
    if held:
        yield held


def _ink(piece: PlacedStrip, n_words: int) -> list[Box | None]:
    """Give the box of each word in a piece; several stand apart where its widest gaps are."""
    inked = piece.strip.pixels < WHITE
    for x, y, picture in piece.strip.colors:
        inked[max(0, y) : y + picture.height, max(0, x) : x + picture.width] = True
    columns = np.flatnonzero(inked.any(axis=0))
    if not len(columns):
        return [None] * n_words
    cuts = np.sort(np.argsort(np.diff(columns), kind="stable")[::-1][: max(0, n_words - 1)]) + 1
    parts = np.split(columns, cuts) if n_words > 1 else [columns]
    boxes: list[Box | None] = [_tight(inked, part, piece) for part in parts]
    boxes += [None] * (n_words - len(boxes))
    return boxes[::-1] if piece.strip.rtl else boxes


def _tight(inked: NDArray[np.bool_], columns: NDArray[np.intp], piece: PlacedStrip) -> Box:
    left, right = int(columns[0]), int(columns[-1]) + 1
    rows = np.flatnonzero(inked[:, left:right].any(axis=1))
    x, y = piece.x_px, piece.y_px
    return x + left, y + int(rows[0]), x + right, y + int(rows[-1]) + 1


def _joined(one: Box, two: Box | None) -> Box:
    if two is None or not one[2]:
        return two or one
    return min(one[0], two[0]), min(one[1], two[1]), max(one[2], two[2]), max(one[3], two[3])


def _moved(box: Box, x: int, y: int) -> Box:
    return box[0] + x, box[1] + y, box[2] + x, box[3] + y


def _warped(word: WordBox, size: tuple[int, int], spec: RenderSpec) -> WordBox:
    """Give the box around where a worn page has a word."""
    left, top, right, bottom = word.box
    ends = np.array([(x, y, 1) for x in (left, right) for y in (top, bottom)], float)
    seen = ends @ warp(size, spec.wear, spec.wear_seed).T
    seen = seen[:, :2] / seen[:, 2:]
    low, high = np.floor(seen.min(axis=0)), np.ceil(seen.max(axis=0))
    return word._replace(box=(int(low[0]), int(low[1]), int(high[0]), int(high[1])))


def words_of(frames: Iterable[list[WordBox]], span: Span) -> list[tuple[int, WordBox]]:
    """Give the words that show a part of the source, each with the number of its frame, from 0.

    Args:
        frames: as `FrameList.words` gives them.
        span: `(start, end)` in the source, as that of an answer.
    """
    start, end = span
    return [
        (number, word)
        for number, words in enumerate(frames)
        for word in words
        if word.span[0] < end and word.span[1] > start
    ]
