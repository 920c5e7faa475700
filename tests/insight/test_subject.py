"""A report takes whatever holds rows, and says in one line what it cannot take."""

from __future__ import annotations

import pytest
from datasets import Dataset, DatasetDict

from t2vid import samples
from t2vid.errors import InputError, MissingFile
from t2vid.insight.subject import subject_of
from t2vid.mixing.build import build
from t2vid.schema import messages

ROWS = [
    {"messages": messages([("user", f"What is {n}?"), ("assistant", "So.")], n_frames=0)}
    for n in range(3)
]


def test_a_built_mix_brings_its_recipe_counts_and_hash(tmp_path):
    built = build("sample", data=samples.ROOT, out=tmp_path / "mix")
    subject = subject_of(tmp_path / "mix")
    assert len(subject.dataset) == built.n_rows
    assert subject.recipe.name == "sample" and subject.counts.kept == built.n_rows
    assert subject.sha256 == subject.facts["mix, SHA-256"] == built.hash


@pytest.mark.parametrize("name", [("t2vid/mix", "sample"), ("sample",), ("t2vid/mix",)])
def test_names_of_the_bundled_mix_need_no_data(name):
    subject = subject_of(*name)
    assert set(subject.dataset["source"]) == {"texts", "clips"}
    assert subject.counts.kept == len(subject.dataset)


def test_a_recipe_file_takes_its_data(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "name: sample\nsources:\n- {dataset: t2vid/sharegemini, name: clips, files: [clips.jsonl]}\n"
    )
    subject = subject_of(path, data=samples.ROOT)
    assert subject.name == "sample" and len(subject.dataset) > 0
    assert subject.corpora(["clips"]) == {"clips": "sharegemini"}  # whatever its name
    with pytest.raises(MissingFile, match="'sample' needs the folder .* --data"):
        subject_of(path)


def test_a_saved_dataset_is_read_with_or_without_splits(tmp_path):
    rows = Dataset.from_list(ROWS)
    rows.save_to_disk(str(tmp_path / "one"))
    DatasetDict({"test": rows, "train": rows.select([0])}).save_to_disk(str(tmp_path / "two"))
    assert len(subject_of(tmp_path / "one").dataset) == 3
    assert len(subject_of(tmp_path / "two").dataset) == 1


def test_an_unfinished_mix_says_to_go_on(tmp_path):
    build("sample", data=samples.ROOT, out=tmp_path)
    (tmp_path / "manifest.json").unlink()
    with pytest.raises(MissingFile, match="run t2vid build again"):
        subject_of(tmp_path)


def test_a_file_of_rows_is_read_too(tmp_path):
    Dataset.from_list(ROWS).to_parquet(tmp_path / "rows.parquet")
    subject = subject_of(tmp_path / "rows.parquet")
    assert (subject.name, len(subject.dataset)) == ("rows.parquet", 3)


def test_what_holds_no_rows_is_refused_by_what_it_is(tmp_path):
    with pytest.raises(InputError, match=r"is a folder; report takes a mix.*no manifest\.json"):
        subject_of(tmp_path)
    with pytest.raises(InputError, match="is a recipe of training .*; report takes"):
        subject_of("idefics3-hybrid-30k")
    with pytest.raises(MissingFile, match="did you mean 'hybrid-30k'"):
        subject_of("hybrid-3k")
