"""What ZeRO-3 promises of the port: shards read from the published names, written under them again."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file

from models.zero3 import stage_3, trained
from t2vid.models.tiny import tiny_minicpm
from training_rows import mixed_rows, texts

pytestmark = pytest.mark.slow


def test_two_processes_in_shards_train_and_save_as_one_does(tmp_path):
    pytest.importorskip("deepspeed")
    model, processor = tiny_minicpm(texts(mixed_rows()))
    model.save_pretrained(tmp_path / "model")
    processor.save_pretrained(tmp_path / "model")
    one = trained(tmp_path / "model", tmp_path / "one", 1)
    two = trained(tmp_path / "model", tmp_path / "two", 2, stage_3(tmp_path))
    assert two == pytest.approx(one, rel=1e-3)
    alone, sharded = (load_file(tmp_path / name / "model.safetensors") for name in ("one", "two"))
    assert sorted(alone) == sorted(sharded)
    assert {name.split(".")[0] for name in sharded} == {"llm", "vpm", "resampler"}
    assert all(torch.allclose(alone[n].float(), sharded[n].float(), atol=1e-3) for n in alone)
