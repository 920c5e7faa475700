"""Places where an answer is put so that it can be found: a tag, a box, a JSON value.

>>> [text for text, _ in containers(r"So A is close, yet \\boxed{B}. Then <answer>C</answer>")]
['B', 'C']
"""

from __future__ import annotations

import re

from t2vid.scoring.lexicon import mark

_KINDS = {
    "<": ("tagged", "attribute", "tokens"), "[": ("bracket",), "\\": ("box",), "{": ("json", "lone"),
    "【": ("headed",), "#": ("hashed",),
}  # fmt: skip
_KEYS = frozenset(
    "answer ans prediction pred choice option response selection letter label result output verdict key pick final "
    "correct predicted selected 答案 選択 정답 respuesta réponse antwort ответ".split()
)
_PART = re.compile(r"[_ ]?(?:final|correct|predicted|selected|letter|choice|option|text)[_ ]?")


def containers(text: str) -> list[tuple[str, int]]:
    """Return what the innermost containers of a text hold, in order, each with the place where that begins."""
    names = [name for sign, names in _KINDS.items() if sign in text for name in names]
    found = {
        match.span(2)
        for name in names
        for match in mark(name).finditer(text)
        if name != "json" or _of_answer(match[1])
    }
    inner, lowest = list[tuple[str, int]](), len(text) + 1  # the end of any that begins later
    for start, end in sorted(found, key=lambda span: (-span[0], span[1])):
        if end < lowest:
            inner.append((text[start:end], start))
        lowest = min(lowest, end)
    return inner[::-1]


def _of_answer(key: str) -> bool:
    """Say whether a JSON key is one of an answer: "answer", "final_answer", "predicted option"."""
    name = key.strip().casefold()
    return name in _KEYS or _PART.sub("", name) in {*_KEYS, ""}
