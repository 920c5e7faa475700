"""The words by which answers commit, deny, hedge, quote or ask, read from `lexicon/*.yaml`.

A phrase is written in words, not as a regular expression:

    answer is {L}        words, in order; {L} is the option that the answer names, {M} another letter
    (is|was)  [really]   one of, or perhaps; a group may hold phrases
    eliminat~            a word that begins so
    ..  ...              up to three words; up to eight
    ^  $                 begin and end of the sentence
    <be>                 a group of words that the file names under `words`

>>> lexicon = Lexicon([Phrase("cue", "answer (is|was) [really] {L}")], {})
>>> [phrase.text for phrase in lexicon.matching(lexicon.frame(f"The answer is: {OPTION}."))]
['answer (is|was) [really] {L}']

Each word of the lexicon becomes one character, so that a group of words is a character class: the patterns stay
short, and a sentence is as long as it has words.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from itertools import compress, takewhile
from pathlib import Path
from typing import Any

from t2vid.errors import InputError

FOLDER = Path(__file__).with_name("lexicon")
OPTION = "\0"  # stands for the option that is looked at
CATEGORIES = (
    "cue", "firm", "denial", "hedge", "condition", "question", "quotation", "example", "retraction",
)  # fmt: skip
_TOKEN = re.compile(r"\{[LM]\}|\.{2,3}|[^\W_]+(?:'[^\W_]+)*~?|\S")
_TIGHT_TOKEN = re.compile(r"\{[LM]\}|\.{2,3}|[()\[\]|^$]|[^\s()\[\]|^$]+")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*|\0|[^\w\s\"'“”‘’`()\[\]{}]")
_ONE_OF = re.compile(r"\\.|[^|]|\[[^\[\]\\]*\]", re.DOTALL)  # what needs no brackets of its own
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


_CAPITALS = frozenset("ABCDEFGHJKLMNOPQRSTUVWXYZ")


class Alphabet(dict[str, str]):
    """One character for each word that the lexicon knows, by the word as it stands in a sentence.

    Args:
        words: the words; one that ends in ~ stands for all that begin so.
    """

    def __init__(self, words: Iterable[str]) -> None:
        super().__init__({letter: letter for letter in _CAPITALS})
        self.known = sorted(set(words))
        self.codes = {word: chr(_FIRST_CODE + i) for i, word in enumerate(self.known)}
        self._stems: dict[str, list[str]] = defaultdict(list)
        for word in self.known:
            if word.endswith("~"):
                self._stems[word[0]].append(word[:-1])

    def __missing__(self, token: str) -> str:
        found = token
        if token[0].isalnum():
            word = token.lower()
            stem = next((s for s in self._stems.get(word[0], ()) if word.startswith(s)), None)
            found = self.codes.get(word) or (self.codes[stem + "~"] if stem else _UNKNOWN)
        if len(self) < MAX_WORDS:
            self[token] = found
        return found

    def meant(self, word: str) -> list[str]:
        """Return the characters that a word of a phrase stands for."""
        if not word.endswith("~"):
            return [self.codes[word]]
        first = bisect_left(self.known, word[:-1])
        same = takewhile(lambda known: known.startswith(word[:-1]), self.known[first:])
        return [self.codes[known] for known in same]


class Frame:
    """A sentence in which `OPTION` stands for the option that is looked at.

    Attributes:
        raw: the sentence.
        full: one character a word or mark.
        bare: the same without marks other than commas.
        tight: the sentence without blanks, for scripts that write none.
    """

    def __init__(self, raw: str, alphabet: Alphabet) -> None:
        self.raw = raw
        words = _WORD.findall(raw.replace("’", "'"))
        self.full = "".join(map(alphabet.__getitem__, words))

    @cached_property
    def bare(self) -> str:
        """The words and commas alone."""
        return _MARKS.sub("", self.full)

    @cached_property
    def tight(self) -> str:
        """The sentence without blanks, and of its marks only commas and question marks."""
        return _NOT_TIGHT.sub("", self.raw)

    @cached_property
    def keys(self) -> set[str]:
        """What phrases are looked up by."""
        return set(self.full) if self.raw.isascii() else {*self.full, *self.raw}


_NOT_TIGHT = re.compile(r"[\s:：。.!！「」『』（）()\"“”'‘’*_·—–-]+")
_MARKS = re.compile("[!-+\\-./:-@\\[-`{-~\u2010-\u2027\u2190-\u21ff]")


class Phrase:
    """One phrase of the lexicon.

    Attributes:
        category: what it says about the option it is about, one of `CATEGORIES`.
        text: as written in the file.
        view: the form of the frame it is looked for in: `full`, `bare` or, for scripts without blanks, `tight`.
        placed: whether it says where the option stands; else it speaks of the whole clause.
        words: the words in it.
    """

    def __init__(
        self, category: str, text: str, words: Mapping[str, str] | None = None, spaced: bool = True
    ) -> None:
        self.category, self.text, self.placed, self.spaced = category, text, "{L}" in text, spaced
        for name, value in (words or {}).items():
            text = text.replace(f"<{name}>", value)
        text = text.replace("’", "'").lower().replace("{l}", "{L}").replace("{m}", "{M}")
        tokens = (_TOKEN if spaced else _TIGHT_TOKEN).findall(text)
        self._tokens = [token for token in tokens if token not in "'\"“”‘’"]
        literal = [t for t in self._tokens if t not in _SPACED and t not in "()[]|"]
        self.words = [t for t in literal if t[0].isalnum()] if spaced else []
        marks = any(not t[0].isalnum() and t != "," for t in literal)
        self.view = "tight" if not spaced else "full" if marks else "bare"
        self._pattern: re.Pattern[str] | None = None

    def __repr__(self) -> str:
        return f"<{self.category}: {self.text}>"

    def gates(self, alphabet: Alphabet) -> list[frozenset[str]]:
        """Return sets of keys; a frame that the phrase matches holds one key of each. The smallest comes first."""
        return sorted(self._written(alphabet)[1], key=len)

    def pattern(self, alphabet: Alphabet) -> re.Pattern[str]:
        """Return what the phrase compiles to, worked out when it is first needed."""
        if self._pattern is None:
            flags = 0 if self.spaced else re.IGNORECASE
            self._pattern = re.compile(self._written(alphabet)[0], flags)
        return self._pattern

    def _written(self, alphabet: Alphabet) -> tuple[str, list[frozenset[str]]]:
        tokens = list(self._tokens)
        found = _written(tokens, alphabet if self.spaced else None)
        if tokens:
            raise InputError(f"phrase {self.text!r} has a bracket too many, at {tokens[0]!r}")
        return found


def _written(tokens: list[str], alphabet: Alphabet | None) -> tuple[str, list[frozenset[str]]]:
    """Write alternatives as a pattern, and give sets of keys of each of which every match holds one."""
    whole: list[tuple[list[str], list[frozenset[str]]]] = [([], [])]
    while tokens and tokens[0] not in ")]":
        token, (parts, gates) = tokens.pop(0), whole[-1]
        if token == "|":
            whole.append(([], []))
        elif token in ("(", "["):
            inner, keys = _written(tokens, alphabet)
            if not tokens:
                raise InputError(f"a phrase has no end for its {token!r}")
            tokens.pop(0)
            inner = inner if _ONE_OF.fullmatch(inner) else f"(?:{inner})"
            parts.append(f"{inner}?" if token == "[" else inner)
            gates += keys if token == "(" else []
        elif token in _SPACED:
            parts.append((_SPACED if alphabet else _TIGHT)[token])
        elif alphabet:
            codes = frozenset(alphabet.meant(token) if token[0].isalnum() else token)
            parts.append(_one_of(codes))
            gates.append(codes)
        else:
            parts.append(re.escape(token))
            gates.append(frozenset(token[0]))
    if len(whole) == 1:
        return "".join(parts), gates
    telling = [min(gates, key=len, default=frozenset()) for _, gates in whole]
    gate = [frozenset().union(*telling)] if all(telling) else []
    single = [parts == [_one_of(t)] for (parts, _), t in zip(whole, telling, strict=True)]
    words = [_one_of(frozenset().union(*compress(telling, single)))] * any(single)
    more = ["".join(parts) for (parts, _), alone in zip(whole, single, strict=True) if not alone]
    return "|".join(words + more), gate


def _one_of(codes: frozenset[str]) -> str:
    """Write one of several characters as a class."""
    written = "".join(map(re.escape, sorted(codes)))
    return f"[{written}]" if len(codes) > 1 else written


class Lexicon:
    """All phrases, found by the words of a sentence.

    Args:
        phrases: the phrases.
        words: words that are no phrases, by kind: `noun`, `join`, `turn`.
    """

    def __init__(self, phrases: Iterable[Phrase], words: Mapping[str, frozenset[str]]) -> None:
        self.phrases, self.words = tuple(phrases), words
        self.alphabet = Alphabet(word for phrase in self.phrases for word in phrase.words)
        self._by_key: dict[str, list[tuple[Phrase, list[frozenset[str]]]]] = defaultdict(list)
        for phrase in self.phrases:
            gates = phrase.gates(self.alphabet)
            for key in gates[0] if gates else {OPTION}:
                self._by_key[key].append((phrase, gates[1:]))

    def frame(self, sentence: str) -> Frame:
        """Return a sentence as the phrases see it."""
        return Frame(sentence, self.alphabet)

    def near(self, frame: Frame) -> list[Phrase]:
        """Return the phrases that may match a frame, by its words."""
        keys = frame.keys
        found: dict[Phrase, None] = {}
        for key in keys & self._by_key.keys():
            for phrase, gates in self._by_key[key]:
                for gate in gates:
                    if gate.isdisjoint(keys):
                        break
                else:
                    found[phrase] = None
        return list(found)

    def match(self, phrase: Phrase, frame: Frame) -> bool:
        """Say whether a phrase matches a frame."""
        return phrase.pattern(self.alphabet).search(getattr(frame, phrase.view)) is not None

    def matching(self, frame: Frame) -> list[Phrase]:
        """Return the phrases that match a frame."""
        return [phrase for phrase in self.near(frame) if self.match(phrase, frame)]


@cache
def load() -> Lexicon:
    """Read the lexicon, once a process.

    >>> load().words["noun"] >= {"option", "choice"}
    True
    """
    words: dict[str, set[str]] = defaultdict(set)
    for _, data in files():
        for kind in ("noun", "join", "turn", "concede"):
            words[kind].update(str(word) for word in data.get(kind, ()))
    phrases = [entry["phrase"] for entry in entries()]
    return Lexicon(phrases, {kind: frozenset(found) for kind, found in words.items()})


def entries() -> list[dict[str, Any]]:
    """Return every entry: `file`, `category`, `say`, the examples `hit` and `miss`, and its `phrase`."""
    found = []
    for name, data in files():
        for category in CATEGORIES:
            for entry in data.get(category) or ():
                phrase = Phrase(category, entry["say"], data.get("words"), data.get("spaced", True))
                found.append({"file": name, "category": category, "phrase": phrase, **entry})
    return found


@cache
def files() -> list[tuple[str, dict[str, Any]]]:
    """Return the content of each file of the lexicon by its name."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [
        (path.stem, yaml.load(path.read_text("utf-8"), loader))
        for path in sorted(FOLDER.glob("*.yaml"))
    ]
