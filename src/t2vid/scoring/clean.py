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

MAX_CHARS = 20_000  # of a longer answer, which is a loop, both ends are read


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


_PLAIN = _Plain()
_PLAIN.update({i: chr(i) for i in range(128)})
_LOOKALIKES = str.maketrans("АСЕΑΕ", "ACEAE")  # Cyrillic and Greek; В is the third letter there
_LONE = re.compile(r"^[^\w]*[АСЕΑΕ][^\w]*$")
_MARKUP = str.maketrans("*`$", "   ")
_ROLE = re.compile(
    r"\s*(?:(?:#+\s*)?(?:assistant|gpt|bot|ai|model|response|chatbot|system)\s*"
    r"(?::|<\|end_header_id\|>|(?=\n))|<s>|<bos>|\[/INST\]|<start_of_turn>|<[|｜](?!begin_of_(?:box|sol))[\w ]{2,20}[|｜]>"
    r"(?=\s*\S))\s*",
    re.IGNORECASE,
)
_THOUGHTS = "think|thinking|thought|thoughts|reason|reasoning|analysis|scratchpad|reflection|rationale|cot|seed:think"
_THOUGHT = re.compile(rf"<({_THOUGHTS})\b[^<>]*>.*?</\1>", re.IGNORECASE | re.DOTALL)
_OPENED = re.compile(
    rf"<(?:{_THOUGHTS})\b[^<>]*>|◁think▷|\[THINK\]|<\|begin_of_thought\|>|<unused94>|<\|channel>thought",
    re.IGNORECASE,
)
_CLOSED = re.compile(
    rf"</(?:{_THOUGHTS})>|◁/think▷|\[/THINK\]|<\|end_of_thought\|>|<unused95>|<channel\|>",
    re.IGNORECASE,
)
_CHANNEL = re.compile(
    r"<\|channel\|>(?:analysis|commentary)<\|message\|>.*?(?:<\|end\|>|$)", re.DOTALL
)
_FINAL = re.compile(r"(?:<\|start\|>)?(?:assistant)?<\|channel\|>final<\|message\|>")
_KEPT = r"(?!begin_of_box|end_of_box|begin_of_solution|end_of_solution)"
_STOP = re.compile(
    rf"</?s>|</?(?:eos|pad|bos|eop|eod)>|<end_of_(?:utterance|turn)>|<start_of_turn>|<[|]{_KEPT}[\w -]{{2,30}}[|]>"
    r"|<｜[^｜]{2,30}｜>|\[/?INST\]|<\[|\]>",
    re.IGNORECASE,
)
_STRUCK = re.compile(r"~~.*?~~|<(s|del|strike)>.*?</\1>", re.DOTALL | re.IGNORECASE)
_TAGS = re.compile(
    r"</?(?:eo[aeh]|image ?\d*|b|i|p|em|strong|br|span|div|u|code|pre|li|ul|ol|h[1-6]|font|body|html)\b[^<>]{0,60}>"
)
_LATEX = re.compile(
    r"\\(?:text|math|mbox|bf|rm|it|left|right|large|Large|quad|displaystyle)\w*\s*|\\[()\[\],;! ]"
)
_UNDERLINED = re.compile(r"(?<!\w)_{1,2}(?=[^\s_])|(?<=[^\s_])_{1,2}(?![\w{])")
_HEADING = re.compile(r"(?m)^\s*(?:#{1,6}|>+)(?=\s)")
_BREAK_TAG = re.compile(r"<br\s*/?>", re.IGNORECASE)


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
        opened = _OPENED.search(text)
        if opened:
            return Cleaned("", None, "unfinished thought")
        text = _blank(_TAGS, text)
    text = _blank_match(_ROLE.match(text), text)
    if "~~" in text or "<" in text:
        text = _blank(_STRUCK, text)
    if "\\" in text and "boxed" not in text and "fbox" not in text:
        text = _blank(_LATEX, text)
    text = text.translate(_MARKUP).replace("[x]", " ✓ ").replace("[X]", " ✓ ")
    if "#" in text or ">" in text:
        text = _blank(_HEADING, text)
    if "_" in text:
        text = _blank(_UNDERLINED, text)
    return Cleaned(text, origin, "" if text.strip() else "empty")


def _plain(text: str, origin: list[int] | None) -> tuple[str, list[int] | None]:
    plain = text.translate(_PLAIN)
    if _LONE.match(plain):
        plain = plain.translate(_LOOKALIKES)
    if len(plain) == len(text):
        return plain, origin
    places = [i for i, char in enumerate(text) for _ in _PLAIN[ord(char)]]
    return plain, places if origin is None else [origin[i] for i in places]


def _said(text: str) -> str:
    """Blank the thoughts, and everything from the first end of sequence on."""
    text = _blank(_CHANNEL, _blank(_THOUGHT, _blank(_BREAK_TAG, text)))
    closed = max((found.end() for found in _CLOSED.finditer(text)), default=0)
    if closed:
        text = " " * closed + text[closed:]
    text = _blank(_FINAL, text)
    while role := _ROLE.match(text):
        text = _blank_match(role, text)
    while (stop := _STOP.search(text)) and not text[: stop.start()].strip():
        text = _blank_match(stop, text)
    return text[: stop.start()] if stop else text


def _blank(pattern: re.Pattern[str], text: str) -> str:
    return pattern.sub(lambda found: " " * len(found[0]), text)


def _blank_match(found: re.Match[str] | None, text: str) -> str:
    if not found:
        return text
    return text[: found.start()] + " " * len(found[0]) + text[found.end() :]
