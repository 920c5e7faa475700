"""What `train` promises: a YAML file and overrides make a run, and a wrong key is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset

from t2vid.errors import InputError, MissingFile
from t2vid.frames.feature import Frames, text_value
from t2vid.schema import row_features
from t2vid.trainer import train
from t2vid.trainer.run import read_settings, split_settings
from training_rows import mixed_rows


@pytest.fixture
def config(tmp_path: Path) -> Path:
    lazy = [dict(r, images=text_value("word " * 300)) for r in mixed_rows()[4:7]]
    Dataset.from_list(lazy, features=row_features(Frames())).save_to_disk(tmp_path / "rows")
    lines = [
        "model_name_or_path: tiny",
        f"dataset_name: {tmp_path / 'rows'}",
        f"output_dir: {tmp_path / 'run'}",
        "max_steps: 1",
        "learning_rate: 5e-6",
        "use_cpu: true",
        "bf16: false",
        "report_to: none",
        "disable_tqdm: true",
        "activation_checkpointing: false",
    ]
    path = tmp_path / "run.yaml"
    path.write_text("\n".join(lines))
    return path


@pytest.mark.parametrize("extra", [[], ["use_peft=true"]])
def test_a_yaml_file_trains_and_saves(config: Path, extra: list[str]) -> None:
    run: Any = train(config, ["max_steps=2", "max_frames=1", *extra])
    assert run.state.global_step == 2
    saved = {path.name for path in Path(run.args.output_dir).iterdir()}
    assert {"tokenizer.json", "processor_config.json"} <= saved
    assert {"adapter_config.json"} <= saved if extra else {"model.safetensors"} <= saved


def test_numbers_mean_what_they_look_like(config: Path) -> None:
    settings = read_settings(config, ["warmup_steps=3", "max_frames=null", "run_name=5b"])
    assert settings["learning_rate"] == 5e-6 and settings["warmup_steps"] == 3
    assert settings["max_frames"] is None and settings["run_name"] == "5b"


def test_a_wrong_key_is_named_with_its_neighbours() -> None:
    with pytest.raises(InputError, match=r"learning_rat.*'learning_rate'"):
        split_settings({"learning_rat": 1})


@pytest.mark.parametrize(
    ("pair", "wanted"),
    [
        ("learning_rate=abc", "must be a number"),
        ("bf16=maybe", "must be true or false"),
        ("max_frames=two", "must be a whole number, or null"),
        ("max_steps=1.5", "must be a whole number"),
        ("max_steps=true", "must be a whole number"),
        ("lora_r=null", "must be a whole number"),
    ],
)
def test_a_value_of_another_kind_is_named(config: Path, pair: str, wanted: str) -> None:
    key, _, _ = pair.partition("=")
    with pytest.raises(InputError, match=rf"{key} \(.*\) {wanted}"):
        split_settings(read_settings(config, [pair]))


def test_a_missing_file_lists_the_recipes(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="the recipes are idefics3"):
        read_settings(tmp_path / "nothing.yaml")


@pytest.mark.parametrize("pair", ["learning_rate", "--lr=1", "=1"])
def test_an_override_must_be_key_equals_value(config: Path, pair: str) -> None:
    with pytest.raises(InputError, match="must be key=value"):
        read_settings(config, [pair])


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("max_steps: 1", ["no model_name_or_path", "no dataset_name"]),
        ("model_name_or_path: mini\ndataset_name: t2vid/mix", ["no dataset_config"]),
        ("model_name_or_path: mini\ndataset_name: t2vid/mix\ndataset_config: sample", []),
        ("model_name_or_path: mini\ndataset_name: mixed", []),
    ],
)
def test_bundled_things_do_not_stand_in_without_a_word(lines, said, tmp_path, caplog):
    config = tmp_path / "mine.yaml"
    config.write_text(lines)
    read_settings(config)
    assert [words for words in said if words not in caplog.text] == []
    assert len(caplog.records) == len(said)
