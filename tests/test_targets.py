"""What a user names is found without asking anybody, and a typo hears what is near."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from datasets import Dataset

from t2vid import catalog, targets
from t2vid.errors import InputError, MissingFile, UnknownTarget
from t2vid.mixing.opening import open_rows
from t2vid.schema import messages
from t2vid.targets import find

ROWS = [
    {"messages": messages([("user", f"What is {n}?"), ("assistant", "So.")], n_frames=0)}
    for n in range(3)
]


@pytest.fixture(autouse=True)
def nobody_is_asked(monkeypatch):
    monkeypatch.setattr(socket.socket, "connect", None)


def touch(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        (["manifest.json", "data/train-0.parquet", "recipe.yaml"], "mix"),
        (["state.json", "data.arrow"], "saved"),
        (["dataset_dict.json"], "saved"),
        (["run.json", "answers.jsonl"], "run"),
        (["config.json", "model.safetensors"], "checkpoint"),
        (["data/train-0.parquet"], "rows"),
        (["a.mp4"], "folder"),
    ],
)
def test_a_folder_is_known_by_what_it_holds(files, kind, tmp_path):
    for name in files:
        touch(tmp_path / name)
    found = find(tmp_path)
    assert (found.kind, found.path) == (kind, tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("rows.parquet", "", "rows"),
        ("rows.JSONL", "", "rows"),
        ("rows.csv", "", "rows"),
        ("mix.yaml", "name: a\nsources: []\n", "recipe"),
        ("run.yml", "learning_rate: 1e-5\n", "training"),
        ("clip.mp4", "", "file"),
    ],
)
def test_a_file_is_known_by_its_ending_and_a_yaml_by_its_keys(name, text, kind, tmp_path):
    assert find(touch(tmp_path / name, text)).kind == kind


def test_every_name_of_the_catalogue_is_found_offline():
    for recipe in catalog.recipes():
        kind = "recipe" if recipe.kind == "mix" else "training"
        assert find(recipe.name).kind == find(f"{recipe.name}.yaml").kind == kind
    for name in catalog.loadable():
        assert find(name).name == name
        short = name.removeprefix("t2vid/")
        if name in ("t2vid/mix", "t2vid/synthetic"):
            with pytest.raises(UnknownTarget, match=f"that t2vid brings, write '{name}'"):
                find(short)  # a missing folder is not replaced by bundled rows
        else:
            assert find(short).name == name


def test_a_file_that_is_there_wins_over_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    touch(tmp_path / "sample" / "run.json")
    assert find("sample").kind == "run"


def test_a_folder_called_like_a_dataset_of_the_package_does_not_hide_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    touch(tmp_path / "t2vid" / "mix" / "a.mp4")
    assert find("t2vid/mix").kind == "dataset"


@pytest.mark.parametrize(
    ("typo", "meant"),
    [
        ("hybird-30k", "hybrid-30k"),
        ("Hybrid_30K", "hybrid-30k"),
        ("idefics3-hybrid30k", "idefics3-hybrid-30k"),
        ("T2Vid/Synthetic", "t2vid/synthetic"),
        ("t2vid/mvbnch", "t2vid/mvbench"),
        ("video-mme", "t2vid/video_mme"),
    ],
)
def test_a_misspelt_name_hears_the_right_one(typo, meant):
    with pytest.raises(UnknownTarget, match=f"did you mean .*'{meant}'"):
        find(typo)


def test_a_misspelt_path_hears_what_stands_beside_it(tmp_path):
    touch(tmp_path / "mixes" / "hybrid" / "manifest.json")
    with pytest.raises(UnknownTarget, match="did you mean '.*mixes/hybrid'"):
        find(tmp_path / "mixes" / "hybird")


def test_a_name_like_no_other_hears_what_could_be_given():
    with pytest.raises(UnknownTarget) as caught:
        find("nosuch", ("mix", "recipe"), by="build")
    said = str(caught.value)
    assert "build takes a mix that t2vid build wrote or a recipe of a mix" in said
    assert "hybrid-30k" in said and "idefics3-hybrid-30k" not in said and "\n" not in said
    assert isinstance(caught.value, InputError) and isinstance(caught.value, FileNotFoundError)


@pytest.mark.parametrize(
    "name", ["nosuch", "runs/nosuch.parquet", "/nowhere/x", "t2vid/nosuch", ""]
)
def test_only_an_owner_and_a_name_may_be_on_the_hub(name):
    with pytest.raises(UnknownTarget):
        find(name)
    assert find("me/rows").kind == "hub"


def test_a_path_beside_a_folder_that_is_there_is_no_name_on_the_hub(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    with pytest.raises(UnknownTarget):
        find("runs/mvbench")


def test_another_kind_is_refused_by_name(tmp_path):
    with pytest.raises(InputError, match="'mvbench' is a dataset of t2vid; push takes a mix"):
        find("mvbench", ("mix", "saved"), by="push")


def test_an_unfinished_mix_says_to_go_on(tmp_path):
    touch(tmp_path / ".work" / "plan.json")
    with pytest.raises(MissingFile, match="run t2vid build again"):
        find(tmp_path)


def test_a_yaml_that_is_none_says_so(tmp_path):
    with pytest.raises(InputError, match="is no YAML"):
        find(touch(tmp_path / "a.yaml", "a: ["))


@pytest.mark.parametrize("ending", [".parquet", ".jsonl", ".json"])
def test_rows_are_loaded_from_any_file(ending, tmp_path):
    path, rows = tmp_path / f"rows{ending}", Dataset.from_list(ROWS)
    if ending == ".parquet":
        rows.to_parquet(path)
    else:
        rows.to_json(path, lines=ending == ".jsonl")
    assert len(open_rows(find(path, targets.ROWS))) == 3


def test_a_split_that_is_not_there_is_named(tmp_path):
    Dataset.from_list(ROWS).save_to_disk(str(tmp_path / "saved"))
    assert len(open_rows(find(tmp_path / "saved"), split=None)) == 3
    Dataset.from_list(ROWS).to_parquet(tmp_path / "rows.parquet")
    with pytest.raises(InputError, match="test"):
        open_rows(find(tmp_path / "rows.parquet"), split="test")
