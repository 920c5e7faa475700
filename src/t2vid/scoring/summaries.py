"""Options that speak of the others, "None of the above", and answers that say the same in other words.

>>> options = ["red", "blue", "None of the above"]
>>> summary(["A", "B", "C"], options, "None of the options is correct."), summary(["A", "B", "C"], options, "None moved.")
('C', None)
>>> summary(["A", "B", "C"], ["red", "blue", "Both A and B"], "A and B are both right.")
'C'
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_KINDS = {"none": "none", "neither": "none", "nor": "none", "all": "all", "both": "both"}
# An answer made of these words and of letters alone says nothing but which of the options hold.
_WORDS = frozenset(
    "a above and answer answers applies apply are as choice choices correct fit fits given here hold holds i in is it "
    "listed match matches of one option options other others pick provided right say seem seems so statement "
    "statements suitable that the them therefore these think those thus to true two valid would".split()
)
_MAX_CHARS = 120


def summary(letters: Sequence[str], texts: Sequence[str], answer: str) -> str | None:
    """Give the option that says of the others what the answer says of them, None where none does.

    Args:
        letters: of the options.
        texts: of the options, in the same order.
        answer: what was answered.
    """
    said = _kind(answer, letters)
    if said is None:
        return None
    read = {letter: _kind(text, letters) for letter, text in zip(letters, texts, strict=True)}
    others = {letter for letter, kind in read.items() if kind is None}
    found = [
        letter for letter, kind in read.items() if kind is not None and _same(kind, said, others)
    ]
    return found[0] if len(found) == 1 else None


def _kind(text: str, letters: Sequence[str]) -> tuple[str, frozenset[str]] | None:
    """Give what a text says of options, and of which it says so: of none by name means of all."""
    if len(text) > _MAX_CHARS:
        return None
    named = {word for word in re.findall(r"\b[A-Z]\b", text) if word in letters}
    words = re.findall(r"\w+", re.sub(r"\b[A-Z]\b", " ", text).casefold())
    kinds = {_KINDS[word] for word in words if word in _KINDS}
    if any(word not in _WORDS and word not in _KINDS for word in words):
        return None
    if not kinds and len(named) > 1 and "and" in words:
        kinds = {"both" if len(named) == 2 else "all"}
    return (kinds.pop(), frozenset(named)) if len(kinds) == 1 else None


def _same(
    option: tuple[str, frozenset[str]], said: tuple[str, frozenset[str]], others: set[str]
) -> bool:
    def plain(one: tuple[str, frozenset[str]]) -> tuple[str, frozenset[str]]:
        kind, named = one
        of = named or frozenset(others)
        return ("all" if kind == "both" and len(of) == 2 else kind), of

    return plain(option) == plain(said)
