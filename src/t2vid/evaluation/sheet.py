"""A table that holds questions, right answers and what a model said: all that a score needs, in one file.

>>> record = {"question": "Which?", "options": "red | blue", "Right answer": "blue", "model_answer": "(B)"}
>>> question, said = READER.both(record, 0)
>>> question.options, question.answer, said
(('red', 'blue'), 'B', '(B)')
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from t2vid.errors import InputError
from t2vid.evaluation.benchmarks.own import RIGHT, NoOptions, OwnQuestions, lowered
from t2vid.evaluation.benchmarks.questions import LETTERS, Question, split_options
from t2vid.evaluation.benchmarks.reader import Unusable, letter_at
from t2vid.frames.spec import SampleSpec

SHOWN_CHARS = 300  # of a row that cannot be used
SAID = (
    *("prediction", "pred", "predicted", "predicted_answer", "response", "model_answer"),
    *("model_response", "model_output", "model", "output", "generated", "generation", "completion"),
)


_WHOLE = re.compile(r"\d{1,2}(\.0)?")


class NoColumns(Unusable):
    """A table without a column for the right answer or the model's."""


class AnsweredQuestions(OwnQuestions):
    """Reads a question and what was said to it from one record."""

    parts = ()

    def both(self, record: Mapping[str, Any], place: int) -> tuple[Question, str]:
        """Give the question and what the model said.

        `answer` is the right one beside a column of `SAID`, and the model's beside one of `RIGHT`.
        """
        if "filtered_resps" in record:
            record = _sampled(record)
        below = [part for part in record.values() if isinstance(part, dict) and "question" in part]
        if len(below) == 1 and "question" not in record:  # the benchmark's own record
            record = {**below[0], **record}
        named = lowered(record)
        right = next((name for name in RIGHT if name in named), None)
        said = next((name for name in SAID if name in named), None)
        right, said = right or "answer", said or "answer"
        if right == said or right not in named or said not in named:
            raise NoColumns(
                "no two columns for the right answer and the model's, which are called "
                f"{', '.join(RIGHT)} and {', '.join(SAID)}; one of the two may be answer"
            )
        asked = {"question": "", "video": "", **named, "answer": named[right]}
        try:
            question = self.question(asked, place, config="default", subtitles=None)
        except NoOptions:  # letters can be held against letters
            if str(named[right]).strip("() .:").upper() not in [*LETTERS]:
                raise
            asked["options"] = [*LETTERS]
            lettered = self.question(asked, place, config="default", subtitles=None)
            question = dataclasses.replace(lettered, options=(), official=asked | {"options": []})
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


def read_sheet(
    records: Iterable[Mapping[str, Any]], path: Any
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Give the questions of a table as rows of a benchmark, and what was said by the id of each.

    Args:
        records: rows of the table.
        path: of the table, for messages.

    Raises:
        InputError: where a row cannot be used; nothing is left out of a score.
    """
    rows, found, spec = [], dict[str, str](), SampleSpec()
    for place, record in enumerate(records):
        try:
            question, said = READER.both(record, place)
        except NoColumns as error:
            raise InputError(
                f"{path} row {place:,}: {error}; its columns are {list(record)}. A file that is scored by "
                "itself has question, options, right and prediction (options as a list, 'a | b' or 'A. … "
                "B. …'); one with id and answer alone needs benchmark= (on the command line --benchmark), "
                "a name or a file of questions"
            ) from error
        except Unusable as error:
            shown = json.dumps(record, ensure_ascii=False, default=str)
            raise InputError(f"{path} row {place:,}: {error}: {shown[:SHOWN_CHARS]}") from error
        if question.id in found:
            raise InputError(
                f"{path} row {place:,}: a second row of id {question.id!r}; give each its own"
            )
        if not question.answer:
            raise InputError(f"{path} row {place:,} has no right answer")
        rows.append(question.row(None, spec))
        found[question.id] = said
    if not rows:
        raise InputError(f"{path} has no rows")
    from_0 = all(_WHOLE.fullmatch(str(json.loads(row["official"])["answer"])) for row in rows)
    return rows, places_as_letters(found, rows, path, from_0=from_0)


def places_as_letters(
    said: Mapping[str, str], rows: Iterable[Mapping[str, Any]], path: Any, *, from_0: bool
) -> dict[str, str]:
    """Write answers that are all places of options as letters.

    Args:
        said: answers by the id of their question.
        rows: the questions.
        path: of the file, for messages.
        from_0: whether the places are known to count from 0, as those of right answers do.

    Raises:
        InputError: for places that may count from 0 or from 1.
    """
    given = {key: text.strip() for key, text in said.items() if text.strip()}
    if not given or not all(map(_WHOLE.fullmatch, given.values())):
        return dict(said)
    options = {row["id"]: row["options"] for row in rows}
    if any(text in options[key] for key, text in given.items()):
        return dict(said)  # "3" is the text of an option
    if not from_0:
        some = ", ".join(list(given.values())[:5])
        raise InputError(
            f"every answer in {path} is a whole number ({some}), and none is the text of an option; places "
            "may count from 0 or from 1: write letters or the options' texts"
        )
    return {**said, **{key: letter_at(text.partition(".")[0]) for key, text in given.items()}}


READER = AnsweredQuestions()
