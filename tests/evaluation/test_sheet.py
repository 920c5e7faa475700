"""A table of questions, right answers and a model's words is scored by itself; a file of questions is a benchmark."""

from __future__ import annotations

import json

import openpyxl
import pytest
from datasets import load_dataset

from marks import OF_EVALUATE
from t2vid.errors import InputError, MissingFile
from t2vid.evaluation.rows import benchmark_rows
from t2vid.evaluation.run import evaluate
from t2vid.evaluation.score import score

pytestmark = OF_EVALUATE
TABLE = """question,options,right answer,model answer
What is it?,"['a cat', 'a dog']",A,The answer is (B).
What rolls?,a ball | a cube,a cube,It is a cube.
How many?,A. one B. two,A,I cannot say.
"""


def test_the_record_of_the_benchmark_may_stand_below_a_key(tmp_path):
    path = tmp_path / "answers.json"
    asked = {"question": "Which?", "choices": ["A. red", "B. blue"], "gt_answer": "B"}
    rows = [{"prediction": said, "annotation": asked, "speed": 1.0} for said in ("B", "A. red")]
    path.write_text(json.dumps({"predictions": rows, "dataset_name": "daily"}))
    assert score(path)["accuracy"] == 0.5


def test_a_table_that_holds_the_questions_needs_no_benchmark(tmp_path):
    path = tmp_path / "answers.csv"
    path.write_text(TABLE)
    scores = score(path, explain=True)
    assert (scores["accuracy"], scores["n"]) == (1 / 3, 3)
    told = (tmp_path / "answers.run" / "explained.txt").read_text()
    assert (
        "questions/0: B (a dog), wrong: A (a cat) is right\n    statement: the last" in told
        and "([B])" in told
    )


@pytest.mark.parametrize(
    "table",
    [
        "ID;Question;A;B;C;Answer;Model Output\n1;Which, then?;red;green;blue;C;It is blue, not red.\n",
        "question\toption_a\toption_b\tcorrect\tanswer\nWhich?\tred\tblue\tblue\tB\n",
        "question,Option A,Option B,gold,response\nWhich?,red,blue,B,(B)\n",
        "question,choices,gold,response\nWhich?,['red' 'dark blue'],1.0,(B)\n",
        'question,options,gold,response\nWhich?,"red\nblue",1,(B)\n',
        "question,options,gold,response\nWhich?,red | blue,1,1\nWhich?,red | blue,0,0\n",
    ],
)
def test_tables_as_people_write_them_are_read(table, tmp_path):
    path = tmp_path / "answers.csv"
    path.write_text(table)
    assert score(path)["accuracy"] == 1.0


def test_letters_are_scored_without_options_and_guessing_is_not_made_up(tmp_path):
    path = tmp_path / "answers.csv"
    path.write_text(
        'id,answer,right\n1,The answer is (B).,B\n2,A man walks.,A\n3,"Not A, rather D.",(d)\n'
    )
    scores = score(path)
    assert (scores["accuracy"], scores["n"], scores["guessing"]) == (2 / 3, 3, None)
    path.write_text("id,answer,right\n1,It is red.,red\n")
    with pytest.raises(InputError, match="row 0: no options.*columns A, B"):
        score(path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("id,answer\n1,B\n", "no two columns.*--benchmark"),
        ("question,options,right,prediction\nWhich?,a | b,c,B\n", "none of the options"),
        ("id,question,options,right,prediction\n1,Q?,a | b,A,B\n1,Q?,a | b,A,B\n", "second row"),
        ("question,options,right,prediction\nWhich?,a | b,,B\n", "no right answer"),
        ("question,options,right,prediction\n", "no row below"),
        ("question,options,right,prediction\nQ?,a | b,A,0\nQ?,a | b,B,1\n", "from 0 or from 1"),
    ],
)
def test_a_row_that_cannot_be_used_stops_and_is_named(text, says, tmp_path):
    path = tmp_path / "answers.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=says):
        score(path)


@pytest.mark.parametrize("wrap", [{"data": 3}, {"meta": {}, "data": 3}, None])
def test_rows_of_json_are_read_below_a_key_or_alone(wrap, tmp_path):
    row = {"question": "Which?", "choices": ["red", "blue"], "answer": 1, "response": "B"}
    path = tmp_path / "answers.json"
    path.write_text(json.dumps(row if wrap is None else {**wrap, "data": [row]}, indent=1))
    assert score(path)["accuracy"] == 1.0


def test_an_empty_workbook_and_a_file_that_is_not_there_are_named(tmp_path):
    openpyxl.Workbook().save(tmp_path / "empty.xlsx")
    with pytest.raises(InputError, match=r"empty\.xlsx has no rows"):
        score(tmp_path / "empty.xlsx")
    with pytest.raises(MissingFile, match="run or a file of predictions"):
        score(tmp_path / "nosuch.csv")
    (tmp_path / "said.csv").write_text("id,prediction\nq,(B)\n")
    with pytest.raises(MissingFile, match=r"nosuch\.jsonl is not there"):
        score(tmp_path / "said.csv", benchmark="nosuch.jsonl")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"seed": -1}, "seed .-1. must be >= 0"),
        ({"probe_threshold": 80}, "probe_threshold .80. from 0 to 1"),
        ({"probe": True}, "no judge to probe"),
        ({"probe": True, "judge": "none"}, "no judge to probe"),
        ({"data_dir": "MVBench"}, "give benchmark="),
    ],
)
def test_settings_without_use_or_sense_are_refused(given, says, tmp_path):
    path = tmp_path / "answers.csv"
    path.write_text(TABLE)
    with pytest.raises(InputError, match=says):
        score(path, **given)


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
