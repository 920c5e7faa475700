"""A control takes away what it says and nothing else, and a model that needs it is found out."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

import t2vid
from benchmark_rows import make_rows
from media import read_number
from t2vid.errors import InputError
from t2vid.evaluation.asking import Ask
from t2vid.evaluation.backends import FunctionBackend
from t2vid.evaluation.config import CONTROLS, EvalConfig
from t2vid.evaluation.controls import contrasts, control_of, controlled_runs
from t2vid.evaluation.report import controls_of, judged_lines
from t2vid.evaluation.tables import to_markdown

BASE = EvalConfig(frames=4, subtitles=True)


def asks_under(control: str, rows: list[dict[str, Any]], out: Path, how: EvalConfig = BASE):
    asks: list[Ask] = []
    keep = FunctionBackend(lambda ask: asks.append(ask) or "A", name="looks")
    run = t2vid.evaluate(keep, rows, how.replace(control=control), out=out / control)
    return {ask.key[0]: ask for ask in asks}, run


def numbers(ask: Ask) -> list[int]:
    return [read_number(frame) for frame in ask.frames]


def test_each_control_takes_away_what_it_says(clips, tmp_path):
    rows = make_rows(clips)
    seen = {name: asks_under(name, rows, tmp_path)[0] for name in ["none", *CONTROLS]}
    for key, real in seen["none"].items():
        shown = numbers(real)
        under = {name: asks[key] for name, asks in seen.items()}
        assert len(shown) > 1 and "second" in real.prompt
        assert under["blind"].frames == [] and "subtitles" not in under["blind"].prompt
        assert [f.size for f in under["blank"].frames] and "subtitles" not in under["blank"].prompt
        assert {c for f in under["blank"].frames for _, c in f.getcolors()} == {(128, 128, 128)}
        assert len(under["blank"].frames) == len(shown)
        assert numbers(under["one"]) == [shown[len(shown) // 2]]
        assert numbers(under["reversed"]) == shown[::-1]
        assert sorted(numbers(under["shuffled"])) == shown != numbers(under["shuffled"])
        assert under["subtitles"].frames == []
        for name in ("one", "reversed", "shuffled", "subtitles"):
            assert under[name].prompt == real.prompt, name
        times = under["reversed"].line["times_s"]
        assert times == sorted(times, reverse=True) == real.line["times_s"][::-1]


def test_another_video_is_another_one_for_every_video_whatever_the_order(clips, tmp_path):
    rows = make_rows(clips)
    asks, run = asks_under("other", rows, tmp_path)
    shown = {line["video"]: line["shown_video"] for line in run.answers()}
    assert sorted(shown.values()) == sorted(shown) and all(a != b for a, b in shown.items())
    own = {row["id"]: row["video"] for row in rows}
    real = {own[key]: numbers(ask) for key, ask in asks_under("none", rows, tmp_path)[0].items()}
    assert all(numbers(ask) == real[shown[own[key]]] for key, ask in asks.items())
    again, _ = asks_under("other", rows[::-1], tmp_path / "again")
    assert {k: numbers(v) for k, v in again.items()} == {k: numbers(v) for k, v in asks.items()}
    with pytest.raises(InputError, match="has one video"):
        asks_under("other", make_rows(clips[:1]), tmp_path / "alone")


def test_shuffled_frames_stand_in_one_order_in_every_run_and_not_in_the_true_one(clips, tmp_path):
    rows = make_rows(clips[:1], per_clip=6)  # two frames: one order is left
    orders = [asks_under("shuffled", rows, tmp_path / str(n))[0] for n in range(2)]
    assert {tuple(numbers(ask)) for asks in orders for ask in asks.values()} == {
        tuple(numbers(asks_under("none", rows, tmp_path)[0][rows[0]["id"]])[::-1])
    }


def judge_of_time(ask: Ask) -> str:
    """A model that is right only where frames rise, and guesses A where there are none."""
    shown = [read_number(frame) for frame in ask.frames]
    return ask.line["answer"] if shown == sorted(shown) and len(shown) > 1 else "A"


def test_a_model_that_needs_the_order_is_told_from_one_that_does_not(clips, tmp_path):
    rows = make_rows(clips, per_clip=9)
    says = defaultdict(dict)
    models = {
        "order": judge_of_time,
        "bag": lambda ask: ask.line["answer"] if ask.frames else "A",
    }
    for name, model in models.items():
        runs = [
            t2vid.evaluate(
                FunctionBackend(model, name=name),
                rows,
                EvalConfig(frames=4, control=control),
                out=tmp_path / name / control,
            )
            for control in ("none", "blind", "shuffled", "reversed")
        ]
        ((real, controls),) = controlled_runs(runs)
        assert control_of(real) == "none" and list(controls) == ["blind", "shuffled", "reversed"]
        lines = {key: judged_lines(run) for key, run in controls.items()}
        whole, parts = contrasts(judged_lines(real), lines)
        assert {one.group for one in parts} == {"action_count", "state_change"}
        says[name] = {one.control: one.verdict for one in whole}
        text = to_markdown(controls_of(runs))
        assert f"Does {name} on mvbench use the video" in text and "loses by category" in text
    assert says["order"]["shuffled"] == "uses the order of frames"
    assert says["order"]["reversed"] == "uses the direction of time"
    assert says["bag"] == {
        "blind": "uses the video",
        "shuffled": "not shown to use the order of frames",
        "reversed": "not shown to use the direction of time",
    }


def test_a_control_stands_beside_the_run_that_was_asked_like_it(clips, tmp_path):
    rows = make_rows(clips)
    runs = [
        asks_under("none", rows, tmp_path / "4")[1],
        asks_under("none", rows, tmp_path / "2", BASE.replace(frames=2))[1],
        asks_under("one", rows, tmp_path / "2", BASE.replace(frames=2))[1],
    ]
    ((real, controls),) = controlled_runs(runs)
    assert real == runs[1] and list(controls) == ["one"]
    alone = controlled_runs([runs[0], runs[2]])  # nothing fits exactly: then any of its model
    assert [(run, list(own)) for run, own in alone] == [(runs[0], ["one"])]
