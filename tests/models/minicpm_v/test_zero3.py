"""What ZeRO-3 promises of the port: shards read from the published names, written under them again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from t2vid.models.tiny import tiny_minicpm
from training_rows import mixed_rows, texts

SCRIPT = Path(__file__).parent / "zero3_run.py"

pytestmark = pytest.mark.slow


def trained(model: Path, out: Path, processes: int, *config: str) -> list[float]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc_per_node", str(processes), str(SCRIPT), str(model), str(out), *config]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "DS_ACCELERATOR": "cpu"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads((out / "losses.json").read_text())


def test_two_processes_in_shards_train_and_save_as_one_does(tmp_path):
    pytest.importorskip("deepspeed")
    model, processor = tiny_minicpm(texts(mixed_rows()))
    model.save_pretrained(tmp_path / "model")
    processor.save_pretrained(tmp_path / "model")
    config = tmp_path / "zero3.json"
    sizes = dict.fromkeys(
        ("train_batch_size", "train_micro_batch_size_per_gpu", "gradient_accumulation_steps"),
        "auto",
    )
    stage = {"stage": 3, "stage3_gather_16bit_weights_on_model_save": True}
    config.write_text(json.dumps({"zero_optimization": stage, **sizes}))
    one = trained(tmp_path / "model", tmp_path / "one", 1)
    two = trained(tmp_path / "model", tmp_path / "two", 2, str(config))
    assert two == pytest.approx(one, rel=1e-3)
    alone, sharded = (load_file(tmp_path / name / "model.safetensors") for name in ("one", "two"))
    assert sorted(alone) == sorted(sharded)
    assert {name.split(".")[0] for name in sharded} == {"llm", "vpm", "resampler"}
    assert all(torch.allclose(alone[n].float(), sharded[n].float(), atol=1e-3) for n in alone)
