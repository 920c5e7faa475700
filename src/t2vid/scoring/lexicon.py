"""The words by which answers commit, deny, hedge, quote or ask, read from `lexicon/*.yaml`.

A phrase is written in words, not as a regular expression:

    answer is {L}        words, in order; {L} is the option that the answer names, {M} another letter
    (is|was)  [really]   one of, or perhaps; a group may hold phrases
    eliminat~            a word that begins so
    ..  ...              up to three words; up to eight
    ^  $                 begin and end of the sentence
    <be>                 a group of words that the file names under `words`

>>> lexicon = Lexicon([phrase("cue", "answer (is|was) [really] {L}")], {})
>>> [found.text for found in lexicon.matching(lexicon.frame(f"The answer is: {OPTION}."))]
['answer (is|was) [really] {L}']

Each word of the lexicon becomes one character, so that a group of words is a character class: the patterns stay
short, and a sentence is as long as it has words.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from t2vid.errors import InputError

FOLDER = Path(__file__).with_name("lexicon")
OPTION = "\0"  # stands for the option that is looked at
CATEGORIES = (
    "cue", "firm", "denial", "inverse", "hedge", "condition", "question", "quotation", "example", "retraction",
)  # fmt: skip
WORDS = {
    "noun",
    "numbered",
    "join",
    "turn",
    "concede",
    "after_a",
    "after_i",
}  # lists of words, not phrases
_TOKEN = re.compile(r"\{[LM]\}|\.{2,3}|[^\W_]+(?:'[^\W_]+)*~?|\S")
_TIGHT_TOKEN = re.compile(r"\{[LM]\}|\.{2,3}|[()\[\]|^$]|[^\s()\[\]|^$]+")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*|\0|[^\w\s\"'“”‘’`()\[\]{}]")
_ONE_CHARACTER = re.compile(r"\\.|[^|]|\[(?!\^)[^\[\]\\]*\]", re.DOTALL)
_FIRST_CODE = 0xE000  # words of the lexicon are written as characters for private use
_UNKNOWN = "w"  # any other word
MAX_WORDS = 60_000  # words of answers that are remembered
_SPACED = {
    "..": "[^\0]{0,3}", "...": "[^\0]{0,8}", "{L}": OPTION, "{M}": "[A-J]",
    "^": "^[^\0w\ue000-\uf8ff]*", "$": "[^\0w\ue000-\uf8ffA-J]*$",
}  # fmt: skip
_TIGHT = {
    "..": ".{0,6}", "...": ".{0,16}", "{L}": OPTION, "{M}": "[A-J]", "^": r"^\W{0,3}", "$": r"\W*$",
}  # fmt: skip
_NOT_TIGHT = re.compile(r"[\s:：。.!！「」『』（）()\"“”'‘’*_·—–-]+")
_MARKS = re.compile("[!-+\\-./:-@\\[-`{-~\u2010-\u2027\u2190-\u21ff]")


class Frame(NamedTuple):
    """A sentence in which `OPTION` stands for the option that is looked at.

    Attributes:
        full: one character a word or mark.
        bare: the same without marks other than commas.
        tight: for scripts that write no blanks, the sentence without them, and of its marks only commas and question marks.
        keys: what phrases are looked up by.
    """

    full: str
    bare: str
    tight: str
    keys: frozenset[str]


@dataclass(frozen=True, eq=False)
class Phrase:
    """One phrase of the lexicon.

    Attributes:
        category: what it says about the option it is about, one of `CATEGORIES`.
        text: as written in the file.
        tokens: its words, marks and signs.
        view: the form of the frame it is looked for in.
        placed: whether it says where the option stands; else it speaks of the whole clause.
    """

    category: str
    text: str
    tokens: tuple[str, ...] = field(repr=False)
    view: str
    placed: bool


def phrase(
    category: str, text: str, words: Mapping[str, str] | None = None, spaced: bool = True
) -> Phrase:
    """Read a phrase.

    Args:
        category: one of `CATEGORIES`.
        text: the phrase.
        words: groups of words by the name under which it uses them.
        spaced: whether its script writes blanks between words.
    """
    whole = text
    for name, value in (words or {}).items():
        whole = whole.replace(f"<{name}>", value)
    whole = whole.replace("’", "'").lower().replace("{l}", "{L}").replace("{m}", "{M}")
    tokens = (_TOKEN if spaced else _TIGHT_TOKEN).findall(whole)
    tokens = [token for token in tokens if token not in "'\"“”‘’"]
    marks = any(t not in _SPACED and t not in "()[]|," and not t[0].isalnum() for t in tokens)
    view = "tight" if not spaced else "full" if marks else "bare"
    return Phrase(category, text, tuple(tokens), view, "{L}" in whole)


class Lexicon(dict[str, str]):
    """All phrases, found by the words of a sentence; a mapping of these words to one character each.

    Args:
        phrases: the phrases.
        words: words that are no phrases, by kind, of `WORDS`.
    """

    def __init__(self, phrases: Iterable[Phrase], words: Mapping[str, frozenset[str]]) -> None:
        super().__init__({letter: letter for letter in "ABCDEFGHJKLMNOPQRSTUVWXYZ"})
        self.phrases, self.words = tuple(phrases), words
        spaced = [one.tokens for one in self.phrases if one.view != "tight"]
        # in the order of the phrases: the words of a group are one range of characters, which is fast to look up
        known = dict.fromkeys(t for one in spaced for t in one if t[0].isalnum())
        self._codes = {word: chr(_FIRST_CODE + i) for i, word in enumerate(known)}
        self._known = sorted(known)
        self._stems = tuple(word[:-1] for word in self._known if word.endswith("~"))
        self.patterns: dict[Phrase, str | re.Pattern[str]] = {}
        self._by_key: dict[str, list[tuple[Phrase, list[frozenset[str]]]]] = defaultdict(list)
        for one in self.phrases:
            self.patterns[one], gates = self._written(one)
            for key in gates[0] if gates else {OPTION}:
                self._by_key[key].append((one, gates[1:]))

    def __missing__(self, token: str) -> str:
        found = token
        if token[0].isalnum():
            word = token.lower()
            found = self._codes.get(word, _UNKNOWN)
            if found == _UNKNOWN and word.startswith(self._stems):
                found = next(self._codes[s + "~"] for s in self._stems if word.startswith(s))
        if len(self) < MAX_WORDS:
            self[token] = found
        return found

    def frame(self, sentence: str) -> Frame:
        """Return a sentence as the phrases see it."""
        full = "".join(map(self.__getitem__, _WORD.findall(sentence.replace("’", "'"))))
        tight = "" if sentence.isascii() else _NOT_TIGHT.sub("", sentence)
        return Frame(full, _MARKS.sub("", full), tight, frozenset(full + tight))

    def near(self, frame: Frame) -> list[Phrase]:
        """Return the phrases that may match a frame, by its words."""
        keys = frame.keys
        found: dict[Phrase, None] = {}
        for key in keys & self._by_key.keys():
            for one, gates in self._by_key[key]:
                for gate in gates:  # much the most often run loop of all
                    if gate.isdisjoint(keys):
                        break
                else:
                    found[one] = None
        return list(found)

    def match(self, one: Phrase, frame: Frame) -> bool:
        """Say whether a phrase matches a frame."""
        pattern = self.patterns[one]
        if isinstance(pattern, str):  # compiled when it is first needed
            flags = re.IGNORECASE if one.view == "tight" else 0
            pattern = self.patterns[one] = re.compile(pattern, flags)
        return pattern.search(getattr(frame, one.view)) is not None

    def matching(self, frame: Frame, category: str = "") -> list[Phrase]:
        """Return the phrases that match a frame, of one category or of all."""
        near = self.near(frame)
        return [p for p in near if category in (p.category, "") and self.match(p, frame)]

    def _written(self, one: Phrase) -> tuple[str, list[frozenset[str]]]:
        """Write a phrase as a pattern, and give sets of keys of each of which every match holds one, the smallest first."""
        tokens = deque(one.tokens)
        pattern, gates = self._alternatives(tokens, one.view == "tight")
        if tokens:
            raise InputError(f"phrase {one.text!r} has a bracket too many, at {tokens[0]!r}")
        return pattern, sorted(gates, key=len)

    def _alternatives(self, tokens: deque[str], tight: bool) -> tuple[str, list[frozenset[str]]]:
        found = [self._sequence(tokens, tight)]
        while tokens and tokens[0] == "|":
            tokens.popleft()
            found.append(self._sequence(tokens, tight))
        if len(found) == 1:
            return found[0]
        telling = [min(gates, key=len, default=frozenset[str]()) for _, gates in found]
        single = [p.strip("[]") for p, _ in found if _ONE_CHARACTER.fullmatch(p)]
        longer = [p for p, _ in found if not _ONE_CHARACTER.fullmatch(p)]
        patterns = [f"[{''.join(single)}]"] * bool(single) + longer
        return "|".join(patterns), [frozenset[str]().union(*telling)] if all(telling) else []

    def _sequence(self, tokens: deque[str], tight: bool) -> tuple[str, list[frozenset[str]]]:
        pattern, gates = "", list[frozenset[str]]()
        while tokens and tokens[0] not in ")]|":
            token = tokens.popleft()
            if token in "([":
                inner, keys = self._alternatives(tokens, tight)
                if not tokens:
                    raise InputError(f"a phrase has no end for its {token!r}")
                tokens.popleft()
                inner = inner if _ONE_CHARACTER.fullmatch(inner) else f"(?:{inner})"
                pattern += f"{inner}?" if token == "[" else inner
                gates += keys if token == "(" else []
            elif token in _SPACED:
                pattern += (_TIGHT if tight else _SPACED)[token]
            else:
                codes = {token[0]} if tight else self._meant(token)
                written = re.escape(token) if tight else "".join(map(re.escape, sorted(codes)))
                pattern += written if tight or len(codes) == 1 else f"[{written}]"
                gates.append(frozenset(codes))
        return pattern, gates

    def _meant(self, token: str) -> set[str]:
        """Return the characters that a word or mark of a phrase stands for."""
        if not token.endswith("~"):
            return {self._codes.get(token, token)}
        first, end = (bisect_left(self._known, token[:-1] + last) for last in ("", "\uffff"))
        return {self._codes[word] for word in self._known[first:end]}


@cache
def load() -> Lexicon:
    """Read the lexicon, once a process.

    >>> load().words["noun"] >= {"option", "choice"}
    True
    """
    words: dict[str, set[str]] = defaultdict(set)
    for _, data in files():
        for kind in WORDS & data.keys():
            words[kind].update(map(str, data[kind]))
    phrases = [entry["phrase"] for entry in entries()]
    return Lexicon(phrases, {kind: frozenset(found) for kind, found in words.items()})


@cache
def mark(name: str) -> re.Pattern[str]:
    """Return the pattern of what models write around their answers, from `lexicon/marks.yaml`.

    >>> mark("box").findall(r"So \\boxed{B}.")
    [('boxed', 'B')]
    """
    data = dict(files())["marks"]
    said = data["marks"][name]["say"]
    pattern = said if isinstance(said, str) else "|".join(said)
    for group, value in data["words"].items():
        pattern = pattern.replace(f"<{group}>", value)
    return re.compile(pattern, re.IGNORECASE)


def entries() -> list[dict[str, Any]]:
    """Return every entry: `file`, `category`, `say`, the examples `hit` and `miss`, and its `phrase`."""
    found = []
    for name, data in files():
        for category in CATEGORIES:
            for entry in data.get(category) or ():
                said = phrase(category, entry["say"], data.get("words"), data.get("spaced", True))
                found.append({"file": name, "category": category, "phrase": said, **entry})
    return found


@cache
def files() -> list[tuple[str, dict[str, Any]]]:
    """Return the content of each file of the lexicon by its name."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    paths = sorted(FOLDER.glob("*.yaml"))
    return [(path.stem, yaml.load(path.read_text("utf-8"), loader)) for path in paths]
