"""Parts of a model: frozen, trained at rates of their own, adapted with ranks of their own, merged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from datasets import Dataset, Image, List

from t2vid import cli
from t2vid.errors import InputError, MissingFile
from t2vid.models.families import family_of
from t2vid.models.parts import PARTS, linear_pattern, part_of
from t2vid.models.tiny import tiny_idefics3, tiny_minicpm
from t2vid.schema import row_features
from t2vid.trainer import VideoSFTTrainer
from t2vid.trainer.adapters import adapter, adapter_size
from t2vid.trainer.merging import merge
from t2vid.trainer.preparing import refuse_other_optimizer
from t2vid.trainer.run import build_trainer, read_settings, split_settings
from tiny_families import BUILDERS
from training_rows import cpu_settings, mixed_rows, texts

ROWS = mixed_rows()
pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")
MAKERS = {**BUILDERS, "minicpm": tiny_minicpm}


def rows() -> Dataset:
    return Dataset.from_list(ROWS, features=row_features(List(Image())))


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    """A tiny checkpoint with its processor, and rows beside it."""
    folder = tmp_path_factory.mktemp("base")
    model, processor = tiny_idefics3(texts(ROWS))
    model.save_pretrained(folder / "model")
    processor.save_pretrained(folder / "model")
    rows().save_to_disk(folder / "rows")
    return folder


def run_from_yaml(base: Path, out: Path, **settings: Any) -> VideoSFTTrainer:
    """Train as a YAML file of these settings says."""
    config = out.with_suffix(".yaml")
    asked = {
        "model_name_or_path": str(base / "model"),
        "dataset_name": str(base / "rows"),
        "output_dir": str(out),
        "use_cpu": True,
        "bf16": False,
        "activation_checkpointing": False,
        "max_steps": 2,
        "learning_rate": 1e-2,
        "report_to": "none",
        "save_strategy": "no",
        "logging_steps": 1,
        "disable_tqdm": True,
        **settings,
    }
    config.write_text(yaml.safe_dump(asked))
    run = build_trainer(*split_settings(read_settings(config)))
    run.train()
    run.save_model()
    return run


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_every_weight_has_a_part_and_every_part_has_weights(name):
    model, _ = MAKERS[name](texts(ROWS))
    family = family_of(model)
    parts = {n: part_of(n, family) for n, _ in model.named_parameters()}
    assert set(parts.values()) == set(PARTS)
    inside = {"vision": family.vision, "connector": family.connector, "language": family.language}
    for part, path in inside.items():
        assert any(f".{path}." in f".{n}" for n, own in parts.items() if own == part)
    heads = [n for n, w in model.named_parameters() if w is model.get_output_embeddings().weight]
    assert all(parts[n] == "language" for n in heads)


@pytest.mark.parametrize("name", sorted(MAKERS))
@pytest.mark.parametrize(
    "parts", [["vision"], ["connector"], ["language"], ["connector", "vision"]]
)
def test_lora_goes_where_it_is_asked_with_its_rank(name, parts):
    peft = pytest.importorskip("peft")
    model, _ = MAKERS[name](texts(ROWS))
    family = family_of(model)
    linear = {n: m for n, m in model.named_modules() if isinstance(m, torch.nn.Linear)}
    head = model.get_output_embeddings()
    ranks = {part: at + 2 for at, part in enumerate(parts)}
    config = adapter(model, r=16, alpha=32, parts=ranks)
    count, where = adapter_size(model, config)
    wrapped = peft.get_peft_model(model, config)
    got = {
        n.removeprefix("base_model.model.").removesuffix(".lora_A.default.weight"): weight.shape[0]
        for n, weight in wrapped.named_parameters()
        if ".lora_A." in n
    }
    want = {
        n: ranks[part_of(n, family)]
        for n, m in linear.items()
        if part_of(n, family) in parts and m is not head
    }
    assert got == want and got and where == set(parts)
    assert count == sum(w.numel() for w in wrapped.parameters() if w.requires_grad)
    scales = {m.scaling["default"] for m in wrapped.modules() if hasattr(m, "lora_A")}
    assert scales == {2.0}  # in proportion to the rank


def test_parts_train_at_their_own_rates_and_frozen_ones_not_at_all(base, tmp_path):
    run = run_from_yaml(
        base,
        tmp_path / "run",
        learning_rates={"connector": 1e-3, "language": 2e-4},
        freeze=["vision"],
        lr_scheduler_type="linear",
        warmup_steps=0,
    )
    first, second = (x for x in run.state.log_history if "loss" in x)
    assert first["learning_rate"] == pytest.approx(1e-2)
    assert first["learning_rate/connector"] == pytest.approx(1e-3)
    assert second["learning_rate/language"] == pytest.approx(1e-4)  # half of it, by the schedule
    before = tiny_idefics3(texts(ROWS))[0].state_dict()
    moved = {"vision": 0.0, "connector": 0.0, "language": 0.0}
    for name, weight in run.model.state_dict().items():
        part = part_of(name, run.family)
        moved[part] = max(moved[part], float((weight - before[name]).abs().max()))
    assert moved["vision"] == 0
    # AdamW moves a weight by about its rate: 1 and a half of it in two steps
    assert 1e-3 < moved["connector"] < 2e-3 and 2e-4 < moved["language"] < 4e-4
    decays = {(g["part"], g["weight_decay"]) for g in run.optimizer.param_groups}
    assert {part for part, _ in decays} == {"connector", "language"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"freeze": ["eyes"]}, r"freeze \('eyes'\) must be one of"),
        ({"learning_rates": {"vision": 0}}, "must be > 0"),
        ({"learning_rates": {"eyes": 1e-5}}, r"learning_rates \('eyes'\)"),
        (
            {"freeze": ["vision"], "learning_rates": {"vision": 1e-5}},
            "is frozen and has a learning",
        ),
    ],
)
def test_parts_out_of_range_are_refused(tmp_path, settings, message):
    with pytest.raises(InputError, match=message):
        cpu_settings(tmp_path, **settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"parts": {"eyes": 4}}, r"lora_parts \('eyes'\)"),
        ({"parts": {"vision": 0}}, "must be a rank > 0"),
        ({"parts": {"vision": {"rank": 4}}}, "must be a rank > 0"),
        ({"parts": {"vision": 4}, "modules_to_save": ["vision"]}, "keep one"),
        ({"parts": {"vision": 4}, "targets": ".*"}, "give one"),
        ({"use_dorra": True}, "use_dorra"),
    ],
)
def test_adapters_out_of_range_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        adapter(tiny_idefics3(texts(ROWS))[0], **settings)


def test_rates_that_deepspeeds_own_optimizer_would_forget_are_refused(tmp_path):
    args = cpu_settings(tmp_path, learning_rates={"vision": 1e-6})
    refuse_other_optimizer(args, {"zero_optimization": {"stage": 3}})
    refuse_other_optimizer(cpu_settings(tmp_path), {"optimizer": {"type": "AdamW"}})
    with pytest.raises(InputError, match="take its 'optimizer' out"):
        refuse_other_optimizer(args, {"optimizer": {"type": "AdamW"}})


def test_nothing_left_to_train_is_refused(tmp_path):
    model, processor = tiny_idefics3(texts(ROWS))
    args = cpu_settings(tmp_path, freeze=list(PARTS))
    with pytest.raises(InputError, match="leaves nothing to train"):
        VideoSFTTrainer(model, args, train_dataset=rows(), processing_class=processor)


@pytest.mark.parametrize(
    "settings",
    [
        {"lora_parts": {"vision": 2, "connector": {"r": 3, "alpha": 3}, "language": 4}},
        {"use_dora": True, "use_rslora": True, "lora_modules_to_save": ["connector"]},
        {"lora_kwargs": {"init_lora_weights": "pissa"}, "lora_r": 4},
    ],
    ids=["parts", "dora", "pissa"],
)
def test_an_adapter_trained_from_yaml_merges_to_the_same_logits(base, tmp_path, settings, capsys):
    run = run_from_yaml(base, tmp_path / "run", use_peft=True, lora_dropout=0.0, **settings)
    out = tmp_path / "merged"
    code = cli.main(["merge", str(tmp_path / "run"), "--out", str(out)])
    assert code == 0 and "logits differ from the adapter's by" in capsys.readouterr().out
    card = (out / "README.md").read_text()
    assert f"base_model: {base / 'model'}" in card
    assert ("DoRA" in card) is bool(settings.get("use_dora"))
    again = type(tiny_idefics3(texts(ROWS))[0]).from_pretrained(out).eval()
    from t2vid.trainer import VideoCollator

    batch = VideoCollator(run.processing_class, "idefics3", segments=False)(ROWS)
    with torch.no_grad():
        want, got = run.model.eval()(**batch).logits, again(**batch).logits
        plain = tiny_idefics3(texts(ROWS))[0](**batch).logits
    seen = batch["attention_mask"].bool()
    assert torch.allclose(got[seen], want[seen], atol=1e-3)
    assert not torch.allclose(plain[seen], want[seen], atol=1e-2)  # it had learned something


def test_what_cannot_be_merged_says_why(base, tmp_path):
    with pytest.raises(MissingFile, match="a whole model, which needs no merging"):
        merge(base / "model", out=tmp_path / "out")
    run_from_yaml(
        base, tmp_path / "run", use_peft=True, max_steps=1, save_strategy="steps", save_steps=1
    )
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        (tmp_path / "run" / name).unlink()  # a run that was killed has its checkpoints alone
    config = tmp_path / "run" / "checkpoint-1" / "adapter_config.json"
    merged = merge(tmp_path / "run", out=tmp_path / "out")
    assert merged.difference < 1e-4 < merged.moved and merged.layers == 2 * 7
    with pytest.raises(InputError, match="must be a new folder"):
        merge(tmp_path / "run", out=tmp_path / "out")
    config.write_text(
        json.dumps(json.loads(config.read_text()) | {"base_model_name_or_path": "gone"})
    )
    with pytest.raises(MissingFile, match="give it with base="):
        merge(tmp_path / "run", out=tmp_path / "other")
    merge(tmp_path / "run", out=tmp_path / "other", base=str(base / "model"))


def test_a_merge_that_says_something_else_leaves_nothing(base, tmp_path, monkeypatch):
    run_from_yaml(base, tmp_path / "run", use_peft=True)
    import peft

    def forgets(self: Any, *args: Any, **kwargs: Any) -> Any:
        return self.unload()

    monkeypatch.setattr(peft.PeftModel, "merge_and_unload", forgets, raising=False)
    with pytest.raises(InputError, match="nothing was written"):
        merge(tmp_path / "run", out=tmp_path / "out")
    assert not (tmp_path / "out").exists() and not list(tmp_path.glob(".out-*"))


def test_a_pattern_does_not_name_what_it_was_not_made_of():
    model, _ = MAKERS["qwen2_5_vl"](texts(ROWS))
    pattern = linear_pattern(model, ["vision"])
    import re

    hit = [n for n, _ in model.named_modules() if re.fullmatch(pattern, n)]
    assert hit and not any("merger" in n for n in hit)
    assert all(isinstance(model.get_submodule(n), torch.nn.Linear) for n in hit)
