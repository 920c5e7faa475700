"""What `t2vid convert` promises: the same model under other names, whole or not at all."""

from __future__ import annotations

import io
import json
import math
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForImageTextToText, InternVLConfig

from published_internvl import ORIGINAL, original_logits, write_published
from t2vid import cli
from t2vid.errors import InputError, MissingFile
from t2vid.models import convert as converting
from t2vid.models.convert import convert
from t2vid.models.families import family_of, frame_px, load_processor
from t2vid.models.internvl import build_processor, native_config, to_native, to_published
from t2vid.models.rows import RowEncoder

TEXTS = ["What colour moves in the clip?", "A red square, to the right."]


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    folder = tmp_path_factory.mktemp("internvl") / "published"
    tensors = write_published(folder, TEXTS)
    return folder, tensors


@pytest.fixture(scope="module")
def converted(published, tmp_path_factory):
    return convert(published[0], out=tmp_path_factory.mktemp("internvl") / "native")


def load(folder):
    model, info = AutoModelForImageTextToText.from_pretrained(folder, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"], info
    assert not info["mismatched_keys"]
    return model.eval()


def test_every_tensor_comes_back_under_its_published_name(published, converted):
    back = to_published(load(converted).state_dict())
    assert back.keys() == published[1].keys()
    assert all(torch.equal(back[name], tensor) for name, tensor in published[1].items())


@pytest.mark.parametrize("n_words", [4, ORIGINAL + 8])
def test_logits_equal_an_independent_computation_of_the_original(published, converted, n_words):
    model, processor = load(converted), load_processor(str(converted))
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(10, 260, (2, n_words), generator=generator)
    ids[:, :4] = processor.image_token_id
    pixels = torch.randn(2, 3, 56, 56, generator=generator)
    with torch.no_grad():
        ours = model(input_ids=ids, pixel_values=pixels).logits
    theirs = original_logits(published[1], pixels, ids, processor.image_token_id)
    assert theirs.std() > 0.1
    assert torch.allclose(ours, theirs, atol=1e-4), (ours - theirs).abs().max()


def test_long_rows_turn_otherwise_than_short_ones(converted):
    rope = load(converted).config.text_config.rope_parameters
    assert rope["rope_type"] == "longrope" and rope["original_max_position_embeddings"] == ORIGINAL
    assert rope["short_factor"] != rope["long_factor"] and "type" not in rope


def test_the_head_stays_apart_from_the_embeddings(published, converted):
    model = load(converted)
    assert not model.config.tie_word_embeddings
    assert not torch.equal(model.lm_head.weight, model.get_input_embeddings().weight)


def test_its_processor_shows_each_frame_once_without_torchvision(converted):
    processor = load_processor(str(converted))
    assert frame_px(processor) == (56, 56) and processor.image_seq_length == 4
    assert family_of(load(converted)).name == "internvl"
    marks = ["<img>", "</img>", "<IMG_CONTEXT>"]
    tokenizer = processor.tokenizer
    assert all(len(tokenizer.tokenize(mark)) == 1 for mark in marks)
    turns = [
        {"role": "user", "content": [{"type": "image"}] * 2 + [{"type": "text", "text": "Why?"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "So."}]},
    ]
    assert processor.apply_chat_template(turns) == (
        "<s><|system|>\nYou are an AI assistant whose name is Phi-3.<|end|><|user|>\n"
        "Frame1: <IMG_CONTEXT>\nFrame2: <IMG_CONTEXT>\nWhy?<|end|><|assistant|>\nSo.<|end|>"
    )


def test_a_second_run_finds_its_work_done(published, converted, monkeypatch):
    monkeypatch.setattr(converting, "_convert_shard", None)  # would fail if called
    assert convert(published[0], out=converted) == converted


def test_a_run_that_was_cut_goes_on_with_the_next_shard(published, tmp_path, monkeypatch):
    done = []
    real = converting._convert_shard

    def dies_at_second(source, target):
        if done:
            raise KeyboardInterrupt
        done.append(target.name)
        real(source, target)

    monkeypatch.setattr(converting, "_convert_shard", dies_at_second)
    with pytest.raises(KeyboardInterrupt):
        convert(published[0], out=tmp_path / "native")
    assert not (tmp_path / "native").exists()

    again = []
    monkeypatch.setattr(
        converting, "_convert_shard", lambda s, t: (again.append(t.name), real(s, t))
    )
    convert(published[0], out=tmp_path / "native")
    assert again == ["model-00002-of-00002.safetensors"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["native"]
    load(tmp_path / "native")


def changed(published, tmp_path, change):
    """A copy of the checkpoint whose last shard was changed."""
    folder = tmp_path / "published"
    shutil.copytree(published[0], folder)
    shard = folder / "model-00002-of-00002.safetensors"
    tensors = load_file(shard)
    change(tensors)
    save_file(tensors, shard)
    return folder


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("vision_model.encoder.layers.1.norm2.bias"), r"in no file: model\.vision"),
        (lambda t: t.update(mlp2=torch.zeros(1)), "1 tensor has no place in it: mlp2"),
        (
            lambda t: t.update({"vision_model.encoder.layers.7.ls1": torch.zeros(32)}),
            r"no place in it: .*layer\.7\.lambda_1 \(from vision_model",
        ),
        (
            lambda t: t.update({"vision_model.encoder.layers.1.ls1": torch.zeros(3)}),
            r"does not fit: vision_model.encoder.layers.1.ls1 gives .*\(3,\).*\(32,\)",
        ),
        (
            lambda t: t.update({"mlp1.3.bias": torch.zeros(64)}),
            "mlp1.3.bias is in model-00001-of-00002.safetensors and in model-00002",
        ),
    ],
)
def test_a_tensor_too_many_too_few_or_too_small_is_named(published, tmp_path, change, message):
    folder = changed(published, tmp_path, change)
    with pytest.raises(InputError, match=message):
        convert(folder, out=tmp_path / "native")
    assert not (tmp_path / "native").exists() and not (tmp_path / "native.partial").exists()


def test_other_models_are_refused_by_name(published, tmp_path):
    tokens = {"image_token_id": 1}
    config = json.loads((published[0] / "config.json").read_text())
    with pytest.raises(InputError, match="ps_version='v1'"):
        native_config({**config, "ps_version": "v1"}, **tokens)
    with pytest.raises(InputError, match="model_type='internlm2'"):
        native_config({**config, "llm_config": {"model_type": "internlm2"}}, **tokens)
    llm = {**config["llm_config"], "rope_scaling": {"type": "linear"}}
    with pytest.raises(InputError, match="'linear' must be su"):
        native_config({**config, "llm_config": llm}, **tokens)
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    with pytest.raises(InputError, match="model_type 'llama'"):
        convert(tmp_path, out=tmp_path / "native")


def test_a_shard_that_is_not_there_is_named(published, tmp_path):
    shutil.copytree(published[0], tmp_path / "published")
    (tmp_path / "published" / "model-00001-of-00002.safetensors").unlink()
    with pytest.raises(MissingFile, match="model-00001-of-00002"):
        convert(tmp_path / "published", out=tmp_path / "native")


def test_another_folder_is_never_written_over(published, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="holds something else"):
        convert(published[0], out=tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]


def test_the_old_yarn_factor_is_kept(published):
    config = json.loads((published[0] / "config.json").read_text())
    config["llm_config"]["rope_scaling"]["type"] = "yarn"
    rope = native_config(config, image_token_id=1).text_config.rope_parameters
    assert rope["attention_factor"] == pytest.approx(0.1 * 3.4657 + 1, rel=1e-4)


def test_names_that_are_not_the_models_have_no_native_name():
    assert to_native("vision_model.encoder.layers.0.attn.extra", None) == []
    with pytest.raises(InputError, match="no place for 'score.weight'"):
        to_published({"score.weight": torch.zeros(1)})


def test_at_full_size_it_has_the_published_number_of_parameters(published):
    config = json.loads((published[0] / "config.json").read_text())
    config["force_image_size"] = 448
    config["vision_config"] |= {
        "hidden_size": 1024,
        "image_size": 448,
        "intermediate_size": 4096,
        "num_attention_heads": 16,
        "num_hidden_layers": 24,
    }
    config["llm_config"] |= {
        "hidden_size": 3072,
        "intermediate_size": 8192,
        "max_position_embeddings": 131072,
        "num_attention_heads": 32,
        "num_hidden_layers": 32,
        "num_key_value_heads": 32,
        "original_max_position_embeddings": 4096,
        "rope_scaling": {"type": "su", "short_factor": [1.0] * 48, "long_factor": [2.0] * 48},
        "vocab_size": 32020,
    }
    native = native_config(config, image_token_id=32013)
    assert native.image_seq_length == 256
    count = sum(math.prod(shape) for shape in converting.native_shapes(native).values())
    assert count == pytest.approx(4.15e9, rel=0.002)  # the model card says 4.15B


def test_a_tokenizer_of_sentencepiece_alone_keeps_its_ids_and_marks(tmp_path):
    spm = pytest.importorskip("sentencepiece")
    model = io.BytesIO()
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS * 20),
        model_writer=model,
        vocab_size=310,
        model_type="bpe",
        byte_fallback=True,
        hard_vocab_limit=False,
        minloglevel=2,
        normalization_rule_name="identity",
    )
    n = spm.SentencePieceProcessor(model_proto=model.getvalue()).vocab_size()
    ends = [
        "<|endoftext|>",
        "<|assistant|>",
        "<|placeholder1|>",
        "<|end|>",
        "<|system|>",
        "<|user|>",
    ]
    added = {token: n + i for i, token in enumerate([*ends, "<img>", "</img>", "<IMG_CONTEXT>"])}
    folder = tmp_path / "published"
    folder.mkdir()
    (folder / "tokenizer.model").write_bytes(model.getvalue())
    (folder / "added_tokens.json").write_text(json.dumps(added))
    settings = {
        "tokenizer_class": "LlamaTokenizer",
        "auto_map": {"AutoTokenizer": ["remote.Code", None]},
        "legacy": False,
        "bos_token": "<s>",
        "eos_token": "</s>",
        "pad_token": "</s>",
        "unk_token": "<unk>",
        "added_tokens_decoder": {
            str(i): {"content": token, "rstrip": token in ends[1:], "special": True}
            for token, i in added.items()
        },
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    tokenizer = converting._tokenizer(folder)
    assert {token: tokenizer.convert_tokens_to_ids(token) for token in added} == added
    build_processor(tokenizer).save_pretrained(tmp_path / "native")
    # transformers takes InternVL for a model with Qwen's tokenizer
    InternVLConfig().save_pretrained(tmp_path / "native")
    converting._check_tokenizer(tokenizer, tmp_path / "native")
    processor = load_processor(str(tmp_path / "native"))
    assert len(processor.tokenizer) == n + len(added)
    turns = [("user", "What colour?"), ("assistant", "red square"), ("user", "And?")]
    turns += [("assistant", "to the right")]
    row = RowEncoder(processor, family="internvl")(
        {"messages": [{"role": role, "content": text} for role, text in turns]}
    )
    kept = [int(i) for i, keep in zip(row.ids, row.in_loss, strict=True) if keep]
    assert processor.tokenizer.decode(kept).replace(" ", "") == "redsquare<|end|>totheright<|end|>"


def test_the_command_line_converts(published, tmp_path, capsys):
    assert cli.main(["convert", str(published[0]), "--out", str(tmp_path / "native")]) == 0
    assert capsys.readouterr().out.strip().endswith("native")
    assert cli.main(["convert", str(tmp_path / "nowhere"), "--out", str(tmp_path / "x")]) == 2
