"""A table of questions, right answers and a model's words is scored by itself; a file of questions is a benchmark."""

from __future__ import annotations

import json

import pytest
from datasets import load_dataset

from marks import OF_EVALUATE
from t2vid.errors import InputError, MissingFile
from t2vid.evaluation.run import benchmark_rows, evaluate
from t2vid.evaluation.score import score

pytestmark = OF_EVALUATE
TABLE = """question,options,right answer,model answer
What is it?,"['a cat', 'a dog']",A,The answer is (B).
What rolls?,a ball | a cube,a cube,It is a cube.
How many?,A. one B. two,A,I cannot say.
"""


def test_a_table_that_holds_the_questions_needs_no_benchmark(tmp_path):
    path = tmp_path / "answers.csv"
    path.write_text(TABLE)
    scores = score(path, explain=True)
    assert (scores["accuracy"], scores["n"]) == (1 / 3, 3)
    told = (tmp_path / "answers.run" / "explained.txt").read_text()
    assert "questions/0: B by statement, wrong, A is right" in told and "([B])" in told


@pytest.mark.parametrize(
    "table",
    [
        "ID;Question;A;B;C;Answer;Model Output\n1;Which, then?;red;green;blue;C;It is blue, not red.\n",
        "question\toption_a\toption_b\tcorrect\tanswer\nWhich?\tred\tblue\tblue\tB\n",
        "question,Option A,Option B,gold,response\nWhich?,red,blue,B,(B)\n",
    ],
)
def test_tables_as_people_write_them_are_read(table, tmp_path):
    path = tmp_path / "answers.csv"
    path.write_text(table)
    assert score(path)["accuracy"] == 1.0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("id,answer\n1,B\n", "no two columns.*--benchmark"),
        ("question,options,right,prediction\nWhich?,a | b,c,B\n", "none of the options"),
        ("id,question,options,right,prediction\n1,Q?,a | b,A,B\n1,Q?,a | b,A,B\n", "second row"),
        ("question,options,right,prediction\nWhich?,a | b,,B\n", "no right answer"),
        ("question,options,right,prediction\n", "no row below"),
    ],
)
def test_a_row_that_cannot_be_used_stops_and_is_named(text, says, tmp_path):
    path = tmp_path / "answers.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=says):
        score(path)


def test_a_file_of_questions_is_a_benchmark(tmp_path):
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "a.mp4").write_bytes(b"0")
    asked = {
        "id": "q",
        "video": "a.mp4",
        "question": "Which?",
        "options": ["x", "y"],
        "answer": "y",
    }
    path = tmp_path / "mine.jsonl"
    path.write_text(json.dumps(asked) + "\n")
    rows, name = benchmark_rows(str(path), {})
    assert (rows["id"][:], name) == (["questions/q"], "questions")
    rows, _ = benchmark_rows(str(path), {"data_dir": str(tmp_path / "videos")})
    assert rows["answer"][:] == ["B"]
    said = tmp_path / "said.csv"
    said.write_text("id,prediction\nq,(B)\n")
    assert score(said, benchmark=str(path))["accuracy"] == 1.0
    with pytest.raises(MissingFile, match="is not there"):
        benchmark_rows("lost.jsonl", {})


def test_a_benchmark_without_its_videos_is_not_asked_as_if_it_had_them(tmp_path):
    away = tmp_path / "elsewhere"
    away.mkdir()
    (away / "a.mp4").write_bytes(b"0")
    asked = {
        "id": "q",
        "video": "a.mp4",
        "question": "Which?",
        "options": ["x", "y"],
        "answer": "y",
    }
    beside = away / "mine.jsonl"
    beside.write_text(json.dumps(asked) + "\n")
    rows, _ = benchmark_rows(str(beside), {})
    assert rows["images"][0]["path"] == str(away / "a.mp4")  # its folder, where nothing is said
    lone = load_dataset("t2vid/questions", data_files=str(beside), split="test")
    with pytest.raises(
        InputError, match="none of the 1 questions comes with its video.*--data-dir"
    ):
        evaluate(lambda ask: "A", lone, out=tmp_path / "run")
    blind = evaluate(lambda ask: "B", lone, "t2vid+blind", out=tmp_path / "blind")
    assert json.loads((blind.folder / "scores.json").read_text())["accuracy"] == 1.0
