"""A table that holds questions, right answers and what a model said: all that a score needs, in one file.

>>> record = {"question": "Which?", "options": "red | blue", "Right answer": "blue", "model_answer": "(B)"}
>>> question, said = READER.both(record, 0)
>>> question.options, question.answer, said
(('red', 'blue'), 'B', '(B)')
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from t2vid.errors import InputError
from t2vid.evaluation.benchmarks.own import RIGHT, OwnQuestions, lowered
from t2vid.evaluation.benchmarks.questions import Question, features, split_options
from t2vid.evaluation.benchmarks.reader import Unusable
from t2vid.frames.feature import Frames
from t2vid.frames.spec import SampleSpec

SAID = (
    *("prediction", "pred", "predicted", "predicted_answer", "response", "model_answer"),
    *("model_response", "model_output", "model", "output", "generated", "generation", "completion"),
)


class AnsweredQuestions(OwnQuestions):
    """Reads a question and what was said to it from one record."""

    parts = ()

    def both(self, record: Mapping[str, Any], place: int) -> tuple[Question, str]:
        """Give the question and what the model said.

        `answer` is the right one beside a column of `SAID`, and the model's beside one of `RIGHT`.
        """
        if "filtered_resps" in record:
            record = _sampled(record)
        named = lowered(record)
        right = next((name for name in RIGHT if name in named), None)
        said = next((name for name in SAID if name in named), None)
        right, said = right or "answer", said or "answer"
        if right == said or right not in named or said not in named:
            raise Unusable(
                "no two columns for the right answer and the model's, which are called "
                f"{', '.join(RIGHT)} and {', '.join(SAID)}; one of the two may be answer"
            )
        asked = {"question": "", "video": "", **named, "answer": named[right]}
        question = self.question(asked, place, config="default", subtitles=None)
        given = named[said]
        return question, "" if given is None else str(given)


def _sampled(record: Mapping[str, Any]) -> dict[str, Any]:
    """Give a sample of lmms-eval, which keeps the prompt and not the options, as a row of a table."""
    doc = record.get("doc")
    doc = doc if isinstance(doc, dict) else {}
    question, options = split_options(str(record.get("input") or doc.get("question") or ""))
    said = record["filtered_resps"]
    while isinstance(said, list):  # one answer in one list or two
        said = said[0] if said else None
    made = {"id": str(record.get("doc_id", "")), "question": question, "prediction": said}
    if options:
        made["options"] = list(options.values())
    return {**doc, **made, "right": record.get("target")}


def read_sheet(records: Iterable[Mapping[str, Any]], path: Any) -> tuple[Any, dict[str, str]]:
    """Give the questions of a table as rows of a benchmark, and what was said by the id of each.

    Args:
        records: rows of the table.
        path: of the table, for messages.

    Raises:
        InputError: where a row cannot be used; nothing is left out of a score.
    """
    from datasets import Dataset

    rows, found = [], dict[str, str]()
    for place, record in enumerate(records):
        try:
            question, said = READER.both(record, place)
        except Unusable as error:
            raise InputError(
                f"{path} row {place:,}: {error}; its columns are {list(record)}. A file that is scored by "
                "itself has question, options, right and prediction (options as a list, 'a | b' or 'A. … "
                "B. …'); one with id and answer alone needs benchmark= (on the command line --benchmark), "
                "a name or a file of questions"
            ) from error
        if question.id in found:
            raise InputError(
                f"{path} row {place:,}: a second row of id {question.id!r}; give each its own"
            )
        if not question.answer:
            raise InputError(f"{path} row {place:,} has no right answer")
        rows.append(question.row(None, SampleSpec()))
        found[question.id] = said
    if not rows:
        raise InputError(f"{path} has no rows")
    return Dataset.from_list(rows, features=features(Frames(decode=False))), found


READER = AnsweredQuestions()
