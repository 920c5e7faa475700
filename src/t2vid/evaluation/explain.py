"""Why an answer was read as it was: the rule, and the characters that decided, marked.

>>> print(explained([{"id": "q1", "prediction": "So the answer is B.", "letter": "B", "rule": "statement",
...                   "span": (17, 18), "answer": "B", "correct": True, "options": ["red", "blue"]}]))
q1: B (blue), right
    statement: the last place that says which option is taken
    So the answer is [B].
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from t2vid.evaluation.runs import Run
from t2vid.evaluation.telling import meaning_of, told

AROUND_CHARS, OPTION_CHARS = 160, 40  # shown of an answer around what decided, and of an option
# a terminal obeys these, a reader sees a picture of them
_CONTROLS = {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n"} | {127: 0x2421}
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
    taken: str  # the letter and its option, or "open"
    verdict: str
    rule: str
    meaning: str
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
    before, decided, after = parts_of(
        line["prediction"].translate(_CONTROLS), (span[0], span[1]) if span else None
    )
    if decided:
        before = f"…{before[-AROUND_CHARS:]}" if len(before) > AROUND_CHARS else before
        after = f"{after[:AROUND_CHARS]}…" if len(after) > AROUND_CHARS else after
    elif len(before) > 2 * AROUND_CHARS:  # how it begins, and where an answer would stand
        before = f"{before[:AROUND_CHARS]} … {before[-AROUND_CHARS:]}"
    taken = _named(line["letter"], line) if line["letter"] else "open"
    verdict = "right" if line["correct"] else f"wrong: {_named(line['answer'], line)} is right"
    rule = line["rule"]
    return ReadAnswer(line["id"], taken, verdict, rule, meaning_of(rule), before, decided, after)


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
    shown = " ".join(f"{read.before}{decided}{read.after}".split("\n"))
    seen: list[str] = []
    if scheme == "t2vid" and not read.decided and line.get("options"):
        seen = [
            f"      {saw}".replace("\n", " ")
            for saw in told(line["prediction"], line["options"], line.get("question") or "")
        ]
    why = f"{read.rule}: {read.meaning}" if read.meaning else read.rule
    return "\n".join(
        [f"{read.id}: {read.taken}, {read.verdict}", f"    {why}", f"    {shown}", *seen]
    )


def _named(letter: str, line: Mapping[str, Any]) -> str:
    """Write a letter with the beginning of its option."""
    options, place = line.get("options") or (), ord(letter) - 65 if letter else 0
    text = str(options[place]) if letter and place < len(options) else ""
    cut = f"{text[:OPTION_CHARS]}…" if len(text) > OPTION_CHARS else text
    return f"{letter} ({cut})" if cut else letter or "nothing"
