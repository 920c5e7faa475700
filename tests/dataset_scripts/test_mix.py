"""`load_dataset("t2vid/mix", "sample")`: both kinds in one seeded order, from any folder."""

from __future__ import annotations

import pytest
from datasets import get_dataset_config_names, load_dataset

from t2vid import samples

pytestmark = pytest.mark.usefixtures("empty_folder")


@pytest.fixture(scope="module")
def mix():
    return load_dataset("t2vid/mix", "sample", split="train")


def test_every_bundled_text_and_clip_is_in_the_mix_once(mix):
    assert len(set(mix["id"])) == len(mix) == len(samples.texts()) + len(samples.clips())
    assert set(mix["source"]) == {"texts", "clips"}


def test_frames_placeholders_and_counts_agree_in_every_row(mix):
    for row in mix:
        content = row["messages"][0]["content"]
        images = sum(part["type"] == "image" for part in content)
        assert images == row["n_frames"] == len(row["images"]) > 0
        assert "<video>" not in content[-1]["text"]


def test_the_seed_alone_decides_the_order(mix):
    again = load_dataset(
        "t2vid/mix", "sample", split="train", download_mode="force_redownload", seed=0
    )
    other = load_dataset("t2vid/mix", "sample", split="train", seed=1)
    assert again["id"][:] == mix["id"][:]
    assert other["id"][:] != mix["id"][:] and sorted(other["id"]) == sorted(mix["id"])


def test_a_stream_gives_the_same_rows(mix):
    stream = load_dataset("t2vid/mix", "sample", split="train", streaming=True)
    assert [row["id"] for row in stream] == mix["id"][:]


def test_the_budget_of_a_video_is_an_option():
    rows = load_dataset("t2vid/mix", "sample", split="train", max_frames=4)
    assert max(row["n_frames"] for row in rows if row["source"] == "clips") == 4


def test_sample_is_among_the_configurations():
    assert "sample" in get_dataset_config_names("t2vid/mix")
