"""LongAlpaca-12k: the document stands inside the instruction, before an end marker.

>>> from t2vid.schema import Counts
>>> text = "Below is a paper. Memorize the paper and answer my question after the paper. "
>>> text += "The paper begins. Tides. Now the paper ends. Question: What?"
>>> next(convert([(0, {"instruction": text, "output": "Answer: Tides."})], Counts()))
Triplet(id='longalpaca/00000', context='Tides.', question='What?', answer='Tides.')
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from t2vid.corpora.triplets import Triplet, row_id
from t2vid.errors import RecordError
from t2vid.schema import Counts
from t2vid.storage.fields import Record, have, needed, parsed, text

SOURCE = "longalpaca"

# ASCII case folding only: Unicode folding changes lengths and would shift the cut.
END = re.compile(
    r"now the (?:second paper|review guideline|material|paper) ends\.", re.IGNORECASE | re.ASCII
)
# What the six known openings have in common; the title of a book may hold anything.
_OPENING = re.compile(
    r"\s*(?:below (?:is|are)|there (?:is|are)) .{1,600}?"
    r"memorize (?:them|the (?P<what>\w+(?: \w+)?)) "
    r"and answer my questions? after the [\w ]{1,30}\.",
    re.IGNORECASE | re.DOTALL | re.ASCII,
)
_BEGINS = re.compile(r"\s*the (?:first )?paper begins\.", re.IGNORECASE | re.ASCII)
_QUESTION = re.compile(r"(?:question:\s*)+", re.IGNORECASE | re.ASCII)
_ANSWER = re.compile(r"(?:answer:\s*)+", re.IGNORECASE | re.ASCII)


def convert(
    rows: Iterable[tuple[int, Any]], counts: Counts, *, strict: bool = False, source: str = SOURCE
) -> Iterator[Triplet]:
    """Give a `Triplet` for each row with a document; short Alpaca rows count as "no context".

    Args:
        rows: `(row number, record)` pairs; a record has `instruction`, `output`, perhaps `input`.
        counts: where the other rows are counted by reason.
        strict: also refuse a document that holds an end marker itself, where the cut is a guess.
        source: name in the ids and the counts.

    Raises:
        RecordError: when the rows are not LongAlpaca's at all.
    """

    def parse(record: Record) -> tuple[str, str, str]:
        have(record, "instruction", "output")
        context, question = _context_and_question(record, strict=strict)
        return context, question, strip_answer(needed(record, "output", "answer"))

    for row, (context, question, answer) in parsed(rows, parse, source=source, counts=counts):
        yield Triplet(row_id(source, row), context, question, answer)


def split_document(prompt: str, *, strict: bool = False) -> tuple[str, str]:
    """Cut a prompt into its document and the question after it, at the last end marker.

    A marker that `Question:` follows goes before others: a question may quote one.

    Args:
        prompt: opening, document, end marker, question.
        strict: refuse more than one end marker.

    Returns:
        `(context, question)`, both without white space at the ends, the question without its
        leading `Question:`.

    Raises:
        RecordError: with a short reason, where there is no document or no question.
    """
    opening = _OPENING.match(prompt)
    ends = list(END.finditer(prompt))
    asked = [at for at, end in enumerate(ends, 1) if _QUESTION.match(prompt[end.end() :].lstrip())]
    ends = ends[: asked[-1]] if asked else ends
    if not ends:
        raise RecordError("document without an end marker" if opening else "no context")
    if strict and len(ends) > 1:
        raise RecordError("more than one end marker")
    begin = opening.end() if opening and opening.end() <= ends[-1].start() else 0
    if opening and begin and (opening["what"] or "").lower() != "material":
        begins = _BEGINS.match(prompt, begin, ends[-1].start())
        begin = begins.end() if begins else begin
    context = prompt[begin : ends[-1].start()].strip()
    question = strip_question(prompt[ends[-1].end() :])
    if not context:
        raise RecordError("no context")
    if not question:
        raise RecordError("no question")
    return context, question


def strip_question(question: str) -> str:
    """Drop a leading `Question:` and white space at both ends."""
    return _without(_QUESTION, question)


def strip_answer(answer: str) -> str:
    """Drop a leading `Answer:` and white space at both ends.

    Raises:
        RecordError: where nothing is left.
    """
    answer = _without(_ANSWER, answer)
    if not answer:
        raise RecordError("no answer")
    return answer


def _without(label: re.Pattern[str], value: str) -> str:
    value = value.strip()
    found = label.match(value)
    return value[found.end() :].strip() if found else value


def _context_and_question(record: Record, *, strict: bool) -> tuple[str, str]:
    instruction = needed(record, "instruction", "question")
    context = text(record, "input")
    if context and not END.search(instruction):
        return context, strip_question(instruction)
    return split_document(instruction, strict=strict)
