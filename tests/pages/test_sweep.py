"""A sweep is runs and a curve; a case study shows what was seen and what was said."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from PIL import Image

from benchmark_rows import make_rows
from t2vid.errors import InputError
from t2vid.evaluation.backends import FunctionBackend
from t2vid.evaluation.config import EvalConfig
from t2vid.evaluation.sweep import Point
from t2vid.models.tiny import tiny_idefics3
from t2vid.pages.cases import describe
from t2vid.pages.sweep import draw, sweep, write_sweep

FAST = EvalConfig(max_new_tokens=2)


def test_a_sweep_asks_at_each_number_of_frames_and_resumes(clips, tmp_path):
    seen: dict[int, int] = {}

    def say(ask):
        seen[len(ask.frames)] = seen.get(len(ask.frames), 0) + 1
        return ask.line["answer"] if len(ask.frames) > 2 else "?"

    model = FunctionBackend(say, name="sees more")
    rows = make_rows(clips[2:])  # four and five frames
    points = sweep(model, rows, FAST, out=tmp_path, frames=[4, 1, 2])
    assert [(p.frames, p.value, p.n) for p in points] == [(1, 0, 6), (2, 0, 6), (4, 100, 6)]
    assert seen == {1: 6, 2: 6, 4: 6}
    assert sweep(model, rows, FAST, out=tmp_path, frames=[4, 1, 2]) == points
    assert seen == {1: 6, 2: 6, 4: 6}
    assert json.loads((tmp_path / "sweep.json").read_text())["points"][2]["value"] == 100
    page = (tmp_path / "sweep.html").read_text()
    assert "<polyline" in page and "http" not in page
    with pytest.raises(InputError, match="frames"):
        sweep(model, rows, FAST, out=tmp_path, frames=[])


def test_sizes_and_prompts_are_curves_of_their_own_with_what_each_point_costs(clips, tmp_path):
    asks: list[Any] = []
    model = FunctionBackend(lambda ask: asks.append(ask) or ask.line["answer"], name="m")
    rows = make_rows(clips[2:])
    prompts = ["t2vid", "mvbench"]
    points = sweep(
        model, rows, FAST, out=tmp_path, frames=[1, 2], sizes=["32", 48], prompts=prompts
    )
    shown = {(len(ask.frames), max(ask.frames[0].size), "Question:" in ask.prompt) for ask in asks}
    assert shown == {(n, px, old) for n in (1, 2) for px in (32, 48) for old in (True, False)}
    assert len(points) == len({(p.frames, p.size, p.prompt) for p in points}) == 8
    assert all(p.seconds > 0 and p.tokens is None for p in points)  # a function counts no tokens
    page = (tmp_path / "sweep.html").read_text()
    assert page.count("<polyline") == 4 and "48 px, mvbench" in page
    points = sweep(model, rows, FAST, out=tmp_path / "px", frames=[2], sizes=[32, 48])
    assert [p.size for p in points] == [32, 48]
    page = (tmp_path / "px/sweep.html").read_text()
    assert "longer edge of a frame" in page and page.count("<polyline") == 1
    sweep(model, rows, FAST, out=tmp_path / "words", frames=[2], prompts=prompts)
    assert 'class="whisker"' in (tmp_path / "words/sweep.html").read_text()


def test_the_context_of_the_model_is_marked(clips, tmp_path):
    model, processor = tiny_idefics3(["Why?"])
    rows = make_rows(clips[:1], per_clip=1)
    sweep(model, rows, FAST, out=tmp_path, frames=[1], processor=processor, marks={"training": 24})
    facts = json.loads((tmp_path / "sweep.json").read_text())
    marks, (point,) = facts["marks"], facts["points"]
    assert point["tokens"] > 4
    n_tokens = 4 + 2 + 1  # a frame's tokens and the marks around them
    assert marks == {"training": 24, "max LLM context": 16384 // n_tokens}
    assert "training: 24" not in (tmp_path / "sweep.html").read_text().split("<h2>Accuracy")[0]
    sweep(model, rows, FAST, out=tmp_path, frames=[1], processor=processor, marks={"training": 1})
    assert "training: 1<" in (tmp_path / "sweep.html").read_text()


def test_the_drawing_is_a_picture_that_shows_the_points():
    points = [Point(n, 40 + n, 38 + n, 42 + n, 50) for n in (1, 4, 16)]
    drawn = Image.open(io.BytesIO(draw({"m": points}, {"limit": 8, "far": 10_000})))
    assert drawn.size == (1050, 600) and len(drawn.convert("RGB").getcolors(1 << 20)) > 10
    assert draw({"m": points}, {}) != draw({"m": points[:2]}, {})
    assert draw({"m": points}, {"limit": 8}, "svg") == draw({"m": points}, {"limit": 8}, "svg")


def test_a_case_study_holds_every_video_and_every_answer(clips, tmp_path):
    tiny = tiny_idefics3(["Describe this video in detail. A dog."])
    models = {"tiny": tiny, "other": lambda ask: f"{len(ask.frames)} frames <b>"}
    out = tmp_path / "cases.html"
    found = describe(models, clips[:2], out=out, max_new_tokens=3)
    assert [(x["model"], x["video"]) for x in found] == [
        (name, str(clip)) for clip in clips[:2] for name in models
    ]
    text = out.read_text()
    assert (
        text.count("<img") == 2 + 3  # every frame
        and text.count("<dd>") == 4
        and "2 frames &lt;b&gt;" in text
        and "http" not in text
    )
    with pytest.raises(InputError, match="models"):
        describe({}, clips, out=out)


def test_templates_that_begin_alike_and_many_curves_stay_apart(tmp_path):
    prompts = [
        f"{{question}}\n{{options}}\nThe same long beginning of all, number {n}" for n in range(8)
    ]
    points = [Point(n, 40.0, 35.0, 45.0, 50, None, prompt) for prompt in prompts for n in (1, 8)]
    write_sweep(tmp_path, "m", points, {}, "told")
    page = (tmp_path / "sweep.html").read_text()
    assert all(f"prompt {n}: " in page for n in range(1, 9))
    lines = re.findall(
        r'<line x1="0" x2="28"[^>]*(stroke="[^"]+")[^>]*(stroke-dasharray="[^"]*")', page
    )
    assert len(lines) == len(set(lines)) == 8
