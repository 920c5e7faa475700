"""Multiple-choice accuracy over free-text answers, with every row in the denominator.

    import evaluate
    metric = evaluate.load("t2vid/video_mcq")        # after `import t2vid`; this folder and this file load as well
    metric.compute(predictions=["The answer is B.", "A man is walking."], references=["B", "A"])["accuracy"]  # 0.5

The file stands alone, so that it can be a module of the package, a local folder and a Space. What it borrows from t2vid
(the extraction rules, the intervals) is imported inside functions: a Space lists t2vid in its requirements.txt.
"""

from __future__ import annotations

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
    predictions: the answers, as the model wrote them; whole numbers (not texts) are places, 0 for A.
    references: the right letters, places (0 for A) or texts such as "(B) a dog"; in "full" option texts too. One that
        names no option counts as wrong and in `bad_references`.
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
    accuracy and n over all rows; unanswered; bad_references; wilson and bootstrap intervals (clustered by video where
    videos are given); macro_accuracy; by_category; by_duration; group_scores; decided_by;
    confusion[reference][letter], Z for no letter. Without rows accuracy and macro_accuracy are None.
"""

_REQUIRED = ("predictions", "references")
_FULL = ("question", "category", "id", "duration", "video", "group", "structure")
_SETTINGS = ("scheme", "judge", "confidence", "resamples", "seed", "return_rows")
CHUNK = 10_000  # rows in memory at a time


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
        row = {"predictions": prediction, "references": _letter(reference, "reference"), **columns}
        self._check(row)
        waiting = self.__dict__.setdefault("_waiting", [])
        waiting.append(row)  # a file of a million tables of one row would take gigabytes to open
        if len(waiting) == CHUNK:
            self._write_waiting()

    def _write_waiting(self) -> None:
        rows = self.__dict__.pop("_waiting", [])
        if rows:
            names = {name: None for row in rows for name in row}
            self.add_batch(**{name: [row.get(name) for row in rows] for name in names})

    def _check(self, given: Mapping[str, Any]) -> None:
        unknown = sorted(set(given) - set(self._feature_names()))
        if unknown:
            raise ValueError(
                f"{unknown} are no columns of {self._feature_names()}; use the config 'full'"
            )

    def add_batch(self, *, predictions: Any = None, references: Any = None, **columns: Any) -> None:
        """Add answers; None and NaN count as empty, missing columns of the config "full" too."""
        self._write_waiting()
        given = {"predictions": predictions, "references": references, **columns}
        self._check(given)
        for name in _REQUIRED:
            if given[name] is None:
                raise ValueError(f"{name}= is missing; give one value a row")
        given = {
            name: column if column is None or hasattr(column, "__len__") else list(column)
            for name, column in given.items()
        }
        sizes = {name: len(column) for name, column in given.items() if column is not None}
        if len(set(sizes.values())) > 1:
            raise ValueError(f"columns of unequal length: {sizes}; give one value a row in each")
        size = max(sizes.values(), default=0)
        batch = {name: _column(name, given.get(name), size) for name in self._feature_names()}
        options = batch.get("options", [()] * size)
        batch["predictions"] = list(map(_said, given["predictions"], options))
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
        self._write_waiting()
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
        from t2vid.metrics.counting import counted

        given = {"predictions": predictions, "references": references, **columns}
        return counted(
            lambda: _chunks(given),
            scheme=scheme,
            judge=judge,
            confidence=confidence,
            resamples=resamples,
            seed=seed,
            return_rows=return_rows,
        )


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


def _column(name: str, values: Any, size: int) -> list[Any]:
    if values is None:
        return [[] if name == "options" else ""] * size
    if name == "predictions":
        return []  # read beside their options
    if name == "references":
        return [_letter(value, "reference") for value in values]
    return [_texts(value) if name == "options" else _text(value) for value in values]


def _said(value: Any, options: Sequence[str]) -> str:
    """Write an answer that is a place as its letter, unless it is the text of an option."""
    if type(value) is str:
        return value
    text = _text(value)
    return text if text in options else _letter(value, "prediction")


def _letter(value: Any, what: str) -> str:
    """Write a place as its letter; texts stay."""
    if type(value) is str or isinstance(value, bool):
        return _text(value)
    whole = hasattr(value, "__index__") or (hasattr(value, "is_integer") and value.is_integer())
    if not whole:
        return _text(value)
    if not 0 <= int(value) < 26:
        raise ValueError(f"{what} {value} must lie between 0 and 25; places count from 0")
    return chr(65 + int(value))


def _text(value: Any) -> str:
    if type(value) is str:
        return value
    from t2vid.scoring.answer import as_text

    return as_text(value)


def _texts(value: Any) -> list[str]:
    if isinstance(value, str) and value.strip():
        from t2vid.scoring.options import split_lettered

        return split_lettered(value)
    if isinstance(value, Mapping):
        value = [value[key] for key in sorted(value)]
    if value is not None and len(value) > 26:
        raise ValueError(f"{len(value)} options are more than 26 letters can name")
    return [] if value is None or isinstance(value, str) else [_text(item) for item in value]
