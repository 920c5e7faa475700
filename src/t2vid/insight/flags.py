"""What makes a training set lopsided: shared openings, answer lengths, letters, languages, twins.

>>> rows = [("Describe it.", "The video begins with a black screen.")] * 3 + [("Why?", "So.")]
>>> found = {flag.name: flag.value for flag in flags(rows)}
>>> found["opening_share"], found["exact_twins"]
(0.75, 0.5)
"""

from __future__ import annotations

import operator
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from t2vid.errors import InputError, pluralize
from t2vid.insight.diversity import instruction
from t2vid.insight.templates import repeated
from t2vid.mixing.overlap import Overlap

OPENING_WORDS = 5  # "The video begins with a": T2Vid, section 5.1.2, on ShareGemini
_OPERATORS = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_CONDITION = re.compile(r"\s*([\w.-]+?)\s*(>=|<=|>|<)\s*(\d+(?:\.\d+)?|\.\d+)\s*")


class FlagKind(NamedTuple):
    """What a flag is called on a page, what it measures, and from where on one should look."""

    title: str
    about: str
    look_above: float | None


# Thresholds are where the paper's ShareGemini would be seen and a mix with texts would not.
KINDS = {
    "opening_share": FlagKind(
        "Answers that open alike",
        f"answers that begin with the most frequent {OPENING_WORDS} words",
        0.2,
    ),
    "template_share": FlagKind(
        "Rows made from a template",
        "rows whose instruction is one of the ten most frequent templates; numbers, quotes and "
        "names make no difference",
        0.5,
    ),
    "same_length": FlagKind(
        "Answers of one length", "answers within a fifth of the median length", 0.8
    ),
    "letter_share": FlagKind(
        "One letter as the answer",
        "of the answers that are a bare letter, those with the most frequent one",
        0.5,
    ),
    "script_share": FlagKind(
        "One script",
        "rows written in the most frequent script; no threshold: it may be meant",
        None,
    ),
    "exact_twins": FlagKind(
        "Repeated rows", "rows with the instruction and answer of another row", 0.01
    ),
    "near_twins": FlagKind("Nearly repeated rows", "pairs of rows that are nearly the same", 0.01),
    "between_sources": FlagKind(
        "Rows of two sources", "pairs of rows of two sources that are the same or nearly so", 0.001
    ),
    "benchmark_overlap": FlagKind(
        "Rows of a benchmark", "rows that share a video or a question with a benchmark", 0.0
    ),
}


@dataclass(frozen=True)
class Flag:
    """One measured bias.

    Attributes:
        name: what `fail_if` calls it, a key of `KINDS`.
        value: the measure, 0 to 1.
        says: the sentence that a reader sees.
        examples: what it is about, the most frequent first, with how often it occurs.
        measured: False where there was nothing to compare with.
    """

    name: str
    value: float
    says: str
    examples: list[tuple[str, int]]
    measured: bool = True

    @property
    def state(self) -> Literal["", "fine", "look"]:
        """`"look"` above the threshold of its kind, `"fine"` below, `""` without one.

        >>> Flag("template_share", 0.7, "", []).state
        'look'
        """
        limit = KINDS[self.name].look_above
        return (
            "" if limit is None or not self.measured else "look" if self.value > limit else "fine"
        )


def flags(dataset: Any) -> list[Flag]:
    """Measure the biases of a dataset.

    Args:
        dataset: rows with `messages`, or pairs of instruction and answer.

    Raises:
        InputError: when there is no row.
    """
    pairs = list(_pairs(dataset))
    if not pairs:
        raise InputError("the dataset has no rows; there is nothing to measure")
    return [
        _openings(pairs),
        _templates(pairs),
        _lengths(pairs),
        _letters(pairs),
        _scripts(pairs),
        _twins(pairs),
    ]


def repeats(overlap: Overlap, n_rows: int) -> list[Flag]:
    """Give what `t2vid.mixing.overlap.find` found as flags.

    Args:
        overlap: what it found.
        n_rows: rows of the dataset.
    """
    near = overlap.within_source["near"] + overlap.between_sources["near"]
    both = sum(overlap.between_sources.values())
    by_benchmark = {
        name: sum(kinds.values()) / n_rows for name, kinds in overlap.benchmarks.items()
    }
    shown = [
        (f"{name}: {kind}", n)
        for name, kinds in overlap.benchmarks.items()
        for kind, n in kinds.items()
    ]
    worst = max(by_benchmark, key=lambda name: by_benchmark[name], default="")
    says = (
        "rows that share a video or a question with "
        f"{worst}: {sum(overlap.benchmarks[worst].values()):,}"
        if worst
        else "no benchmark was given to look for (--benchmark NAME=FILE)"
    )
    top = _noted(overlap, "near, ")
    return [
        Flag(
            "near_twins",
            min(1.0, near / n_rows),
            f"pairs of rows that are nearly the same: {near:,}",
            top,
        ),
        Flag(
            "between_sources",
            min(1.0, both / n_rows),
            f"pairs of rows of two sources that are the same or nearly so: {both:,}",
            _noted(overlap, "", "two sources"),
        ),
        Flag("benchmark_overlap", min(1.0, by_benchmark.get(worst, 0.0)), says, shown, bool(worst)),
    ]


def failed(found: Sequence[Flag] | Mapping[str, float], conditions: Iterable[str]) -> list[str]:
    """Say which conditions hold, for a pipeline that shall stop then.

    Args:
        found: what `flags` gave, or values by name.
        conditions: such as `"template_share>0.5"`.

    Raises:
        InputError: for a condition that cannot be read, or an unknown name.

    >>> failed([Flag("template_share", 0.7, "", [])], ["template_share>0.5"])
    ['template_share>0.5 (it is 0.700)']
    """
    values = found if isinstance(found, Mapping) else {flag.name: flag.value for flag in found}
    out = []
    for condition in conditions:
        name, sign, limit = parsed(condition, values)
        if _OPERATORS[sign](values[name], limit):
            out.append(f"{condition} (it is {values[name]:.3f})")
    return out


def parsed(condition: str, known: Iterable[str]) -> tuple[str, str, float]:
    """Read a condition.

    Args:
        condition: such as `"template_share>0.5"`.
        known: the names that it may use.

    Raises:
        InputError: for a condition that cannot be read, or an unknown name.
    """
    match = _CONDITION.fullmatch(condition)
    if match is None or match[1] not in set(known):
        raise InputError(
            f"condition {condition!r} must be NAME>NUMBER (or <, >=, <=) with a name of "
            f"{sorted(known)}"
        )
    return match[1], match[2], float(match[3])


def _noted(overlap: Overlap, kind: str, where: str = "") -> list[tuple[str, int]]:
    return [
        (pair, 1)
        for name, pairs in overlap.examples.items()
        if name.startswith(kind) and name.endswith(where) and "source" in name
        for pair in pairs[:5]
    ]


def _pairs(dataset: Any) -> Iterable[tuple[str, str]]:
    if hasattr(dataset, "select_columns"):  # reading the frames of a row would draw them
        dataset = dataset.select_columns(["messages"])
    for row in dataset:
        yield (instruction(row), _answer(row)) if isinstance(row, Mapping) else row


def _answer(row: Mapping[str, Any]) -> str:
    for message in row["messages"]:
        if message["role"] == "assistant":
            content = message["content"]
            if isinstance(content, str):
                return content
            return " ".join(part["text"] for part in content if part["type"] == "text")
    return ""


def _openings(pairs: Sequence[tuple[str, str]]) -> Flag:
    words = (answer.lower().split()[:OPENING_WORDS] for _, answer in pairs)
    counted = Counter(" ".join(start) for start in words if len(start) == OPENING_WORDS)
    top = [(start, n) for start, n in counted.most_common(5) if n > 1]
    share = top[0][1] / len(pairs) if top else 0.0
    says = (
        f"{100 * share:.1f} % of the answers open with the same {OPENING_WORDS} words"
        if top
        else f"no two answers open with the same {OPENING_WORDS} words"
    )
    return Flag("opening_share", share, says, top, len(pairs) > 1)


def _templates(pairs: Sequence[tuple[str, str]]) -> Flag:
    counted = repeated(question for question, _ in pairs)
    share = sum(n for _, n in counted) / len(pairs)
    n = len(counted)
    says = (
        f"{n} {'template makes' if n == 1 else 'templates make'} {100 * share:.1f} % of the rows"
        if counted
        else "no instruction repeats another"
    )
    return Flag("template_share", share, says, counted, len(pairs) > 1)


def _lengths(pairs: Sequence[tuple[str, str]]) -> Flag:
    lengths = sorted(len(answer.split()) for _, answer in pairs)
    low, high = lengths[len(lengths) // 10], lengths[(len(lengths) * 9) // 10 - 1]
    middle = lengths[len(lengths) // 2]
    alike = sum(0.8 * middle <= n <= 1.2 * middle for n in lengths) / len(lengths)
    says = (
        f"{100 * alike:.1f} % of the answers are within a fifth of the median, "
        f"{pluralize(middle, 'word')} "
        f"(one tenth has up to {low}, nine tenths up to {high})"
    )
    return Flag("same_length", alike, says, [], len(pairs) > 1)


def _letters(pairs: Sequence[tuple[str, str]]) -> Flag:
    letters = Counter(
        match[1].upper()
        for _, answer in pairs
        if (match := re.fullmatch(r"\(?([A-Ja-j])\)?\.?", answer.strip()))
    )
    total = sum(letters.values())
    top = letters.most_common()
    share = top[0][1] / total if total else 0.0
    says = (
        f"{100 * share:.1f} % of {total:,} answers that are a letter are {top[0][0]}"
        if top
        else "no answer is a bare letter"
    )
    return Flag("letter_share", share, says, top, total > 1)


def _scripts(pairs: Sequence[tuple[str, str]]) -> Flag:
    scripts = Counter(_script(question + " " + answer) for question, answer in pairs)
    top = scripts.most_common()
    share = top[0][1] / len(pairs)
    says = f"{100 * share:.1f} % of the rows are written in {top[0][0]} letters"
    return Flag("script_share", share, says, top)


def _script(text: str) -> str:
    text = text[:2000]
    if text.isascii():  # most are, and to name every letter is slow
        return "Latin" if re.search("[A-Za-z]", text) else "no"
    names: Counter[str] = Counter()
    for letter, n in Counter(text).items():
        if letter.isalpha():
            names[unicodedata.name(letter, "unknown").split()[0].title()] += n
    return names.most_common(1)[0][0] if names else "no"


def _twins(pairs: Sequence[tuple[str, str]]) -> Flag:
    counted = Counter(
        " ".join(f"{question} {answer}".lower().split()) for question, answer in pairs
    )
    extra = sum(n - 1 for n in counted.values())
    share = extra / len(pairs)
    top = [(text[:120], n) for text, n in counted.most_common(5) if n > 1]
    says = f"rows that repeat the instruction and answer of another row: {extra:,}"
    return Flag("exact_twins", share, says, top, len(pairs) > 1)
