"""The demo runs the whole job and writes a page that needs nothing else."""

from __future__ import annotations

import json
import re

import pytest
from datasets import load_dataset

from t2vid import Frames, SampleSpec, sample_video
from t2vid.demo import demo
from t2vid.errors import InputError


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return demo(tmp_path_factory.mktemp("demo"), steps=3)


def test_the_page_is_self_contained_and_holds_what_was_measured(result):
    html = result.page.read_text(encoding="utf-8")
    assert not re.search(r'(src|href)="(?!data:)', html)
    assert f"{result.losses[0]:.2f} → {result.losses[-1]:.2f}" in html
    assert html.count("<img") == 2 and "<polyline" in html


def test_every_question_is_answered_and_judged_twice(result):
    answers = (result.page.parent / "answers.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in answers]
    assert len({row["id"] for row in rows}) == len(rows) == result.after["n"]
    assert result.before["n"] == result.after["n"]
    assert all(set(row) == {"id", "answer", "before", "after"} for row in rows)


def test_training_changed_the_loss(result):
    assert len(result.losses) == 3
    assert result.losses[-1] < result.losses[0]


def test_the_videos_of_the_mix_are_decoded_from_their_files():
    mix = load_dataset("t2vid/mix", "sample", split="train")
    stored = mix.cast_column("images", Frames(decode=False))["images"]
    videos = [i for i, value in enumerate(stored) if value["path"]]
    assert len(videos) > len(mix) / 3
    for i in videos[:3]:
        spec = SampleSpec.from_json(stored[i]["spec"])
        again = sample_video(stored[i]["path"], spec)
        assert [frame.tobytes() for frame in mix[i]["images"]] == [f.tobytes() for f in again]
        assert len({frame.tobytes() for frame in again}) > 1


def test_too_few_steps_are_refused_before_anything_is_written(tmp_path):
    with pytest.raises(InputError, match="steps \\(1\\) must be at least 2"):
        demo(tmp_path / "demo", steps=1)
    assert not (tmp_path / "demo").exists()
