"""How the scorers of benchmarks read a letter, mistakes included: for `scheme="official"` alone.

>>> first_capital("The answer is: because of B", "ABCDEFGH", PREFIXES)
'B'
>>> before_bracket("(B) Red"), before_bracket("B"), before_bracket("B. Red")
('B', 'B', None)
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

_SAID = ("The best answer is", "The correct answer is", "The answer is", "The answer")
# Video-MME, eval_your_results.py. Two commas are missing there, so that two of them never match.
VIDEO_MME_PREFIXES = (
    *_SAID,
    "The best option isThe correct option is",
    "Best answer:Best option:",
    "Answer:",
    "Option:",
    "The correct answer",
    "The correct option",
)
# LongVideoBench in lmms-eval: the older list, with the commas.
PREFIXES = (
    *_SAID,
    "The best option is",
    "The correct option is",
    "Best answer:",
    "Best option:",
)
# Video-MME-v2, test_video_mme_v2.py
V2_PREFIXES = ("Final Answer:", *PREFIXES, "Answer:", "Option:")


def first_capital(answer: str, letters: str, prefixes: Sequence[str]) -> str | None:
    """Take the first capital that is a letter of an option, wherever it stands ("Because" is B)."""
    text = answer.strip()
    for prefix in prefixes:
        text = text.replace(prefix, "")
    return next((char for char in text if char in letters), None)


def before_bracket(answer: str) -> str | None:
    """Take the character before the first `)`, or the whole answer where it is a letter (MLVU)."""
    place = answer.find(")")
    said = answer if place < 0 else answer[max(0, place - 1) : place]
    return said if len(said) == 1 and said.isascii() and said.isupper() else None


def after_bracket(answer: str) -> str | None:
    """Take the first character of what stands before the first `)`, after a `(` (LVBench)."""
    head = answer.strip().split(")")[0].strip()
    if "(" in head:
        head = head.split("(")[1].strip()
    return head.split(" ")[0][:1] or None


def mentioned(answer: str, options: Mapping[str, str], *, last: bool) -> str | None:
    """Look for `(A)`, `A `, `A.`, then for option texts, as MMMU's reading of answers does.

    Args:
        answer: what the model wrote.
        options: texts by letter.
        last: take the last of several, each kind only where the ones before found nothing
            (NExT-QA in lmms-eval); else all kinds count and the first one is taken (EgoSchema).
    """
    text = answer
    for mark in ",.!?;:'":
        text = text.strip(mark)
    text = f" {text} "
    found: list[tuple[int, str]] = []
    for form in ("({})", "{} ", "{}."):
        if found and last:
            break
        kind = [(text.rfind(form.format(a)), a) for a in options if form.format(a) in text]
        if (
            last and form != "({})" and len(kind) > 1
        ):  # there it looks for " A ", -1 where it is not
            kind = [(text.rfind(f" {a} "), a) for _, a in kind]
        found += kind
    if not found and len(text.split()) > 5:
        low = text.lower()
        found = [(low.rfind(t.lower()), a) for a, t in options.items() if t.lower() in low]
    if not found:
        return None
    best = max if last else min
    place = best(at for at, _ in found)
    return next(letter for at, letter in found if at == place)


def guess(letters: str, key: str) -> str:
    """Draw a letter, as these scorers do where they read none; ours always draws the same one.

    >>> guess("ABC", "q1") == guess("ABC", "q1")
    True
    """
    return random.Random(key).choice(letters)
