"""Where a text may be cut: grapheme clusters (UAX #29) and line breaks (UAX #14), by ICU.

>>> list(line_pieces("one two-three"))
['one ', 'two-', 'three']
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import accumulate, pairwise

from icu4py.breakers import CharacterBreaker, LineBreaker

_SURROGATE = re.compile("[\ud800-\udfff]")


def safe_text(text: str) -> str:
    """Give a text of equal length that ICU can hold: lone surrogates become U+FFFD."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def graphemes(text: str) -> Iterable[str]:
    """Cut a text into grapheme clusters."""
    return _cut(CharacterBreaker, text, "en")


def line_pieces(text: str, lang: str = "en") -> Iterable[str]:
    """Cut a text wherever a line may or must break.

    Args:
        text: any text.
        lang: a BCP 47 tag; Japanese and Chinese differ from the others in a few characters.
    """
    return _cut(LineBreaker, text, lang)


def _cut(breaker: type, text: str, lang: str) -> Iterable[str]:
    safe = safe_text(text)
    pieces: Iterable[str] = breaker(safe, lang)
    if safe is text or safe == text:
        return pieces
    ends = [0, *accumulate(len(piece) for piece in pieces)]
    return [text[start:end] for start, end in pairwise(ends)]
