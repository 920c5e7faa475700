"""Scores: every question stays in the denominator unless told, files are scored, answers are explained."""

from __future__ import annotations

import json
from typing import Any

import pytest
from datasets import Dataset

from marks import OF_EVALUATE
from t2vid.errors import InputError
from t2vid.evaluation.benchmarks import tempcompass
from t2vid.evaluation.benchmarks.questions import Question, features
from t2vid.evaluation.explain import explained
from t2vid.evaluation.predictions import open_predictions
from t2vid.evaluation.score import score
from t2vid.evaluation.sheet import read_sheet
from t2vid.evaluation.telling import meaning_of
from t2vid.frames.feature import Frames
from t2vid.frames.spec import SampleSpec
from t2vid.pages.scores import report
from t2vid.schema import Counts
from t2vid.scoring.extract import RULES, extract_choice

pytestmark = OF_EVALUATE
NESTED = {
    "multi-choice": {"question": "Does what?\nA. wave\nB. bow", "answer": "B. bow"},
    "yes_no": {"question": "Is he bowing?", "answer": "yes"},
    "caption_matching": {
        "question": "Which caption fits?\nOption 1: He waves.\nOption 2: He bows.",
        "answer": "Option 2: He bows.",
    },
}
CAPTION = {
    "question": "Generate a caption.",
    "mc_question": "What does he do?\nA. wave\nB. bow",
    "mc_answer": "B. bow",
}
SAID = {"multi-choice": "B. bow", "yes_no": "Yes.", "caption_matching": "Option 2"}


def rows_of(task: str, n: int = 2) -> Any:
    nested = {str(k): {"action": [NESTED[task]]} for k in range(n)}
    found = tempcompass.READER.convert(tempcompass.flatten(nested), Counts(), config=task)
    return Dataset.from_list(
        [q.row(None, SampleSpec()) for q in found], features=features(Frames())
    )


def written(task: str, path: Any, n: int = 2) -> Any:
    nested = {str(k): {"action": [{**NESTED[task], "prediction": SAID[task]}]} for k in range(n)}
    path.write_text(json.dumps(nested))
    return path


@pytest.mark.parametrize("task", list(NESTED))
def test_tempcompass_predictions_of_each_format_are_read(task, tmp_path):
    path = written(task, tmp_path / f"{task}.json")
    scores = score(path, benchmark=rows_of(task), out=tmp_path / "run")
    assert (scores["accuracy"], scores["n"]) == (1.0, 2)


def test_predictions_that_answer_nothing_are_an_error_with_examples(tmp_path):
    path = written("yes_no", tmp_path / "yes_no.json")
    with pytest.raises(InputError, match=r"none of the 2 .*Is he bowing.*Does what"):
        open_predictions(path, rows_of("multi-choice"), out=tmp_path / "run")


def test_a_file_without_its_benchmark_asks_for_it(tmp_path):
    with pytest.raises(InputError, match="benchmark="):
        score(written("yes_no", tmp_path / "yes_no.json"))


def test_what_was_not_predicted_stays_in_unless_dropped(tmp_path):
    path = written("multi-choice", tmp_path / "some.json", n=2)
    run, counts = open_predictions(path, rows_of("multi-choice", n=3), out=tmp_path / "run")
    assert counts.dropped == {"not predicted": 1}
    kept = score(run)
    assert (kept["n"], kept["missing"]) == (
        3,
        {"questions": 1, "counted_as": "wrong", "why": {"not predicted": 1}},
    )
    dropped = score(run, missing="drop")
    assert (dropped["n"], dropped["accuracy"]) == (2, 1.0)
    assert "1 questions without a readable video or an answer are left out" in report([run])


def test_captions_that_no_judge_read_are_told(tmp_path):
    nested = {"1": {"action": [CAPTION]}}
    rows = Dataset.from_list(
        [
            q.row(None, SampleSpec())
            for q in tempcompass.READER.convert(
                tempcompass.flatten(nested), Counts(), config="captioning"
            )
        ],
        features=features(Frames()),
    )
    path = tmp_path / "captioning.json"
    path.write_text(json.dumps({"1": {"action": [{**CAPTION, "prediction": "He bows."}]}}))
    run, _ = open_predictions(path, rows, out=tmp_path / "run")
    assert score(run)["captions_unread"] == 1
    assert "1 captions name no option and count as wrong: only a judge" in report([run])
    read = score(run, judge=lambda question, options, answer: "B")
    assert (read["accuracy"], read["captions_unread"]) == (1.0, 0)


def test_a_judge_that_fails_its_probe_scores_nothing(tmp_path):
    path = written("multi-choice", tmp_path / "some.json")
    run, _ = open_predictions(path, rows_of("multi-choice"), out=tmp_path / "run")
    with pytest.raises(InputError, match="labelled answers"):
        score(run, judge=lambda question, options, answer: "A", probe=True)
    assert not (tmp_path / "run" / "scores.json").exists()
    scores = score(run, judge=lambda q, o, a: "A", probe=True, probe_threshold=0)
    assert scores["judge_probe"]["right"] == 40


def test_each_answer_is_explained_by_the_characters_that_decided(tmp_path):
    path = written("multi-choice", tmp_path / "some.json")
    run, _ = open_predictions(path, rows_of("multi-choice"), out=tmp_path / "run")
    score(run, explain=True)
    text = (run.folder / "explained.txt").read_text()
    assert "[B]. bow" in text and "B (bow), right\n    statement: the last place" in text
    line = {"id": "q", "prediction": "Yes: B", "letter": "B", "rule": "x", "span": [5, 6]}
    shown = explained([{**line, "answer": "A", "correct": False}], colour=True)
    assert "\x1b[1;30;42mB\x1b[0m" in shown and "wrong: A is right" in shown


def test_control_characters_of_an_answer_do_not_reach_the_terminal():
    line = {"id": "q", "prediction": "\x1b[31mB\x07", "letter": "B", "rule": "x", "span": [5, 6]}
    shown = explained([{**line, "answer": "B", "correct": True}])
    assert shown.endswith("␛[31m[B]␇")


def test_of_an_open_answer_what_the_rules_saw_is_explained():
    said = "I first thought B, so it is (A) a dog.\nHmm, no, not C."
    line = {"id": "q", "prediction": said, "letter": None, "rule": "taken back", "span": None}
    line |= {"answer": "A", "correct": False, "options": ["a dog", "a cat", "a bird"]}
    _, _, _, *seen = explained([line]).splitlines()
    assert [one.split(", by")[0].strip() for one in seen] == [
        '"B" names B: denial (said not to be it)',
        '"(A) a dog" names A: cue (presented as the answer)',
        "but what follows takes it back",
        '"C" names C: denial (said not to be it)',
    ]
    assert len(explained([line], scheme="paper").splitlines()) == 3


@pytest.mark.parametrize(
    "said",
    ["B", "bow", "It is B.", "He may bow, or wave.", "", "A or B", "He does not bow.", "Z", "Hm."],
)
def test_every_rule_and_every_reason_is_told_in_words(said):
    rule = extract_choice(said, ["wave", "bow"]).rule
    assert meaning_of(rule), rule
    assert all(map(meaning_of, RULES))


def test_samples_of_lmms_eval_are_scored_by_themselves():
    sample = {
        "doc_id": 7,
        "target": "B",
        "filtered_resps": [["B. blue"]],
        "input": "Pick one.\nWhich hat?\nA. red\nB. blue\nThe best answer is:",
    }
    rows, said = read_sheet([sample, sample | {"doc_id": 8}], "samples.jsonl")
    assert [(row["options"], row["answer"]) for row in rows] == [(["red", "blue"], "B")] * 2
    assert list(said.values()) == ["B. blue", "B. blue"]


def test_the_page_of_scores_marks_what_decided(tmp_path):
    path = written("multi-choice", tmp_path / "some.json")
    run, _ = open_predictions(path, rows_of("multi-choice"), out=tmp_path / "run")
    score(run)
    page = report([run], format="html")
    assert "<mark>" in page and "2 of 2 answers" in page


def test_logs_of_lmms_eval_and_vlmevalkit_are_read(tmp_path):
    rows = [
        Question(
            id="example/7",
            source="example",
            video="clip7.mp4",
            question="Which kite?",
            options=("red", "blue"),
            answer="B",
            category="x",
            style="choice",
            official={"question_id": "7", "video": "clip7.mp4"},
        ).row(None, SampleSpec())
    ]
    benchmark = Dataset.from_list(rows, features=features(Frames()))
    table = tmp_path / "Example_set.tsv"
    table.write_text(
        "index\tvideo\tquestion\tcandidates\tprediction\n0\tclip7\tWhich kite?\t['red', 'blue']\t(B) blue\n"
    )
    first = tmp_path / "example.json"
    logs = [{"doc_id": 0, "doc": {"question_id": "7"}, "filtered_resps": ["B"]}]
    first.write_text(json.dumps({"args": {}, "model_configs": {}, "logs": logs}))
    lines = tmp_path / "1_samples_example.jsonl"
    lines.write_text(json.dumps({"doc_id": 0, "filtered_resps": "B", "x": {"question_id": "7"}}))
    for i, path in enumerate((table, first, lines)):
        scores = score(path, benchmark=benchmark, out=tmp_path / f"run{i}")
        assert (scores["accuracy"], scores["n"]) == (1.0, 1)
