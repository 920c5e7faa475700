"""Whether a character of an answer is an option's letter, and what belongs to it.

>>> from t2vid.scoring.options import read_options
>>> letters = Letters("I like A dog, but take option (B).", read_options(["cat", "dog"]))
>>> letters.letter(7), letters.letter(31).start
(None, 23)
"""

from __future__ import annotations

import re
from typing import NamedTuple

from t2vid.scoring.answer import ParsedAnswer
from t2vid.scoring.lexicon import load
from t2vid.scoring.options import Options

CUT_CHARS = 60  # of an answer whose last word may be cut off
_OPENING, _CLOSING = "([{\"'“‘「『《<«", ")]}\"'”’」』】》>»"
_EQUATION = re.compile(r"(?:\b\w{1,2}|[)\]}\d])\s*=\s*$|[+*/^−·×∠△°√∪∩∖⊂⊆∈]\s?$|[-–]$")
_CALCULATION = re.compile(
    r"\s?[=<>^≤≥≈∥⊥≡∨∧⊃⊢]|\|\s*=|\s?[+*/·×−△∪∩∖⊂⊆∈]\s?\w|\(|\[\w|-[A-Za-z]|\s-\s\w\b|['’]?[\d_]"
)
_CALL = re.compile(r"\w\((?:[^()\n]|\([^()\n]*\))*,\s*[^\w\s]*$")
_GAP = re.compile(r"\s*(?:[.):,、\]|>=→-]|[—–]|i\.e\.,?|namely)*\s*[\"'(“‘「]*")
_CALCULATED = re.compile(r"[})\s]*[-+*/^×·÷−\\]")
_WORD_AFTER = re.compile(r"(\s+|,\s*)([^\W\d_]+(?:['’][^\W\d_]+)?)")
_SEEMS = re.compile(r"(?:appears|seems) to be\b|looks\b")
_BETWEEN = " ([.,\"'”-–—:|"
_STOPS = re.compile(r"\.\s+[a-z]|$")
_ENDS_ITS_SENTENCE = re.compile(r"[\s.!,]*(?:$|\n|\bi think)")
_SECOND = re.compile(r"\b[a-j]\s?[,、]\s?$")
_STATED = re.compile(r"(?:[:=]|\b(?:is|answer))\s*$", re.IGNORECASE)
_NOUN = re.compile(r"(?:\b(the|la|el|die|l)\s+)?(\w+)(?:['’#]|\s#)?\s?[-(\[\"'“]*$", re.IGNORECASE)


class Mention(NamedTuple):
    """An option in a text.

    Attributes:
        letter: the option's letter.
        at: place of the letter or the text itself.
        start: where the whole naming starts, "option (B) a dog" with all of it.
        end: where it ends.
        form: `letter`, `text`, `place`, or `item` for a letter that heads a line of several.
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

    def parsed(self, rule: str) -> ParsedAnswer:
        """Return it as what was read: its letter, or the words that name its option or its place, decided."""
        whole = self.form in ("place", "text")
        return ParsedAnswer(
            self.letter, rule, (self.start, self.end) if whole else (self.at, self.at + 1)
        )


class Letters:
    """Letters of a text that stand for options.

    Args:
        text: the cleaned answer.
        options: the options.
    """

    def __init__(self, text: str, options: Options) -> None:
        self.text, self.options, self.words = text, options, load().words
        self.nouns = self.words["noun"] | options.nouns if options.nouns else self.words["noun"]

    def letter(self, at: int) -> Mention | None:
        """Take in the noun and the brackets before a letter, and its option's text after it."""
        text, letter, small = self.text, self.text[at].upper(), self.text[at].islower()
        start, end = at, at + 1
        while start and text[start - 1] in _OPENING:
            start -= 1
        while end < len(text) and text[end] in _CLOSING:
            end += 1
        low = max(0, start - 80)
        if text.rfind("(", low, start) >= 0 and _CALL.search(text, low, start):
            return None  # label("C", C, S)
        wrapped = start < at and end > at + 1
        noun, own = self._noun(start), self.own_text(letter, end)
        if small and (letter == "I" and "ii)" in text or _SECOND.search(text, max(0, at - 4), at)):
            return None  # (i), (ii), …; the second of "a, e"
        if letter in "AI" and not own and end == at + 1 and self._is_word(letter, end, small):
            if noun == start or text[at - 1] in _OPENING:
                return None  # an article, also in: option "A dog"
        if not (own or wrapped or noun < start) and self._is_symbol(letter, start, end, small):
            return None
        if small and letter not in self.options.letters:
            return None
        first = self._own_text_before(letter, noun) if wrapped or noun < start else noun
        owned = own > 0 or first < noun
        named = wrapped or noun < start or owned
        return Mention(letter, at, first, own or end, wrapped=named, own=owned)

    def _is_word(self, letter: str, end: int, small: bool) -> bool:
        """Say whether an A is the article, or an I the writer."""
        word = _WORD_AFTER.match(self.text, end, end + 24)
        if not word or "\n" in word[1] or (word[1][0] == "," and letter == "A"):
            return False
        follows = word[2].replace("’", "'")
        if letter == "I":
            return follows not in self.words["after_i"]
        if not follows.isascii() or (len(follows) == 1 and follows.isupper()):
            return follows.casefold() in self.words["numbered"]
        return small or follows.casefold() not in self.words["after_a"]

    def _is_symbol(self, letter: str, start: int, end: int, small: bool) -> bool:
        """Say whether a bare letter belongs to a formula, a unit, or a sentence that broke off."""
        text, before = self.text, self.text[max(0, start - 6) : start]
        return bool(
            _CALCULATION.match(text[end : end + 12])
            or _EQUATION.search(before)
            or (self.options.lettered and re.search(r"\d\s?$", before[-2:]))  # "75 A", a current
            or (
                letter == "I"
                and _STOPS.match(text[end : end + 12])
                and not _STATED.search(text[:start])
            )
            or (small and not _ENDS_ITS_SENTENCE.match(text[end : end + 12]))
            or (
                small
                and not text[end:].strip(".… ")
                and len(text) > CUT_CHARS
                and not _STATED.search(text[:start])
            )
        )

    def _noun(self, start: int) -> int:
        """Return where "option", "choice (" or the like begins before a letter."""
        word = _NOUN.search(self.text, max(0, start - 24), start)
        return word.start() if word and word[2].casefold() in self.nouns else start

    def own_text(self, letter: str, end: int) -> int:
        """Return where an option's text after its letter ends, 0 where it does not follow."""
        text = self.text
        if not self.options.raw.get(letter):
            return 0
        gap = _GAP.match(text, end, end + 14)
        start = gap.end() if gap else end
        if (
            letter == "A"
            and text[end - 1] in "Aa"
            and not (text[end:start].strip() or self.options.nouns)
        ):
            return 0  # "A dog" is an article and a noun
        if self.options.nouns and text[start : start + 2] == f"{letter} ":
            start += 2  # "(A) A is closer"
        seems = _SEEMS.match(text, start) if self.options.nouns else None
        if seems:  # "A appears to be closer", where the option is "A is closer"
            rest = "is" + text[seems.end() : seems.end() + 2 * self.options.longest]
            length = self.options.starts(rest, letter)
            return seems.end() + length - 2 if length else 0
        length = self.options.starts(text[start : start + 2 * self.options.longest + 20], letter)
        if not length or ("=" in text[end:start] and _CALCULATED.match(text, start + length)):
            return 0  # also of a quantity A and how it is calculated
        end = start + length
        while end < len(text) and text[end] in "\"')”’」":
            end += 1
        return end

    def _own_text_before(self, letter: str, start: int) -> int:
        raw = self.options.raw.get(letter, "")
        low = max(0, start - 2 * len(raw) - 10)
        before = self.text[low:start].rstrip(_BETWEEN)
        if before and before[-1:].casefold() == raw.rstrip(_BETWEEN)[-1:].casefold():
            for name, begin, end in reversed(self.options.named(self.text[low:start])):
                if name == letter and not self.text[low + end : start].strip(_BETWEEN):
                    return low + begin
        return start
