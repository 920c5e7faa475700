"""What the recipes promise: each one is read, names a mix that exists, and its settings are valid."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import t2vid.mixing
from t2vid.catalog import recipes
from t2vid.errors import MissingFile
from t2vid.trainer.config import VideoSFTConfig
from t2vid.trainer.run import read_settings, split_settings

RECIPES = recipes("training")[0].path.parent
NAMES = sorted(path.stem for path in RECIPES.glob("*.yaml"))
CONFIGS = sorted((RECIPES.parent / "configs").glob("*.json"))
ACCELERATE = sorted((RECIPES.parent / "configs").glob("*.yaml"))
MIXES = Path(t2vid.mixing.__file__).parent / "recipes"


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_is_a_job_and_valid_settings(name, tmp_path):
    over = ["use_cpu=true", "bf16=false", f"output_dir={tmp_path}"]
    job, settings = split_settings(read_settings(name, over))
    assert (MIXES / f"{job.dataset_config}.yaml").is_file()
    args = VideoSFTConfig(**settings)
    # the mix counts frames and tokens for the model; another limit here would cut its texts
    assert name.startswith(job.family) and args.max_frames is None
    # 8 processes x 2 rows x 4 steps is the paper's batch of 64
    assert 8 * args.per_device_train_batch_size * args.gradient_accumulation_steps == 64


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_deepspeed_config_names_its_stage(path):
    stage = json.loads(path.read_text())["zero_optimization"]["stage"]
    assert f"zero{stage}" in path.stem


def test_internvl_has_every_row_of_table_3_with_its_vision_tower_frozen():
    mixes = "full-200k hybrid-30k video-30k sharegemini-30k video-chatgpt-30k pure-text-30k".split()
    assert {f"internvl-{mix}" for mix in mixes} <= set(NAMES)
    for name in NAMES:
        frozen = read_settings(name).get("freeze_vision", False)
        assert frozen == name.startswith("internvl")


def test_a_launch_line_names_its_own_recipe_and_shards_no_adapter():
    for name in NAMES:
        head = (RECIPES / f"{name}.yaml").read_text().partition("model_name")[0]
        assert f"-m t2vid train --config {name} " in head
        adapter = read_settings(name).get("use_peft", False)
        assert ("deepspeed=zero3-offload" in head) is not adapter
        # one process takes as many rows a step as eight
        rows = read_settings(name)["per_device_train_batch_size"]
        if "gradient_accumulation_steps=" in head:
            assert f"gradient_accumulation_steps={64 // rows}\n" in head


def test_there_are_recipes_and_configs():
    assert {"idefics3-hybrid-30k", "minicpm-hybrid-30k"} <= set(NAMES) and len(CONFIGS) == 3
    assert [path.stem for path in ACCELERATE] == ["fsdp2", "one-gpu"]


@pytest.mark.parametrize("path", ACCELERATE, ids=lambda path: path.stem)
def test_accelerate_reads_a_launch_configuration(path):
    from accelerate.commands.config.config_args import load_config_from_file

    config = load_config_from_file(str(path))
    assert config.mixed_precision == "bf16"
    if path.stem == "fsdp2":
        assert config.distributed_type == "FSDP" and config.fsdp_config["fsdp_version"] == 2
    else:
        assert config.distributed_type == "NO" and config.num_processes == 1


def test_fsdp2s_options_are_those_of_accelerate():
    import yaml
    from accelerate.commands.launch import launch_command_parser

    known = {action.dest for action in launch_command_parser()._actions}
    settings = yaml.safe_load((RECIPES.parent / "configs" / "fsdp2.yaml").read_text())
    assert set(settings["fsdp_config"]) <= known


def test_a_deepspeed_configuration_goes_by_name(tmp_path):
    over = [f"output_dir={tmp_path}", "deepspeed=zero3-offload"]
    _, settings = split_settings(read_settings("idefics3-hybrid-30k", over))
    assert Path(settings["deepspeed"]).is_file()
    with pytest.raises(MissingFile, match="zero9 is no file.*zero3-offload"):
        split_settings({"deepspeed": "zero9"})
