"""What the look ahead promises: sizes as they are, rows as they are, and a way out where it is too much."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from transformers import AutoModelForImageTextToText, Idefics3Config, LlamaConfig
from transformers.models.llama.modeling_llama import LlamaDecoderLayer, LlamaRotaryEmbedding
from transformers.models.siglip.configuration_siglip import SiglipVisionConfig
from transformers.models.siglip.modeling_siglip import SiglipEncoderLayer

from t2vid import cli
from t2vid.catalog import recipes
from t2vid.errors import InputError
from t2vid.frames.feature import Frames, text_value
from t2vid.models.families import family_of, register_ports
from t2vid.models.parts import part_of
from t2vid.models.tiny import tiny_idefics3
from t2vid.schema import row_features
from t2vid.trainer.check import AS_ASKED, Preflight, check
from t2vid.trainer.memory import (
    GB,
    Shape,
    Strategy,
    estimate,
    shape_of,
    text_layer_bytes,
    vision_layer_bytes,
)
from training_rows import mixed_rows, row, texts

ROWS = mixed_rows()
# HuggingFaceM4/Idefics3-8B-Llama3, config.json
FULL = {
    "vision_config": {
        "hidden_size": 1152,
        "intermediate_size": 4304,
        "num_hidden_layers": 27,
        "num_attention_heads": 16,
        "image_size": 364,
        "patch_size": 14,
    },
    "text_config": {
        "model_type": "llama",
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "vocab_size": 128259,
    },
}


def outline() -> Any:
    with torch.device("meta"):
        config = Idefics3Config(**FULL, scale_factor=2, tie_word_embeddings=False)
        return AutoModelForImageTextToText.from_config(config, dtype=torch.bfloat16)


@pytest.fixture(scope="module")
def full() -> Any:
    return outline()


def minicpm() -> Any:
    from t2vid.models.minicpm_v.configuration import MiniCPMVConfig

    register_ports()
    with torch.device("meta"):  # its defaults are those of openbmb/MiniCPM-Llama3-V-2_5
        return AutoModelForImageTextToText.from_config(MiniCPMVConfig(), dtype=torch.bfloat16)


def px(model: Any) -> int:
    return family_of(model).frame_px


def adapter(model: Any = "idefics3") -> Any:
    import peft

    return peft.LoraConfig(r=16, target_modules=family_of(model).lora_pattern)


def test_parameters_are_those_of_the_model(full):
    shape = shape_of(full)
    assert shape.parameters == shape.trainable == sum(p.numel() for p in full.parameters())
    assert shape.parameters == pytest.approx(8.46e9, rel=2e-3)  # as the Hub says of the checkpoint
    frozen = shape_of(full, frozen=["vision"])
    vision = sum(p.numel() for p in full.model.vision_model.parameters())
    assert shape.trainable - frozen.trainable == vision and not frozen.vision_trains


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")  # peft reads it
def test_an_adapter_is_as_large_as_peft_makes_it():
    import peft

    model = tiny_idefics3(texts(ROWS))[0]
    ours = shape_of(model, lora=adapter()).trainable
    wrapped = peft.get_peft_model(model, adapter())
    assert ours == sum(p.numel() for p in wrapped.parameters() if p.requires_grad)


def kept_bytes(run: Any, *, but: torch.nn.Module) -> int:
    """Bytes that autograd keeps of what `run` computes, weights aside, each storage once."""
    weights = {p.untyped_storage().data_ptr() for p in but.parameters()}
    kept: dict[int, tuple[int, torch.Tensor]] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes(), tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        run()
    return sum(size for size, _ in kept.values())


def tiny_shape(**fields: int) -> Shape:
    zero = dict.fromkeys(Shape.__annotations__, 0)
    return Shape(**(zero | {"vision_trains": True, "head_trains": True} | fields))


def test_a_layer_keeps_the_activations_that_are_counted():
    config = LlamaConfig(
        hidden_size=256, intermediate_size=896, num_attention_heads=8, num_key_value_heads=2
    )
    config._attn_implementation = "sdpa"
    layer = LlamaDecoderLayer(config, 0).to(torch.bfloat16)
    x = torch.randn(1, 512, 256, dtype=torch.bfloat16, requires_grad=True)
    at = LlamaRotaryEmbedding(config)(x, torch.arange(512)[None])
    measured = kept_bytes(lambda: layer(x, position_embeddings=at), but=layer)
    shape = tiny_shape(hidden=256, key_value=64, feed_forward=896)
    assert 512 * text_layer_bytes(shape) == pytest.approx(measured, rel=0.15)


def test_a_vision_layer_keeps_the_activations_that_are_counted():
    config = SiglipVisionConfig(hidden_size=256, intermediate_size=956, num_attention_heads=4)
    config._attn_implementation = "sdpa"
    layer = SiglipEncoderLayer(config).to(torch.bfloat16)
    x = torch.randn(2, 676, 256, dtype=torch.bfloat16, requires_grad=True)
    measured = kept_bytes(lambda: layer(x, None), but=layer)
    shape = tiny_shape(vision_hidden=256, vision_feed_forward=956)
    assert 2 * 676 * vision_layer_bytes(shape) == pytest.approx(measured, rel=0.15)


@pytest.mark.parametrize("offload", [False, True])
def test_model_states_are_those_of_deepspeeds_own_rule(full, offload):
    # deepspeed.runtime.zero.stage3: 18 bytes a parameter over all GPUs, or in the host's memory
    memory = estimate(
        shape_of(full),
        Strategy("zero3", world=8, mixed=True, offload=offload),
        tokens=0,
        frames=0,
    )
    states = memory.weights + memory.gradients + memory.optimizer
    n = shape_of(full).parameters
    assert (8 * states, memory.host) == pytest.approx((0, 18 * n) if offload else (18 * n, 0))


def test_sharing_out_more_takes_less(full):
    shape = shape_of(full)
    totals = [
        estimate(shape, Strategy(s, world=8, mixed=True), tokens=8192, frames=48).total
        for s in ("ddp", "zero2", "zero3")
    ]
    assert totals == sorted(totals, reverse=True)
    checkpointed, kept = (
        estimate(shape, Strategy(checkpointing=on), tokens=8192, frames=48).activations
        for on in (True, False)
    )
    assert checkpointed < kept / 5


@pytest.mark.parametrize(
    ("name", "strategy"),
    [
        ("idefics3-hybrid-30k-lora", Strategy("ddp", world=8, lora=True)),
        ("idefics3-hybrid-30k-qlora", Strategy("ddp", world=8, lora=True, four_bits=True)),
        ("idefics3-hybrid-30k", Strategy("zero3", world=8, mixed=True, offload=True)),
        ("minicpm-hybrid-30k-lora", Strategy("ddp", world=8, lora=True)),
        ("minicpm-hybrid-30k-qlora", Strategy("ddp", world=8, lora=True, four_bits=True)),
        ("idefics3-full-200k", Strategy("zero3", world=8, mixed=True, offload=True)),
    ],
)
def test_the_memory_that_a_recipe_names_is_what_is_estimated(full, name, strategy):
    said = next(one for one in recipes("training") if one.name == name).path.read_text()
    tokens, frames, gb = re.search(
        r"([\d,]+) tokens and (\d+) frames at once\): (\d+) GB on each GPU", said
    ).groups()
    model = minicpm() if name.startswith("minicpm") else full
    shape = shape_of(model, lora=adapter(model) if strategy.lora else None, frame_px=px(model))
    n = 2 * int(tokens.replace(",", ""))
    memory = estimate(shape, strategy, tokens=n, frames=2 * int(frames))
    assert round(memory.total / GB) == int(gb)
    host = re.search(r"([\d,]+) GB of the host's", said)
    assert host is None or round(memory.host / GB) == int(host[1])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Rows to count, and a folder with the configuration of an 8B model and no weights."""
    long = row("long/0", "pages", [], [("user", "?"), ("assistant", "!" * 90)], 9)
    rows = [r | {"images": text_value("word")} for r in [*ROWS, long]]
    Dataset.from_list(rows, features=row_features(Frames())).save_to_disk(tmp_path / "rows")
    config = Idefics3Config(**FULL, scale_factor=2, dtype="bfloat16", tie_word_embeddings=False)
    config.save_pretrained(tmp_path / "model")
    tiny_idefics3(texts(ROWS), image_px=364)[1].save_pretrained(tmp_path / "model")
    return tmp_path


def looked(folder: Path, *pairs: str, **kwargs: Any) -> Preflight:
    model = f"model_name_or_path={folder / 'model'}"
    return check(folder / "rows", [model, "max_frames=9", "num_train_epochs=2", *pairs], **kwargs)


def test_rows_steps_and_the_longest_row_are_counted_without_a_frame(folder: Path):
    found = looked(folder, "per_device_train_batch_size=2", "gradient_accumulation_steps=2", gpus=2)
    longest = max(found.load.rows, key=lambda r: r.tokens)
    # 9 rows, 2 at a time, make 5 batches: 3 on each process, 2 steps an epoch
    assert (len(found.load.rows), found.load.batches, found.steps, found.epochs) == (9, 3, 4, 2)
    assert longest.id == "long/0" and longest.frames == 9
    assert found.load.tokens == 2 * longest.tokens and found.load.frames == 18
    assert found.load.tokens > 2 * 9 * 169
    text = found.table()
    assert "longest row   'long/0' of 'pages'" in text and "4 steps, 2 epochs of 8 rows" in text


def test_what_does_not_fit_is_said_with_the_next_move(folder: Path):
    tight = looked(folder, gpus=4, gpu_gb=60)
    assert tight.memory[AS_ASKED].total > 60 * GB and not tight.fits
    assert re.search(r"do not fit into 60 GB; add deepspeed=zero3 \(\d+\.\d GB\)", tight.table())
    facts = tight.to_dict()
    assert (facts["fits"], facts["next"]) == (False, tight.next_move)
    assert facts["memory_gb"][AS_ASKED] > 60 > facts["memory_gb"]["deepspeed=zero3"]
    roomy = looked(folder, "deepspeed=zero3", gpus=4, gpu_gb=60)
    assert roomy.fits and "next:" not in roomy.table()
    alone = looked(folder, gpu_gb=2)
    assert "nor does anything above; lower the batch" in alone.next_move


def test_rows_over_max_length_are_named(folder: Path):
    found = looked(folder, "max_length=600")
    assert not found.fits
    assert "rows are over max_length, 'long/0' with" in found.next_move


def test_a_token_budget_bounds_the_batch(folder: Path):
    found = looked(folder, "max_tokens_per_batch=4000", "pack=true")
    assert found.load.tokens <= 4000 and found.load.padding_share == 0


def test_a_stream_says_that_it_cannot_be_counted(folder: Path):
    model = f"model_name_or_path={folder / 'model'}"
    found = check("t2vid/mix", ["dataset_config=sample", "streaming=true", model, "max_frames=8"])
    assert "a stream: rows, steps and padding cannot be counted" in found.table()
    assert found.load.tokens > 8 * 169


def test_the_command_ends_with_2_where_it_does_not_fit(folder: Path, capsys):
    pairs = [f"model_name_or_path={folder / 'model'}", "max_frames=9"]
    arguments = ["train", "--config", str(folder / "rows"), *pairs, "--check"]
    assert cli.main([*arguments, "--gpu-gb", "80"]) == cli.main([*arguments, "--gpu-gb", "2"]) == 2
    assert cli.main([*arguments, "--gpu-gb", "400"]) == 0
    assert "as asked" in capsys.readouterr().out


def test_gpu_hours_follow_from_a_stated_throughput_or_say_what_they_assume(folder: Path):
    stated = looked(folder, gpus=2, tokens_per_s=500.0)
    tokens = sum(r.tokens for r in stated.load.rows)
    assert stated.hours.run == pytest.approx(2 * tokens / 500 / 3600)  # two epochs
    assert "at 500 tokens/s on each GPU" in stated.table() and "276.8 for 200K" in stated.table()
    assert stated.hours.full == 0  # drawn texts alone: there is no video to compare with
    assumed = looked(folder, gpus=2)
    faster = looked(folder, "gpu_tflops=624", gpus=2)
    assert assumed.hours.run == pytest.approx(2 * faster.hours.run)
    assert "assumed: 35% of 312 TFLOP/s" in assumed.table()
    # 6 operations a weight and token are most of it: 8 B weights at 35 % of 312 TFLOP/s
    least = 2 * 6 * 8.0e9 * tokens / (0.35 * 312e12) / 3600
    assert least < assumed.hours.run < 1.6 * least
    with pytest.raises(InputError, match="tokens_per_s .0. must be > 0"):
        looked(folder, tokens_per_s=0)


def test_videos_are_compared_with_as_many_as_the_paper(tmp_path: Path):
    from t2vid.frames.feature import video_value

    rows = [dict(r, images=video_value("a.mp4")) for r in ROWS[:2]]
    rows += [dict(r, images=text_value("word")) for r in ROWS[4:6]]
    Dataset.from_list(rows, features=row_features(Frames())).save_to_disk(tmp_path / "rows")
    found = check(tmp_path / "rows", ["model_name_or_path=tiny"], tokens_per_s=100.0)
    videos = [r for r in found.load.rows if r.source == "clips"]
    assert len(videos) == 2
    want = sum(r.tokens for r in videos) * 100_000 / 100 / 3600
    assert found.hours.full == pytest.approx(want)


def test_operations_are_those_of_the_parts_that_train(full):
    from t2vid.trainer.mfu import work_of

    n = {"vision": 0, "connector": 0, "language": 0}
    for name, weight in full.named_parameters():
        if weight is not full.get_input_embeddings().weight:
            n[part_of(name, family_of(full))] += weight.numel()
    patches = (364 // 14) ** 2
    cases = {
        ("vision", "connector", "language"): (6, 6, 6),
        ("connector", "language"): (2, 6, 6),
        ("connector",): (2, 6, 4),
        ("vision",): (6, 4, 4),
    }
    for whole, (vision, connector, language) in cases.items():
        work = work_of(full, whole=whole, frame_px=364)
        assert work.per_token == language * n["language"] + connector * n["connector"]
        assert work.per_frame == vision * n["vision"] * patches
    lora = work_of(full, whole=(), adapted=["language"], frame_px=364)
    assert lora.per_token == 4 * n["language"] + 2 * n["connector"]
    assert lora.per_frame == 2 * n["vision"] * patches
    assert lora.per_square == 4 * 32 * 4096
