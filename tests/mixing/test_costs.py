"""What a row that cannot be measured is told, before anything is built."""

from __future__ import annotations

import shutil

import pytest

from media import make_clip
from t2vid import samples
from t2vid.mixing.costs import CostEstimator
from t2vid.mixing.recipe import Recipe
from t2vid.mixing.sources import Item

RECIPE = Recipe.from_yaml("sample")
VIDEO = next(source for source in RECIPE.sources if source.is_video)
TEXT = next(source for source in RECIPE.sources if not source.is_video)


def item(**about):
    return Item("s/0", (("user", "Why?"), ("assistant", "So.")), **about)


@pytest.mark.parametrize("folder_has_videos", [False, True])
@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("../secret.mp4", "unsafe video path"),
        ("a/../../secret.mp4", "unsafe video path"),
        ("/secret.mp4", "unsafe video path"),
        ("none.mp4", "no such video"),
    ],
)
def test_a_video_that_is_not_there_or_outside_is_named(tmp_path, folder_has_videos, name, problem):
    data = tmp_path / "data"
    data.mkdir()
    make_clip(tmp_path / "secret.mp4")
    if folder_has_videos:
        shutil.copy(tmp_path / "secret.mp4", data / "good.mp4")
    measured = CostEstimator(RECIPE, data).items(VIDEO, [item(video=name)])
    assert [(m.n_frames, m.problem) for m in measured] == [(-1, problem)]


def test_a_broken_video_and_an_odd_text_spoil_their_own_row_alone(tmp_path):
    make_clip(tmp_path / "good.mp4")
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    costs = CostEstimator(RECIPE, tmp_path)
    bad, good = costs.items(VIDEO, [item(video="bad.mp4"), item(video="good.mp4")])
    assert bad.problem.startswith("bad video (") and good.n_frames > 0 and not good.problem
    texts = costs.items(TEXT, [item(text=text) for text in ("", "\ud800", "\x00" * 40, "A page.")])
    assert all((m.n_frames > 0) != bool(m.problem) for m in texts)
    assert texts[-1].n_frames == 1


def test_the_estimator_travels_to_another_process():
    import pickle

    costs = pickle.loads(pickle.dumps(CostEstimator(RECIPE, samples.ROOT)))
    assert costs.tokens(["a question"]) == [2]


def test_no_text_ends_the_measuring_whatever_it_raises(tmp_path, monkeypatch):
    from t2vid.mixing import costs

    def odd(text, spec):
        if "odd" in text:
            raise RecursionError("too deep")
        return 3

    monkeypatch.setattr(costs, "count_frames", odd)
    texts = [item(text=text) for text in ("Words.", "An odd text.", "More words.")]
    measured = CostEstimator(RECIPE, tmp_path).items(TEXT, texts)
    assert [m.n_frames for m in measured] == [3, -1, 3]
    assert [m.problem for m in measured] == ["", "text cannot be drawn (RecursionError)", ""]
