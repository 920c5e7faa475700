"""Options that an answer names by their place: "the second option", "Option 2", "La opción 3".

>>> places("I'd take the second option, not choice 1.", "ABC", long=False)
[('B', 13, 26), ('A', 32, 40)]
"""

from __future__ import annotations

import re
from functools import cache

from t2vid.scoring.lexicon import load

_ORDINALS = "first 1st second 2nd third 3rd fourth 4th fifth 5th sixth 6th".split()
_NUMBERS = "1 one 2 two 3 three 4 four 5 five 6 six 7 seven 8 eight 9 nine".split()
_PLACES = {word: i // 2 for words in (_ORDINALS, _NUMBERS) for i, word in enumerate(words)}
_PLACES["last"] = -1
_TEXTS = ("caption", "sentence", "statement", "description")  # what only a long option is called
_ORDINAL = f"{'|'.join(_ORDINALS)}|last"
_ALONE = re.compile(
    rf"(?:(?:i|i'd|i'll|it's|it|would|is|pick|choose|take|say) )*(the (?:{_ORDINAL}))(?: one)?\W*"
)


def places(text: str, letters: str, *, long: bool) -> list[tuple[str, int, int]]:
    """Return the letter, the beginning and the end of each option that is named by its place.

    Args:
        text: the answer.
        letters: those of the options.
        long: whether an option may be called a sentence or a caption.
    """
    low, found = text.lower(), []
    if len(low) != len(text):
        return []
    if alone := _ALONE.fullmatch(low):
        place = _PLACES[alone[1].removeprefix("the ")]
        return [(letters[place], alone.start(1), alone.end())] if place < len(letters) else []
    for named in _pattern().finditer(low):
        noun, *numbers = sorted(named.groups(), key=_PLACES.__contains__)
        start = named.start()
        if noun in _PLACES or numbers[0] not in _PLACES or (noun in _TEXTS and not long):
            continue  # "the subject of the second sentence"
        inside = low[start - 1 : start].isalnum() and low[start].isascii()
        if noun == "number" and low[max(0, start - 3) : start] != "is ":
            continue
        if not inside and _PLACES[numbers[0]] < len(letters):
            found.append((letters[_PLACES[numbers[0]]], start, named.end()))
    return found


@cache
def _pattern() -> re.Pattern[str]:
    """Write one group of plain words first: a scan for their first letters is fast."""
    numbered = "|".join(sorted(load().words["numbered"]))
    after = "|".join(["option", "choice", "answer", *_TEXTS, *_NUMBERS])
    return re.compile(
        rf"({_ORDINAL}|{numbered}|caption|sentence|number)\s?(?:#|number |número |no\.? ?|nr\.? ?)?({after})"
        r"(?![^\W_]|\s*(?:%|/))"
    )
