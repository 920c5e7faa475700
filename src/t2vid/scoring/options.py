"""The options of a question, prepared once: which option a text is, and where an answer names one by its text.

>>> options = read_options(["A. The cat", "B. The dog"])
>>> options.letters, options.exact("a dog"), options.named("I saw the cat run.")
('AB', 'B', [('A', 6, 13)])
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import Any

from t2vid.errors import InputError
from t2vid.scoring.summaries import MAX_CHARS, Kind, kind_of, summary

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DEFAULT_LETTERS = "ABCDE"  # where only letters are known
_ARTICLES = frozenset(("a", "an", "the"))
_ARTICLE = re.compile(r"\s+[a-z0-9]|\s+\w+$|\s+[A-Z][a-z]")
_GIVES = re.compile(r"\s+[\w\"'“‘(\[-]")
_NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty"
).split()
_SAME = {word: str(i) for i, word in enumerate(_NUMBERS)} | {"−": "-", "–": "-"}
_TOKEN = re.compile(
    r"[^\W\d_\u2e80-\u9fff\u0e00-\u0e7f]+(?:['’][^\W\d_]+)?|[\u2e80-\u9fff\u0e00-\u0e7f]|"
    r"\\(?:[dt]?frac|(?:text|math|mbox|left|right|quad|displaystyle)[a-z]*)|\\[,;! ]|\^\{?\\circ\}?|"
    r"(?<![\w.,)])[-−–+](?=[\d.])|\d+(?:[.,]\d+)*|\.\d+|(?<=\d):(?=\s?\d)|[%°€£^√π\\/+*=<>≤≥]"
)
_SPECIAL = frozenset((*_ARTICLES, *_SAME))
_PLAIN_WORD = re.compile(r"(?<![\\a-z])[a-z]{3,}")
_ARTICLE_BEFORE = re.compile(r"\b(?:an?|the)\s+$", re.IGNORECASE)
_HEAD = re.compile(r"\s*[(\[]?([A-Z])\s*[)\].:、]\s*(?=\S)")
_NUMBER = re.compile(r"^\s*[(\[]?\d{1,2}[)\].:]\s+(?=[^\W\d])")  # "2) a dog"
_SENTENCES = re.compile(r"[.!?。！？\n]\s*\w")
_LETTER = re.compile(r"\b[A-J]\b")
_OPERATOR = re.compile(r"[=+*/^×·÷≈<>(\[{−√∠-]\s*$")
_BARE = frozenset("yes no true false none neither both all not is it to up a of in on".split())
_PRONOUN = re.compile(r"\s+(?:of|that|who|option|can|could)\b")  # "one of the sides" counts nothing
_GOES_ON = re.compile(r"[ \t/-]+(?!is\b|would\b|seems\b|because\b)\w")
_COMBINED = re.compile(r"(?:both |all |only )?[A-J](?:(?:,| and|&|/|,? or)+ ?[A-J])*\.?")


def words(text: str) -> list[tuple[str, int, int]]:
    """Return the comparable words of a text with their places: no case, articles or punctuation; numbers as digits.

    >>> [word for word, _, _ in words("The red ball, THREE times: -2.5")]
    ['red', 'ball', '3', 'times', '-', '2.5']
    """
    low = text.casefold()
    if len(low) != len(text):  # a letter that folds into two
        low = text.lower() if len(text.lower()) == len(text) else text
    found: list[tuple[str, int, int]] = []
    fraction = -1  # where one begins, up to its first number
    for match in _TOKEN.finditer(low):
        word, (start, end) = match[0], match.span()
        if fraction < 0 and word not in _SPECIAL and word.isalpha():
            found.append((word, start, end))
            continue
        if word in _ARTICLES and (word != "a" or _GIVES.match(low, end)):  # not in "3b - a"
            opens = not text[max(0, start - 2) : start].strip()[-1:].isalnum()
            if text[start] != "A" or (opens and _ARTICLE.match(text, end)):
                continue  # an article; not so in "Solution A has more"
        elif word[0] == "\\" and len(word) > 1:
            fraction = start if word.endswith("frac") else fraction
            continue  # the look of a formula, not what it says
        elif word[0] == "^" and len(word) > 1:
            word = "°"
        elif word == "one" and _PRONOUN.match(low, end):
            word = "which"
        word = word.replace("’", "").replace("'", "")
        found.append((_SAME.get(word, word), start if fraction < 0 else fraction, end))
        if fraction >= 0:
            found.append(("/", end, end))
            fraction = -1
    return found


@lru_cache(maxsize=16_384)
def key_of(text: str) -> tuple[str, ...]:
    """Return what two texts share if they say the same.

    >>> key_of("The 3 dogs") == key_of("three dogs"), key_of(r"\\frac{1}{2}") == key_of("1/2")
    (True, True)
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return tuple(word for word, _, _ in words(text)) or tuple(text.casefold().split())


class Options:
    """The options of one question.

    Attributes:
        letters: the valid letters, in order.
        raw: the text of each letter, without a letter of its own in front.
        longest: characters in the longest text.
        nouns: words that may stand before a letter, where the texts are "Point A", "Point B".
    """

    def __init__(self, letters: str, given: tuple[str, ...]) -> None:
        self.letters, texts = letters, list(given)
        heads = [_HEAD.match(text) for text in texts]
        if len(texts) > 1 and [h and h[1] for h in heads] == [*letters]:
            texts = [t[h.end() :] for t, h in zip(texts, heads, strict=True) if h]
        self.nouns, texts = _beside_letters(self.letters, texts)
        self.raw = dict(zip(self.letters, texts, strict=True))
        self.longest = max(map(len, texts), default=0)

    @cached_property
    def _keys(self) -> dict[str, tuple[str, ...]]:
        """What the options are compared by; empty where there is no text."""
        return {letter: key_of(text) for letter, text in self.raw.items()}

    @cached_property
    def _exact(self) -> dict[tuple[str, ...], str]:
        """The option of each text that only one of them has."""
        keys = [*self._keys.values()]
        return {key: a for a, key in self._keys.items() if key and keys.count(key) == 1}

    @cached_property
    def _amounts(self) -> dict[tuple[str, ...], str]:
        """The option of each number, where all have one unit: "14" for "14 cm"."""
        keys = [*self._keys.values()]
        unit = 0
        while all(len(key) > unit + 1 and key[~unit] == keys[0][~unit] for key in keys):
            unit += 1
        plain = {key[: len(key) - unit]: a for a, key in self._keys.items()}
        numbers = all(any(word[0].isdigit() for word in key) for key in plain)
        return plain if unit and numbers and len(plain) == len(keys) else {}

    @cached_property
    def _plain(self) -> dict[str, str]:
        return {text.strip().casefold(): a for a, text in self.raw.items() if text.strip()}

    @cached_property
    def _starts(self) -> dict[str, list[tuple[tuple[str, ...], str]]]:
        starts = defaultdict(list)
        for key, letter in sorted(self._exact.items(), key=lambda pair: -len(pair[0])):
            starts[key[0]].append((key, letter))
        return starts

    @cached_property
    def combined(self) -> dict[frozenset[str], str]:
        """Options that stand for several letters, "Both A and B", by these letters."""
        return {
            frozenset(_LETTER.findall(text)): a
            for a, text in self.raw.items()
            if _COMBINED.fullmatch(text.strip()) and len(text.strip()) > 1
        }

    @cached_property
    def lettered(self) -> bool:
        """Whether the texts hold letters that could be taken for options."""
        return any(map(_LETTER.search, self.raw.values()))

    @cached_property
    def _kinds(self) -> dict[str, Kind | None]:
        return {letter: kind_of(text, self.raw) for letter, text in self.raw.items()}

    @cached_property
    def _probes(self) -> dict[str, list[str]]:
        """Beginnings of words that any text with an option holds: cheap to look for."""
        found = {a: _PLAIN_WORD.findall(text.casefold()) for a, text in self.raw.items()}
        return {a: [w[:3] for w in said if w not in _SPECIAL][:3] for a, said in found.items()}

    def _may_hold(self, low: str) -> bool:
        return any(all(probe in low for probe in probes) for probes in self._probes.values())

    def exact(self, text: str) -> str | None:
        """Return the option whose text this is, whatever its case, articles and punctuation."""
        if len(text) > 2 * self.longest + 40:
            return None
        text = _NUMBER.sub("", text)
        plain = text.strip().casefold()
        found = self._plain.get(plain)
        if found or len(plain) == 1 and plain.isalpha() or not self._may_hold(plain):
            return found
        key = key_of(text)
        return self._exact.get(key) or self._amounts.get(key)

    def summed_up(self, text: str) -> str | None:
        """Return the option, such as "None of the above", that says of the others what the text says."""
        if len(text) > MAX_CHARS or not any(self._kinds.values()):
            return None
        for letter, start, end in () if _SENTENCES.search(text) else reversed(self.named(text)):
            if not self._kinds[letter]:  # "Neither the cat nor the dog"
                text = text[:start] + letter + text[end:]
        return summary(self._kinds, text)

    def starts(self, text: str, letter: str) -> int:
        """Return how far a text begins with the text of an option, 0 where it does not."""
        low, raw = text.casefold(), self.raw[letter].strip(" .").casefold()
        if (
            len(low) == len(text)
            and low.startswith(raw)
            and raw[-1:].isalnum()
            and not low[len(raw) : len(raw) + 1].isalnum()
        ):
            return len(raw)  # word for word, as nearly always
        for probe in self._probes[letter][:1]:
            if low.find(probe, 0, raw.find(probe) + 24) < 0:
                return 0
        key = self._keys[letter]
        said = words(text[: len(self.raw[letter]) * 3 // 2 + 12])[: len(key)]
        return said[-1][2] if key and tuple(word for word, _, _ in said) == key else 0

    def named(self, text: str) -> list[tuple[str, int, int]]:
        """Find option texts in a text, the longest where several begin at one place."""
        if not self._may_hold(text.casefold()):
            return []
        said, found, i = words(text), [], 0
        plain = [word for word, _, _ in said]
        while i < len(said):
            for key, letter in self._starts.get(plain[i], ()):
                if tuple(plain[i : i + len(key)]) == key and not self._operand(key, text, said, i):
                    start, end = said[i][1], said[i + len(key) - 1][2]
                    if self.bare(letter) and _GOES_ON.match(text, end):
                        break
                    article = _ARTICLE_BEFORE.search(text, max(0, start - 5), start)
                    found.append((letter, article.start() if article else start, end))
                    i += len(key) - 1
                    break
            i += 1
        return found

    @staticmethod
    def _operand(key: tuple[str, ...], text: str, said: list[tuple[str, int, int]], i: int) -> bool:
        """Say whether a number or a formula is part of a longer one ("AC = 8") and not the option 8."""
        if not any(word[0].isdigit() or word == "\\" for word in key):
            return False
        start, end = said[i][1], said[i + len(key) - 1][2]
        before, after = text[max(0, start - 3) : start], text[end : end + 4]
        opened = text.count("{", start, end) - text.count("}", start, end)
        after = after.lstrip()[max(opened, 0) :].lstrip()
        if before.isascii() and (before[-1:].isalnum() or before[-1:] == "}"):
            return True  # "14\\sqrt{3}"
        return bool(_OPERATOR.search(before)) or after[:1] in tuple("=+*/^×·÷−-({}\\")

    def bare(self, letter: str) -> bool:
        """Say whether an option is one such as "yes" or "none", which counts only where it is the answer."""
        return all(word in _BARE or re.fullmatch("[a-z]", word) for word in self._keys[letter])

    def asks(self, letter: str) -> bool:
        """Say whether an option is a question itself."""
        return self.raw.get(letter, "").rstrip().endswith(("?", "？"))

    def numeric(self, letter: str) -> bool:
        """Say whether an option holds a number, which answers also name on the way to another one."""
        return any(map(str.isdigit, self.raw[letter]))


def _beside_letters(letters: str, texts: list[str]) -> tuple[frozenset[str], list[str]]:
    """Leave the letters out of options that differ in nothing else: "Point A", "A is closer", pictures called "A".

    >>> _beside_letters("AB", ["A is closer", "B is closer"])[1]
    ['is closer', 'is closer']
    """
    if sum(a in text for a, text in zip(letters, texts, strict=True)) < 2:
        return frozenset(), texts
    found = {a: re.findall(r"\b[A-Z]\b", text) for a, text in zip(letters, texts, strict=True)}
    own = {
        a: re.sub(rf"\W*\b{a}\b\W*", " ", t).strip()
        for a, t in zip(letters, texts, strict=True)
        if a in found[a]
    }
    if (
        len(own) < 2
        or len(set(own.values())) > 1
        or any(said not in ([], [a]) for a, said in found.items())
    ):
        return frozenset(), texts
    (rest,) = set(own.values())
    nouns = frozenset({"point", "image", "picture", rest.casefold()})
    if rest and texts[letters.index(next(iter(own)))].startswith(rest):
        return nouns, texts  # "Point A": the noun is a part of what is named
    return nouns, [own.get(a, text) for a, text in zip(letters, texts, strict=True)]


def read_options(options: Any) -> Options:
    """Prepare options given as texts in order, texts by letter, one lettered string, or None.

    >>> read_options("A. cat\\nB. dog").raw
    {'A': 'cat', 'B': 'dog'}
    """
    if isinstance(options, str):
        options = split_lettered(options)
    if not options:
        return _prepared(DEFAULT_LETTERS, ("",) * len(DEFAULT_LETTERS))
    if isinstance(options, Mapping):
        letters = [str(a).strip().upper() for a in sorted(options)]
        if any(len(a) != 1 or a not in LETTERS for a in letters):
            raise InputError(f"options {sorted(options)!r} must be named by the letters A to Z")
        return _prepared("".join(letters), tuple(_text(options[a]) for a in sorted(options)))
    if len(options) > len(LETTERS):
        raise InputError(f"{len(options)} options are more than {len(LETTERS)} letters can name")
    return _prepared(LETTERS[: len(options)], tuple(map(_text, options)))


_LETTERED = re.compile(r"(?:^|\n|(?<=[\s;,]))\s*[(\[]?([A-Z])[.):\]]\s+")


def split_lettered(text: str) -> list[str]:
    """Split options that come as one text: "A. cat B. dog", by lines or in one.

    Raises:
        InputError: where the text does not list A, B, … in order.
    """
    heads, wanted = [], 0
    for head in _LETTERED.finditer(text):
        if head[1] == LETTERS[wanted]:
            heads.append(head)
            wanted += 1
    if len(heads) < 2 or text[: heads[0].start()].strip():
        raise InputError(f"options {text[:60]!r} must be a list, a mapping or 'A. … B. …'")
    ends = [head.start() for head in heads[1:]] + [len(text)]
    return [text[h.end() : end].strip(" \n;,") for h, end in zip(heads, ends, strict=True)]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


@lru_cache(maxsize=4096)
def _prepared(letters: str, texts: tuple[str, ...]) -> Options:
    return Options(letters, texts)
