"""Letters read out of chunks of rows, and what is counted of them: the figures of `t2vid/video_mcq`.

>>> rows = {"predictions": ["The answer is B.", "A man walks."], "references": ["B", "A"]}
>>> counted(lambda: [rows])["accuracy"]
0.5
"""

from __future__ import annotations

import numbers
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from t2vid.errors import InputError
from t2vid.metrics.groups import group_scores
from t2vid.scoring.extract import extract_choice
from t2vid.scoring.judge import judge_from
from t2vid.scoring.statistics import CONFIDENCE, RESAMPLES, Interval, bootstrap, wilson

NO_LETTER = "Z"
KNOWN, SHORT_CHARS = 10_000, 64  # so many answers shorter than that are remembered

Choice = tuple[str | None, str]
Rows = Mapping[str, list[Any]]


def counted(
    chunks: Callable[[], Iterable[Rows]],
    *,
    scheme: Any = "t2vid",
    judge: Any = None,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = 0,
    return_rows: bool = False,
) -> dict[str, Any]:
    """Read the letters of all rows and count them.

    Args:
        chunks: gives the rows from the beginning, as columns of texts by name; `options` holds lists.
        scheme: as for `extract_choice`.
        judge: what decides where the rules abstain, as for `judge_from`.
        confidence: coverage of the intervals.
        resamples: draws of the bootstrap.
        seed: of the bootstrap.
        return_rows: add `rows`, one mapping a row.
    """
    if not all(isinstance(value, numbers.Integral) for value in (resamples, seed)) or seed < 0:
        raise InputError(
            f"resamples ({resamples!r}) and seed ({seed!r}) must be whole numbers, seed >= 0"
        )
    if not isinstance(confidence, numbers.Real):
        raise InputError(f"confidence ({confidence!r}) must be a number between 0 and 1")
    count = _Count(keep_rows=return_rows)
    reader = _Reader(scheme, judge_from(judge, cache=None), _nameless(chunks))
    for rows in chunks():
        count.add(rows, *reader.read(rows))
    return count.scores(confidence, resamples, seed)


def _nameless(chunks: Callable[[], Iterable[Rows]]) -> list[str]:
    """Give as many empty options as there are letters: the references are the only hint."""
    last = "E"
    for rows in chunks():
        if "options" in rows:
            return []
        last = max([last, *(_bare(text) or "A" for text in rows["references"])])
    return [""] * (ord(last) - 64)


class _Reader:
    """Reads letters: by the rules, then by the judge where they abstain."""

    def __init__(self, scheme: Any, judge: Any, nameless: list[str]) -> None:
        self.scheme, self.judge, self.nameless = scheme, judge, nameless
        self.known: dict[str, Choice] = {}  # many rows repeat a few bare letters

    def read(self, rows: Mapping[str, list[Any]]) -> tuple[list[str | None], list[Choice]]:
        """Give the right letters and the choices of a chunk."""
        predictions, references = rows["predictions"], rows["references"]
        if "options" not in rows:
            choices = [self._short(text) for text in predictions]
            golds = [_bare(text) or _place(text, 26) for text in references]
            return golds, self._judged(rows, choices)
        options = rows["options"]
        golds = [
            (self.exact(r, o) if o else None)
            or _within(_bare(r), o)
            or (extract_choice(r, o).letter or _place(r, len(o)) if o else None)
            for r, o in zip(references, options, strict=True)
        ]
        questions = rows.get("question") or [""] * len(predictions)
        choices = [
            extract_choice(p, o or None, q, scheme=self.scheme)[:2]
            for p, o, q in zip(predictions, options, questions, strict=True)
        ]
        choices = self._judged(rows, choices)
        if self.scheme == "t2vid":
            choices = [
                (gold, choice[1]) if same_text(choice[0], gold, o) else choice
                for choice, gold, o in zip(choices, golds, options, strict=True)
            ]
        return golds, choices

    @staticmethod
    def exact(reference: str, options: list[str]) -> str | None:
        """Read a reference that is the text of one option, such as "a" or "3"."""
        if len(reference) == 1 and "A" <= reference <= "Z" or options.count(reference) != 1:
            return None
        return chr(65 + options.index(reference))

    def _short(self, text: str) -> Choice:
        choice = self.known.get(text)
        if choice is None:
            choice = extract_choice(text, self.nameless, scheme=self.scheme)[:2]
            if len(text) < SHORT_CHARS and len(self.known) < KNOWN:
                self.known[text] = choice
        return choice

    def _judged(self, rows: Mapping[str, list[Any]], choices: list[Choice]) -> list[Choice]:
        """Ask the judge; one that fails is counted as such and its row stays open."""
        if self.judge is None:
            return choices
        said, n = rows["predictions"], len(choices)
        places = [i for i in range(n) if choices[i][0] is None and said[i].strip()]
        options = rows.get("options") or [self.nameless] * n
        questions = rows.get("question") or [""] * n
        verdicts = self.judge.decide((questions[i], options[i], said[i]) for i in places)
        for i, (letter, error) in zip(places, verdicts, strict=True):
            rule = "judge_error" if error else "judge" if letter else "judge: none"
            choices[i] = letter, rule
        return choices


class _Count:
    """What is kept of the rows: counts, one byte a row, and one number a row for its video."""

    def __init__(self, keep_rows: bool) -> None:
        self.right, self.videos, self.any_video = bytearray(), array("q"), False
        self.rules: Counter[str] = Counter()
        self.pairs: Counter[tuple[str, str]] = Counter()
        self.groups: dict[str, Counter[tuple[str, bool]]] = {"category": Counter()}
        self.groups["duration"] = Counter()
        self.grouped: list[tuple[str, str, bool]] = []
        self.rows: list[dict[str, Any]] | None = [] if keep_rows else None

    def add(
        self,
        rows: Mapping[str, list[Any]],
        golds: Sequence[str | None],
        choices: Sequence[Choice],
    ) -> None:
        right = [c[0] is not None and c[0] == g for c, g in zip(choices, golds, strict=True)]
        self.right.extend(right)
        self.rules.update(rule for _, rule in choices)
        self.pairs.update(
            (gold or "?", letter or NO_LETTER)
            for gold, (letter, _) in zip(golds, choices, strict=True)
        )
        for name, count in self.groups.items():
            count.update(zip(rows.get(name, ()), right, strict=False))
        structures = rows.get("structure") or [""] * len(right)
        self.grouped += (
            row for row in zip(rows.get("group", ()), structures, right, strict=False) if row[0]
        )
        videos = rows.get("video", ())
        self.any_video = self.any_video or any(videos)
        # 64 bits a name instead of the name: two of a million videos meet once in 30 million runs
        self.videos.extend(map(hash, videos))
        if self.rows is not None:
            ids = rows.get("id") or [""] * len(right)
            self.rows += (
                {"id": i, "letter": c[0], "rule": c[1], "reference": g, "correct": r}
                for i, c, g, r in zip(ids, choices, golds, right, strict=True)
            )

    def scores(self, confidence: float, resamples: int, seed: int) -> dict[str, Any]:
        n, correct = len(self.right), sum(self.right)
        videos = np.frombuffer(self.videos, dtype=np.int64) if self.any_video else None
        right = np.frombuffer(self.right, dtype=np.uint8)
        clusters = n if videos is None else len(np.unique(videos))
        interval = bootstrap(right, videos, confidence=confidence, resamples=resamples, seed=seed)
        if clusters == 1:  # one video says nothing of how others differ
            interval = Interval(0.0, 1.0)
        scores: dict[str, Any] = {
            "accuracy": correct / n if n else None,
            "n": n,
            "wilson": list(wilson(correct, n, confidence=confidence).rounded(6)),
            "bootstrap": list(interval.rounded(6)),
            "clusters": clusters,
        }
        for name, count in self.groups.items():
            if any(group for group, _ in count):
                scores[f"by_{name}"] = _by(count, confidence)
        groups = scores.get("by_category", {}).values()
        shares = [group["accuracy"] for group in groups] or [scores["accuracy"]]
        scores["macro_accuracy"] = sum(shares) / len(shares) if n else None
        if self.grouped:
            scores["group_scores"] = group_scores(self.grouped)
        scores["unanswered"] = sum(k for (_, said), k in self.pairs.items() if said == NO_LETTER)
        scores["bad_references"] = sum(k for (gold, _), k in self.pairs.items() if gold == "?")
        scores["decided_by"] = dict(self.rules.most_common())
        table: dict[str, dict[str, int]] = {}
        for (gold, letter), k in sorted(self.pairs.items()):
            table.setdefault(gold, {})[letter] = k
        scores["confusion"] = table
        if self.rows is not None:
            scores["rows"] = self.rows
        return scores


def same_text(said: str | None, right: str | None, options: Sequence[str]) -> bool:
    """Say whether an answer names an option that reads like the right one, as some of MLVU's do.

    >>> same_text("B", "A", ["a kite", "a kite", "a drum"]), same_text("C", "A", ["a kite", "", "a drum"])
    (True, False)
    """
    if not said or not right or said == right or max(said, right) > chr(64 + len(options)):
        return False
    return options[ord(said) - 65] == options[ord(right) - 65]


def _by(count: Mapping[tuple[str, bool], int], confidence: float) -> dict[str, Any]:
    groups = {}
    for name in sorted({name for name, _ in count}):
        hits = count.get((name, True), 0)
        size = hits + count.get((name, False), 0)
        interval = wilson(hits, size, confidence=confidence)
        groups[name] = {"accuracy": hits / size, "n": size, "wilson": list(interval.rounded(6))}
    return groups


def _bare(reference: str) -> str | None:
    """Read a reference such as "B", "b", "(B)" or "B. a dog"."""
    if len(reference) == 1 and "A" <= reference <= "Z":
        return reference
    text = reference.strip().lstrip("([").rstrip()
    if text[:1].isalpha() and text[:1].isascii() and (len(text) == 1 or text[1] in ".):]"):
        return text[0].upper()
    return None


def _within(letter: str | None, options: Sequence[str]) -> str | None:
    """Leave out a letter that no option has, where the options are known."""
    return letter if letter and (not options or ord(letter) - 65 < len(options)) else None


def _place(reference: str, n: int) -> str | None:
    """Read a place that stands as text, as in a CSV file."""
    text = reference.strip()
    return chr(65 + int(text)) if text.isdecimal() and int(text) < n else None
