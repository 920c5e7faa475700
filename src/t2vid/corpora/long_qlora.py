r"""LongQLoRA SFT: book summaries, Natural Questions over search results, LongAlpaca's rows.

>>> from t2vid.schema import Counts
>>> record = {"input": "A long tale.\n\nQ: What is it?\nA:", "output": "A tale."}
>>> next(convert([(7, record)], Counts()))
Triplet(id='longqlora/00007', context='A long tale.', question='What is it?', answer='A tale.')
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from t2vid.corpora.long_alpaca import END, split_document, strip_answer, strip_question
from t2vid.corpora.triplets import Triplet, row_id
from t2vid.errors import RecordError
from t2vid.schema import Counts
from t2vid.storage.fields import Record, have, needed, parsed

SOURCE = "longqlora"
# The second line of a Natural Questions question, whose answer names its document.
NAME_THE_DOCUMENT = "Keep the answer short and name the ID of the document it comes from."

_SEARCH_RESULTS = re.compile(
    r"\s*write a high-quality answer for the given question using only the provided search results"
    r"[^\n]*",
    re.IGNORECASE | re.ASCII,
)
# Where a line begins with one; else wherever one stands.
_LABELS = {
    name: [
        re.compile(rf"(?:^|(?<={before})){blank}{name}:", flags)
        for before, blank in ((r"\n", r"[ \t]*"), (r"\s", ""))
    ]
    for name, flags in (("Q", re.ASCII), ("question", re.IGNORECASE | re.ASCII))
}
_AGAIN = re.compile(r"\A(?:Q:\s*)+")
_EMPTY_ANSWER = re.compile(r"\s*\b(?:a|answer):\s*\Z", re.IGNORECASE | re.ASCII)
_SHORT_AND_LONG = re.compile(
    r"\s*(?:answer:)?(?P<short>.*?)\n\s*long answer:.*gold document id:\s*(?P<document>[^\n]+)",
    re.IGNORECASE | re.DOTALL | re.ASCII,
)


def convert(
    rows: Iterable[tuple[int, Any]], counts: Counts, *, strict: bool = False, source: str = SOURCE
) -> Iterator[Triplet]:
    """Give a `Triplet` for each row with a document; one without counts as "no context".

    Args:
        rows: `(row number, record)` pairs; a record has `input` and `output`.
        counts: where the other rows are counted by reason.
        strict: passed on to LongAlpaca's rule.
        source: name in the ids and the counts.

    Raises:
        RecordError: when the rows are not LongQLoRA's at all.
    """

    def parse(record: Record) -> tuple[str, str, str]:
        have(record, "input", "output")
        prompt = needed(record, "input", "question")
        return split_prompt(prompt, needed(record, "output", "answer"), strict=strict)

    for row, (context, question, answer) in parsed(rows, parse, source=source, counts=counts):
        yield Triplet(row_id(source, row), context, question, answer)


def split_prompt(prompt: str, answer: str, *, strict: bool = False) -> tuple[str, str, str]:
    """Cut a prompt of LongQLoRA or Long-Data-Collections into document, question and answer.

    Args:
        prompt: a story with `Q: …`, or search results with `Question: …`.
        answer: what follows it.
        strict: passed on to LongAlpaca's rule.

    Returns:
        `(context, question, answer)`.

    Raises:
        RecordError: with a short reason, where there is no document or no question.
    """
    if (instruction := _SEARCH_RESULTS.match(prompt)) is not None:
        return _search_results(prompt[instruction.end() :], answer)
    story, tail = _at_last("Q", prompt)
    if tail and _EMPTY_ANSWER.search(tail) and not END.search(tail):
        return _checked(story, _EMPTY_ANSWER.sub("", tail), strip_answer(answer))
    context, question = split_document(prompt, strict=strict)
    return context, question, strip_answer(answer)


def _search_results(body: str, answer: str) -> tuple[str, str, str]:
    context, tail = _at_last("question", body)
    if not tail:
        raise RecordError("no question")
    question = _EMPTY_ANSWER.sub("", tail).strip()
    both = _SHORT_AND_LONG.match(answer)
    if both is None or not both["short"].strip():
        return _checked(context, question, strip_answer(answer))
    short = f"{both['short'].strip()}\nDocument ID: {both['document'].strip()}"
    return _checked(context, question and f"{question}\n{NAME_THE_DOCUMENT}", short)


def _at_last(label: str, prompt: str) -> tuple[str, str]:
    """Cut a prompt at the last label that begins a line; the text and the question may quote others."""
    for pattern in _LABELS[label]:
        if found := list(pattern.finditer(prompt)):
            return prompt[: found[-1].start()], prompt[found[-1].end() :]
    return prompt, ""


def _checked(context: str, question: str, answer: str) -> tuple[str, str, str]:
    context, question = context.strip(), _AGAIN.sub("", strip_question(question))
    if not context:
        raise RecordError("no context")
    if not question:
        raise RecordError("no question")
    return context, question, answer
