"""RowLimits drop exactly the rows that a recipe with the same budget would."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from datasets import Dataset, Features, Value, load_dataset
from hypothesis import given
from hypothesis import strategies as st

from media import make_clip
from t2vid import Frames, RenderSpec, SampleSpec
from t2vid.catalog import TOKENS_PER_FRAME
from t2vid.errors import InputError
from t2vid.frames.feature import text_value, video_value
from t2vid.insight.budgets import RowLimits, dropped, starting_limits
from t2vid.insight.rows import RowColumns, read
from t2vid.mixing.budget import Budget, Cost, estimated_tokens
from t2vid.schema import messages, row_features


def rows_of(frames, tokens, is_video) -> RowColumns:
    n = len(frames)
    zeros = np.zeros(n, np.int64)
    return RowColumns(
        sources=["a" if video else "b" for video in is_video],
        instructions=[""] * n,
        answers=[""] * n,
        is_video=np.array(is_video, bool),
        is_text=~np.array(is_video, bool),
        frames=np.array(frames, np.int64),
        kept_frames=np.array(frames, np.int64),
        durations_s=np.full(n, np.nan),
        n_words=zeros,
        text_tokens=np.array(tokens, np.int64),
        question_words=zeros,
        counted_by="estimate",
    )


@given(
    st.lists(
        st.tuples(st.integers(0, 200), st.integers(0, 9000), st.booleans()), min_size=1, max_size=20
    ),
    st.none() | st.integers(1, 120),
    st.none() | st.integers(1, 12_000),
    st.none() | st.integers(1, 100),
)
def test_limits_drop_what_the_budget_of_a_recipe_drops(rows, max_frames, max_tokens, video_frames):
    found = dropped(
        rows_of(*zip(*rows, strict=True)), RowLimits(max_frames, max_tokens, video_frames)
    )
    whole = list(found.values())[-1]
    for family in TOKENS_PER_FRAME:
        budget = Budget(family=family, max_frames=max_frames, max_tokens=max_tokens)
        costs = [
            Cost(min(n, video_frames or n) if video else n, tokens) for n, tokens, video in rows
        ]
        assert whole.over[family] == sum(bool(budget.over(cost)) for cost in costs)


def test_sources_add_up_to_all():
    found = dropped(
        rows_of([10, 50, 90], [0, 0, 0], [True, False, False]), RowLimits(max_frames=40)
    )
    assert {name: one.over_frames for name, one in found.items()} == {"b": 2, "a": 0, "all": 2}


@pytest.mark.parametrize("name", ["max_frames", "max_tokens", "video_frames"])
def test_a_limit_of_nothing_is_refused(name):
    with pytest.raises(InputError, match=rf"{name} \(0\) must be > 0"):
        RowLimits(**{name: 0})


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    clip = make_clip(tmp_path_factory.mktemp("rows") / "clip.mp4", seconds=12, fps=6)
    values = [
        ("clips", video_value(clip, SampleSpec(max_frames=4))),
        ("clips", video_value(clip, SampleSpec(fps=2, max_frames=4, start_s=2, end_s=7))),
        ("texts", text_value("word " * 300, RenderSpec())),
        ("clips", video_value(clip.with_name("gone.mp4"))),
    ]
    rows = [
        {
            "id": f"{source}/{n}",
            "source": source,
            "images": value,
            "messages": messages([("user", f"Why {n}?"), ("assistant", "So.")], n_frames=2),
            "n_frames": 3,
            "n_words": 300,
        }
        for n, (source, value) in enumerate(values)
    ]
    return Dataset.from_list(rows, features=row_features(Frames()))


def test_rows_are_measured_at_their_own_rate_before_and_after_their_limit(dataset):
    rows = read(dataset)
    assert rows.frames.tolist() == [12, 10, 3, 3]
    assert rows.kept_frames.tolist() == [4, 4, 3, 3]
    assert rows.durations_s[:2] == pytest.approx([12, 5])
    assert np.isnan(rows.durations_s[2:]).all()
    assert rows.is_video.tolist() == [True, True, False, True]
    assert rows.fps == {"clips": [1.0, 2.0]}
    assert rows.counts.sources["clips"] == {"kept": 3, "length unknown (missing)": 1}
    assert starting_limits(rows, None).video_frames == 4
    assert rows.pairs("texts") == [("Why 2?", "So.")]


def test_tokens_and_words_are_those_that_a_recipe_counts(dataset):
    rows = read(dataset)
    assert rows.text_tokens.tolist() == [
        estimated_tokens(f"<video>\nWhy {n}?\nSo.") for n in range(4)
    ]
    assert rows.question_words.tolist() == [2] * 4


def test_a_published_struct_is_read_like_the_column_it_was(dataset):
    plain = {
        k: Value("binary" if k == "bytes" else "string") for k in ("text", "path", "bytes", "spec")
    }
    features = Features({**dataset.features, "images": plain})
    again = read(
        Dataset.from_list(
            list(dataset.cast_column("images", Frames(decode=False))), features=features
        )
    )
    assert again.frames.tolist() == read(dataset).frames.tolist()


def test_rows_without_conversations_or_without_any_row_are_refused(dataset):
    with pytest.raises(InputError, match="no column messages"):
        read(Dataset.from_dict({"text": ["a"]}))
    with pytest.raises(InputError, match="no rows"):
        read(dataset.select([]))


def test_the_sample_needs_no_frame_to_be_made(monkeypatch):
    def never(*_: object, **__: object) -> None:
        raise AssertionError("a frame was made")

    monkeypatch.setattr(Frames, "decode_example", never)
    rows = read(load_dataset("t2vid/mix", "sample", split="train"))
    assert dataclasses.asdict(starting_limits(rows, None))["max_frames"] == 90
