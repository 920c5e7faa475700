"""Long texts whose question stands inside the prompt: document, question and answer come apart."""

from __future__ import annotations

from typing import Any

import pytest

from t2vid.corpora.documents import convert, split_document
from t2vid.errors import RecordError
from t2vid.schema import Counts

DOCUMENT = "\n\n".join(f"Chapter {n}. The mill stood by the water." for n in range(1, 9))
FOUND = (
    "Write a high-quality answer for the given question using only the provided search results "
    "(some of which might be irrelevant).\n\nDocument [1](Title: Hills) Hills are tall.\n\n"
)


def turns(*said: Any) -> dict[str, Any]:
    roles = ("user", "assistant")
    return {"messages": [{"role": roles[n % 2], "content": s} for n, s in enumerate(said)]}


def read(record: dict[str, Any], **options: Any) -> list[tuple[str, ...]]:
    found = convert([(0, record)], Counts(), source="x", **options)
    return [(one.id, one.context, one.question, one.answer) for one in found]


@pytest.mark.parametrize(
    ("record", "question", "answer"),
    [
        (turns(f"{DOCUMENT}\n\nWho keeps it?", "Nobody."), "Who keeps it?", "Nobody."),
        (turns(f"Who keeps it?\n\n{DOCUMENT}", "Nobody."), "Who keeps it?", "Nobody."),
        (
            turns([{"type": "text", "text": DOCUMENT}, {"type": "text", "text": "Who?"}], "He."),
            "Who?",
            "He.",
        ),
        (
            {"question": f"User: {DOCUMENT}\n\nQ: Who?\n\nAssistant:", "answer": ["He.", "him"]},
            "Who?",
            "He.",
        ),
        (
            {"prompt": f"{DOCUMENT}\n\nQ: Write a summary.\nA:", "completion": " A mill."},
            "Write a summary.",
            "A mill.",
        ),
        ({"context": DOCUMENT, "question": "Who?", "answer": "He."}, "Who?", "He."),
        (
            {
                "conversations": [
                    {"from": "human", "value": f"{DOCUMENT}\n\nWho?"},
                    {"from": "gpt", "value": "He."},
                ]
            },
            "Who?",
            "He.",
        ),
    ],
)
def test_document_question_and_answer_come_apart(record, question, answer):
    assert read(record) == [("x/00000", DOCUMENT, question, answer)]


def test_search_results_keep_their_documents_and_name_the_gold_one():
    record = {
        "prompt": f"{FOUND}Question: how are hills\n",
        "completion": "Answer: tall\nLong Answer: Hills are tall .\nGold Document ID: 1",
    }
    [(_, context, question, answer)] = read(record)
    assert context == "Document [1](Title: Hills) Hills are tall."
    assert question.startswith("how are hills\n") and answer == "tall\nDocument ID: 1"


def test_later_turns_follow_and_instructions_lead():
    record = turns(f"{DOCUMENT}\n\nWho?", "He.", "Sure?", "Yes.")
    record["messages"].insert(0, {"role": "system", "content": "Be brief."})
    [one] = convert([(0, record)], Counts())
    assert one.turns == (
        ("user", "Be brief.\nWho?"),
        ("assistant", "He."),
        ("user", "Sure?"),
        ("assistant", "Yes."),
    )


def test_every_question_about_frames_in_words_is_a_row():
    record = {
        "frames": [{"frame 1": "A hill.", "object a": "a sheep"}, {"frame 2": "Rain."}],
        "global_video_caption": "A sheep in rain.",
        "QAs": [{"question": "what animal", "options": ["cow", "sheep"], "answer": "B"}],
    }
    rows = read(record)
    assert [row[0] for row in rows] == ["x/00000.0", "x/00000.1"]
    assert rows[0][1] == "frame 1: A hill.; object a: a sheep\n\nframe 2: Rain."
    assert rows[0][2:] == ("what animal\nA. cow\nB. sheep", "B. sheep")
    assert rows[1][3] == "A sheep in rain."


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (turns("Write about an island.", "It is small."), "no question beside the document"),
        (turns("Hi?", "Yes.", f"{DOCUMENT}\n\nWho?", "He."), "the document stands in a later turn"),
        (turns(f"{DOCUMENT}\n\nWho?"), "no answer"),
        ({"question": f"{DOCUMENT}\n\nQ: Who?", "answer": float("nan")}, None),
        ({"question": f"{DOCUMENT}\n\nQ: Who?", "answer": []}, "no answer"),
        (
            {"frames": [{"f": "A."}], "QAs": [{"question": "?", "options": ["a"], "answer": "C"}]},
            "an answer that is no letter of an option",
        ),
    ],
)
def test_a_row_without_one_of_the_three_is_counted(record, reason):
    counts = Counts()
    good = turns(f"{DOCUMENT}\n\nWho?", "He.")
    assert len(list(convert([(0, good), (1, record)], counts))) == 1
    assert sum(counts.dropped.values()) == 1
    if reason:
        assert list(counts.dropped) == [reason]


def test_a_question_may_be_given_where_rows_have_none():
    assert split_document(DOCUMENT.replace("\n\n", " "), "Summarise.")[1] == "Summarise."
    with pytest.raises(RecordError, match="no question"):
        split_document(DOCUMENT.replace("\n\n", " "))
