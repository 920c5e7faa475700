"""A model that fails: on one question it is counted and asked again, on all of them it is one error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import t2vid
from benchmark_rows import make_rows
from t2vid.errors import BackendError, InputError
from t2vid.evaluation.backends import FunctionBackend, TransformersBackend
from t2vid.evaluation.config import EvalConfig
from t2vid.evaluation.runs import Run
from t2vid.models.tiny import tiny_idefics3

FAST = EvalConfig(frames=2, max_new_tokens=3)


def scores(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "scores.json").read_text())


def fails_on(*ids: str, error: Any) -> FunctionBackend:
    def model(ask: Any) -> Any:
        if ask.key[0] not in ids:
            return ask.line["answer"]
        if isinstance(error, Exception):
            raise error
        return error

    return FunctionBackend(model, name="mine")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("no such token"), "ValueError: no such token"),
        (MemoryError(), "MemoryError: "),
        (None, "TypeError: the function mine gave None (NoneType), which is no text"),
        (["A"], "TypeError: the function mine gave ['A'] (list), which is no text"),
        (2, "TypeError: the function mine gave 2 (int), which is no text"),
    ],
)
def test_one_failure_is_counted_by_its_error_and_the_next_run_asks_that_question_alone(
    error, told, clips, tmp_path, caplog
):
    rows = make_rows(clips)
    bad = rows[4]["id"]
    t2vid.evaluate(fails_on(bad, error=error), rows, FAST, out=tmp_path, batch_size=4)
    lines = {line["id"]: line for line in Run.read(tmp_path).answers()}
    assert lines[bad]["error"] == told and lines[bad]["prediction"] == ""
    assert sum("error" in line for line in lines.values()) == 1
    figures = scores(tmp_path)
    assert (figures["n"], figures["errors"]) == (12, 1)
    assert figures["missing"]["why"] == {told.partition(":")[0]: 1}
    assert figures["accuracy"] == pytest.approx(11 / 12)
    assert "failed on 1 of 12 questions" in caplog.text
    asked: list[str] = []
    again = FunctionBackend(lambda ask: asked.append(ask.key[0]) or ask.line["answer"], name="mine")
    t2vid.evaluate(again, rows, FAST, out=tmp_path)
    assert asked == [bad] and scores(tmp_path)["accuracy"] == 1


def test_a_model_that_fails_on_the_first_questions_stops_with_one_error(clips, tmp_path):
    rows, asked = make_rows(clips, 9), []

    def model(ask: Any) -> str:
        asked.append(ask.key)
        raise KeyError("pixel_values")

    with pytest.raises(BackendError, match=r"model failed on 6 questions in a row \(KeyError") as e:
        t2vid.evaluate(model, rows, FAST, out=tmp_path, batch_size=3)
    assert isinstance(e.value.__cause__, KeyError) and len(asked) == 6
    assert "\n" not in str(e.value) and not (tmp_path / "scores.json").exists()


def test_a_model_that_fails_on_every_one_of_a_few_questions_gives_no_score(clips, tmp_path):
    rows = make_rows(clips[:1])
    with pytest.raises(BackendError, match="3 questions in a row"):
        t2vid.evaluate(fails_on(*(r["id"] for r in rows), error=None), rows, FAST, out=tmp_path)
    t2vid.evaluate(lambda ask: "A", rows, FAST, out=tmp_path / "2")
    # an empty answer is an answer that names nothing
    t2vid.evaluate(lambda ask: "", rows, FAST, out=tmp_path / "3")
    assert (scores(tmp_path / "3")["errors"], scores(tmp_path / "3")["accuracy"]) == (0, 0)


def test_a_batch_that_fails_in_this_process_is_asked_one_by_one(clips, tmp_path, monkeypatch):
    model, processor = tiny_idefics3(["What is number one of clip two? A cup."])
    backend, rows = TransformersBackend(model, processor), make_rows(clips[:2])
    plain = t2vid.evaluate(backend, rows, FAST, out=tmp_path / "plain", batch_size=4)
    answer = TransformersBackend.answer

    def breaks(self: Any, prepared: Any, protocol: Any) -> Any:
        if any(one.row.id == rows[1]["id"] for one in prepared):
            raise RuntimeError("CUDA out of memory")
        return answer(self, prepared, protocol)

    monkeypatch.setattr(TransformersBackend, "answer", breaks)
    run = t2vid.evaluate(backend, rows, FAST, out=tmp_path / "run", batch_size=4)
    said = {line["id"]: line["prediction"] for line in plain.answers()}
    for line in run.answers():
        if line["id"] == rows[1]["id"]:
            assert line["error"] == "RuntimeError: CUDA out of memory" and line["failed"]
        else:
            assert line["prediction"] == said[line["id"]] and "error" not in line


def test_a_question_that_cannot_be_prepared_fails_alone(clips, tmp_path):
    class Mine(FunctionBackend):
        def prepare(self, ask: Any) -> Any:
            return ask if ask.key[0] != "mvbench/0-1" else {}["no such column"]

    run = t2vid.evaluate(Mine(lambda ask: "A"), make_rows(clips), FAST, out=tmp_path)
    assert [x["id"] for x in run.answers() if x.get("failed")] == ["mvbench/0-1"]


def test_a_back_end_that_gives_too_few_answers_is_refused(clips, tmp_path):
    class Short(FunctionBackend):
        def answer(self, prepared: Any, protocol: Any) -> Any:
            return ["A"] * (len(prepared) - 1)

    with pytest.raises(InputError, match="short gave 2 answers to 3 questions"):
        t2vid.evaluate(
            Short(lambda ask: "A", name="short"), make_rows(clips[:1]), FAST, out=tmp_path
        )


def test_a_stream_that_breaks_is_one_error_and_what_came_is_kept(clips, tmp_path):
    class Broken(FunctionBackend):
        def stream(self, prepared: Any, protocol: Any, *, in_flight: int) -> Any:
            key, _ = next(iter(prepared))
            yield key, "A"
            raise OSError("connection reset")

    with pytest.raises(BackendError, match="OSError: connection reset"):
        t2vid.evaluate(Broken(lambda ask: "A"), make_rows(clips[:1]), FAST, out=tmp_path)
    assert [line["prediction"] for line in Run.read(tmp_path).answers()] == ["A"]


def test_a_bad_video_says_nothing_about_the_model(clips, tmp_path):
    rows = make_rows([*[Path(f"gone-{n}.mp4") for n in range(7)], clips[0]], 1)
    run = t2vid.evaluate(lambda ask: "A", rows, FAST, out=tmp_path, batch_size=1)
    assert sum("error" in line for line in run.answers()) == 7
    assert not any(line.get("failed") for line in run.answers())
