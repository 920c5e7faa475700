"""What `evaluate` promises: nothing asked twice, nothing lost, nothing mixed, no row left out."""

from __future__ import annotations

import collections
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import t2vid
from benchmark_rows import make_rows
from media import make_clip
from t2vid.errors import InputError, RecordError
from t2vid.evaluation import ahead as running
from t2vid.evaluation.asking import Ask
from t2vid.evaluation.backends import FunctionBackend, TransformersBackend
from t2vid.evaluation.config import EvalConfig
from t2vid.evaluation.report import compare_tables
from t2vid.evaluation.runs import Run
from t2vid.models.tiny import tiny_idefics3

FAST = EvalConfig(frames=4, max_new_tokens=3)


def right(ask: Ask) -> str:
    return f"The answer is {ask.line['answer']}."


def scores(run: Run) -> dict[str, Any]:
    return json.loads((run.folder / "scores.json").read_text())


def test_a_tiny_model_answers_and_is_scored_over_every_row(clips, tmp_path):
    model, processor = tiny_idefics3(["What is number one of clip two? A cup."])
    run = t2vid.evaluate(
        model, make_rows(clips), FAST, out=tmp_path, processor=processor, batch_size=5
    )
    lines = run.answers()
    assert len(lines) == 12 and {line["n_frames"] for line in lines} == {2, 3, 4}
    figures = scores(run)
    assert figures["n"] == 12 and figures["protocol_hash"] == FAST.hash
    judged = [json.loads(line) for line in (tmp_path / "judged.jsonl").read_text().splitlines()]
    assert sum(line["correct"] for line in judged) == figures["accuracy"] * 12
    alone = t2vid.evaluate(
        model, make_rows(clips), FAST, out=tmp_path / "1", processor=processor, batch_size=1
    )
    texts = [{x["id"]: x["prediction"] for x in r.answers()} for r in (run, alone)]
    assert texts[0] == texts[1]


def test_a_video_is_decoded_once_for_all_its_questions(clips, tmp_path, monkeypatch):
    opened = collections.Counter()
    decode = running.sample_video

    def counted(source, spec):
        opened[source] += 1
        return decode(source, spec)

    monkeypatch.setattr(running, "sample_video", counted)
    t2vid.evaluate(right, make_rows(clips), FAST, out=tmp_path, batch_size=2)
    assert set(opened.values()) == {1} and len(opened) == 4


def test_a_second_run_asks_nothing_and_a_longer_one_only_the_rest(clips, tmp_path):
    asked = []
    backend = FunctionBackend(lambda ask: asked.append(ask.key) or "A", name="counting")
    t2vid.evaluate(backend, make_rows(clips), FAST, out=tmp_path, limit=5)
    assert len(asked) == 5
    t2vid.evaluate(backend, make_rows(clips), FAST, out=tmp_path)
    t2vid.evaluate(backend, make_rows(clips), FAST, out=tmp_path)
    assert len(asked) == len(set(asked)) == 12


KILLED = """
import os, signal, sys
sys.path[:0] = [{path!r}]
from pathlib import Path
import t2vid
from benchmark_rows import make_rows
from t2vid.evaluation.backends import FunctionBackend, TransformersBackend
from t2vid.evaluation.config import EvalConfig

calls = 0
def answer(ask):
    global calls
    calls += 1
    if calls == 10:
        os.kill(os.getpid(), signal.SIGKILL)
    return "The answer is " + ask.line["answer"] + "."

rows = make_rows([Path(path) for path in {clips!r}])
protocol = EvalConfig(frames=4, max_new_tokens=3)
t2vid.evaluate(FunctionBackend(answer, name="same"), rows, protocol, out={out!r}, batch_size=4)
"""


def test_a_kill_costs_at_most_one_batch_and_resume_equals_uninterrupted(clips, tmp_path):
    code = KILLED.format(
        path=str(Path(__file__).parents[1]),
        clips=[str(clip) for clip in clips],
        out=str(tmp_path / "killed"),
    )
    died = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert died.returncode == -9, died.stderr
    assert len(Run.read(tmp_path / "killed").answers()) == 8  # two batches of four
    asked: list[str] = []
    backend = FunctionBackend(lambda ask: asked.append(ask.key[0]) or right(ask), name="same")
    first = t2vid.evaluate(backend, make_rows(clips), FAST, out=tmp_path / "killed", batch_size=4)
    assert len(asked) == 4
    second = t2vid.evaluate(backend, make_rows(clips), FAST, out=tmp_path / "whole", batch_size=4)
    by_id = [{line["id"]: line for line in run.answers()} for run in (first, second)]
    assert by_id[0] == by_id[1] and len(by_id[0]) == 12 and scores(first)["accuracy"] == 1.0


def test_a_torn_last_line_is_asked_again_and_a_broken_one_is_an_error(clips, tmp_path):
    rows = make_rows(clips)
    t2vid.evaluate(right, rows, FAST, out=tmp_path)
    path = tmp_path / "answers.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    assert len(Run.read(tmp_path).answers()) == 11
    run = t2vid.evaluate(right, rows, FAST, out=tmp_path)
    assert len(run.answers()) == 12 and scores(run)["accuracy"] == 1.0
    path.write_bytes(whole.replace(b'"id"', b'"id', 1))
    with pytest.raises(RecordError, match="line 1"):
        run.answers()


def test_protocols_models_and_benchmarks_never_mix(clips, tmp_path):
    rows = make_rows(clips)
    t2vid.evaluate(right, rows, FAST, out=tmp_path)
    with pytest.raises(InputError, match="asking_hash"):
        t2vid.evaluate(right, rows, FAST.replace(frames=3), out=tmp_path)
    with pytest.raises(InputError, match="model"):
        t2vid.evaluate(FunctionBackend(right, name="other"), rows, FAST, out=tmp_path)
    edited = [{**rows[0], "question": "Something else?"}, *rows[1:]]
    with pytest.raises(InputError, match="another question"):
        t2vid.evaluate(right, edited, FAST, out=tmp_path)
    other = t2vid.evaluate(right, rows, FAST.replace(frames=3), out=tmp_path / "other")
    with open(tmp_path / "answers.jsonl", "a") as file:
        file.write((other.folder / "answers.jsonl").read_text())
    with pytest.raises(InputError, match="copied together"):
        Run.read(tmp_path).answers()


def test_two_processes_do_not_write_one_file(clips, tmp_path):
    run = t2vid.evaluate(right, make_rows(clips), FAST, out=tmp_path)
    with run.writer(), pytest.raises(InputError, match="another process"), run.writer():
        pass


def test_several_processes_share_the_videos_and_lose_none(clips, tmp_path, monkeypatch):
    rows = make_rows(clips)
    monkeypatch.setenv("WORLD_SIZE", "3")
    for rank in (0, 1, 2):
        monkeypatch.setenv("RANK", str(rank))
        t2vid.evaluate(right, rows, FAST, out=tmp_path)
    assert len(list(tmp_path.glob("answers*.jsonl"))) == 3
    monkeypatch.setenv("WORLD_SIZE", "1")
    monkeypatch.setenv("RANK", "0")
    run = t2vid.evaluate(right, rows, FAST, out=tmp_path)
    assert len(run.answers()) == 12 and scores(run)["accuracy"] == 1.0


def test_a_bad_video_counts_as_wrong_and_can_be_asked_again(clips, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video at all")
    rows = make_rows([clips[0], broken])
    run = t2vid.evaluate(right, rows, FAST, out=tmp_path / "run")
    figures = scores(run)
    assert (figures["n"], figures["errors"], figures["accuracy"]) == (6, 3, 0.5)
    assert sum("BadVideo" in line.get("error", "") for line in run.answers()) == 3
    broken.write_bytes(clips[1].read_bytes())
    run = t2vid.evaluate(right, rows, FAST, out=tmp_path / "run", retry_errors=True)
    assert (scores(run)["errors"], scores(run)["accuracy"]) == (0, 1.0)


def test_a_process_that_starts_later_takes_its_own_share(clips, tmp_path, monkeypatch):
    """What others have answered by then must not move the shares."""
    rows = make_rows(clips)
    monkeypatch.setenv("WORLD_SIZE", "2")
    for rank in (0, 1):
        monkeypatch.setenv("RANK", str(rank))
        t2vid.evaluate(right, rows, FAST, out=tmp_path)
    files = [path.read_text().splitlines() for path in sorted(tmp_path.glob("answers*.jsonl"))]
    assert [len(lines) for lines in files] == [6, 6]


def test_many_threads_prepare_what_one_does(clips, tmp_path):
    model, processor = tiny_idefics3(["What is number one of clip two? A cup."])
    rows = make_rows(clips, per_clip=12)
    local = TransformersBackend(model, processor)
    runs = [
        t2vid.evaluate(local, rows, FAST, out=tmp_path / str(n), batch_size=24, workers=n)
        for n in (1, 8)
    ]
    said = [{line["id"]: line["prediction"] for line in run.answers()} for run in runs]
    assert said[0] == said[1] and len(said[0]) == 48
    clock = runs[1].clock()
    assert clock["questions"] == 48 and 0 < clock["waited_s"] < clock["seconds"]


def test_letters_are_chosen_by_one_forward_pass_and_never_fall_outside_the_options(clips, tmp_path):
    model, processor = tiny_idefics3(["A B C D yes no What is number one of clip two?"])
    rows, passes = make_rows(clips), []
    model.register_forward_hook(lambda *_: passes.append(1))
    how = FAST.replace(answering="letters", prompt="{question}\n{options}")
    run = t2vid.evaluate(model, rows, how, out=tmp_path, processor=processor, batch_size=4)
    assert len(passes) == 3  # of four questions each
    lines = run.answers()
    assert all(line["prediction"] in "ABC"[: len(line["options"])] for line in lines)
    assert scores(run)["unanswered"] == 0
    alone = t2vid.evaluate(model, rows, how, out=tmp_path / "1", processor=processor, batch_size=1)
    assert [x["prediction"] for x in alone.answers()] == [
        {line["id"]: line["prediction"] for line in lines}[x["id"]] for x in alone.answers()
    ]


def test_circular_asks_every_rotation_and_a_constant_letter_gains_nothing(clips, tmp_path):
    rows = make_rows(clips)
    how = FAST.replace(circular=True)
    run = t2vid.evaluate(lambda ask: "A", rows, how, out=tmp_path / "a")
    assert len(run.answers()) == sum(len(row["options"]) for row in rows)
    assert scores(run)["circular"]["circular_accuracy"] == 0 and scores(run)["n"] == 12
    run = t2vid.evaluate(right, rows, how, out=tmp_path / "right")
    assert scores(run)["circular"]["circular_accuracy"] == 1.0


def test_the_grid_is_one_picture_in_reading_order(clips, tmp_path):
    asks: list[Ask] = []
    keep = FunctionBackend(lambda ask: asks.append(ask) or "A")
    t2vid.evaluate(keep, make_rows(clips[3:]), "ig-vlm", out=tmp_path)
    (picture,) = asks[0].frames
    assert picture.size == (3 * 96, 2 * 64) and "5 frames" in asks[0].prompt


def test_only_the_subtitles_at_sampled_frames_are_shown(clips, tmp_path):
    prompts: list[str] = []
    keep = FunctionBackend(lambda ask: prompts.append(ask.prompt) or "A")
    how = EvalConfig.named("video-mme-subtitles").replace(frames=1)
    t2vid.evaluate(keep, make_rows(clips[3:]), how, out=tmp_path)
    assert "second" in prompts[0] and "first" not in prompts[0]


def test_an_answer_that_is_begun_is_gone_on_with(clips, tmp_path):
    model, processor = tiny_idefics3(["What is number one? Best option:(A"])
    rows, how = make_rows(clips[:1]), FAST.replace(prefill="Best option:(")
    plain = t2vid.evaluate(model, rows, FAST, out=tmp_path / "0", processor=processor)
    begun = t2vid.evaluate(model, rows, how, out=tmp_path / "1", processor=processor)
    assert all(line["prediction"].startswith("Best option:(") for line in begun.answers())
    tails = [line["prediction"].removeprefix("Best option:(") for line in begun.answers()]
    assert tails != [line["prediction"] for line in plain.answers()]
    run = t2vid.evaluate(lambda ask: ask.line["answer"] + ") x", rows, how, out=tmp_path / "2")
    assert scores(run)["accuracy"] == 1.0


def test_slow_fast_shows_many_small_frames(clips, tmp_path):
    asks: list[Ask] = []
    keep = FunctionBackend(lambda ask: asks.append(ask) or "A")
    how = EvalConfig(strategy="slow_fast", frames=2, fast_frames=4, fast_px=48)
    t2vid.evaluate(keep, make_rows(clips[3:]), how, out=tmp_path / "ok")
    assert [f.size for f in asks[0].frames] == [(96, 64)] * 2 + [(48, 32)] * 4


def test_small_frames_share_a_picture_where_every_frame_is_brought_to_one_size(clips, tmp_path):
    model, processor = tiny_idefics3(["Why?"])
    local = TransformersBackend(model, processor)
    how = EvalConfig(
        strategy="slow_fast",
        frames=2,
        fast_frames=5,
        fast_px=local.frame_edge // 2,
        max_new_tokens=2,
    )
    run = t2vid.evaluate(local, make_rows(clips[3:]), how, out=tmp_path / "ok")
    line = run.answers()[0]
    plain = t2vid.evaluate(
        local, make_rows(clips[3:]), how.replace(strategy="frames", frames=4), out=tmp_path / "4"
    )
    assert "5 frames of the video in small, 2 a row" in line["prompt"]
    text = 4 * len("The last pictures show 5 frames")  # at most: the hint in front of the question
    grown = line["usage"]["prompt_tokens"] - plain.answers()[0]["usage"]["prompt_tokens"]
    assert 0 <= grown < text  # two slow frames and two sheets: as many pictures as four frames
    with pytest.raises(InputError, match="slow_fast"):
        t2vid.evaluate(local, make_rows(clips), how.replace(fast_px=999), out=tmp_path / "no")


@pytest.mark.slow
def test_qwen_sees_slow_frames_large_and_fast_frames_at_four_by_four_tokens(clips, tmp_path):
    """SlowFast-LLaVA's fast frames have 4 x 4 tokens; Qwen-VL makes one of 28 x 28 pixels."""
    from tiny_families import qwen2_5_vl

    model, processor = qwen2_5_vl(["What is number one? A. x B. y"])
    wide = make_clip(tmp_path / "wide.mp4", seconds=6, fps=5, size=(224, 224))
    how = EvalConfig.named("slow-fast").replace(frames=2, fast_frames=6, max_new_tokens=3)
    local, rows = TransformersBackend(model, processor), make_rows([wide])
    prepared = []
    keep = local.answer
    local.answer = lambda batch, protocol: prepared.extend(batch) or keep(batch, protocol)
    run = t2vid.evaluate(local, rows, how, out=tmp_path / "run")
    assert len(run.answers()) == len(rows) and not any("error" in x for x in run.answers())
    for row in (one.row for one in prepared):
        assert int((row.ids == processor.image_token_id).sum()) == 2 * 8 * 8 + 6 * 4 * 4
        grids = row.pixels["image_grid_thw"].tolist()
        assert grids == [[1, 16, 16]] * 2 + [[1, 8, 8]] * 6


def test_the_judge_is_asked_only_where_the_rules_abstain_and_its_failure_is_counted(
    clips, tmp_path
):
    asked = []

    def judge(question: str, options: list[str], prediction: str) -> str | None:
        asked.append((question, prediction))
        if "raise" in prediction:
            raise TimeoutError
        return "B"

    def say(ask: Ask) -> str:
        return ["A", "I cannot tell, hm.", "I raise my hands."][int(ask.key[0][-1])]

    run = t2vid.evaluate(say, make_rows(clips), FAST, out=tmp_path, judge=judge)
    figures = scores(run)
    assert {said for _, said in asked} == {"I cannot tell, hm.", "I raise my hands."}
    assert len(asked) == len(set(asked)) == 8
    assert figures["decided_by"] == {"letter alone": 4, "judge": 4, "judge_error": 4}
    assert figures["judge_errors"] == 4 and figures["n"] == 12
    assert figures["protocol_hash"] != FAST.hash and figures["asking_hash"] == FAST.asking_hash


def test_labels_other_than_letters_are_understood(clips, tmp_path):
    rows = make_rows(
        clips,
        style="matching",
        labels=("Caption A", "Caption B"),
        options=("It waves.", "It bows."),
        answer="B",
    )
    run = t2vid.evaluate(lambda ask: "Caption B.", rows, FAST, out=tmp_path)
    assert scores(run)["accuracy"] == 1.0 and "Caption A: It waves." in run.answers()[0]["prompt"]


def test_a_caption_is_read_by_the_judge_alone(clips, tmp_path):
    rows = make_rows(clips, style="caption", instruction="Describe it.", answer="B")
    run = t2vid.evaluate(lambda ask: "A dog. Not a cup.", rows, FAST, out=tmp_path / "none")
    assert scores(run)["unanswered"] == 12 and run.answers()[0]["prompt"] == "Describe it."
    run = t2vid.evaluate(
        lambda ask: "A dog. Not a cup.", rows, FAST, out=tmp_path / "b", judge=lambda *_: "B"
    )
    assert scores(run)["decided_by"] == {"judge": 12} and scores(run)["accuracy"] == 1.0


def test_a_judge_cannot_leave_the_options(clips, tmp_path):
    rows = make_rows(clips)
    run = t2vid.evaluate(lambda ask: "hm", rows, FAST, out=tmp_path, judge=lambda *_: "E")
    assert scores(run)["unanswered"] == scores(run)["judge_errors"] == 12


def test_what_is_no_model_is_refused(clips, tmp_path):
    rows = make_rows(clips)
    with pytest.raises(InputError, match="processor"):
        t2vid.evaluate(tiny_idefics3(["x"])[0], rows, FAST, out=tmp_path)
    with pytest.raises(InputError, match="openai:MODEL@URL"):
        t2vid.evaluate("openai:http://x", rows, FAST, out=tmp_path)

    with pytest.raises(InputError, match="twice"):
        t2vid.evaluate(right, [*rows, rows[0]], FAST, out=tmp_path)


def test_what_has_no_right_answer_is_in_no_denominator(clips, tmp_path):
    rows = [*make_rows(clips[:1]), *make_rows(clips[:1], 1, id="mvbench/hidden", answer="")]
    first = t2vid.evaluate(lambda _: "A", rows, FAST, out=tmp_path / "a")
    second = t2vid.evaluate(lambda _: "B", rows, FAST, out=tmp_path / "b")
    assert scores(first)["n"] == 3
    (whole, *_) = compare_tables([first, second])
    assert whole.rows[0][1] == 3
