"""Why an answer was read as it was: the rule, and the characters that decided, marked.

>>> print(explained([{"id": "q1", "prediction": "So the answer is B.", "letter": "B", "rule": "statement",
...                   "span": (17, 18), "answer": "B", "correct": True}]))
q1: B by statement, right
    So the answer is [B].
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

AROUND_CHARS = 160
_GREEN, _PLAIN = "\x1b[1;30;42m", "\x1b[0m"


def parts_of(prediction: str, span: tuple[int, int] | None) -> tuple[str, str, str]:
    """Cut an answer into what stands before the deciding characters, these, and what follows.

    >>> parts_of("The answer is B.", (14, 15))
    ('The answer is ', 'B', '.')
    """
    if span is None:
        return prediction, "", ""
    start, end = span
    return prediction[:start], prediction[start:end], prediction[end:]


def explained(lines: Iterable[Mapping[str, Any]], *, colour: bool = False) -> str:
    """Write each answer with its letter, the rule that decided and the characters it decided on.

    Args:
        lines: lines of `judged.jsonl`.
        colour: mark the characters in green, as a terminal shows it, else with brackets.
    """
    return "\n".join(_explained(line, colour) for line in lines)


def _explained(line: Mapping[str, Any], colour: bool) -> str:
    span = line.get("span")
    before, decided, after = parts_of(line["prediction"], tuple(span) if span else None)
    mark = (_GREEN, _PLAIN) if colour else ("[", "]")
    shown = f"{before[-AROUND_CHARS:]}{mark[0]}{decided}{mark[1]}{after[:AROUND_CHARS]}"
    if not decided:
        shown = before if len(before) <= 2 * AROUND_CHARS else f"{before[: 2 * AROUND_CHARS]} …"
    verdict = "right" if line["correct"] else f"wrong, {line['answer']} is right"
    read = f"{line['letter'] or 'open'} by {line['rule']}, {verdict}"
    return f"{line['id']}: {read}\n    " + " ".join(shown.split("\n"))
