"""What ZeRO-3 promises of a model read in shards: it is saved under the names it was read from."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file

from models.zero3 import stage_3, trained
from t2vid.models.families import load_model
from tiny_families import BUILDERS
from training_rows import mixed_rows, texts

pytestmark = pytest.mark.slow


# the two kinds of renaming that transformers keeps for checkpoints older than these
@pytest.mark.parametrize("family", ["internvl_phi3", "qwen2_5_vl"])
def test_a_model_read_in_shards_keeps_its_names_and_its_logits(tmp_path, family):
    pytest.importorskip("deepspeed")
    model, processor = BUILDERS[family](texts(mixed_rows()))
    model.save_pretrained(tmp_path / "model")
    processor.save_pretrained(tmp_path / "model")
    one = trained(tmp_path / "model", tmp_path / "one", 1)
    two = trained(tmp_path / "model", tmp_path / "two", 2, stage_3(tmp_path))
    assert two == pytest.approx(one, rel=1e-3)
    names = set(load_file(tmp_path / "model" / "model.safetensors"))
    assert set(load_file(tmp_path / "two" / "model.safetensors")) == names
    ids = torch.arange(5, 21)[None]
    logits = []
    for folder in ("one", "two"):
        again, info = load_model(tmp_path / folder, output_loading_info=True)
        assert not info["missing_keys"] and not info["unexpected_keys"]
        with torch.no_grad():
            logits.append(again.eval()(input_ids=ids).logits)
    assert torch.allclose(*logits, atol=1e-3)
