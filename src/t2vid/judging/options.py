"""Option texts, prepared once: exact lookup, containment, lists to take out.

>>> options = read_options(["A. The cat", "B. The dog"])
>>> options.letters, options.exact(normal("a dog")), options.contained("I saw the cat run.")
('AB', 'B', 'A')
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from t2vid.errors import InputError
from t2vid.judging.lists import LIST_HEAD, OptionList
from t2vid.judging.phrases import REFUSAL

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
).split()
_WORD_TO_DIGIT = {word: str(i) for i, word in enumerate(_NUMBERS)}
_APOSTROPHE = re.compile(r"['’`]")
_SPLIT = re.compile(r"[\W_]+")
_ARTICLES = frozenset(("a", "an", "the"))
_OWN_LETTER = r"^\s*[(\[]?{}\s*[)\].:、]\s*"
_YES_NO = frozenset(("yes", "no", "true", "false", "是", "否", "はい", "いいえ", "예", "아니오"))
_NEGATORS = frozenset(
    "not no never without neither nor isnt arent wasnt werent doesnt dont didnt cannot cant wont hardly instead rather than unlike "
    "except wrong rejected eliminated excluding doubt unlikely".split()
)
_HEDGES = frozenset("could might maybe perhaps possibly whether either if or".split())
_COPULA = frozenset(
    "is are was were seems looks would can could does did isnt arent wasnt werent doesnt didnt cant cannot".split()
)
_DENIALS = frozenset(
    "not never wrong incorrect false unlikely ruled out impossible isnt arent wasnt werent doesnt didnt cant cannot".split()
)
_UNITS = frozenset(
    "second seconds sec secs s minute minutes min mins frame frames fps percent px pixels ms hours hour am pm".split()
)
_COUNTED = frozenset(
    "frame frames second step option time timestamp minute scene shot clip figure page at".split()
)
_LAST_YES_NO = re.compile(
    r"(?:[:\"“]|\b(?:say|be|answer)\b)\s*(yes|no|true|false)[\s.!\"”]*$", re.IGNORECASE
)
_PRONOUN_ONE = re.compile(
    r"\b(?:this|that|no|any|every|which|the|each|last|first) one\b|\b(?:only|right|correct|single|likely|best|wrong|other|real) one\b|\bone (?:option|choice|of)\b|\bone (?:sees|can|could|should|must|would|by)\b",
    re.IGNORECASE,
)
_SUBJECTS = frozenset("there it he she they this that these those i we you is".split())
_CJK = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\u0e00-\u0e7f]")
_TEXT_CUE = re.compile(
    r"\b(?:answer|option|choice|response|conclusion)\b\s*(?:(?:is|was|would be|should be|must be|will be)\b(?:\s+(?:clearly|definitely|likely|probably|that|most likely))*\s*:?|:)\s*|答案(?:是|为)?\s*:?\s*|(?:respuesta|réponse|antwort|risposta|resposta)(?:\s+\w+)?\s*(?::|es|est|ist|è|é)\s*",
    re.IGNORECASE,
)


def normal(text: str) -> str:
    """Reduce a text to comparable words: no case, punctuation or articles; number words as digits.

    >>> normal("The red ball, THREE times.")
    'red ball 3 times'
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    words = _SPLIT.split(_APOSTROPHE.sub("", text.casefold()))
    kept = [_WORD_TO_DIGIT.get(word, word) for word in words if word and word not in _ARTICLES]
    if not kept:  # an option "a" or "the" is its own text
        kept = [word for word in words if word]
    return " ".join(kept)


class Options:
    """The options of one question.

    Attributes:
        letters: the valid letters, in order.
        texts: the normalised text of each.
        by_letter: the normalised text of each letter.
        longest: characters in the longest raw text.
    """

    def __init__(self, pairs: tuple[tuple[str, str], ...]) -> None:
        self.letters = "".join(letter for letter, _ in pairs)
        raw = [text for _, text in pairs]
        if all(re.match(_OWN_LETTER.format(letter), text) for letter, text in pairs if text):
            raw = [re.sub(_OWN_LETTER.format(letter), "", text) for letter, text in pairs]
        self.raw = raw
        self.texts = [normal(text) for text in raw]
        self.longest = max(map(len, raw), default=0)
        self.by_letter = dict(zip(self.letters, self.texts, strict=True))
        self._by_text: dict[str, str | None] = {}
        for letter, text in zip(self.letters, self.texts, strict=True):
            if text:  # None marks a text that two options share
                self._by_text[text] = None if text in self._by_text else letter
        self._number = (
            bool(self.texts) and all(t.isdigit() for t in self.texts if t) and any(self.texts)
        )
        self._list: OptionList | None = None
        self._texts: list[tuple[str, re.Pattern[str]]] | None = None

    def exact(self, text: str) -> str | None:
        """Give the letter whose normalised text is exactly `text`, where it is only one."""
        return self._by_text.get(text) if text else None

    def text_of(self, letter: str) -> str:
        """Give the normalised text of a letter, empty where it has none."""
        return self.texts[self.letters.index(letter)]

    def contained(self, text: str) -> str | None:
        """Give the letter of the only option whose text occurs in `text` and is not denied there."""
        if not self.longest:
            return None
        said = normal(text)
        tokens = said.split()
        if self._number:
            return self._one_number(normal(_PRONOUN_ONE.sub(" ", text)).split())
        last = _LAST_YES_NO.search(text)
        if last and not (tokens and tokens[0] in _YES_NO):
            return self.exact(last[1].casefold())
        if tokens and self.exact(tokens[0]) and _opens_with_yes_no(text, tokens):
            rest = {self.exact(t) for t in tokens[1:] if t in _YES_NO} - {
                None,
                self.exact(tokens[0]),
            }
            return None if rest else self.exact(tokens[0])
        spans = self._occurrences(said)
        if not spans:
            return self._cut_short(said, tokens)
        if any(_HEDGES.intersection(f" {said} "[:start].split()[-3:]) for _, start, _, _ in spans):
            return None
        letters = {letter for letter, _, _, denied in spans if not denied}
        if len(letters) != 1:
            return None
        letter = letters.pop()
        refused = REFUSAL.search(text)
        return (
            None if refused and not REFUSAL.search(self.raw[self.letters.index(letter)]) else letter
        )

    def _occurrences(self, said: str) -> list[tuple[str, int, int, bool]]:
        padded = f" {said} "
        spans: list[tuple[str, int, int, bool]] = []
        for letter, text in zip(self.letters, self.texts, strict=True):
            if not text or text in _YES_NO:
                continue
            needle = text if _CJK.search(text) else f" {text} "
            at = padded.find(needle)
            while at >= 0:
                spans.append((letter, at, at + len(needle), _denied(padded, at, at + len(needle))))
                at = padded.find(needle, at + 1)
        # "red" inside "dark red" is no mention of red
        return [
            s
            for s in spans
            if not any(
                o is not s and o[1] <= s[1] and s[2] <= o[2] and o[2] - o[1] > s[2] - s[1]
                for o in spans
            )
        ]

    def _one_number(self, tokens: list[str]) -> str | None:
        found = []
        for i, token in enumerate(tokens):
            if token.isdigit():
                if (
                    tokens[i + 1 : i + 2]
                    and tokens[i + 1] in _UNITS
                    or i
                    and tokens[i - 1] in _COUNTED
                ):
                    return None
                found.append(
                    (token, any(t in _NEGATORS | _HEDGES for t in tokens[max(0, i - 3) : i]))
                )
        if len({number for number, _ in found}) != 1 or any(denied for _, denied in found):
            return None
        return self.exact(found[0][0])

    def _cut_short(self, said: str, tokens: list[str]) -> str | None:
        if len(tokens) < 3:
            return None
        hits = [
            letter
            for letter, t in zip(self.letters, self.texts, strict=True)
            if t.startswith(said) and 2 * len(said) > len(t)
        ]
        return hits[0] if len(hits) == 1 else None

    def as_letters(self, text: str) -> tuple[str, set[str]]:
        """Give the text with each option's words as "(B)", and the letters that were put."""
        if self._texts is None:
            by_length = sorted(zip(self.letters, self.raw, strict=True), key=lambda p: -len(p[1]))
            self._texts = [(letter, _as_said(raw)) for letter, raw in by_length if raw.strip()]
        named = set()
        for letter, pattern in self._texts:
            text, count = pattern.subn(f"({letter})", text)
            if count:
                named.add(letter)
        return text, named

    def after_cue(self, text: str) -> str | None:
        """Give the option whose text follows the last "the answer is" as a whole sentence."""
        if not self.longest:
            return None
        found = None
        for match in list(_TEXT_CUE.finditer(text))[-8:]:
            rest = re.split(r"[\n;]|[.!?](?:\s|$)", text[match.end() :], maxsplit=1)[0]
            said = normal(rest)
            letter = self.exact(said) or self.exact(normal(rest.split(",")[0]))
            if letter is None and said:
                # options hold full stops and line breaks of their own
                longer = f"{normal(text[match.end() :])} "
                hits = [
                    each
                    for each, t in zip(self.letters, self.texts, strict=True)
                    if t and len(t) > len(said) and longer.startswith(t + " ")
                ]
                letter = hits[0] if len(hits) == 1 else None
            if letter:
                found = letter
        return found

    def without_list(self, text: str) -> str:
        """Take out runs of two or more options that are repeated as a list with their letters."""
        # compiling the patterns costs more than all the rules: most answers list nothing
        if not self.longest or len(set(LIST_HEAD.findall(text))) < 2:
            return text
        self._list = self._list or OptionList(self.letters, self.raw)
        return self._list.taken_out(text)


def _as_said(raw: str) -> re.Pattern[str]:
    """Match an option's words, with or without quotation marks and article; yes, no and letters only within them."""
    words = re.sub(r"^(?:an?|the)\s+", "", raw.strip().rstrip("."), flags=re.IGNORECASE)
    core = rf"(?:(?:an?|the)\s+)?{re.escape(words)}\.?"
    quoted = rf"[\"'“„‘«「『]{core}[,.]?[\"'”“’»」』]"
    if words.casefold() in _YES_NO or len(words) == 1 and words.isalpha():
        return re.compile(quoted, re.IGNORECASE)
    units = "|".join(sorted(_UNITS | _COUNTED, key=len, reverse=True))
    tail = rf"(?!\s*(?:{units})\b)(?![\w.:]*\d)" if words.isdigit() else r"(?!\w)"
    if _CJK.search(words):
        return re.compile(f"{quoted}|{re.escape(words)}", re.IGNORECASE)
    plain = core.removesuffix(r"\.?")
    return re.compile(rf"{quoted}|(?<!\w){plain}{tail}", re.IGNORECASE)


def _opens_with_yes_no(text: str, tokens: list[str]) -> bool:
    """Tell "No, he stays" from "No option fits"."""
    if tokens[0] not in _YES_NO:
        return False
    closed = re.match(r"\W*\w+\s*(?:[^\w\s]|$)", text)
    return bool(closed) or len(tokens) < 2 or tokens[1] in _SUBJECTS


def _denied(padded: str, start: int, end: int) -> bool:
    before = padded[:start].split()[-3:]
    after = padded[end:].split()[:3]
    if any(token in _NEGATORS for token in before):
        return True
    return bool(after) and after[0] in _COPULA and any(token in _DENIALS for token in after)


def read_options(options: Sequence[str] | Mapping[str, str] | Options | None) -> Options:
    """Prepare options given in order, by letter, or not at all (letters A to E)."""
    if isinstance(options, Options):
        return options
    if not options:
        return _prepared(tuple((letter, "") for letter in LETTERS[:5]))
    if isinstance(options, Mapping):
        return _prepared(
            tuple((str(key).strip().upper()[:1], _text(value)) for key, value in options.items())
        )
    if len(options) > len(LETTERS):
        raise InputError(
            f"{len(options)} options given, at most {len(LETTERS)} have a letter; split the question"
        )
    return _prepared(tuple(zip(LETTERS, map(_text, options), strict=False)))


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else str(value)


@lru_cache(maxsize=4096)
def _prepared(pairs: tuple[tuple[str, str], ...]) -> Options:
    return Options(pairs)
