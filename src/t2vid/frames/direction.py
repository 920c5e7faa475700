"""The order in which a paragraph of mixed direction is seen (UAX #9), from `python-bidi`.

>>> visual = visual_order("ab \u05d0\u05d1 1")
>>> visual.line(0, 7)
[0, 1, 2, 6, 5, 4, 3]

`python-bidi` wraps the Rust crate `unicode-bidi` and hands out the reordered string only, which does
not say which of two equal characters went where. So every character is followed by marks that spell
its index. The marks are Boundary Neutral, which the algorithm ignores (X9) and which inherit the
level of the character before them: they come out right of it where it reads left to right, and left
of it where it reads right to left.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bidi import get_base_level, get_display

# whatever can move a character: right-to-left letters, Arabic numbers, explicit controls
_NEEDS_BIDI = re.compile(
    "[\u0590-\u08ff\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefe"
    "\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
_MARK, _BASE = 0xE0020, 96  # the tag characters: 96 of one bidi class that text hardly ever uses
_SEPARATOR_STAND_IN = "\u2610"  # neutral like a tab, but without the tab's resetting rule L1
_WHITE = frozenset(
    " \t\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u205f"
)
_IGNORED = frozenset(
    map(chr, [*range(0x200B, 0x200E), *range(0x202A, 0x202F), *range(0x2060, 0x2070)])
)
_RESET = _WHITE | _IGNORED | {"\u3000", "\ufeff", "\u00ad"}
_TABS = frozenset("\t\x0b\x1f")


@dataclass(frozen=True)
class Visual:
    """How a paragraph is seen.

    Attributes:
        rank: for each character its place from the left, were the paragraph one line.
        rtl: for each character whether it reads right to left.
        base_rtl: whether the paragraph does.
        text: the paragraph.
    """

    rank: list[int]
    rtl: list[bool]
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
            if i < end and self.text[i] not in _TABS:
                continue
            last = i
            while last > at and self.text[last - 1] in _RESET:
                last -= 1
            parts.append(sorted(range(at, last), key=self.rank.__getitem__))
            parts.extend([j] for j in range(last, min(i + 1, end)))
            at = i + 1
        if self.base_rtl:
            parts.reverse()
        return [i for part in parts for i in part]


def needs_bidi(text: str) -> bool:
    """Say whether a text has anything that does not simply go from left to right."""
    return _NEEDS_BIDI.search(text) is not None


def reads_rtl(paragraph: str) -> bool:
    """Say whether a paragraph as a whole reads from right to left, by its first strong letter."""
    return bool(get_base_level(paragraph) == 1)


def visual_order(paragraph: str, *, base_rtl: bool | None = None) -> Visual:
    """Resolve one paragraph.

    Args:
        paragraph: text without paragraph separators and without lone surrogates.
        base_rtl: whether it reads from right to left; None lets its first strong letter say so.
    """
    if base_rtl is None:
        base_rtl = reads_rtl(paragraph)
    # closing what was left open and a strong letter keep rule L1 away from the last marks
    isolates = sum(paragraph.count(c) for c in "\u2066\u2067\u2068")
    embeddings = sum(paragraph.count(c) for c in "\u202a\u202b\u202d\u202e")
    closed = "\u2069" * isolates + "\u202c" * embeddings + ("\u05d0" if base_rtl else "a")
    digits = 1
    while _BASE**digits < len(paragraph) + len(closed):
        digits += 1
    marked = []
    for i, char in enumerate(paragraph + closed):
        marked.append(_SEPARATOR_STAND_IN if char in _TABS else _plain(char))
        for _ in range(digits):
            i, digit = divmod(i, _BASE)
            marked.append(chr(_MARK + digit))
    shown = get_display("".join(marked), base_dir="R" if base_rtl else "L")
    return _read(shown, digits, base_rtl, paragraph)


def _plain(char: str) -> str:
    # a tag character of the text itself must not be read as a mark; it is as neutral as U+200B
    return "\u200b" if _MARK <= ord(char) < _MARK + _BASE else char


def _read(shown: str, digits: int, base_rtl: bool, text: str) -> Visual:
    rank, rtl = [0] * len(text), [False] * len(text)
    for at in range(0, len(shown), digits + 1):
        chunk = shown[at : at + digits + 1]
        backward = _MARK <= ord(chunk[0]) < _MARK + _BASE
        index = 0
        for mark in chunk[:-1] if backward else chunk[:0:-1]:
            index = index * _BASE + ord(mark) - _MARK
        if index < len(text):
            rank[index], rtl[index] = at, backward
    return Visual(rank, rtl, base_rtl, text)
