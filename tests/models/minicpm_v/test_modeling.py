"""What the port of MiniCPM-Llama3-V-2.5 promises, against computations that share no line with it."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForImageTextToText

from t2vid.errors import InputError
from t2vid.models.minicpm_v import MiniCPMVConfig, MiniCPMVForConditionalGeneration
from t2vid.models.minicpm_v.vision import CrossAttention, grid_positions, strip_position_ids

# The published file, layer 0 of each tower.
PUBLISHED = """
llm.lm_head.weight
llm.model.embed_tokens.weight
llm.model.layers.0.input_layernorm.weight
llm.model.layers.0.mlp.down_proj.weight
llm.model.layers.0.mlp.gate_proj.weight
llm.model.layers.0.mlp.up_proj.weight
llm.model.layers.0.post_attention_layernorm.weight
llm.model.layers.0.self_attn.k_proj.weight
llm.model.layers.0.self_attn.o_proj.weight
llm.model.layers.0.self_attn.q_proj.weight
llm.model.layers.0.self_attn.v_proj.weight
llm.model.norm.weight
resampler.attn.in_proj_bias
resampler.attn.in_proj_weight
resampler.attn.out_proj.bias
resampler.attn.out_proj.weight
resampler.kv_proj.weight
resampler.ln_kv.bias
resampler.ln_kv.weight
resampler.ln_post.bias
resampler.ln_post.weight
resampler.ln_q.bias
resampler.ln_q.weight
resampler.proj
resampler.query
vpm.embeddings.patch_embedding.bias
vpm.embeddings.patch_embedding.weight
vpm.embeddings.position_embedding.weight
vpm.encoder.layers.0.layer_norm1.bias
vpm.encoder.layers.0.layer_norm1.weight
vpm.encoder.layers.0.layer_norm2.bias
vpm.encoder.layers.0.layer_norm2.weight
vpm.encoder.layers.0.mlp.fc1.bias
vpm.encoder.layers.0.mlp.fc1.weight
vpm.encoder.layers.0.mlp.fc2.bias
vpm.encoder.layers.0.mlp.fc2.weight
vpm.encoder.layers.0.self_attn.k_proj.bias
vpm.encoder.layers.0.self_attn.k_proj.weight
vpm.encoder.layers.0.self_attn.out_proj.bias
vpm.encoder.layers.0.self_attn.out_proj.weight
vpm.encoder.layers.0.self_attn.q_proj.bias
vpm.encoder.layers.0.self_attn.q_proj.weight
vpm.encoder.layers.0.self_attn.v_proj.bias
vpm.encoder.layers.0.self_attn.v_proj.weight
vpm.post_layernorm.bias
vpm.post_layernorm.weight
""".split()

# Keys of the published config.json, sizes of a toy; `<unk>` is token 5.
CONFIG: dict[str, Any] = {
    "model_type": "minicpmv",
    "version": 2.5,
    "architectures": ["MiniCPMV"],
    "auto_map": {"AutoConfig": "configuration_minicpm.MiniCPMVConfig"},
    "attention_bias": False,
    "batch_vision_input": True,
    "drop_vision_last_layer": False,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "hidden_act": "silu",
    "hidden_size": 32,
    "image_size": 448,
    "intermediate_size": 64,
    "max_position_embeddings": 512,
    "mm_use_im_start_end": True,
    "num_attention_heads": 4,
    "num_hidden_layers": 1,
    "num_key_value_heads": 2,
    "patch_size": 14,
    "query_num": 3,
    "rms_norm_eps": 1e-05,
    "rope_scaling": None,
    "rope_theta": 500000.0,
    "slice_config": {"max_slice_nums": 9, "patch_size": 14, "model_type": "minicpmv"},
    "slice_mode": True,
    "tie_word_embeddings": False,
    "torch_dtype": "float32",
    "vision_config": {
        "hidden_size": 16,
        "image_size": 112,
        "intermediate_size": 32,
        "model_type": "idefics2",
        "num_attention_heads": 2,
        "num_hidden_layers": 1,
        "patch_size": 14,
    },
    "vocab_size": 48,
    "image_token_id": 5,  # not published; the processor's is put in its place
    "resampler_heads": 2,  # not published: 4096 / 128
}
UNK = 5


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A folder as published: its config, and random weights under its names."""
    folder = tmp_path_factory.mktemp("published")
    (folder / "config.json").write_text(json.dumps(CONFIG))
    shapes = _shapes()
    torch.manual_seed(0)
    weights = {name: torch.randn(shapes[name]) / 4 for name in PUBLISHED}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def _shapes() -> dict[str, tuple[int, ...]]:
    """Shapes by published name, from the meaning of each part alone."""
    width, inner, seen, vocab, queries = 32, 64, 16, 48, 3
    shapes: dict[str, tuple[int, ...]] = {}
    for name in PUBLISHED:
        part, kind = name.rsplit(".", 1)[0].split(".")[-1], name.rsplit(".", 1)[-1]
        vision = name.startswith("vpm")
        one = seen if vision else width
        if kind in ("query", "proj"):
            shapes[name] = (queries if kind == "query" else width, width)
        elif kind.startswith("in_proj"):
            shapes[name] = (3 * width, width)[: 1 if kind.endswith("bias") else 2]
        elif kind == "bias":
            shapes[name] = (2 * seen if part == "fc1" else one,)
        elif "norm" in part or part.startswith("ln_"):
            shapes[name] = (one,)
        else:
            shapes[name] = {
                "lm_head": (vocab, width),
                "embed_tokens": (vocab, width),
                "down_proj": (width, inner),
                "gate_proj": (inner, width),
                "up_proj": (inner, width),
                "kv_proj": (width, seen),
                "fc1": (2 * seen, seen),
                "fc2": (seen, 2 * seen),
                "patch_embedding": (seen, 3, 14, 14),
                "position_embedding": (64, seen),
            }.get(part, (one, one))
            if not vision and part in ("k_proj", "v_proj"):
                shapes[name] = (width // 2, width)
    return shapes


@pytest.fixture(scope="module")
def model(published) -> Any:
    return AutoModelForImageTextToText.from_pretrained(published).eval()


def frames(sizes: list[tuple[int, int]], seed: int = 0) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(seed)
    longest = max(rows * columns for rows, columns in sizes)
    values = torch.randn(len(sizes), 3, 14, 14 * longest, generator=generator)
    return {"pixel_values": values, "target_sizes": torch.tensor(sizes)}


def ids(*groups: int) -> torch.Tensor:
    """One row: as many places for frames as said, three tokens each, words between them."""
    row = [1]
    for n in groups:
        row += [UNK] * (3 * n) + [7, 8]
    return torch.tensor([[*row, 9]])


def test_a_published_folder_loads_by_the_auto_class_and_saves_under_its_names(
    published, model, tmp_path
):
    assert type(model) is MiniCPMVForConditionalGeneration
    again, info = MiniCPMVForConditionalGeneration.from_pretrained(
        published, output_loading_info=True
    )
    assert not info["missing_keys"] and not info["unexpected_keys"]
    model.save_pretrained(tmp_path)
    saved, source = (load_file(f / "model.safetensors") for f in (tmp_path, published))
    assert sorted(saved) == sorted(PUBLISHED)
    assert all(torch.equal(saved[name], source[name]) for name in PUBLISHED)
    reloaded = AutoModelForImageTextToText.from_pretrained(tmp_path).eval()
    inputs = {"input_ids": ids(2), **frames([(3, 4), (2, 3)])}
    with torch.no_grad():
        want = model(**inputs).logits
        assert torch.equal(want, reloaded(**inputs).logits)
        assert torch.equal(want, again.eval()(**inputs).logits)


def test_the_default_sizes_are_the_published_ones():
    with torch.device("meta"):
        model = MiniCPMVForConditionalGeneration(MiniCPMVConfig())
    shapes = {name: tuple(weight.shape) for name, weight in model.state_dict().items()}
    assert shapes["lm_head.weight"] == (128256, 4096)
    assert shapes["model.resampler.query"] == (96, 4096)
    assert shapes["model.resampler.kv_proj.weight"] == (4096, 1152)
    assert shapes["model.resampler.attn.in_proj_weight"] == (12288, 4096)
    assert shapes["model.vpm.embeddings.position_embedding.weight"] == (4900, 1152)
    assert shapes["model.vpm.encoder.layers.26.mlp.fc1.weight"] == (4304, 1152)
    assert shapes["model.llm.layers.31.self_attn.k_proj.weight"] == (1024, 4096)
    assert model.model.resampler.attn.heads == 32
    assert model.config.rope_parameters["rope_theta"] == 500000.0
    # the 8.54 billion of its page
    assert sum(weight.numel() for weight in model.parameters()) == 8_537_092_336


def test_other_versions_are_refused(published, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(CONFIG | {"version": 2.6}))
    with pytest.raises(InputError, match=r"version 2\.6 is not"):
        AutoConfig.from_pretrained(tmp_path)


def test_vision_positions_run_along_one_row_of_patches():
    side = 70
    for n in (1, 9, 23, 69, 71, 1024, 1032, 1036):
        got = strip_position_ids([n], side=side)[0].tolist()
        assert len(got) == n and got == sorted(got) and got[0] == 0
        for k, position in enumerate(got):
            exact = Fraction(k * side, n)
            # where a patch lies on the very edge of two positions, rounding may choose the lower
            edge = exact.denominator == 1 and k > 0
            assert position in ({int(exact), int(exact) - 1} if edge else {int(exact)})


def test_vision_positions_of_shorter_frames_end_in_zeros():
    both = strip_position_ids([5, 12], side=8)
    assert both.shape == (2, 12) and not both[0, 5:].any()
    assert torch.equal(both[0, :5], strip_position_ids([5], side=8)[0])


def waves(at: float, width: int) -> list[float]:
    """Sines, then cosines, of one number; in double precision."""
    rates = [10000 ** -(i / (width / 2)) for i in range(width // 2)]
    return [float(np.sin(at * r)) for r in rates] + [float(np.cos(at * r)) for r in rates]


def test_grid_positions_are_sines_of_column_then_row():
    got = grid_positions(3, 5, 32).reshape(3, 5, 32)
    for row in range(3):
        for column in range(5):
            want = waves(column, 16) + waves(row, 16)
            assert np.allclose(got[row, column], want, atol=1e-6)


def layer_norm(x: Any, weights: dict[str, Any], name: str) -> Any:
    mean, var = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) / np.sqrt(var + 1e-6) * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def resampled(patches: Any, rows: int, columns: int, weights: dict[str, Any], heads: int) -> Any:
    """One frame by the paper's words, in numpy: each head and query on its own."""
    w = {name.removeprefix("resampler."): value for name, value in weights.items()}
    value = layer_norm(patches @ w["kv_proj.weight"].T, w, "ln_kv")
    width = value.shape[1]
    place = [
        waves(c, width // 2) + waves(r, width // 2) for r in range(rows) for c in range(columns)
    ]
    matrix, bias = w["attn.in_proj_weight"], w["attn.in_proj_bias"]
    q = layer_norm(w["query"], w, "ln_q") @ matrix[:width].T + bias[:width]
    k = (value + np.array(place)) @ matrix[width : 2 * width].T + bias[width : 2 * width]
    v = value @ matrix[2 * width :].T + bias[2 * width :]
    out = np.zeros_like(q)
    size = width // heads
    for head in range(heads):
        part = slice(head * size, (head + 1) * size)
        for i in range(len(q)):
            score = np.exp(k[:, part] @ q[i, part] / np.sqrt(size))
            out[i, part] = score @ v[:, part] / score.sum()
    out = out @ w["attn.out_proj.weight"].T + w["attn.out_proj.bias"]
    return layer_norm(out, w, "ln_post") @ w["proj"]


def test_the_resampler_equals_numpy(published, model):
    weights = {k: v.double().numpy() for k, v in load_file(published / "model.safetensors").items()}
    sizes = [(3, 4), (2, 3), (1, 1), (4, 3)]
    patches = torch.randn(4, 12, 16, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        got = model.model.resampler(patches, sizes)
    for i, (rows, columns) in enumerate(sizes):
        own = patches[i, : rows * columns].double().numpy()
        want = resampled(own, rows, columns, weights, heads=2)
        assert np.allclose(got[i], want, atol=2e-5)
    turned = resampled(patches[0].double().numpy(), 4, 3, weights, heads=2)
    assert not np.allclose(got[0], turned, atol=1e-2)  # rows and columns are told apart


def test_attention_equals_torchs_own():
    torch.manual_seed(0)
    theirs = torch.nn.MultiheadAttention(24, 3, batch_first=True)
    torch.nn.init.normal_(theirs.in_proj_bias)
    ours = CrossAttention(24, 3)
    ours.load_state_dict(theirs.state_dict())
    query, key, value = torch.randn(2, 4, 24), torch.randn(2, 6, 24), torch.randn(2, 6, 24)
    mask = torch.tensor([[True] * 6, [True] * 4 + [False] * 2])
    with torch.no_grad():
        want = theirs(query, key, value, key_padding_mask=~mask, need_weights=False)[0]
        assert torch.allclose(ours(query, key, value, mask), want, atol=1e-6)
        want = theirs(query, key, value, need_weights=False)[0]
        assert torch.allclose(ours(query, key, value, None), want, atol=1e-6)


def test_patches_are_embedded_with_their_positions(published, model):
    weights = load_file(published / "model.safetensors")
    values = frames([(3, 4)])["pixel_values"]
    matrix = weights["vpm.embeddings.patch_embedding.weight"].reshape(16, -1)
    table = weights["vpm.embeddings.position_embedding.weight"]
    with torch.no_grad():
        got = model.model.vpm.embeddings(values, torch.ones(1, 1, 12, dtype=torch.bool))[0]
    for k in range(12):
        patch = values[0, :, :, 14 * k : 14 * (k + 1)].reshape(-1)
        want = matrix @ patch + weights["vpm.embeddings.patch_embedding.bias"] + table[k * 8 // 12]
        assert torch.allclose(got[k], want, atol=1e-4)


def test_a_frame_does_not_feel_its_neighbours_nor_its_padding(model):
    both = frames([(3, 4), (2, 3)])
    small = {
        "pixel_values": both["pixel_values"][1:, ..., : 14 * 6],
        "target_sizes": both["target_sizes"][1:],
    }
    with torch.no_grad():
        together = model.get_image_features(**both)
        alone = model.get_image_features(**small)
        both["pixel_values"][1, ..., 14 * 6 :] = 1e3
        other = model.get_image_features(**both)
    assert torch.allclose(together[1:], alone, atol=1e-5)
    assert torch.allclose(together, other, atol=1e-5)


def test_frames_stand_where_their_tokens_are(model):
    shown = frames([(3, 4), (2, 3)])
    with torch.no_grad():
        features = model.get_image_features(**shown).flatten(0, 1)
        row = ids(1, 1)
        embeds = model.get_input_embeddings()(row)[0].clone()
        embeds[(row[0] == UNK).nonzero()[:, 0]] = features
        want = model(inputs_embeds=embeds[None]).logits
        assert torch.allclose(model(input_ids=row, **shown).logits, want, atol=1e-5)


def test_too_few_places_are_named_with_the_numbers(model):
    with pytest.raises(InputError, match=r"2 frames are 6 tokens but input_ids hold 3"):
        model(input_ids=ids(1), **frames([(2, 2), (2, 2)]))
    with pytest.raises(InputError, match="target_sizes"):
        model(input_ids=ids(1), pixel_values=frames([(2, 2)])["pixel_values"])


def test_every_weight_learns(published):
    model = MiniCPMVForConditionalGeneration.from_pretrained(published).train()
    row = ids(2)
    model(input_ids=row, labels=row, **frames([(3, 4), (2, 3)])).loss.backward()
    still = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    # a key's bias moves all scores of a query alike, so nothing depends on it
    assert all(name.endswith("k_proj.bias") for name in still)


def test_recomputing_activations_changes_no_gradient(published):
    row, shown, grads = ids(2), frames([(3, 4), (2, 3)]), []
    for recompute in (False, True):
        model = MiniCPMVForConditionalGeneration.from_pretrained(published).train()
        if recompute:
            model.activation_checkpointing_enable({"use_reentrant": False})
        model(input_ids=row, labels=row, use_cache=False, **shown).loss.backward()
        grads.append({n: p.grad for n, p in model.named_parameters()})
    assert all(torch.allclose(grads[0][n], grads[1][n], atol=1e-6) for n in grads[0])


def test_generating_sees_the_frames_with_and_without_a_cache(model):
    row, shown = ids(2), frames([(3, 4), (2, 3)])
    settings = {"max_new_tokens": 8, "do_sample": False, "pad_token_id": 0, "eos_token_id": None}
    cached = model.generate(input_ids=row, **shown, **settings)
    assert cached.shape == (1, row.shape[1] + 8)
    assert torch.equal(cached, model.generate(input_ids=row, use_cache=False, **shown, **settings))
    seen = row.clone()
    with torch.no_grad():
        for _ in range(8):  # greedy by hand, from the whole sequence each time
            last = model(input_ids=seen, **shown).logits[:, -1:].argmax(-1)
            seen = torch.cat([seen, last], dim=1)
    assert torch.equal(cached, seen)
    other = model.generate(input_ids=row, **frames([(3, 4), (2, 3)], seed=5), **settings)
    assert not torch.equal(cached, other)


def test_left_padding_changes_no_answer(model):
    settings = {"max_new_tokens": 6, "do_sample": False, "pad_token_id": 0, "eos_token_id": None}
    long, short = ids(2), ids(1)
    shown = frames([(3, 4), (2, 3), (3, 3)])
    width = long.shape[1] - short.shape[1]
    rows = torch.cat([long, torch.nn.functional.pad(short, (width, 0))])
    mask = torch.ones_like(rows)
    mask[1, :width] = 0
    both = model.generate(input_ids=rows, attention_mask=mask, **shown, **settings)[:, -6:]
    for i, (row, part) in enumerate([(long, slice(0, 2)), (short, slice(2, 3))]):
        own = {name: value[part] for name, value in shown.items()}
        assert torch.equal(both[i], model.generate(input_ids=row, **own, **settings)[0, -6:])
