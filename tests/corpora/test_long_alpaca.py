"""Every known way to wrap a document gives the document and the question back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from t2vid.corpora.long_alpaca import END, convert, split_document, strip_answer, strip_question
from t2vid.errors import RecordError
from t2vid.schema import Counts
from t2vid.storage import records

PAPER = "Below is a paper. Memorize the {} and answer my question after the paper.\n"
BOOK = (
    "Below is some paragraphs in the book, {}. "
    "Memorize the content and answer my question after the book.\n"
)
TWO = (
    "There are two papers. Memorize them and answer my question after the paper.\n"
    " The first paper begins. \n "
)
MATERIAL = (
    "Below is a material. Memorize the material and answer my question after the material. \n "
)
# (opening, closing) with the white space of the public file
VARIANTS = {
    "paper": (PAPER.format("paper") + " The paper begins. \n ", " \n Now the paper ends. \n"),
    "paper, material": (PAPER.format("material"), "\n Now the material ends. "),
    "two papers": (TWO, " Now the second paper ends."),
    "book": (BOOK.format("The Lamp at Mr. Orrin's Point, Vol. 2"), " \n Now the material ends."),
    "material": (MATERIAL, "Now the material ends. "),
    "review": ("", "Now the review guideline ends."),
    "shouted": (PAPER.format("paper").upper() + "THE PAPER BEGINS.", "NOW THE PAPER ENDS."),
}

words = st.text(min_size=1).filter(lambda text: bool(text.strip()))


def usable(context: str, question: str) -> bool:
    labelled = context.lstrip().lower().startswith(("the paper begins.", "the first paper begins."))
    return (
        not labelled and not END.search(question) and strip_question(question) == question.strip()
    )


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("label", ["", "Question: ", " \nquestion:"])
@given(context=words, question=words)
@example(context="İİİİ ſKelvin K", question="İ?")  # lower() changes their length
@example(context="It says: Now the paper ends. But it goes on.", question="Does it?")
@example(context="Now the first paper ends. The second paper begins. \n B", question="Which?")
@example(context="The paper begins late. Below is a paper.", question="Now?")
def test_embedding_a_document_and_parsing_gives_it_back(
    variant: str, label: str, context: str, question: str
) -> None:
    assume(usable(context, question))
    opening, closing = VARIANTS[variant]
    assume(opening or not context.lstrip().lower().startswith(("below", "there")))
    assert split_document(f"{opening}{context}{closing}{label}{question}") == (
        context.strip(),
        question.strip(),
    )


@given(answer=words)
def test_the_label_of_an_answer_is_dropped_once(answer: str) -> None:
    assume(not answer.strip().lower().startswith("answer:"))
    for label in ("", "Answer: ", "answer:\n"):
        assert strip_answer(label + answer) == answer.strip()


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"instruction": "Name three uses.", "output": "x", "input": ""}, "no context"),
        ({"instruction": "", "output": "x", "input": "c"}, "no question"),
        ({"instruction": BOOK.format("A") + "text", "output": "x"}, "document without an end marker"),
        ({"instruction": MATERIAL + "text Now the material ends.", "output": "x"}, "no question"),
        ({"instruction": MATERIAL + " Now the material ends. Why?", "output": "x"}, "no context"),
        ({"instruction": MATERIAL + "t Now the material ends. Q?", "output": "Answer:"}, "no answer"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_counted_by_reason(record: dict[str, Any], reason: str) -> None:
    counts = Counts()
    assert list(convert([(3, record)], counts)) == []
    assert dict(counts.dropped) == {reason: 1}
    assert dict(counts.sources["longalpaca"]) == {reason: 1}


def test_a_short_row_with_input_takes_it_as_context() -> None:
    record = {
        "instruction": "Classify it.",
        "input": "Is the door open?",
        "output": "Question",
        "file": None,
    }
    (triplet,) = convert([(5, record)], Counts())
    assert (triplet.context, triplet.question) == ("Is the door open?", "Classify it.")
    assert triplet.id == "longalpaca/00005"


def test_strict_refuses_a_document_that_holds_an_end_marker() -> None:
    opening, closing = VARIANTS["paper"]
    prompt = f"{opening}A. Now the paper ends. B.{closing}Why?"
    assert split_document(prompt)[0] == "A. Now the paper ends. B."
    with pytest.raises(RecordError, match="more than one end marker"):
        split_document(prompt, strict=True)
    assert split_document(f"{opening}A.{closing}Why?", strict=True) == ("A.", "Why?")


def test_a_long_document_without_any_marker_costs_no_time() -> None:
    # a pattern that backtracks would not come back from this
    prompt = "Below is " + "memorize the below is " * 200_000
    with pytest.raises(RecordError, match="no context"):
        split_document(prompt)


def test_the_public_sample_parses(shared_data: Path) -> None:
    counts = Counts()
    found = list(convert(records.read(str(shared_data / "formats/LongAlpaca-12k.json")), counts))
    assert len(found) == 5 and dict(counts.dropped) == {"no context": 1}
    assert found[3].question == "Please summarize the book in one paragraph."
    assert found[1].context == "Lichen growth was logged weekly on nine roofs."


@pytest.mark.parametrize("labels", ["Question: ", "Question: Question: "])
def test_a_question_may_quote_the_end_marker_and_labels_may_come_twice(labels):
    asked = "Who wrote Now the paper ends. in it?"
    prompt = f"{PAPER.format('paper')} The paper begins. \n Tides. \n Now the paper ends. \n{labels}{asked}"
    assert split_document(prompt) == ("Tides.", asked)
    assert strip_answer("Answer: Answer: Tides.") == "Tides."
