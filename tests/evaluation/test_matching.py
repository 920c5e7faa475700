"""Which question a record of another tool answers: by id, by content, by its prompt, whatever its order."""

from __future__ import annotations

import pytest

from t2vid.evaluation.matching import QuestionIndex


def row(number: int, video: str, question: str = "Which kite?", answer: str = "B", **more):
    return {
        "id": f"own/{number}",
        "source": "own",
        "video": video,
        "question": question,
        "options": ["red", "blue"],
        "answer": answer,
        "category": "",
        "official": "{}",
    } | more


ROWS = [row(0, "a.mp4"), row(1, "b.mp4", answer="A"), row(2, "c.mp4", "Which drum?")]


def prompt(question: str, mark: str = "{}. {}") -> str:
    pairs = [mark.format(letter, text) for letter, text in (("A", "red"), ("B", "blue"))]
    return "\n".join(["Look well.", question, *pairs, "Answer with a letter."])


@pytest.mark.parametrize("mark", ["{}. {}", "({}) {}", "{}: {}", "{} - {}"])
def test_a_sample_is_found_by_its_row_however_its_options_are_marked(mark):
    index = QuestionIndex(ROWS)
    assert index.find({"doc_id": 2, "input": prompt("Which drum?", mark)}) == "own/2"


def test_samples_in_another_order_are_found_by_their_prompt():
    index = QuestionIndex(ROWS)
    assert index.find({"doc_id": 0, "input": prompt("Which drum?")}) == "own/2"
    assert index.find({"doc_id": 0, "input": prompt("Which lamp?")}) is None


def test_what_is_right_tells_two_videos_apart_that_are_asked_the_same():
    index = QuestionIndex(ROWS)
    asked = {"doc_id": 9, "input": prompt("Which kite?")}
    assert index.find(asked | {"target": "A"}) == "own/1"
    assert index.find(asked | {"target": "B"}) == "own/0"
    assert index.find(asked) is None  # either


def test_videos_asked_the_same_with_one_answer_are_taken_in_order():
    index = QuestionIndex([row(k, f"{k}.mp4") for k in range(3)])
    asked = {"doc_id": 9, "input": prompt("Which kite?"), "target": "B"}
    assert [index.find(asked) for _ in range(4)] == ["own/0", "own/1", "own/2", "own/2"]
    index.begin("another file")
    assert index.find(asked) == "own/0"


def test_an_id_of_another_video_is_another_question():
    official = '{"question_id": "7", "video": "a"}'
    index = QuestionIndex(
        [row(0, "a.mp4", official=official), row(1, "b.mp4"), row(2, "b.mp4", "Else?")]
    )
    assert index.find({"question_id": 7}) == "own/0"
    assert index.find({"question_id": 7, "video": "folder/a.webm"}) == "own/0"
    assert index.find({"question_id": 7, "video": "b.mp4"}) is None


def test_a_sample_that_keeps_its_question_and_no_prompt_is_found():
    doc = {"question": "Which drum?", "choices": ["red", "blue"]}
    assert QuestionIndex(ROWS).find({"doc_id": 2, "doc": doc}) == "own/2"
    assert QuestionIndex(ROWS).find({"id": "2.0"}) == "own/2"  # a table of floats
