"""Book summaries, search results and papers: each prompt gives its document and question back."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from t2vid.corpora.long_alpaca import END, strip_question
from t2vid.corpora.long_qlora import NAME_THE_DOCUMENT, convert
from t2vid.corpora.triplets import Triplet
from t2vid.schema import Counts
from t2vid.storage import records

INSTRUCTION = (
    "Write a high-quality answer for the given question using only the provided search results "
    "(some of which might be irrelevant).\n\n"
)
words = st.text(min_size=1).filter(lambda text: bool(text.strip()))


def parse(prompt: str, answer: str) -> Triplet:
    counts = Counts()
    found = list(convert([(0, {"input": prompt, "output": answer})], counts))
    assert found, counts
    return found[0]


@given(context=words, question=words, summary=words)
@example(context="Q: who? A: nobody. Now the paper ends.", question="Sum it up?", summary="A: x")
def test_a_book_and_its_question_come_back(context: str, question: str, summary: str) -> None:
    assume("Q:" not in question and not END.search(question))
    assume(strip_question(question) == question.strip())
    assume(not context.lstrip().lower().startswith("write a high-quality"))
    assume(not summary.strip().lower().startswith("answer:"))
    assume(not question.rstrip().lower().endswith(("a:", "answer:")))
    triplet = parse(f"{context}\n\nQ: {question}\nA:", summary)
    assert (triplet.context, triplet.question) == (context.strip(), question.strip())
    assert triplet.answer == summary.strip()


@given(context=words, question=words, short=words, number=st.integers(1, 200))
@example(
    context="Document [1](Title: FAQ) Question: a? Answer: b", question="c", short="d", number=1
)
def test_search_results_keep_the_short_answer_and_the_document(
    context: str, question: str, short: str, number: int
) -> None:
    assume("question:" not in question.lower())
    assume("answer:" not in (short + question).lower())
    assume(not question.rstrip().lower().endswith("a:"))
    answer = f"Answer: {short}\nLong Answer: {context}\nGold Document ID: {number}"
    triplet = parse(f"{INSTRUCTION}{context}\n\nQuestion: {question}", answer)
    assert (triplet.context, triplet.question) == (
        context.strip(),
        f"{question.strip()}\n{NAME_THE_DOCUMENT}",
    )
    assert triplet.answer == f"{short.strip()}\nDocument ID: {number}"


def test_search_results_with_a_plain_answer_keep_their_question() -> None:
    triplet = parse(f"{INSTRUCTION}Document [1] x\n\nQuestion: what\nAnswer:", "Answer: it")
    assert (triplet.question, triplet.answer) == ("what", "it")


def test_a_paper_is_cut_as_in_longalpaca() -> None:
    opening = "Below is a paper. Memorize the paper and answer my question after the paper.\n"
    # its text quotes a dialogue, which is not the book prompt
    text = f"{opening} The paper begins. \n Q: one. A: two. \n Now the paper ends. \nQuestion: Why?"
    triplet = parse(text, "Answer: So.")
    assert triplet == Triplet("longqlora/00000", "Q: one. A: two.", "Why?", "So.")


@pytest.mark.parametrize(
    ("prompt", "reason"),
    [
        ("Write a haiku about gears.", "no context"),
        ("", "no question"),
        ("Q: Can you write a summary?\nA:", "no context"),
        ("A tale.\n\nQ:\nA:", "no question"),
        (INSTRUCTION + "Document [1] x", "no question"),
        (INSTRUCTION + "Question: what", "no context"),
    ],
)
def test_what_has_no_document_or_question_is_counted(prompt: str, reason: str) -> None:
    counts = Counts()
    assert list(convert([(0, {"input": prompt, "output": "x"})], counts)) == []
    assert dict(counts.dropped) == {reason: 1}


def test_the_public_sample_parses(shared_data: Path) -> None:
    counts = Counts()
    path = shared_data / "formats/LongQLoRA-SFT-Data-39k.jsonl"
    book, search, paper = convert(records.read(str(path)), counts)
    assert book.context.startswith("Chapter: The ferry") and search.answer.endswith(
        "Document ID: 2"
    )
    assert paper.answer == "Maps." and dict(counts.dropped) == {"no context": 1}


@pytest.mark.parametrize(
    ("asked", "question"),
    [
        ("What does Q: mean?", "What does Q: mean?"),
        ("Q: Who?", "Who?"),
        ("Question: Q: Who?", "Who?"),
    ],
)
def test_a_label_inside_a_question_or_twice_moves_no_cut(asked, question):
    triplet = parse(f"A tale.\nQ: an earlier one\nA: x\n\nQ: {asked}\nA:", "He.")
    assert (triplet.question, triplet.answer) == (question, "He.")
    assert triplet.context == "A tale.\nQ: an earlier one\nA: x"
    prompt = f"{INSTRUCTION}Document [1](Title: T) Words.\n\nQuestion: what does question: mean"
    assert parse(prompt, "Answer: x").question == "what does question: mean"
