"""Multiple-choice accuracy over free-text answers, with every row in the denominator.

    import evaluate
    metric = evaluate.load("t2vid/video_mcq")        # after `import t2vid`; this folder and this file load as well
    metric.compute(predictions=["The answer is B.", "A man is walking."], references=["B", "A"])["accuracy"]  # 0.5

The file stands alone, so that it can be a module of the package, a local folder and a Space. What it borrows from t2vid
(the extraction rules, the intervals) is imported inside functions: a Space lists t2vid in its requirements.txt.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import datasets
import evaluate
import pyarrow as pa

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
    references: the right letters, places (0 for A) or texts such as "(B) a dog"; in "full" option texts too.
    options: (config "full") for each row the option texts: a list, a mapping by letter, or one text "A. … B. …".
    question, category, id, duration, video: (config "full") one string a row, each column optional.
    group, structure: (config "full") questions of one group count together, as in Video-MME-v2; a structure such as
        "[1, [2, 3], 4]" makes the group a chain, "" or "relevance" counts its right answers.
    scheme: "t2vid" or "paper", the rules of the T2Vid script.
    judge: what decides where the rules abstain: a function of (question, options, prediction) that gives a letter
        or None, or a t2vid.scoring.Judge. One that fails is counted as "judge_error" and its row stays open.
    confidence: coverage of the intervals, 0.95 unless told.
    resamples: draws of the bootstrap.
    seed: seed of the bootstrap.
    return_rows: add `rows`, one mapping a row with id, letter, rule, reference and correct.
Returns:
    accuracy and n over all rows; unanswered; wilson and bootstrap intervals (clustered by video where videos are
    given); macro_accuracy; by_category; by_duration; group_scores; decided_by; confusion[reference][letter], Z for
    no letter. Without rows accuracy and macro_accuracy are None.
"""

_REQUIRED = ("predictions", "references")
_FULL = ("question", "category", "id", "duration", "video", "group", "structure")
_SETTINGS = ("scheme", "judge", "confidence", "resamples", "seed", "return_rows")
NO_LETTER = "Z"
CHUNK = 10_000  # rows in memory at a time

Choice = tuple[str | None, str]


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
        if self.writer is None:
            super().add_batch(**{name: [] for name in batch})
        # the columns are texts already: evaluate would look at each value once more, in Python
        self.writer.write_table(pa.table(batch, schema=self.info.features.arrow_schema))

    def compute(self, *, predictions: Any = None, references: Any = None, **kwargs: Any) -> Any:
        """Score what was added, or what is given here.

        Raises:
            ValueError: for an argument that is neither a column nor a setting, by its name.
        """
        unknown = sorted(set(kwargs) - {*self._feature_names(), *_SETTINGS})
        if unknown:
            hint = "; the config 'full' has it" if set(unknown) & {*_FULL, "options"} else ""
            known = [*self._feature_names(), *_SETTINGS]
            raise ValueError(f"{unknown} is no argument of this metric{hint}; it has {known}")
        if predictions is None and references is None:
            return super().compute(**kwargs)
        # evaluate asks for every feature by name; the optional ones are filled in by add_batch
        missing = {
            name: None
            for name in self._feature_names()
            if name not in kwargs and name not in _REQUIRED
        }
        return super().compute(predictions=predictions, references=references, **kwargs, **missing)

    def _finalize(self) -> None:
        """Hand the rows on as they lie on disk; evaluate would make Python lists of them all."""
        super()._finalize()
        data: Any = self.data
        self.data: Any = None if data is None else _Columns(data)

    def _compute(
        self,
        *,
        predictions: _Columns | Sequence[str],
        references: _Columns | Sequence[str],
        scheme: str = "t2vid",
        judge: Any = None,
        confidence: float = 0.95,
        resamples: int = 2_000,
        seed: int = 0,
        return_rows: bool = False,
        **columns: Any,
    ) -> dict[str, Any]:
        # A Space has t2vid from its requirements.txt; importing it here keeps the loader from asking for it earlier.
        from t2vid.scoring.judge import judge_from

        given = {"predictions": predictions, "references": references, **columns}
        count = _Count(keep_rows=return_rows)
        reader = _Reader(scheme, judge_from(judge, cache=None), _nameless(given))
        for rows in _chunks(given):
            golds, choices = reader.read(rows)
            count.add(rows, golds, choices)
        return count.scores(confidence, resamples, seed)


class _Columns:
    """Columns that are read from disk chunk by chunk; `evaluate` asks for them by name and slice."""

    def __init__(self, data: Any) -> None:
        self.data = data

    def set_format(self, **_: Any) -> None:
        """Keep the rows as Arrow."""

    def __getitem__(self, key: Any) -> _Columns:
        return self

    def chunks(self) -> Iterator[dict[str, list[Any]]]:
        files = [file["filename"] for file in self.data.cache_files]
        for name in files:
            # read, not mapped: pages of a mapped file would count as memory until something else needs it
            with pa.OSFile(name) as file, pa.ipc.open_stream(file) as batches:
                for batch in batches:
                    yield batch.to_pydict()
        if not files:
            for table in self.data.with_format("arrow").iter(batch_size=CHUNK):
                yield table.to_pydict()


def _chunks(given: Mapping[str, Any]) -> Iterator[dict[str, list[Any]]]:
    source = given["predictions"]
    if isinstance(source, _Columns):
        yield from source.chunks()
    else:
        yield {name: list(column) for name, column in given.items()}


def _nameless(given: Mapping[str, Any]) -> list[str]:
    """Give as many empty options as there are letters: the references are the only hint."""
    if "options" in given:
        return []
    letters = (max(map(_bare_or_a, rows["references"]), default="A") for rows in _chunks(given))
    return [""] * (ord(max([*letters, "E"])) - 64)


class _Reader:
    """Reads letters: by the rules, then by the judge where they abstain."""

    def __init__(self, scheme: Any, judge: Any, nameless: list[str]) -> None:
        from t2vid.scoring.extract import extract_choice

        self.extract, self.scheme, self.judge, self.nameless = (
            extract_choice,
            scheme,
            judge,
            nameless,
        )
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
            or _bare(r)
            or (self.extract(r, o).letter or _place(r, len(o)) if o else None)
            for r, o in zip(references, options, strict=True)
        ]
        questions = rows.get("question") or [""] * len(predictions)
        choices = [
            self.extract(p, o or None, q, scheme=self.scheme)[:2]
            for p, o, q in zip(predictions, options, questions, strict=True)
        ]
        return golds, self._judged(rows, choices)

    @staticmethod
    def exact(reference: str, options: list[str]) -> str | None:
        """Read a reference that is the text of one option, such as "a" or "3"."""
        if len(reference) == 1 and "A" <= reference <= "Z" or options.count(reference) != 1:
            return None
        return chr(65 + options.index(reference))

    def _short(self, text: str) -> Choice:
        choice = self.known.get(text)
        if choice is None:
            choice = self.extract(text, self.nameless, scheme=self.scheme)[:2]
            if len(text) < 16 and len(self.known) < CHUNK:
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
        import numpy as np

        from t2vid.scoring.groups import group_scores
        from t2vid.scoring.statistics import bootstrap, wilson

        n, correct = len(self.right), sum(self.right)
        videos = np.frombuffer(self.videos, dtype=np.int64) if self.any_video else None
        right = np.frombuffer(self.right, dtype=np.uint8)
        interval = bootstrap(right, videos, confidence=confidence, resamples=resamples, seed=seed)
        scores: dict[str, Any] = {
            "accuracy": correct / n if n else None,
            "n": n,
            "wilson": list(wilson(correct, n, confidence=confidence).rounded(6)),
            "bootstrap": list(interval.rounded(6)),
            "clusters": n if videos is None else len(np.unique(videos)),
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


def _by(count: Mapping[tuple[str, bool], int], confidence: float) -> dict[str, Any]:
    from t2vid.scoring.statistics import wilson

    groups = {}
    for name in sorted({name for name, _ in count}):
        hits = count.get((name, True), 0)
        size = hits + count.get((name, False), 0)
        interval = wilson(hits, size, confidence=confidence)
        groups[name] = {"accuracy": hits / size, "n": size, "wilson": list(interval.rounded(6))}
    return groups


def _column(name: str, values: Any, size: int) -> list[Any]:
    if values is None:
        return [[] if name == "options" else ""] * size
    if name == "references":
        return [_reference(value) for value in values]
    return [_texts(value) if name == "options" else _text(value) for value in values]


def _reference(value: Any) -> str:
    """Write a place as its letter; texts stay."""
    if hasattr(value, "__index__") and not isinstance(value, bool):
        place = value.__index__()
        if not 0 <= place < 26:
            raise ValueError(f"reference {place} must lie between 0 and 25; places count from 0")
        return chr(65 + place)
    return _text(value)


def _text(value: Any) -> str:
    if type(value) is str:
        return value
    # NaN is the one value unequal to itself; pandas writes missing answers so
    return "" if value is None or value != value else str(value)


def _texts(value: Any) -> list[str]:
    if isinstance(value, str) and value.strip():
        from t2vid.scoring.options import split_lettered

        return split_lettered(value)
    if isinstance(value, Mapping):
        return [_text(value[key]) for key in sorted(value)]
    return [] if value is None or isinstance(value, str) else [_text(item) for item in value]


def _bare(reference: str) -> str | None:
    """Read a reference such as "B", "b", "(B)" or "B. a dog"."""
    if len(reference) == 1 and "A" <= reference <= "Z":
        return reference
    text = reference.strip().lstrip("([").rstrip()
    if text[:1].isalpha() and text[:1].isascii() and (len(text) == 1 or text[1] in ".):]"):
        return text[0].upper()
    return None


def _place(reference: str, n: int) -> str | None:
    """Read a place that stands as text, as in a CSV file."""
    text = reference.strip()
    return chr(65 + int(text)) if text.isdecimal() and int(text) < n else None


def _bare_or_a(reference: str) -> str:
    return _bare(reference) or "A"
