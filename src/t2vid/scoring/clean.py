"""Step 1: the part of an answer that counts, with every character still at its place.

Markup, invisible characters and finished thoughts become blanks, so that a span found in the cleaned text is a span
of the answer as it was given. What follows the first end of sequence is cut off.

>>> clean("ASSISTANT: <think>A?</think> **B**</s>C").text.strip()
'B'
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from t2vid.scoring.lexicon import mark

MAX_CHARS = 20_000  # of a longer answer, which is a loop, both ends are read
_LOOKALIKES = str.maketrans("АСЕΑΕ", "ACEAE")  # Cyrillic and Greek; В is the third letter there
_LAST = re.compile(r"(?<!\w)[АСЕΑΕ](?=\W*$)")
_MARKUP = str.maketrans("*`$", "   ")


class Cleaned(NamedTuple):
    """A cleaned answer.

    Attributes:
        text: the text to read.
        origin: place of each character in the given answer, None where the places are equal.
        reason: why nothing can be read, empty where something can.
    """

    text: str
    origin: list[int] | None = None
    reason: str = ""

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where characters of the cleaned text stand in the given answer."""
        if self.origin is None:
            return start, end
        return self.origin[start], self.origin[max(start, end - 1)] + 1


class _Plain(dict[int, str]):
    """Plain forms of characters, each worked out once: full width, circled and invisible ones."""

    def __missing__(self, code: int) -> str:
        char, plain = chr(code), unicodedata.normalize("NFKC", chr(code))
        name = unicodedata.name(char, "")
        if unicodedata.category(char) == "Cf" or 0xFE00 <= code < 0xFE10:
            plain = ""
        elif "SQUARED LATIN" in name or "CIRCLED LATIN" in name or "INDICATOR SYMBOL" in name:
            plain = name.rpartition(" ")[2][:1] or char  # emoji letters, which NFKC leaves alone
        elif char in "…￼" or (len(plain) > 1 and not plain.isascii()):
            plain = char
        self[code] = plain
        return plain


_PLAIN = _Plain({code: chr(code) for code in range(128)})


def clean(answer: str) -> Cleaned:
    """Return the text that counts, or the reason why there is none.

    >>> clean("\\u200b \\n").reason, clean("<think>It must be A, the").reason
    ('empty', 'unfinished thought')
    """
    text, origin = answer, None
    if len(text) > MAX_CHARS:
        half = MAX_CHARS // 2
        text = text[:half] + "\n" + text[1 - half :]
        origin = [*range(half), half, *range(len(answer) + 1 - half, len(answer))]
    if not text.isascii():
        text, origin = _plain(text, origin)
    if "<" in text or "[" in text or "◁" in text:
        text = _said(text)
        if mark("opened").search(text):
            return Cleaned("", None, "unfinished thought")
        text = blank(mark("tag"), text)
    text = _blank_start(mark("role"), text)
    if "~~" in text or "<" in text:
        text = blank(mark("struck"), text)
    if "\\" in text and "boxed" not in text and "fbox" not in text:
        text = blank(mark("latex"), text)
    text = text.translate(_MARKUP).replace("[x]", " ✓ ").replace("[X]", " ✓ ")
    if "#" in text or ">" in text:
        text = blank(mark("heading"), text)
    if "_" in text:
        text = blank(mark("underlined"), text)
    return Cleaned(text, origin, "" if text.strip() else "empty")


def _plain(text: str, origin: list[int] | None) -> tuple[str, list[int] | None]:
    plain = text.translate(_PLAIN)
    plain = _LAST.sub(lambda found: found[0].translate(_LOOKALIKES), plain)
    if len(plain) == len(text):
        return plain, origin
    places = [i for i, char in enumerate(text) for _ in _PLAIN[ord(char)]]
    return plain, places if origin is None else [origin[i] for i in places]


def _said(text: str) -> str:
    """Blank the thoughts, and leave out everything from the first end of sequence on."""
    text = blank(mark("channel"), blank(mark("break"), text))
    if "</" in text:
        text = blank(mark("thought"), text)
    closed = max((found.end() for found in mark("closed").finditer(text)), default=0)
    text = blank(mark("final"), " " * closed + text[closed:])
    while mark("role").match(text):
        text = _blank_start(mark("role"), text)
    while (stop := mark("stop").search(text)) and not text[: stop.start()].strip():
        text = " " * stop.end() + text[stop.end() :]
    return text[: stop.start()] if stop else text


def blank(pattern: re.Pattern[str], text: str) -> str:
    """Put blanks in the place of what a pattern finds."""
    return pattern.sub(lambda found: " " * len(found[0]), text)


def _blank_start(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.match(text)
    return " " * found.end() + text[found.end() :] if found else text
