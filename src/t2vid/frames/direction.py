"""The order in which a paragraph of mixed direction is seen (UAX #9), from `python-bidi`.

>>> visual = visual_order("ab \u05d0\u05d1 1")
>>> visual.line(0, 7)
[0, 1, 2, 6, 5, 4, 3]

`python-bidi` wraps the Rust crate `unicode-bidi` and hands out the reordered string only, which does
not say which of two equal characters went where. So a paragraph is first cut into runs of one bidi
class, because a run behaves as a single character does. Each run goes in as its first character,
followed by marks that spell the run's number. The marks are Boundary Neutral, which the algorithm
ignores (X9) and which inherit the level of the character before them: they come out right of it
where it reads left to right, and left of it where it reads right to left.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from bidi import get_display
from numpy.typing import NDArray

# whatever can move a character: right-to-left letters, Arabic numbers, explicit controls
_NEEDS_BIDI = re.compile(
    "[\u0590-\u08ff\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefe"
    "\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
# Hebrew, Arabic and Syriac without their digits, marks on them, blanks and common punctuation
_BACKWARD = re.compile(
    "[\u0590-\u05ff\u0606-\u060b\u060d-\u061b\u061d-\u065f\u066d-\u06dc\u06de-\u06ef\u06fa-\u070e"
    "\u0710-\u074a !\"'(),\\-./:;?\\[\\]\u00a0\u00ab\u00bb\u060c\u2010-\u2015\u2018-\u201f\u2026]+"
)
_MARK, _BASE = 0xE0020, 96  # the tag characters: 96 of one bidi class that text hardly ever uses
_STAND_IN = ord("\u2610")  # neutral like a tab, but without the tab's resetting rule L1
_WHITE = frozenset(
    " \t\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u205f"
)
_IGNORED = frozenset(
    map(chr, [*range(0x200B, 0x200E), *range(0x202A, 0x202F), *range(0x2060, 0x2070)])
)
_RESET = _WHITE | _IGNORED | {"\u3000", "\ufeff", "\u00ad"}
# classes S and B: a line is ordered on both sides of them apart. Who hands over a paragraph has
# taken off the newlines at its end; a separator inside it (U+001C) must not end the paragraph here,
# since `get_display` would order what follows on its own.
SEPARATORS = frozenset("\t\x0b\x1f\n\r\x1c\x1d\x1e\x85\u2029")

# what a character is for the runs: codes up to `_EMBEDDING` never join a run, the others do
_LONE, _NSM, _SEPARATOR, _TAG, _ISOLATE, _EMBEDDING, _LETTER, _BLANK = range(1, 9)
_CLASS_OF = {
    "NSM": _NSM, "S": _SEPARATOR, "B": _SEPARATOR, "LRI": _ISOLATE, "RLI": _ISOLATE,
    "FSI": _ISOLATE, "LRE": _EMBEDDING, "RLE": _EMBEDDING, "LRO": _EMBEDDING, "RLO": _EMBEDDING,
    "WS": _BLANK, "L": 9, "R": 10, "AL": 11, "EN": 12, "AN": 13,
}  # fmt: skip
_SPECIAL = re.compile(bytes([91, _SEPARATOR, 45, _EMBEDDING, 93]))  # a range of bytes in brackets
_classes = np.zeros(0x110000, np.uint8)  # 0 where nobody asked yet
_classes[_MARK : _MARK + _BASE] = _TAG

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Visual:
    """How a paragraph is seen.

    Attributes:
        rank: for each character its place from the left, were the paragraph one line.
        rtl: for each character whether it reads right to left.
        base_rtl: whether the paragraph does.
        text: the paragraph.
    """

    rank: Indices
    rtl: NDArray[np.bool_]
    base_rtl: bool
    text: str

    def line(self, start: int, end: int) -> list[int]:
        """Give the indices of a line's characters from left to right.

        Two characters keep their order in every line that holds both, since it depends on the
        levels between them alone; only rule L1 acts on a line: blanks before a tab or the end
        go back to the paragraph's own direction.
        """
        parts: list[list[int]] = []
        at = start
        for i in range(start, end + 1):
            if i < end and self.text[i] not in SEPARATORS:
                continue
            last = i
            while last > at and self.text[last - 1] in _RESET:
                last -= 1
            parts.append((at + np.argsort(self.rank[at:last])).tolist())
            parts.extend([j] for j in range(last, min(i + 1, end)))
            at = i + 1
        if self.base_rtl:
            parts.reverse()
        return [i for part in parts for i in part]

    def cuts(self) -> NDArray[np.bool_]:
        """Say before which characters a run that is drawn as one begins; the first is True.

        Characters are drawn as one where each stands next to the one before it, in its direction.
        Separators stand alone, and so do the blanks before them, which rule L1 moves.
        """
        cuts = np.empty(len(self.text), np.bool_)
        cuts[:1] = True
        step = np.where(self.rtl[1:], -1, 1)
        cuts[1:] = (self.rank[1:] - self.rank[:-1] != step) | (self.rtl[1:] != self.rtl[:-1])
        if not SEPARATORS.isdisjoint(self.text):
            for i, char in enumerate(self.text):
                if char in SEPARATORS:
                    cuts[i : i + 2] = True
                    while i > 0 and self.text[i - 1] in _RESET:
                        i -= 1
                        cuts[i] = True
        return cuts


def is_backward(text: str) -> bool:
    """Say whether a paragraph has right-to-left letters and neutral characters alone.

    All of it is then at level 1: a letter, a digit or a control of any other class would change that.
    """
    return _BACKWARD.fullmatch(text) is not None


def needs_bidi(text: str) -> bool:
    """Say whether a text has anything that does not simply go from left to right."""
    return not text.isascii() and _NEEDS_BIDI.search(text) is not None


def reads_rtl(paragraph: Iterable[str]) -> bool:
    """Say whether a paragraph as a whole reads from right to left, by its first strong letter.

    Its characters are looked at no further. What stands in an isolate does not count (P2).
    """
    depth = 0
    for char in paragraph:
        kind = unicodedata.bidirectional(char)
        if not kind:  # newer than Python's Unicode
            kind = "R" if needs_bidi(char) else "L"
        if kind in ("L", "R", "AL"):
            if not depth:
                return kind != "L"
        elif kind in ("LRI", "RLI", "FSI"):
            depth += 1
        elif kind == "PDI" and depth:
            depth -= 1
    return False


def visual_order(paragraph: str, *, base_rtl: bool | None = None) -> Visual:
    """Resolve one paragraph.

    Args:
        paragraph: text without lone surrogates; separators inside it do not end it.
        base_rtl: whether it reads from right to left; None lets its first strong letter say so.
    """
    if base_rtl is None:
        base_rtl = reads_rtl(paragraph)
    codes = np.frombuffer(paragraph.encode("utf-32-le"), np.uint32)
    kinds = _kinds(codes)
    begins = np.empty(len(codes), np.bool_)
    begins[:1] = True
    begins[1:] = (kinds[1:] != kinds[:-1]) | (kinds[1:] < _LETTER)
    starts = np.flatnonzero(begins)
    heads, kinds = codes[starts], kinds[starts]
    # closing what was left open and a strong letter keep rule L1 away from the last marks
    closed = [0x05D0 if base_rtl else ord("a")]
    if _SPECIAL.search(kinds.tobytes()):
        heads[kinds == _SEPARATOR] = _STAND_IN
        heads[kinds == _TAG] = 0x200B  # not to be read as a mark; it is as neutral
        isolates, embeddings = (int(np.count_nonzero(kinds == k)) for k in (_ISOLATE, _EMBEDDING))
        closed = [0x2069] * isolates + [0x202C] * embeddings + closed
    n = len(heads) + len(closed)
    digits = 1
    while _BASE**digits < n:
        digits += 1
    marked = np.empty((n, digits + 1), np.uint32)
    marked[: len(heads), 0] = heads
    marked[len(heads) :, 0] = closed
    marked[:, 1:] = _numerals(digits, n)[:n]
    shown = get_display(marked.tobytes().decode("utf-32-le"), base_dir="R" if base_rtl else "L")
    return _read(shown, digits, starts, base_rtl, paragraph)


@lru_cache(maxsize=8)
def _powers(digits: int) -> Indices:
    return np.array([_BASE**place for place in range(digits)])


def _numerals(digits: int, n: int) -> NDArray[np.uint32]:
    """Spell the numbers up to `n` in marks, the lowest digit first."""
    return _spelled(digits, max(1 << n.bit_length(), 512))


@lru_cache(maxsize=8)
def _spelled(digits: int, n: int) -> NDArray[np.uint32]:
    numbers = np.arange(n)[:, None] // _powers(digits)
    return (_MARK + numbers % _BASE).astype(np.uint32)


def _kinds(codes: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """Give each character's bidi class, a mark that of its letter (W1)."""
    found = _classes[codes]
    if 0 in found.tobytes():  # several times faster than numpy's own search
        for code in set(codes[found == 0].tolist()):
            _classes[code] = _CLASS_OF.get(unicodedata.bidirectional(chr(code)), _LONE)
        found = _classes[codes]
    marks = np.flatnonzero(found == _NSM)
    if len(marks):
        before = np.arange(len(found))
        before[marks] = 0
        taken = found[np.maximum.accumulate(before)[marks]]
        found[marks] = np.where(taken > _BLANK, taken, _NSM)
    return found


def _read(shown: str, digits: int, starts: Indices, base_rtl: bool, text: str) -> Visual:
    """Read the runs' order and directions, and spread them over their characters."""
    codes = np.frombuffer(shown.encode("utf-32-le"), np.int32).reshape(-1, digits + 1) - _MARK
    backward = (codes[:, 0] >= 0) & (codes[:, 0] < _BASE)
    forward_order, backward_order = codes[:, digits], codes[:, 0]
    for place in range(1, digits):  # a mark before its character is read from the right
        forward_order = forward_order * _BASE + codes[:, digits - place]
        backward_order = backward_order * _BASE + codes[:, place]
    order = np.where(backward, backward_order, forward_order)
    real = order < len(starts)
    order, backward = order[real], backward[real]
    lengths = np.empty(len(starts), np.int64)
    lengths[:-1], lengths[-1:] = starts[1:] - starts[:-1], len(text) - starts[-1:]
    left = np.empty(len(starts), np.int64)
    left[order] = np.cumsum(lengths[order]) - lengths[order]
    rtl = np.empty(len(starts), np.bool_)
    rtl[order] = backward
    # from its first character, a run goes to the right or, from its right end, to the left
    first = np.where(rtl, left + lengths - 1, left)
    step = np.where(rtl, -1, 1)
    inside = np.arange(len(text)) - np.repeat(starts, lengths)
    rank = np.repeat(first, lengths) + np.repeat(step, lengths) * inside
    return Visual(rank, np.repeat(rtl, lengths), base_rtl, text)
