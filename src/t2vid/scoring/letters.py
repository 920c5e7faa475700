"""Whether a character of an answer is an option's letter, and what belongs to it.

>>> from t2vid.scoring.options import read_options
>>> letters = Letters("I like A dog, but take option (B).", read_options(["cat", "dog"]))
>>> letters.letter(7), letters.letter(31).start
(None, 23)
"""

from __future__ import annotations

import re
from typing import NamedTuple

from t2vid.scoring.lexicon import load
from t2vid.scoring.options import Options

_OPENING = "([{\"'“‘「『【《<«"
_CLOSING = ")]}\"'”’」』】》>»"
_VERBS = frozenset(
    "is isn't was wasn't seems appears looks would fits matches describes does doesn't did because since as and or but "
    "instead rather must should can can't cannot has will best correctly makes shows remains it for over if though "
    "although given which states says who when due also gets only wins not never contradicts fails alone then survives stands works stimmt passt holds obviously please both apply fit are each all too also that's it's here , "
    "captures aligns reflects represents corresponds stands sounds feels might may could won't hands ist es est è é".split()
)
_AFTER_I = frozenset(
    "is isn't seems appears fits matches because since as and or wins not describes rather".split()
)
_EQUATION = re.compile(r"(?:\b\w{1,2}|[)\]}\d])\s*=\s*$|[+*/^−·×∠△°√]\s?$|[-–]$")
_CALCULATION = re.compile(
    r"\s?[=<>^≤≥≈∥⊥]|\|\s*=|\s?[+*/·×−]\s?\w|\(|\[\w|-[A-Za-z]|\s-\s\w\b|['’]?[\d_]"
)
_CALL = re.compile(r"\w\((?:[^()\n]|\([^()\n]*\))*,\s*[^\w\s]*$")
_GAP = re.compile(r"\s*(?:[.):,、\]|>=→-]|[—–]|i\.e\.,?|namely)*\s*[\"'(“‘「]*")
_WORD_AFTER = re.compile(r"(\s+|,\s*)([^\W\d_]+(?:['’][^\W\d_]+)?)")
_BETWEEN = " .,\"'”-–—:|"
_PART = re.compile(r"\.\s+[a-z]|$")
_ENDS_ITS_SENTENCE = re.compile(r"[\s.!,]*(?:$|\n|\bi think)")
_SECOND = re.compile(r"\b[a-j]\s?[,、]\s?$")
_STATED = re.compile(r"(?:[:=]|is)\s*$")
_NOUN = re.compile(r"(?:\b(the|la|el|die|l)\s+)?(\w+)(?:['’#]|\s#)?\s?[-(\[\"'“]*$", re.IGNORECASE)


class Mention(NamedTuple):
    """An option in a text.

    Attributes:
        letter: the option's letter.
        at: place of the letter or the text itself.
        start: where the whole naming starts, "option (B) a dog" with all of it.
        end: where it ends.
        form: `letter`, `text`, or `item` for a letter that heads a line of several.
        joined: letters that are named with it, "A or B", its own among them.
        wrapped: whether brackets or quotes stand around the letter, or a word such as "option" before it.
        own: whether the option's own text follows the letter.
    """

    letter: str
    at: int
    start: int
    end: int
    form: str = "letter"
    joined: frozenset[str] = frozenset()
    wrapped: bool = False
    own: bool = False

    @property
    def decisive(self) -> tuple[int, int]:
        """Where the letter stands, or the words that name its option or its place."""
        return (self.start, self.end) if self.form in ("place", "text") else (self.at, self.at + 1)


class Letters:
    """Letters of a text that stand for options.

    Args:
        text: the cleaned answer.
        options: the options.
    """

    def __init__(self, text: str, options: Options) -> None:
        self.text, self.options, self.lexicon = text, options, load()

    def letter(self, at: int) -> Mention | None:
        """Take in the noun and the brackets before a letter, and its option's text after it."""
        text, letter = self.text, self.text[at].upper()
        start, end = at, at + 1
        while start and text[start - 1] in _OPENING:
            start -= 1
        while end < len(text) and text[end] in _CLOSING:
            end += 1
        wrapped = start < at and end > at + 1
        if text.rfind("(", max(0, start - 80), start) >= 0 and _CALL.search(
            text, max(0, start - 80), start
        ):
            return None  # label("C", C, S)
        noun = self._noun(start)
        own = self.own_text(letter, end)
        small, follows = text[at].islower(), text[end : end + 12]
        if small and (letter == "I" and "ii)" in text or _SECOND.search(text, max(0, at - 4), at)):
            return None  # (i), (ii), …; the second of "a, e"
        if letter in "AI" and not own and end == at + 1 and self._is_word(letter, end, small):
            if noun == start or text[at - 1] in _OPENING:
                return None  # an article, also in: option "A dog"
        if not own and not wrapped and noun == start:
            if _CALCULATION.match(follows) or _EQUATION.search(text[max(0, start - 6) : start]):
                return None
            if self.options.lettered and re.search(r"\d\s?$", text[max(0, start - 2) : start]):
                return None  # "75 A", a current
            if letter == "I" and _PART.match(follows) and not _STATED.search(text[:start]):
                return None  # "Well, I"
            if small and not _ENDS_ITS_SENTENCE.match(follows):
                return None
        if small and not wrapped and letter not in self.options.letters:
            return None
        start = min(start, noun)
        if wrapped:
            start = self._own_text_before(letter, start)
        return Mention(
            letter,
            at,
            start,
            own or end,
            wrapped=wrapped or noun < start or bool(own),
            own=bool(own),
        )

    def _is_word(self, letter: str, end: int, small: bool) -> bool:
        """Say whether an A is the article, or an I the writer."""
        word = _WORD_AFTER.match(self.text, end, end + 24)
        if not word or "\n" in word[1] or (word[1][0] == "," and letter == "A"):
            return False
        follows = word[2].replace("’", "'")
        if letter == "I":
            return follows not in _AFTER_I
        if not follows.isascii() or (len(follows) == 1 and follows.isupper()):
            return False
        return small or follows.casefold() not in _VERBS

    def _noun(self, start: int) -> int:
        """Return where "option", "choice (" or the like begins before a letter."""
        before = self.text[max(0, start - 24) : start]
        word = _NOUN.search(before)
        if word and word[2].casefold() in self.lexicon.words["noun"]:
            return start - len(before) + word.start()
        return start

    def own_text(self, letter: str, end: int) -> int:
        """Return where an option's text after its letter ends, 0 where it does not follow."""
        if not self.options.raw.get(letter):
            return 0
        gap = _GAP.match(self.text, end, end + 14)
        start = gap.end() if gap else end
        if letter == "A" and not self.text[end:start].strip() and self.text[end - 1] in "Aa":
            return 0  # "A dog" is an article and a noun
        length = self.options.starts(
            self.text[start : start + 2 * self.options.longest + 20], letter
        )
        if not length:
            return 0
        end = start + length
        if gap and "=" in gap[0] and re.match(r"[})\s]*[-+*/^×·÷−\\]", self.text[end : end + 8]):
            return 0  # a quantity A and how it is calculated
        while end < len(self.text) and self.text[end] in "\"')”’」":
            end += 1
        return end

    def _own_text_before(self, letter: str, start: int) -> int:
        raw = self.options.raw.get(letter, "")
        low = max(0, start - 2 * len(raw) - 10)
        last = self.text[low:start].rstrip(_BETWEEN)[-1:]
        if last.casefold() == raw.rstrip(_BETWEEN)[-1:].casefold() and last:
            for name, begin, end in reversed(self.options.named(self.text[low:start])):
                if name == letter and not self.text[low + end : start].strip(_BETWEEN):
                    return low + begin
        return start
