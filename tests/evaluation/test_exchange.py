"""Files of others: official layouts are written as their scorers read them, predictions come back."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset

import t2vid
from t2vid.errors import InputError
from t2vid.evaluation.backends import FunctionBackend
from t2vid.evaluation.benchmarks import mvbench, tempcompass, video_mme
from t2vid.evaluation.benchmarks.questions import Question, features
from t2vid.evaluation.config import EvalConfig
from t2vid.evaluation.exchange import export, read_predictions
from t2vid.evaluation.runs import Run
from t2vid.frames.feature import Frames
from t2vid.frames.spec import SampleSpec
from t2vid.schema import Counts

RECORDS = [
    {
        "video_id": f"00{n}",
        "duration": "short",
        "domain": "Knowledge",
        "sub_category": "Geography",
        "url": "u",
        "videoID": f"yt-{n}",
        "question_id": f"00{n}-{k}",
        "task_type": "Counting Problem",
        "question": "How many towers?",
        "options": [f"A. {k}.", f"B. {k + 1}.", "C. 30.", "D. 40."],
        "answer": "B",
    }
    for n in (1, 2)
    for k in (1, 2, 3)
]
NESTED = {
    f"{n}": {
        "action": [
            {"question": f"Does what?\nA. wave {n}\nB. bow", "answer": "B. bow"},
            {"question": "How often?\nA. once\nB. twice", "answer": "A. once"},
        ]
    }
    for n in (11, 12)
}


def dataset(questions: list[Question]) -> Any:
    rows = [question.row(None, SampleSpec()) for question in questions]
    return Dataset.from_list(rows, features=features(Frames()))


@pytest.fixture
def mme() -> Any:
    return dataset(list(video_mme.READER.convert(enumerate(RECORDS), Counts())))


@pytest.fixture
def compass() -> Any:
    rows = tempcompass.flatten(NESTED)
    return dataset(list(tempcompass.READER.convert(rows, Counts(), config="multi-choice")))


def answered(rows: Any, out: Path, say: str = "The answer is B.") -> Run:
    return t2vid.evaluate(
        FunctionBackend(lambda ask: say), rows, EvalConfig(control="blind"), out=out
    )


def accuracy(run: Run) -> float:
    return json.loads((run.folder / "scores.json").read_text())["accuracy"]


def test_video_mme_results_have_the_official_shape(mme, tmp_path):
    (path,) = export(answered(mme, tmp_path / "run"), "video_mme", tmp_path / "results.json")
    videos = json.loads(path.read_text())
    assert [video["video_id"] for video in videos] == ["001", "002"]
    assert list(videos[0]) == [
        "video_id",
        "duration",
        "domain",
        "sub_category",
        "missing",
        "questions",
    ]
    assert [q["question_id"] for q in videos[1]["questions"]] == ["002-1", "002-2", "002-3"]
    question = videos[0]["questions"][0]
    assert question["options"] == RECORDS[0]["options"]
    assert question["response"] == "The answer is B." and question["answer"] == "B"


def test_tempcompass_predictions_are_the_questions_with_a_prediction(compass, tmp_path):
    (path,) = export(answered(compass, tmp_path / "run", "B"), "tempcompass", tmp_path / "mine")
    assert path.name == "multi-choice.json"
    written = json.loads(path.read_text())
    assert written.keys() == NESTED.keys()
    for video, dims in NESTED.items():
        got = written[video]["action"]
        assert [{**record, "prediction": "B"} for record in dims["action"]] == got


def test_t2vids_question_file_becomes_official_predictions(tmp_path):
    suffix = "Answer with the option's letter from the given choices directly."
    record = {
        "question_id": 5,
        "video": "videos/77_reverse.mp4",
        "prompt": f"Which?\nA. one\nB. two\n{suffix}",
        "GT": "B",
        "category": "order",
    }
    rows = dataset(list(tempcompass.READER.convert([(0, record)], Counts(), config="multi-choice")))
    run = answered(rows, tmp_path / "run", "A")
    (path,) = export(run, "tempcompass", tmp_path / "mine")
    assert json.loads(path.read_text()) == {
        "77_reverse": {
            "order": [{"question": "Which?\nA. one\nB. two", "answer": "B. two", "prediction": "A"}]
        }
    }
    (path,) = export(run, "t2vid", tmp_path / "answers.jsonl")
    answer = json.loads(path.read_text())
    assert answer == {
        "question_id": 5,
        "prompt": record["prompt"],
        "pred": "A",
        "GT": "B",
        "category": "order",
    }
    back, counts = read_predictions(path, rows, out=tmp_path / "back")
    assert counts.kept == 1 and back.answers()[0]["prediction"] == "A"


def test_what_is_exported_comes_back_with_the_same_score(mme, compass, tmp_path):
    for rows, layout, name in ((mme, "video_mme", "x.json"), (compass, "tempcompass", "p")):
        run = answered(rows, tmp_path / layout)
        (path,) = export(run, layout, tmp_path / name)
        back, counts = read_predictions(path, rows, out=tmp_path / f"{layout}-back")
        assert accuracy(back) == accuracy(run) > 0
        assert counts.kept == len(rows) and not counts.dropped


def test_an_export_of_another_benchmark_is_refused(mme, tmp_path):
    run = answered(mme, tmp_path / "run")
    with pytest.raises(InputError, match="no answers to tempcompass"):
        export(run, "tempcompass", tmp_path / "x")
    with pytest.raises(InputError, match="layout"):
        export(run, "mvbench", tmp_path / "x")


def test_lmms_evals_samples_are_read(mme, tmp_path):
    path = tmp_path / "20260101_samples_videomme.jsonl"
    lines = [
        {
            "doc_id": n,
            "target": r["answer"],
            "filtered_resps": ["B"],
            "videomme_perception_score": {"question_id": r["question_id"], "pred_answer": "B"},
            "input": "Select the best answer.",
        }
        for n, r in enumerate(RECORDS[:5])
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    run, counts = read_predictions(path, mme, out=tmp_path / "run", name="theirs")
    assert counts.kept == 5 and counts.dropped == {"not predicted": 1}
    assert accuracy(run) == pytest.approx(5 / 6)  # the question without a prediction counts
    assert run.name == "theirs"


def test_lmms_evals_mvbench_samples_match_by_row_and_prompt(tmp_path):
    records = [
        {"video": "a.webm", "question": "What?", "candidates": ["x", "y"], "answer": "y"},
        {"video": "b.webm", "question": "What?", "candidates": ["x", "y"], "answer": "x"},
        {"video": "c.webm", "question": "Where?", "candidates": ["x", "y"], "answer": "y"},
    ]
    questions = [
        *mvbench.READER.convert(enumerate(records), Counts(), config="action_antonym"),
        *mvbench.READER.convert(enumerate(records), Counts(), config="action_count"),
    ]
    path = tmp_path / "20260101_samples_mvbench_action_antonym.jsonl"

    def sample(place: int, question: str, answer: str) -> dict[str, Any]:
        prompt = f"Watch closely. {question}\nA. x\nB. y\nOnly give the best option."
        return {"doc_id": place, "input": prompt, "target": "?", "filtered_resps": [answer]}

    lines = [
        sample(0, "What?", "B. y"),
        sample(1, "What?", "A"),
        sample(7, "Where?", "A"),  # another row number, but only one question reads so
        sample(8, "What?", "B"),  # two questions read so
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    rows = dataset(questions).select(range(3))
    with pytest.raises(InputError, match='1 of 4 predictions.*"doc_id": 8.*unmatched="drop"'):
        read_predictions(path, rows, out=tmp_path / "run")
    run, counts = read_predictions(path, rows, out=tmp_path / "run", unmatched="drop")
    got = {line["id"]: line["prediction"] for line in run.answers()}
    assert list(got.values()) == ["B. y", "A", "A"] and accuracy(run) == pytest.approx(2 / 3)
    assert counts.dropped == {"matches no question": 1}


def test_samples_with_their_documents_match_by_content(tmp_path):
    records = [
        {"video": "a.webm", "question": "What?", "candidates": ["x", "y"], "answer": "y"},
        {"video": "b.webm", "question": "What?", "candidates": ["x", "y"], "answer": "x"},
    ]
    rows = dataset(
        list(mvbench.READER.convert(enumerate(records), Counts(), config="action_antonym"))
    )
    path = tmp_path / "samples.jsonl"
    lines = [{"doc_id": n, "doc": r, "resps": [["B. y"]]} for n, r in enumerate(records)]
    lines.append({"doc_id": 9, "doc": {**records[0], "question": "Other?"}, "resps": [["A"]]})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    run, counts = read_predictions(path, rows, out=tmp_path / "run", unmatched="drop")
    assert counts.dropped == {"matches no question": 1} and accuracy(run) == 0.5


@pytest.mark.parametrize("suffix", ["tsv", "csv", "json", "xlsx"])
def test_vlmevalkits_tables_are_read(mme, tmp_path, suffix):
    rows = [
        {
            "index": n,
            "video": r["videoID"],
            "question": r["question"],
            "candidates": str(r["options"]),
            "answer": r["answer"],
            "prediction": "Answer: B" if n else "",
        }
        for n, r in enumerate(RECORDS)
    ]
    path = tmp_path / f"model_Video-MME_8frame.{suffix}"
    if suffix == "json":
        path.write_text(json.dumps(rows))
    elif suffix == "xlsx":
        book = pytest.importorskip("openpyxl").Workbook()
        for cells in ([*rows[0]], *(row.values() for row in rows)):
            book.active.append([*cells])
        book.save(path)
    else:
        with open(path, "w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), delimiter="\t" if suffix == "tsv" else ",")
            writer.writeheader()
            writer.writerows(rows)
    run, counts = read_predictions(path, mme, out=tmp_path / "run")
    assert counts.kept == 6 and accuracy(run) == pytest.approx(5 / 6)


@pytest.mark.parametrize(
    "record",
    [
        {"question_id": "001-1", "prompt": "How many?", "text": "(B)", "model_id": "m"},  # LLaVA
        {"question_id": "001-1", "model_output": "(B)"},
        {"question_id": "001-1", "answer": "(B)"},  # nothing else could be the model's
        {"question_id": "001-1", "answer": "A", "options": ["A. 1"], "response": "(B)"},
    ],
)
def test_answers_go_by_several_names(record, mme, tmp_path):
    path = tmp_path / "answers.jsonl"
    path.write_text(json.dumps(record) + "\n")
    run, _ = read_predictions(path, mme, out=tmp_path / "run")
    assert [line["letter"] for line in run.judged() if line["id"].endswith("001-1")] == ["B"]


SAID = [{"type": "thinking", "thinking": "A?"}, {"type": "text", "text": "(B)"}]


@pytest.mark.parametrize(
    "reply",
    [
        {"response": {"status_code": 200, "body": {"choices": [{"message": {"content": "(B)"}}]}}},
        {"response": {"body": {"output": [{"type": "reasoning"}, {"content": SAID}]}}},
        {"result": {"type": "succeeded", "message": {"role": "assistant", "content": SAID}}},
        {"response": {"candidates": [{"content": {"parts": [{"text": "(B)"}], "role": "model"}}]}},
        {"messages": [{"role": "user", "content": "A"}, {"role": "assistant", "content": "(B)"}]},
        {"response": {"outputs": [{"text": "(B)"}, {"text": "(C)"}]}},
        {"response": {"answer": "B"}},
    ],
)
def test_the_replies_of_model_servers_are_read(reply, mme, tmp_path):
    path = tmp_path / "batch_output.jsonl"
    failed = {"custom_id": "001-2", "response": None, "result": {"type": "errored", "error": "A"}}
    lines = [{"id": "batch_1", "custom_id": "001-1", **reply}, failed]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    run, _ = read_predictions(path, mme, out=tmp_path / "run")
    read = {line["id"][-5:]: (line["letter"], line["prediction"]) for line in run.judged()}
    assert read["001-1"][0] == "B" and read["001-2"] == (None, "")


def test_records_without_an_answer_are_an_error_and_no_silent_zero(mme, tmp_path):
    path = tmp_path / "answers.jsonl"
    path.write_text(json.dumps({"question_id": "001-1", "answer": "B", "options": ["A. 1"]}) + "\n")
    with pytest.raises(InputError, match="holds an answer.*'options'"):
        read_predictions(path, mme, out=tmp_path / "run")
    path.write_text(json.dumps({"question_id": "001-1", "pred": None}) + "\n")
    run, _ = read_predictions(path, mme, out=tmp_path / "empty")  # the model said nothing
    assert json.loads((run.folder / "scores.json").read_text())["unanswered"] == 6


def test_a_benchmark_with_an_id_twice_is_refused(tmp_path):
    questions = list(video_mme.READER.convert(enumerate(RECORDS[:1] * 2), Counts()))
    path = tmp_path / "answers.jsonl"
    path.write_text(json.dumps({"question_id": "001-1", "pred": "B"}) + "\n")
    with pytest.raises(InputError, match="2 times"):
        read_predictions(path, dataset(questions), out=tmp_path / "run")
