"""A served model: right requests, bounded patience, and nothing lost when the server fails."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import t2vid
from benchmark_rows import make_rows
from loopback import Server
from media import read_number
from t2vid.errors import BackendError, InputError
from t2vid.evaluation import ahead
from t2vid.evaluation.backends import OpenAIBackend
from t2vid.evaluation.config import EvalConfig
from t2vid.pages.scores import report

FAST = EvalConfig(frames=2, max_new_tokens=7)


def served(server: Server, **kwargs: Any) -> OpenAIBackend:
    return OpenAIBackend("vlm", server.url, **{"wait_s": 0.01, "timeout_s": 5.0, **kwargs})


def test_the_request_holds_every_frame_losslessly_and_asks_greedily(
    server: Server, clips: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    run = t2vid.evaluate(f"openai:vlm@{server.url}", make_rows(clips[:1]), FAST, out=tmp_path)
    assert [line["prediction"] for line in run.answers()] == ["B"] * 3
    request = server.requests[0]
    assert (request["path"], request["key"]) == ("/v1/chat/completions", "Bearer secret")
    assert (request["model"], request["max_tokens"], request["temperature"]) == ("vlm", 7, 0)
    *pictures, text = request["messages"][0]["content"]
    numbers = []
    for picture in pictures:
        kind, data = picture["image_url"]["url"].split(",")
        assert kind == "data:image/png;base64"
        numbers.append(read_number(Image.open(io.BytesIO(base64.b64decode(data)))))
    assert numbers == sorted(set(numbers)) and len(numbers) == 2
    assert text["text"].endswith("directly.")
    assert "secret" not in (tmp_path / "run.json").read_text()


@pytest.mark.parametrize(
    "fault", ["429", "503", "malformed", "empty", "cut", "slow", "trickle", "reset"]
)
def test_a_fault_that_passes_is_tried_again(fault, server, clips, tmp_path):
    server.faults = [fault, fault]
    backend = served(server, timeout_s=0.3 if fault in ("slow", "trickle") else 5.0)
    run = t2vid.evaluate(backend, make_rows(clips[:1]), FAST, out=tmp_path, batch_size=1)
    assert [line["prediction"] for line in run.answers()] == ["B"] * 3
    assert len(server.requests) == 5


def told(message: dict[str, Any], finish: str = "stop") -> dict[str, Any]:
    return {"choices": [{"message": {"role": "assistant", **message}, "finish_reason": finish}]}


def test_what_ends_early_or_is_refused_is_told_and_never_taken_for_an_answer(
    server, clips, tmp_path
):
    said = [
        told({"content": "B", "reasoning_content": "A? No, it is B."}),
        told({"content": None, "reasoning_content": "Is it A, or"}, "length"),
        told({"content": None, "refusal": "I cannot help with that."}),
        told({"content": [{"type": "thinking", "thinking": "A"}, {"type": "text", "text": "B"}]}),
        told({"content": "The clip shows"}, "length"),
        told({"content": ""}, "content_filter"),
    ]
    order = iter(said)
    server.say = lambda request: next(order)
    rows = make_rows(clips[:2], answer="B", options=("a cup", "a dog"))
    run = t2vid.evaluate(served(server), rows, FAST, out=tmp_path, batch_size=1)
    lines = run.answers()
    assert [line["prediction"] for line in lines] == [
        "B",
        "",
        "I cannot help with that.",
        "B",
        "The clip shows",
        "",
    ]
    ends = [line.get("finish") for line in lines]
    assert ends == [None, "length", None, None, "length", "content_filter"]
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert (scores["n"], scores["accuracy"]) == (6, 2 / 6)
    assert scores["unfinished"] == {"length": 2, "content_filter": 1}
    assert "ended 2 answers before a letter (length); raise max_new_tokens" in report([run])


def test_an_error_that_comes_as_an_answer_is_tried_again_and_told_in_its_words(
    server, clips, tmp_path
):
    server.say = lambda request: {"error": {"message": "no worker is free", "code": 502}}
    with pytest.raises(BackendError, match="no worker is free"):
        t2vid.evaluate(served(server, retries=1), make_rows(clips[:1]), FAST, out=tmp_path)
    assert len(server.requests) == 2 * 3


def test_a_refused_question_is_counted_and_the_others_go_on(server, clips, tmp_path):
    server.faults = ["400"]
    run = t2vid.evaluate(served(server), make_rows(clips[:1]), FAST, out=tmp_path, batch_size=1)
    lines = run.answers()
    assert [line["prediction"] for line in lines] == ["", "B", "B"] and "400" in lines[0]["error"]
    assert json.loads((tmp_path / "scores.json").read_text())["errors"] == 1


def test_a_server_that_keeps_failing_stops_the_run_and_keeps_the_answers(server, clips, tmp_path):
    rows = make_rows(clips[:1], 9)
    server.faults = ["", *["500"] * 3 * 5]
    backend = served(server, retries=2)
    with pytest.raises(BackendError, match="5 questions in a row .*3 tries"):
        t2vid.evaluate(backend, rows, FAST, out=tmp_path, batch_size=1)
    lines = [json.loads(x) for x in (tmp_path / "answers.jsonl").read_text().splitlines()]
    assert [line["prediction"] for line in lines] == ["B", *[""] * 5]
    assert len(server.requests) == 16
    run = t2vid.evaluate(backend, rows, FAST, out=tmp_path, batch_size=1)
    assert [line["prediction"] for line in run.answers()] == ["B"] * 9
    assert len(server.requests) == 16 + 8


def test_a_question_on_which_the_server_breaks_is_counted_and_asked_again(server, clips, tmp_path):
    rows = make_rows(clips[:1])
    server.faults = ["500"] * 3
    run = t2vid.evaluate(served(server, retries=2), rows, FAST, out=tmp_path, batch_size=1)
    assert [line.get("failed") for line in run.answers()] == [True, None, None]
    assert json.loads((tmp_path / "scores.json").read_text())["errors"] == 1
    t2vid.evaluate(served(server), rows, FAST, out=tmp_path)
    assert json.loads((tmp_path / "scores.json").read_text())["errors"] == 0
    assert len(server.requests) == 6


def test_an_answer_that_a_vendor_sends_in_parts_is_one_text(server, clips, tmp_path):
    parts = [{"type": "text", "text": "The answer is "}, {"type": "text", "text": "B."}]
    server.say = lambda _: parts
    run = t2vid.evaluate(served(server), make_rows(clips[:1]), FAST, out=tmp_path)
    assert run.answers()[0]["prediction"] == "The answer is B."


def test_a_begun_answer_is_sent_as_an_open_turn(server, clips, tmp_path):
    how = FAST.replace(prefill="Best option:(")
    run = t2vid.evaluate(served(server), make_rows(clips[:1]), how, out=tmp_path)
    assert server.requests[0]["messages"][-1] == {"role": "assistant", "content": "Best option:("}
    assert server.requests[0]["continue_final_message"] is True
    assert run.answers()[0]["prediction"] == "Best option:(B"


def test_a_wrong_key_is_not_tried_again(server, clips, tmp_path):
    server.faults = ["401"] * 9
    with pytest.raises(BackendError, match="401"):
        t2vid.evaluate(served(server), make_rows(clips[:1]), FAST, out=tmp_path, batch_size=1)
    assert len(server.requests) == 1


def test_no_server_is_one_clear_error(clips, tmp_path):
    backend = OpenAIBackend("vlm", "http://127.0.0.1:9/v1", retries=1, wait_s=0.01)
    with pytest.raises(BackendError, match="run the same command again"):
        t2vid.evaluate(backend, make_rows(clips[:1]), FAST, out=tmp_path)


def asked_about(request: dict[str, Any]) -> str:
    return request["messages"][0]["content"][-1]["text"].partition("?")[0]


def test_answers_are_kept_as_they_come_and_each_stays_with_its_question(server, clips, tmp_path):
    server.say, server.faults = asked_about, ["slow"]
    run = t2vid.evaluate(served(server), make_rows(clips[:2]), FAST, out=tmp_path, batch_size=2)
    lines = [json.loads(x) for x in (tmp_path / "answers.jsonl").read_text().splitlines()]
    assert all(line["prediction"] == line["question"].rstrip("?") for line in lines)
    assert (
        len(run.answers()) == len(lines) == 6 and server.most == 2
    )  # never more under way than was said


def test_while_one_answer_is_slow_the_others_go_on(server, clips, tmp_path):
    server.faults = ["slow"]
    t2vid.evaluate(served(server), make_rows(clips[:1], 4), FAST, out=tmp_path, batch_size=2)
    lines = [json.loads(x) for x in (tmp_path / "answers.jsonl").read_text().splitlines()]
    slow = asked_about(server.requests[0])
    assert lines[-1]["question"].startswith(slow) and len(lines) == 4


def test_when_the_server_fails_what_was_under_way_is_kept(server, clips, tmp_path):
    server.faults = ["slow", *["500"] * 99]
    with pytest.raises(BackendError, match="2 tries"):
        t2vid.evaluate(
            served(server, retries=1), make_rows(clips[:1], 20), FAST, out=tmp_path, batch_size=2
        )
    kept = [json.loads(x) for x in (tmp_path / "answers.jsonl").read_text().splitlines()]
    answered = {line["question"].rstrip("?") for line in kept if line["prediction"]}
    assert answered == {asked_about(server.requests[0])}


def test_after_a_failure_nothing_more_is_decoded(server, clips, tmp_path, monkeypatch):
    opened, decode = [], ahead.sample_video
    monkeypatch.setattr(ahead, "sample_video", lambda *a: opened.append(1) or decode(*a))
    server.faults = ["401"] * 99
    rows = make_rows(clips * 6, 1)
    rows = [{**row, "id": f"{n}"} for n, row in enumerate(rows)]
    for n, row in enumerate(rows):  # a video each
        row["images"] = {**row["images"], "spec": f'{{"start_s": 0.{n:03d}}}'}
    with pytest.raises(BackendError):
        t2vid.evaluate(served(server), rows, FAST, out=tmp_path, batch_size=1)
    assert len(opened) < 9 < len(rows)


def test_tokens_and_costs_are_counted(server, clips, tmp_path):
    server.usage = {"prompt_tokens": 1000, "completion_tokens": 10, "details": None}
    backend = served(server, usd_per_million=(2.5, 10.0))
    run = t2vid.evaluate(backend, make_rows(clips[:1]), FAST, out=tmp_path)
    spent = json.loads((tmp_path / "scores.json").read_text())["usage"]
    assert (spent["prompt_tokens"], spent["completion_tokens"]) == (3000, 30)
    assert spent["usd"] == pytest.approx(3 * (1000 * 2.5 + 10 * 10) / 1e6)
    cost = report([run]).split("### Cost")[1]
    assert "3,000" in cost and "0.0078" in cost
    server.usage = {"prompt_tokens": "many"}
    run = t2vid.evaluate(served(server), make_rows(clips[:1]), FAST, out=tmp_path / "bad")
    assert not any("usage" in line for line in run.answers())


def test_a_whole_file_is_sent_as_it_is_and_nothing_is_decoded(server, clips, tmp_path, monkeypatch):
    monkeypatch.setattr(ahead, "sample_video", lambda *_: pytest.fail("decoded"))
    model = f"openai-file:vlm@{server.url}"
    rows = make_rows(clips[:1])
    run = t2vid.evaluate(model, rows, FAST, out=tmp_path / "file")
    video, text = server.requests[0]["messages"][0]["content"]
    kind, data = video["video_url"]["url"].split(",")
    assert kind == "data:video/mp4;base64" and base64.b64decode(data) == clips[0].read_bytes()
    assert text["type"] == "text" and "whole files" in run.header["model_identity"]
    parts = make_rows(clips[:1], start_s=1.0)
    with pytest.raises(InputError, match=r"1 to inf s .* send frames"):
        t2vid.evaluate(model, parts, FAST, out=tmp_path / "part")
    t2vid.evaluate(model, parts, FAST.replace(bounds=False), out=tmp_path / "whole")
    with pytest.raises(InputError, match="'shuffled'"):
        t2vid.evaluate(model, rows, FAST.replace(control="shuffled"), out=tmp_path / "no")
    with pytest.raises(InputError, match="in this process"):
        t2vid.evaluate(model, rows, FAST.replace(answering="letters"), out=tmp_path / "no")
