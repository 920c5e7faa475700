"""A tiny checkpoint as OpenGVLab published it, and the original's forward pass, written anew.

The forward pass is computed from the published tensors by their published names with plain torch
functions, so that it shares nothing with transformers' InternVL or Phi-3. Source of the facts:
OpenGVLab/InternVL, internvl_chat/internvl/model (modeling_intern_vit.py, modeling_internvl_chat.py,
phi3/modeling_phi3.py).
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch.nn import functional as nn

from t2vid.models.internvl import to_published
from t2vid.models.tiny_internvl import tiny_internvl

HIDDEN, LAYERS, HEADS, KV_HEADS, VISION_HEADS, ORIGINAL = 64, 2, 4, 2, 2, 32
PAIRS = HIDDEN // HEADS // 2
SHORT, LONG = [1.0 + 0.1 * i for i in range(PAIRS)], [1.5 + 3.0 * i for i in range(PAIRS)]


def published_tensors(texts: list[str]) -> tuple[dict[str, Any], Any]:
    """Random tensors under the published names, none of them ones or zeros, and the tokenizer."""
    model, processor = tiny_internvl(texts, hidden=HIDDEN, layers=LAYERS)
    state = to_published(model.state_dict())
    generator = torch.Generator().manual_seed(7)
    made = {}
    for name in sorted(state):
        tensor = 0.2 * torch.randn(state[name].shape, generator=generator)
        scale = name.endswith(("ls1", "ls2")) or ("norm" in name and name.endswith("weight"))
        made[name] = 1.0 + tensor if scale or name == "mlp1.0.weight" else tensor
    return made, processor.tokenizer


def published_config(vocab_size: int, **changes: Any) -> dict[str, Any]:
    """`config.json` as published, with tiny numbers."""
    return {
        "architectures": ["InternVLChatModel"],
        "auto_map": {"AutoModel": "modeling_internvl_chat.InternVLChatModel"},
        "downsample_ratio": 0.5,
        "dynamic_image_size": True,
        "force_image_size": 56,
        "llm_config": {
            "architectures": ["Phi3ForCausalLM"],
            "auto_map": {"AutoModelForCausalLM": "modeling_phi3.Phi3ForCausalLM"},
            "bos_token_id": 0,
            "eos_token_id": 2,
            "pad_token_id": 2,
            "hidden_act": "silu",
            "hidden_size": HIDDEN,
            "intermediate_size": 2 * HIDDEN,
            "max_position_embeddings": 32 * ORIGINAL,
            "model_type": "phi3",
            "num_attention_heads": HEADS,
            "num_hidden_layers": LAYERS,
            "num_key_value_heads": KV_HEADS,
            "original_max_position_embeddings": ORIGINAL,
            "rms_norm_eps": 1e-05,
            "rope_scaling": {"long_factor": LONG, "short_factor": SHORT, "type": "su"},
            "rope_theta": 10000.0,
            "sliding_window": 262144,
            "tie_word_embeddings": False,
            "torch_dtype": "float32",
            "vocab_size": vocab_size,
        },
        "max_dynamic_patch": 12,
        "model_type": "internvl_chat",
        "ps_version": "v2",
        "select_layer": -1,
        "template": "phi3-chat",
        "torch_dtype": "float32",
        "use_backbone_lora": 0,
        "use_llm_lora": 0,
        "vision_config": {
            "architectures": ["InternVisionModel"],
            "attention_dropout": 0.0,
            "drop_path_rate": 0.1,
            "dropout": 0.0,
            "hidden_act": "gelu",
            "hidden_size": HIDDEN // 2,
            "image_size": 56,
            "initializer_factor": 0.1,
            "intermediate_size": HIDDEN,
            "layer_norm_eps": 1e-06,
            "norm_type": "layer_norm",
            "num_attention_heads": VISION_HEADS,
            "num_hidden_layers": LAYERS,
            "patch_size": 14,
            "qk_normalization": False,
            "qkv_bias": True,
            "use_flash_attn": True,
        },
        **changes,
    }


def write_published(folder: Path, texts: list[str], **changes: Any) -> dict[str, Any]:
    """Write a published checkpoint of two shards; gives its tensors."""
    tensors, tokenizer = published_tensors(texts)
    folder.mkdir(parents=True, exist_ok=True)
    names = sorted(tensors)
    half = len(names) // 2
    index = {}
    for i, part in enumerate((names[:half], names[half:])):
        file = f"model-{i + 1:05d}-of-00002.safetensors"
        save_file({name: tensors[name] for name in part}, folder / file)
        index |= dict.fromkeys(part, file)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    config = published_config(len(tokenizer), **changes)
    (folder / "config.json").write_text(json.dumps(config))
    tokenizer.save_pretrained(folder)
    return tensors


def original_logits(
    weights: dict[str, Any], pixels: torch.Tensor, ids: torch.Tensor, image_id: int
) -> torch.Tensor:
    """Logits `(rows, tokens, vocabulary)` of the original model."""
    embedded = weights["language_model.model.embed_tokens.weight"][ids]
    frames = _frame_tokens(weights, pixels)
    embedded[ids == image_id] = frames.reshape(-1, HIDDEN)
    return _phi3(weights, embedded)


def _frame_tokens(w: dict[str, Any], pixels: torch.Tensor) -> torch.Tensor:
    at = "vision_model.embeddings."
    patches = nn.conv2d(
        pixels, w[f"{at}patch_embedding.weight"], w[f"{at}patch_embedding.bias"], stride=14
    )
    x = patches.flatten(2).mT
    x = torch.cat([w[f"{at}class_embedding"].expand(len(x), -1, -1), x], dim=1)
    x = x + w[f"{at}position_embedding"]
    for i in range(LAYERS):
        p = f"vision_model.encoder.layers.{i}."
        n, t, c = x.shape
        normed = nn.layer_norm(x, (c,), w[f"{p}norm1.weight"], w[f"{p}norm1.bias"], 1e-6)
        qkv = nn.linear(normed, w[f"{p}attn.qkv.weight"], w[f"{p}attn.qkv.bias"])
        q, k, v = qkv.view(n, t, 3, VISION_HEADS, c // VISION_HEADS).permute(2, 0, 3, 1, 4)
        weights = (q @ k.mT / math.sqrt(c // VISION_HEADS)).softmax(-1)
        seen = (weights @ v).transpose(1, 2).reshape(n, t, c)
        seen = nn.linear(seen, w[f"{p}attn.proj.weight"], w[f"{p}attn.proj.bias"])
        x = x + w[f"{p}ls1"] * seen
        normed = nn.layer_norm(x, (c,), w[f"{p}norm2.weight"], w[f"{p}norm2.bias"], 1e-6)
        wide = nn.gelu(nn.linear(normed, w[f"{p}mlp.fc1.weight"], w[f"{p}mlp.fc1.bias"]))
        x = x + w[f"{p}ls2"] * nn.linear(wide, w[f"{p}mlp.fc2.weight"], w[f"{p}mlp.fc2.bias"])
    shuffled = _shuffled(x[:, 1:])
    y = nn.layer_norm(shuffled, (shuffled.shape[-1],), w["mlp1.0.weight"], w["mlp1.0.bias"])
    y = nn.gelu(nn.linear(y, w["mlp1.1.weight"], w["mlp1.1.bias"]))
    return nn.linear(y, w["mlp1.3.weight"], w["mlp1.3.bias"])


def _shuffled(x: torch.Tensor) -> torch.Tensor:
    """Pixel shuffle v2: each 2x2 square of patches becomes one token, rows before columns."""
    n, t, c = x.shape
    side = math.isqrt(t)
    grid = x.reshape(n, side, side, c)
    tokens = [
        torch.cat([grid[:, i + di, j + dj] for di in (0, 1) for dj in (0, 1)], dim=-1)
        for i in range(0, side, 2)
        for j in range(0, side, 2)
    ]
    return torch.stack(tokens, dim=1)


def _phi3(w: dict[str, Any], x: torch.Tensor) -> torch.Tensor:
    n, t, c = x.shape
    size = c // HEADS
    factors = torch.tensor(LONG if t > ORIGINAL else SHORT)
    angles = torch.arange(t)[:, None] / (factors * 10000.0 ** (torch.arange(0, size, 2) / size))
    mscale = math.sqrt(1 + math.log(32) / math.log(ORIGINAL))
    cos, sin = (f(torch.cat([angles, angles], dim=-1)) * mscale for f in (torch.cos, torch.sin))

    def turned(y: torch.Tensor) -> torch.Tensor:
        half = size // 2
        return y * cos + torch.cat([-y[..., half:], y[..., :half]], dim=-1) * sin

    future = torch.ones(t, t, dtype=torch.bool).triu(1)
    for i in range(LAYERS):
        p = f"language_model.model.layers.{i}."
        y = _rms(x, w[f"{p}input_layernorm.weight"])
        qkv = y @ w[f"{p}self_attn.qkv_proj.weight"].mT
        q, k, v = qkv.split([c, KV_HEADS * size, KV_HEADS * size], dim=-1)
        q, k, v = (part.view(n, t, -1, size).transpose(1, 2) for part in (q, k, v))
        k, v = (part.repeat_interleave(HEADS // KV_HEADS, dim=1) for part in (k, v))
        scores = turned(q) @ turned(k).mT / math.sqrt(size)
        seen = scores.masked_fill(future, -torch.inf).softmax(-1) @ v
        x = x + seen.transpose(1, 2).reshape(n, t, c) @ w[f"{p}self_attn.o_proj.weight"].mT
        y = _rms(x, w[f"{p}post_attention_layernorm.weight"])
        gate, up = (y @ w[f"{p}mlp.gate_up_proj.weight"].mT).chunk(2, dim=-1)
        x = x + (up * nn.silu(gate)) @ w[f"{p}mlp.down_proj.weight"].mT
    x = _rms(x, w["language_model.model.norm.weight"])
    return x @ w["language_model.lm_head.weight"].mT


def _rms(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5)
