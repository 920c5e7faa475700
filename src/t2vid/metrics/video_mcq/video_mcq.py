"""Multiple-choice accuracy over free-text answers, with every row in the denominator.

    import evaluate
    metric = evaluate.load("t2vid/video_mcq")        # after `import t2vid`; this folder and this file load as well
    metric.compute(predictions=["The answer is B.", "A man is walking."], references=["B", "A"])["accuracy"]  # 0.5

The file stands alone, so that it can be a module of the package, a local folder and a Space. What it borrows from t2vid
(the extraction rules, the intervals) is imported inside functions: a Space lists t2vid in its requirements.txt.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import datasets
import evaluate

_CITATION = """\
@article{t2vid2024, title={T2Vid: Translating Long Text into Multi-Image is the Catalyst for Video-LLMs},
journal={arXiv preprint arXiv:2411.19951}, year={2024}}
"""

_DESCRIPTION = """\
Accuracy of free-text answers to multiple-choice questions. Ordered rules read the chosen letter out of each answer,
or abstain; an optional judge decides what they left open; what is still open counts as wrong. No row leaves the
denominator.
"""

_INPUTS = """
Args:
    predictions: the answers, as the model wrote them.
    references: the right letters; texts such as "(B) a dog", and in the config "full" option texts, are read too.
    options: (config "full") for each row the list of option texts, in order.
    question, category, id, duration, video: (config "full") one string a row, each column optional.
    scheme: "t2vid" or "paper", the rules of the T2Vid script.
    judge: what decides where the rules abstain: a function of (question, options, prediction) that gives a letter
        or None, or a t2vid.judging.Judge. One that fails is counted as "judge_error" and its row stays open.
    confidence: coverage of the intervals, 0.95 unless told.
    resamples: draws of the bootstrap.
    seed: seed of the bootstrap.
    return_rows: add `rows`, one mapping a row with id, letter, rule, reference and correct.
Returns:
    accuracy and n over all rows; unanswered; wilson and bootstrap intervals (clustered by video where videos are
    given); macro_accuracy; by_category; by_duration; decided_by; confusion[reference][letter], Z for no letter.
"""

_REQUIRED = ("predictions", "references")
_FULL = ("question", "category", "id", "duration", "video")
NO_LETTER = "Z"


class VideoMCQ(evaluate.Metric):
    """Multiple-choice accuracy over free-text answers."""

    def _info(self) -> evaluate.MetricInfo:
        text = datasets.Value("string")
        columns: dict[str, Any] = {name: text for name in _REQUIRED}
        if self.config_name == "full":
            columns["options"] = datasets.Sequence(text)
            columns.update({name: text for name in _FULL})
        elif self.config_name != "default":
            raise ValueError(f"config {self.config_name!r} is unknown; use 'default' or 'full'")
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_INPUTS,
            features=datasets.Features(columns),
            reference_urls=["https://arxiv.org/abs/2411.19951"],
        )

    def add(self, *, prediction: Any = None, reference: Any = None, **columns: Any) -> None:
        """Add one answer; a missing column of the config "full" counts as empty."""
        self.add_batch(
            predictions=[prediction],
            references=[reference],
            **{name: [value] for name, value in columns.items()},
        )

    def add_batch(self, *, predictions: Any = None, references: Any = None, **columns: Any) -> None:
        """Add answers; None and NaN count as empty, missing columns of the config "full" too."""
        given = {"predictions": predictions, "references": references, **columns}
        unknown = sorted(set(given) - set(self._feature_names()))
        if unknown:
            raise ValueError(
                f"{unknown} are no columns of {self._feature_names()}; use the config 'full'"
            )
        sizes = {name: len(column) for name, column in given.items() if column is not None}
        if len(set(sizes.values())) > 1:
            raise ValueError(f"columns of unequal length: {sizes}; give one value a row in each")
        size = max(sizes.values(), default=0)
        batch = {name: _column(name, given.get(name), size) for name in self._feature_names()}
        super().add_batch(**batch)

    def compute(self, *, predictions: Any = None, references: Any = None, **kwargs: Any) -> Any:
        """Score what was added, or what is given here."""
        if predictions is None and references is None:
            return super().compute(**kwargs)
        # evaluate asks for every feature by name; the optional ones are filled in by add_batch
        missing = {
            name: None
            for name in self._feature_names()
            if name not in kwargs and name not in _REQUIRED
        }
        return super().compute(predictions=predictions, references=references, **kwargs, **missing)

    def _compute(
        self,
        *,
        predictions: Sequence[str],
        references: Sequence[str],
        options: Sequence[Sequence[str]] | None = None,
        scheme: str = "t2vid",
        judge: Any = None,
        confidence: float = 0.95,
        resamples: int = 2_000,
        seed: int = 0,
        return_rows: bool = False,
        **columns: Sequence[str],
    ) -> dict[str, Any]:
        choices, golds = _decide(
            predictions, references, options, columns.get("question"), scheme, judge
        )
        right = [
            letter is not None and letter == gold
            for (letter, _), gold in zip(choices, golds, strict=True)
        ]
        scores = _scores(right, columns, confidence, resamples, seed)
        scores["unanswered"] = sum(letter is None for letter, _ in choices)
        scores["bad_references"] = sum(gold is None for gold in golds)
        scores["decided_by"] = dict(Counter(rule for _, rule in choices).most_common())
        scores["confusion"] = _confusion(choices, golds)
        if return_rows:
            ids = columns.get("id") or [""] * len(right)
            scores["rows"] = [
                {"id": i, "letter": c[0], "rule": c[1], "reference": g, "correct": r}
                for i, c, g, r in zip(ids, choices, golds, right, strict=True)
            ]
        return scores


def _column(name: str, values: Any, size: int) -> list[Any]:
    if values is None:
        return [[] if name == "options" else ""] * size
    return [_texts(value) if name == "options" else _text(value) for value in values]


def _text(value: Any) -> str:
    if type(value) is str:
        return value
    # NaN is the one value unequal to itself; pandas writes missing answers so
    return "" if value is None or value != value else str(value)


def _texts(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [_text(value[key]) for key in sorted(value)]
    return [] if value is None else [_text(item) for item in value]


def _decide(
    predictions: Sequence[str],
    references: Sequence[str],
    options: Sequence[Sequence[str]] | None,
    questions: Sequence[str] | None,
    scheme: Any,
    judge: Any,
) -> tuple[list[tuple[str | None, str]], list[str | None]]:
    # A Space has t2vid from its requirements.txt; importing it here keeps the loader from asking for it earlier.
    from t2vid.judging.extract import extract_choice

    golds: list[str | None]
    known: dict[str, tuple[str | None, str]] = {}
    if options is None:
        gold_of = {text: _bare(text) for text in set(references)}
        golds = [gold_of[text] for text in references]
        # without options the references are the only hint how many there are
        last = max((g for g in gold_of.values() if g), default="E")
        nameless = [""] * (ord(max(last, "E")) - 64)
        rows: Iterable[Any] = ((p, nameless, "") for p in predictions)
    else:
        golds = [
            _bare(r) or (extract_choice(r, o).letter if o else None)
            for r, o in zip(references, options, strict=True)
        ]
        rows = zip(predictions, options, questions or [""] * len(predictions), strict=True)
    choices: list[tuple[str | None, str]] = []
    left_open: dict[int, tuple[str, Sequence[str], str]] = {}
    for prediction, texts, question in rows:
        letter, rule = known.get(prediction, (None, ""))
        if not rule:
            letter, rule = extract_choice(prediction, texts or None, question, scheme=scheme)
            if options is None and len(prediction) < 16:  # many rows repeat a few bare letters
                known[prediction] = letter, rule
        if letter is None and judge is not None and prediction.strip():
            left_open[len(choices)] = question, texts, prediction
        choices.append((letter, rule))
    if left_open:
        for place, choice in zip(left_open, _judged(judge, left_open.values()), strict=True):
            choices[place] = choice
    return choices, golds


def _judged(
    judge: Any, rows: Iterable[tuple[str, Sequence[str], str]]
) -> list[tuple[str | None, str]]:
    """Ask the judge; one that fails is counted as such and its row stays open."""
    from t2vid.judging.llm import judge_from

    choices: list[tuple[str | None, str]] = []
    for letter, error in judge_from(judge, cache=None).decide(rows):  # type: ignore[union-attr]
        rule = "judge_error" if error else "judge" if letter else "judge: none"
        choices.append((letter, rule))
    return choices


def _bare(reference: str) -> str | None:
    """Read a reference such as "B", "b", "(B)" or "B. a dog"."""
    text = reference.strip().lstrip("([").rstrip()
    if text[:1].isalpha() and text[:1].isascii() and (len(text) == 1 or text[1] in ".):]"):
        return text[0].upper()
    return None


def _scores(
    right: list[bool],
    columns: Mapping[str, Sequence[str]],
    confidence: float,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    from t2vid.evaluation.compare import bootstrap, wilson

    n = len(right)
    videos = columns.get("video")
    clusters = videos if videos and any(videos) else None
    low, high = wilson(sum(right), n, confidence=confidence).rounded(6)
    b_low, b_high = bootstrap(
        right, clusters, confidence=confidence, resamples=resamples, seed=seed
    ).rounded(6)
    scores: dict[str, Any] = {
        "accuracy": sum(right) / n if n else math.nan,
        "n": n,
        "wilson": [low, high],
        "bootstrap": [b_low, b_high],
        "clusters": len(set(clusters)) if clusters else n,
    }
    for name in ("category", "duration"):
        groups = _by(right, columns.get(name), confidence)
        if groups:
            scores[f"by_{name}"] = groups
    by_category = scores.get("by_category")
    shares = (
        [group["accuracy"] for group in by_category.values()]
        if by_category
        else [scores["accuracy"]]
    )
    scores["macro_accuracy"] = sum(shares) / len(shares)
    return scores


def _by(right: list[bool], names: Sequence[str] | None, confidence: float) -> dict[str, Any]:
    from t2vid.evaluation.compare import wilson

    if not names or not any(names):
        return {}
    sizes, hits = (
        Counter(names),
        Counter(name for name, hit in zip(names, right, strict=True) if hit),
    )
    groups = {}
    for name, size in sorted(sizes.items()):
        low, high = wilson(hits[name], size, confidence=confidence).rounded(6)
        groups[name] = {"accuracy": hits[name] / size, "n": size, "wilson": [low, high]}
    return groups


def _confusion(
    choices: Sequence[tuple[str | None, str]], golds: Sequence[str | None]
) -> dict[str, dict[str, int]]:
    pairs = Counter(
        (gold or "?", letter or NO_LETTER) for (letter, _), gold in zip(choices, golds, strict=True)
    )
    table: dict[str, dict[str, int]] = {}
    for (gold, letter), count in sorted(pairs.items()):
        table.setdefault(gold, {})[letter] = count
    return table
