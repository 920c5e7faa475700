"""`load_dataset("t2vid/mix", "sample")`: both kinds in one seeded order, from any folder."""

from __future__ import annotations

import json

import pytest
from datasets import get_dataset_config_names, load_dataset

from t2vid import samples
from t2vid.corpora.counting import read_counts
from t2vid.dataset_scripts.mix import MixConfig
from t2vid.errors import InputError, MissingFile
from t2vid.mixing.recipe import Recipe, shipped

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


def test_files_are_named_by_the_recipe_and_not_by_data_files(tmp_path):
    (tmp_path / "rows.jsonl").write_text("{}")
    with pytest.raises(InputError, match="data_dir="):
        load_dataset("t2vid/mix", "sample", data_files=str(tmp_path / "rows.jsonl"))


def test_the_budget_of_a_video_is_an_option():
    rows = load_dataset("t2vid/mix", "sample", split="train", max_frames=4)
    assert max(row["n_frames"] for row in rows if row["source"] == "clips") == 4


def test_sample_is_among_the_configurations():
    assert "sample" in get_dataset_config_names("t2vid/mix")


def test_every_shipped_recipe_is_a_configuration():
    names = get_dataset_config_names("t2vid/mix")
    assert names[0] == "sample" and set(names) == set(shipped())


def test_the_options_change_the_recipe_and_nothing_else():
    config = MixConfig(name="hybrid-30k", seed=3, family="internvl", max_frames=32)
    recipe = config.asked()
    assert (recipe.seed, recipe.budget.family) == (3, "internvl")
    assert {s.sample.max_frames for s in recipe.sources if s.is_video} == {32}
    assert recipe.wanted() == Recipe.from_yaml("hybrid-30k").wanted()


def test_sample_and_its_recipe_are_one_mix(mix, tmp_path):
    built = Recipe.from_yaml("sample").build(data=samples.ROOT, out=tmp_path / "mix")
    assert built.dataset()["id"][:] == mix["id"][:]


def test_a_mix_without_its_data_says_what_it_needs():
    with pytest.raises(MissingFile, match="data_dir="):
        load_dataset("t2vid/mix", "hybrid-30k", split="train")


def test_a_data_folder_without_the_files_names_them(tmp_path):
    with pytest.raises(MissingFile, match="sharegemini_webvid_core100k"):
        load_dataset("t2vid/mix", "hybrid-30k", data_dir=str(tmp_path), split="train")


def test_a_changed_annotation_file_makes_a_new_dataset(tmp_path):
    recipe = Recipe.from_dict(
        {
            "name": "mine",
            "sources": [{"dataset": "t2vid/synthetic", "config": "triplets", "files": "t.jsonl"}],
        }
    )

    def words(text: str) -> list[int]:
        row = {"context": text, "question": "What?", "answer": "That."}
        (tmp_path / "t.jsonl").write_text(json.dumps(row))
        return load_dataset("t2vid/mix", recipe=recipe, data_dir=str(tmp_path), split="train")[
            "n_words"
        ][:]

    assert words("one two") == [2]
    assert words("one two three") == [3]


def test_counts_of_a_mix_stay_beside_it(mix):
    counts = read_counts(mix)
    assert counts.kept == len(mix) and not counts.dropped
    assert {name: dict(c) for name, c in counts.sources.items()} == {
        "texts": {"kept": 16},
        "clips": {"kept": 30},
    }
