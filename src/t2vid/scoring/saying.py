"""What a sentence says about the option that it names.

>>> said_of("I would not pick ", " here.", "", asks=False, joined=False).kind
'denial'
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from t2vid.scoring.lexicon import OPTION, Frame, load

_CLAUSE = re.compile(r"[,，、(（]|\s[—–-]{1,2}\s|—|\.(?=\s)")
_COMMA = re.compile("[,，]")
_WORD = re.compile(r"\w")
_FIRST_WORDS = re.compile(r"\W*(\w+(?:['’]\w+)?(?: \w+){0,2})")
_AFTER_MARK = re.compile(r"[,;.—–-](?=\s*(\w+(?: \w+){0,2}))")
_ASKS_FOR_WRONG = re.compile(r"\b(?:not|incorrect|false|wrong|untrue|inaccurate|except)\b|n't\b")


class Said(NamedTuple):
    """What a text says about an option where it names it.

    Attributes:
        kind: `firm` or `cue`: presented as the answer; `alone`: a sentence of its own; `pair`: named together with
            another; `denial`, `hedge`, `condition`, `question`, `quotation`, `example`; or empty.
        cued: whether a cue presents it all the same.
        frame: its sentence with the option left out.
    """

    kind: str
    cued: bool
    frame: str


def said_of(before: str, after: str, question: str, *, asks: bool, joined: bool) -> Said:
    """Return what a sentence says about the option between its two parts.

    >>> said_of("It is not ", ".", "", asks=False, joined=False).kind
    'denial'
    """
    frame = before + OPTION + after
    found = _categories(frame, question, asks=asks)
    cued = "cue" in found or "firm" in found
    if "firm" in found:
        return Said("firm", True, frame)
    for kind in ("denial", "hedge", "condition", "question", "quotation", "example"):
        if kind in found:
            return Said(kind, cued, frame)
    if joined:
        return Said("pair", cued, frame)
    if cued:
        return Said("cue", True, frame)
    alone = not _WORD.search(before) and not _WORD.search(after)
    return Said("alone" if alone else "", False, frame)


def since_turn(before: str) -> str:
    """Leave out what stands before a "but" or "so", which is about something else.

    >>> since_turn("Well, but the answer is ")
    ' but the answer is '
    """
    words = load().words
    first = _FIRST_WORDS.match(before)
    comma = _COMMA.search(before) if first and _begins(first[1], words["concede"]) else None
    last = comma.end() if comma else 0
    for mark in _AFTER_MARK.finditer(before, last):
        if _begins(mark[1], words["turn"]):
            last = mark.start() + 1
    if not before.isascii():
        last = max(last, *(before.rfind(w) for w in words["turn"] if w[0] > "\u0e00"))
    return before[last:]


@lru_cache(maxsize=1024)
def retracts(after: str) -> bool:
    """Say whether what follows an answer takes it back: "B. Wait, no, …"."""
    return bool(load().matching(load().frame(after), "retraction"))


def asks_for_wrong(question: str) -> bool:
    """Say whether a question asks for what is not so: "Which of these is NOT shown?"."""
    return bool(_ASKS_FOR_WRONG.search(question.casefold()))


def _begins(words: str, known: frozenset[str]) -> bool:
    """Say whether up to three words begin with a known word, or are one of several words."""
    said = words.casefold().split(" ")
    return any(" ".join(said[:n]) in known for n in range(1, len(said) + 1))


def _categories(sentence: str, question: str, *, asks: bool) -> set[str]:
    """Return the categories of the phrases that match a sentence around an option."""
    found, answered = _matched(sentence)
    if "inverse" in found:
        wrong = asks_for_wrong(question)
        found = (found - {"denial"}) | {"cue"} if wrong else found | {"denial"}
    if asks and not answered:
        found = found | {"question"}
    if "condition" in found and _asked(sentence, question):
        found = found - {"condition"}
    return set(found)


@lru_cache(maxsize=4096)  # models say the same few sentences again and again
def _matched(sentence: str) -> tuple[frozenset[str], bool]:
    """Return the categories of what matches, and whether a phrase was among them that answers a question."""
    lexicon = load()
    found: set[str] = set()
    answered = False
    frame = lexicon.frame(sentence)
    clause: Frame | None = None
    for phrase in lexicon.near(frame):
        if phrase.category in found and (answered or "?" not in phrase.text):
            continue
        looked = frame
        if not phrase.placed and phrase.category == "hedge":
            looked = clause = clause or lexicon.frame(clause_of(sentence))
        if lexicon.match(phrase, looked):
            found.add(phrase.category)
            answered = answered or "?" in phrase.text
    return frozenset(found), answered


def clause_of(frame: str) -> str:
    """Return the clause of a sentence in which the option stands.

    >>> clause_of("I could be wrong, but the answer is \\0, perhaps because he ran.")
    ' but the answer is \\x00'
    """
    at = frame.index(OPTION)
    cuts = [c.end() for c in _CLAUSE.finditer(frame, 0, at)]
    while cuts and _few_words(frame[cuts[-2] if len(cuts) > 1 else 0 : cuts[-1]]):
        cuts.pop()  # "Maybe, B"
    left = cuts[-1] if cuts else 0
    right = _CLAUSE.search(frame, at + 1)
    if right is None or _few_words(frame[right.end() :]):
        return frame[left:]  # "B, perhaps."
    return frame[left : right.start()]


def _few_words(text: str) -> bool:
    return len(re.findall(r"\w+", text)) < 3 and not re.search(r"[\u3040-\u9fff]{3}", text)


def _asked(sentence: str, question: str) -> bool:
    """Say whether a condition is the question's own: "If the ball is removed, …"."""
    if " if " not in f" {question}" and "when" not in question:
        return False
    clause = sentence.replace("\0", "").split(",")[0]
    clause = clause[max(clause.casefold().find("if "), clause.casefold().find("when "), 0) :]
    clause = " ".join(clause.casefold().split())
    return len(clause) > 8 and clause in question
