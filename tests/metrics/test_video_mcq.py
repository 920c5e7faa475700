"""`evaluate.load("t2vid/video_mcq")`: every row in the denominator, from any folder and by any route."""

from __future__ import annotations

from pathlib import Path

import evaluate
import numpy as np
import pandas as pd
import pytest
from datasets.arrow_writer import ArrowWriter
from hypothesis import given, settings
from hypothesis import strategies as st

import t2vid.metrics.video_mcq as package
from marks import OF_EVALUATE

pytestmark = [pytest.mark.usefixtures("empty_folder"), *OF_EVALUATE]
OPTIONS = ["a red fox", "a grey heron", "a brown bear"]


@pytest.fixture
def metric():
    return evaluate.load("t2vid/video_mcq")


@pytest.fixture
def full():
    return evaluate.load("t2vid/video_mcq", "full")


def test_name_folder_and_file_give_the_same_scores(metric):
    folder = Path(package.__file__).parent
    rows = {"predictions": ["(B)", "A man."], "references": ["B", "A"]}
    scores = metric.compute(**rows)
    assert scores["accuracy"] == 0.5 and scores["n"] == 2
    for route in (folder, folder / "video_mcq.py"):
        assert evaluate.load(str(route)).compute(**rows) == scores


def test_answers_that_name_nothing_are_wrong_and_counted(metric):
    scores = metric.compute(predictions=["B", None, "", "A man walks."], references=list("BBBA"))
    assert scores["accuracy"] == 0.25 and scores["n"] == 4
    assert scores["unanswered"] == 3
    assert sum(scores["decided_by"].values()) == 4


def test_no_rows_give_no_accuracy_and_no_error(metric):
    scores = metric.compute(predictions=[], references=[])
    assert (scores["accuracy"], scores["macro_accuracy"], scores["n"]) == (None, None, 0)


def test_references_are_letters_places_or_texts(full):
    scores = full.compute(
        predictions=["B"] * 5,
        references=["B", 1, "a grey heron", "(B) a grey heron", "1"],
        options=[OPTIONS] * 5,
    )
    assert scores["accuracy"] == 1 and scores["bad_references"] == 0
    with pytest.raises(ValueError, match="reference -1"):
        full.compute(predictions=["B"], references=[-1], options=[OPTIONS])


def test_numbers_of_any_kind_are_places_and_what_is_missing_is_empty(metric, full):
    kinds = [1, np.int64(1), np.int8(1), 1.0, np.float32(1), np.array([1])[0]]
    rows = {"predictions": kinds, "references": kinds[::-1]}
    assert metric.compute(**rows)["accuracy"] == 1
    assert full.compute(**rows, options=[OPTIONS] * 6)["accuracy"] == 1
    texts = full.compute(predictions=[3, 1], references=["3", "B"], options=[[1, 3, 2]] * 2)
    assert texts["accuracy"] == 0.5  # 3 is an option's text there, and so is 1
    empty = metric.compute(predictions=[None, float("nan"), pd.NA], references=list("ABC"))
    assert (empty["accuracy"], empty["unanswered"]) == (0, 3)


@pytest.mark.parametrize("reference", ["Z", 7, "7", "a white goose", None, float("nan"), True])
def test_a_reference_that_no_option_has_is_counted_as_bad(full, reference):
    scores = full.compute(predictions=["A"], references=[reference], options=[OPTIONS])
    assert (scores["accuracy"], scores["bad_references"]) == (0, 1)


def test_an_option_that_reads_like_the_right_one_is_right(full):
    rows = {"predictions": ["B"], "references": ["A"], "options": [["x", "x", "y"]]}
    assert full.compute(**rows)["accuracy"] == 1
    assert full.compute(**rows, scheme="paper")["accuracy"] == 0


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"references": None}, "references= is missing"),
        ({"predictions": None}, "predictions= is missing"),
        ({"seed": -1}, "seed .-1."),
        ({"resamples": 1.5}, "resamples .1.5."),
        ({"confidence": "0.9"}, "confidence .'0.9'."),
        ({"references": [26]}, "reference 26"),
        ({"predictions": [-1]}, "prediction -1"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(metric, given, says):
    with pytest.raises(ValueError, match=says):
        metric.compute(**{"predictions": ["A"], "references": ["A"], **given})


def test_more_options_than_letters_are_refused(full):
    with pytest.raises(ValueError, match="27 options"):
        full.compute(predictions=["A"], references=["A"], options=[[str(n) for n in range(27)]])


def test_a_reference_that_is_an_option_text_is_that_option(full):
    scores = full.compute(predictions=["A"], references=["3"], options=[["3", "1", "0", "2"]])
    assert scores["accuracy"] == 1


@pytest.mark.parametrize(
    "options",
    [
        OPTIONS,
        dict(zip("ABC", OPTIONS, strict=True)),
        "A. a red fox\nB. a grey heron\nC. a brown bear",
    ],
)
def test_options_come_as_list_mapping_or_lettered_text(full, options):
    scores = full.compute(predictions=["the grey heron"], references=["B"], options=[options])
    assert scores["accuracy"] == 1


def test_options_as_a_plain_text_are_refused(full):
    with pytest.raises(ValueError, match="a red fox"):
        full.compute(predictions=["B"], references=["B"], options=["a red fox or a heron"])


@pytest.mark.parametrize("name", ["refs", "options", "threshold"])
def test_an_argument_the_metric_does_not_have_is_named(metric, name):
    with pytest.raises(ValueError, match=name):
        metric.compute(predictions=["A"], references=["A"], **{name: ["A"]})


def test_no_resamples_are_refused(metric):
    with pytest.raises(ValueError, match=r"resamples \(0\)"):
        metric.compute(predictions=["A"], references=["A"], resamples=0)


def test_questions_of_a_group_count_together(full):
    right = [1, 1, 0, 1, 1, 0, 1, 1]
    scores = full.compute(
        predictions=["A" if ok else "B" for ok in right],
        references=["A"] * 8,
        options=[OPTIONS] * 8,
        group=["1"] * 4 + ["2"] * 4,
        structure=[""] * 4 + ["[1, [2, 3], 4]"] * 4,
    )
    mean = (400 / 12 + 56.25) / 2
    assert scores["group_scores"] == {"all": mean, "logic": 400 / 12, "relevance": 56.25}


def test_a_judge_may_answer_in_small_letters(full):
    scores = full.compute(
        predictions=["the reddish one"],
        references=["A"],
        options=[OPTIONS],
        judge=lambda question, options, prediction: "a",
    )
    assert scores["accuracy"] == 1 and scores["decided_by"] == {"judge": 1}


def test_option_texts_categories_and_durations(full):
    scores = full.compute(
        predictions=["a grey heron", "C", "a red fox"],
        references=["B", "C", "B"],
        options=[OPTIONS] * 3,
        question=["Which?"] * 3,
        category=["animal", "animal", "order"],
        duration=["short", "long", "long"],
        id=["1", "2", "3"],
        return_rows=True,
    )
    assert scores["by_category"]["animal"]["accuracy"] == 1
    assert scores["by_duration"]["long"] == scores["by_duration"]["long"] | {
        "accuracy": 0.5,
        "n": 2,
    }
    assert scores["macro_accuracy"] == 0.5
    assert scores["confusion"]["B"] == {"B": 1, "A": 1}
    assert [row["id"] for row in scores["rows"]] == ["1", "2", "3"]


def test_batches_and_single_rows_add_up(metric):
    metric.add_batch(predictions=["A", "B"], references=["A", "C"])
    metric.add(prediction="C", reference="C")
    assert metric.compute()["accuracy"] == pytest.approx(2 / 3)


def test_single_rows_are_written_many_at_once_and_bad_ones_refused_at_once(metric, monkeypatch):
    written, write_table = [], ArrowWriter.write_table

    def counted(self, table):
        written.append(len(table))
        write_table(self, table)

    monkeypatch.setattr(ArrowWriter, "write_table", counted)
    for n in range(20_003):
        metric.add(prediction="AB"[n % 2], reference=0)
    with pytest.raises(ValueError, match="reference 99"):
        metric.add(prediction="A", reference=99)
    assert metric.compute()["n"] == 20_003
    assert written == [10_000, 10_000, 3]


def test_combined_with_another_metric(metric):
    both = evaluate.combine([metric, evaluate.load("t2vid/video_mcq")])
    assert both.compute(predictions=["A"], references=["A"])


def test_a_judge_decides_only_what_the_rules_left_open(full):
    asked = []

    def judge(question, options, prediction):
        asked.append(prediction)
        return "A"

    scores = full.compute(
        predictions=["B", "the reddish one"],
        references=["B", "A"],
        options=[OPTIONS] * 2,
        judge=judge,
    )
    assert asked == ["the reddish one"]
    assert scores["accuracy"] == 1 and scores["decided_by"]["judge"] == 1


def test_intervals_hold_the_accuracy_and_widen_with_clusters(full):
    predictions = ["A"] * 50 + ["B"] * 50
    columns = {"references": ["A"] * 100, "options": [OPTIONS] * 100}
    alone = full.compute(predictions=predictions, **columns)
    videos = [str(n // 25) for n in range(100)]
    together = full.compute(predictions=predictions, video=videos, **columns)
    for scores in (alone, together):
        assert scores["bootstrap"][0] <= scores["accuracy"] <= scores["bootstrap"][1]
        assert scores["wilson"][0] <= scores["accuracy"] <= scores["wilson"][1]
    width = [scores["bootstrap"][1] - scores["bootstrap"][0] for scores in (alone, together)]
    assert width[1] > width[0] and together["clusters"] == 4


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=30), st.sampled_from("ABCD")), min_size=1, max_size=30))
def test_every_row_has_exactly_one_judgement(rows):
    predictions, references = zip(*rows, strict=True)
    scores = evaluate.load("t2vid/video_mcq").compute(
        predictions=list(predictions), references=list(references), return_rows=True
    )
    assert len(scores["rows"]) == scores["n"] == len(rows)
    counted = sum(n for row in scores["confusion"].values() for n in row.values())
    assert counted == sum(scores["decided_by"].values()) == len(rows)


def test_a_judge_that_fails_is_counted_and_costs_no_row(full):
    def judge(question, options, prediction):
        raise RuntimeError("the server is gone")

    scores = full.compute(
        predictions=["B", "the reddish one"],
        references=["B", "A"],
        options=[OPTIONS] * 2,
        judge=judge,
    )
    assert scores["n"] == 2 and scores["accuracy"] == 0.5
    assert scores["decided_by"]["judge_error"] == 1 and scores["unanswered"] == 1


@pytest.mark.parametrize("config", ["default", "full"])
def test_memory_of_bare_letters_grows_by_bytes_a_row(config):
    import tracemalloc

    metric, peaks = evaluate.load("t2vid/video_mcq", config), []
    for n in (20_000, 60_000):
        for part in range(n // 10_000):
            rows = {"predictions": list("ABCD") * 2500, "references": list("ABDC") * 2500}
            if config == "full":
                rows |= {
                    "options": [OPTIONS + ["a white goose"]] * 10_000,
                    "category": ["x"] * 10_000,
                }
                rows["video"] = [f"video {part} {i // 3}" for i in range(10_000)]
            metric.add_batch(**rows)
        tracemalloc.start()
        assert metric.compute(resamples=50)["accuracy"] == 0.5
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert (peaks[1] - peaks[0]) / 40_000 < 200  # bytes; the answers themselves stay on disk


@pytest.mark.slow
def test_two_processes_give_one_score(tmp_path):
    import subprocess
    import sys

    script = (
        "import sys, evaluate, t2vid\n"
        "me = int(sys.argv[1])\n"
        "m = evaluate.load('t2vid/video_mcq', num_process=2, process_id=me, experiment_id='x',\n"
        "                  cache_dir=sys.argv[2])\n"
        "m.add_batch(predictions=['A', 'B'] if me else ['C'] * 3, references='AA' if me else 'CCD')\n"
        "print(m.compute())\n"
    )
    jobs = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(n), str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in (0, 1)
    ]
    outs = [job.communicate(timeout=200)[0] for job in jobs]
    assert [job.returncode for job in jobs] == [0, 0]
    assert "'accuracy': 0.6, 'n': 5" in outs[0] and outs[1].strip().endswith("None")
