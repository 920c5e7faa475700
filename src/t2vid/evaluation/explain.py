"""Why an answer was read as it was: the rule, and the characters that decided, marked.

>>> print(explained([{"id": "q1", "prediction": "So the answer is B.", "letter": "B", "rule": "statement",
...                   "span": (17, 18), "answer": "B", "correct": True}]))
q1: B by statement, right
    So the answer is [B].
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from t2vid.evaluation.runs import Run
from t2vid.evaluation.telling import told

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


class ReadAnswer(NamedTuple):
    """One answer as it was read, cut around the characters that decided."""

    id: str
    letter: str
    rule: str
    right: bool
    before: str
    decided: str
    after: str


class ReadAnswers(NamedTuple):
    """Some answers of a run; `of` is how many there are."""

    name: str
    answers: list[ReadAnswer]
    of: int


def read_answers(run: Run, *, limit: int = 40) -> ReadAnswers:
    """Choose answers of a scored run to look at, of every rule some.

    Args:
        run: the run.
        limit: how many.
    """
    lines = [line for line in run.judged() if not line.get("rotation")]
    by_rule: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        by_rule.setdefault(line["rule"], []).append(line)
    each = max(1, limit // max(1, len(by_rule)))
    chosen = [line for found in by_rule.values() for line in found[:each]][:limit]
    return ReadAnswers(run.name, [_read(line) for line in chosen], len(lines))


def _read(line: Mapping[str, Any]) -> ReadAnswer:
    span = line.get("span")
    before, decided, after = parts_of(line["prediction"], (span[0], span[1]) if span else None)
    letter = line["letter"] or "open"
    if decided:
        before = f"…{before[-AROUND_CHARS:]}" if len(before) > AROUND_CHARS else before
        after = f"{after[:AROUND_CHARS]}…" if len(after) > AROUND_CHARS else after
    elif len(before) > 2 * AROUND_CHARS:
        before = f"{before[: 2 * AROUND_CHARS]}…"
    return ReadAnswer(line["id"], letter, line["rule"], line["correct"], before, decided, after)


def explained(
    lines: Iterable[Mapping[str, Any]], *, colour: bool = False, scheme: str = "t2vid"
) -> str:
    """Write each answer with its letter, the rule that decided and the characters it decided on.

    Args:
        lines: lines of `judged.jsonl`.
        colour: mark the characters in green, as a terminal shows it, else with brackets.
        scheme: by which they were read; of an answer that `"t2vid"` left open, what it saw is told.
    """
    return "\n".join(_explained(line, colour, scheme) for line in lines)


def _explained(line: Mapping[str, Any], colour: bool, scheme: str) -> str:
    read = _read(line)
    mark = (_GREEN, _PLAIN) if colour else ("[", "]")
    decided = f"{mark[0]}{read.decided}{mark[1]}" if read.decided else ""
    verdict = "right" if read.right else f"wrong, {line['answer']} is right"
    shown = " ".join(f"{read.before}{decided}{read.after}".split("\n"))
    seen: list[str] = []
    if scheme == "t2vid" and not read.decided and line.get("options"):
        seen = [
            f"      {saw}".replace("\n", " ")
            for saw in told(line["prediction"], line["options"], line.get("question") or "")
        ]
    return "\n".join([f"{read.id}: {read.letter} by {read.rule}, {verdict}", f"    {shown}", *seen])
