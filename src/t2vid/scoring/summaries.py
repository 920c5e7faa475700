"""Options that speak of the others, "None of the above", and answers that say the same in other words.

>>> options = {"A": "red", "B": "blue", "C": "None of the above"}
>>> kinds = {letter: kind_of(text, options) for letter, text in options.items()}
>>> summary(kinds, "None of the options is correct."), summary(kinds, "None moved.")
('C', None)
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping

# What is said of options, and of which ones: of none by name means of all.
Kind = tuple[str, frozenset[str]]
_KINDS = {"none": "none", "neither": "none", "nor": "none", "all": "all", "both": "both"}
# An answer made of these words and of letters alone says nothing but which of the options hold.
_WORDS = frozenset(
    "a above and answer answers applies apply are as choice choices clip correct fit fits given happen happened happens "
    "here hold holds i in is it listed match matches occur occurs of one option options other others pick provided right "
    "say seem seems shown so statement statements suitable supported that the them therefore these think those thus to "
    "true two valid video would".split()
)
MAX_CHARS = 120  # of an answer that says nothing else


def summary(kinds: Mapping[str, Kind | None], answer: str) -> str | None:
    """Give the option that says of the others what the answer says of them, None where none does.

    Args:
        kinds: what each option says of the others, by its letter.
        answer: what was answered.
    """
    said = kind_of(answer, kinds)
    if said is None:
        return None
    others = frozenset(letter for letter, kind in kinds.items() if kind is None)
    found = [
        letter
        for letter, kind in kinds.items()
        if kind is not None and _plain(kind, others) == _plain(said, others)
    ]
    return found[0] if len(found) == 1 else None


def kind_of(text: str, letters: Container[str]) -> Kind | None:
    """Give what a text says of options, and of which it says so, None where it speaks of anything else.

    >>> kind_of("Neither is correct", "AB"), kind_of("a dog", "AB")
    (('none', frozenset()), None)
    """
    if len(text) > MAX_CHARS:
        return None
    named = {word for word in re.findall(r"\b[A-Z]\b", text) if word in letters}
    words = re.findall(r"\w+", re.sub(r"\b[A-Z]\b", " ", text).casefold())
    if any(word not in _WORDS and word not in _KINDS for word in words):
        return None
    kinds = {_KINDS[word] for word in words if word in _KINDS}
    if not kinds and len(named) > 1 and "and" in words:
        kinds = {"both" if len(named) == 2 else "all"}
    return (kinds.pop(), frozenset(named)) if len(kinds) == 1 else None


def _plain(kind: Kind, others: frozenset[str]) -> Kind:
    word, named = kind
    of = named or others
    return ("all" if word == "both" and len(of) == 2 else word), of
