"""Mini-InternVL-Chat-4B-V1-5 in the words of transformers: names, shapes, settings, prompt.

The published model (OpenGVLab) is remote code; transformers has the same one as
`InternVLForConditionalGeneration` over `Phi3Model`, under other names.

>>> [name for name, _ in to_native("mlp1.3.bias", None)]
['model.multi_modal_projector.linear_2.bias']
>>> published_name("model.vision_tower.encoder.layer.0.attention.k_proj.bias")
'vision_model.encoder.layers.0.attn.qkv.bias'
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from t2vid.errors import InputError, require

# OpenGVLab/InternVL, internvl_chat/internvl/train/dataset.py: what build_transform does.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
IMAGE_PX = 448
IMAGE_TOKENS = ("<img>", "</img>", "<IMG_CONTEXT>")
END = "<|end|>"
# The template "phi3-chat" of the model's conversation.py, with the answers marked; several frames
# are numbered as in the model card's example for video. T2Vid published no script for this model.
PHI3_CHAT = (
    "{{ bos_token }}<|system|>\n"
    "{% if messages[0]['role'] == 'system' %}"
    "{% for part in messages[0]['content'] %}{{ part['text'] }}{% endfor %}"
    "{% else %}You are an AI assistant whose name is Phi-3.{% endif %}<|end|>"
    "{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}<|assistant|>\n{% generation %}"
    "{% for part in message['content'] %}{{ part['text'] }}{% endfor %}<|end|>{% endgeneration %}"
    "{% elif message['role'] == 'user' %}<|user|>\n"
    "{% set frames = message['content'] | selectattr('type', 'equalto', 'image') | list %}"
    "{% set seen = namespace(n=0) %}"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}"
    "{% set seen.n = seen.n + 1 %}"
    "{% if frames | length > 1 %}Frame{{ seen.n }}: {% endif %}<IMG_CONTEXT>{{ '\n' }}"
    "{% else %}{{ part['text'] }}{% endif %}{% endfor %}<|end|>{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)

_LAYER = {
    "attn.proj": "attention.projection_layer",
    "attn.q_norm": "attention.q_norm",
    "attn.k_norm": "attention.k_norm",
    "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
    "norm1": "layernorm_before",
    "norm2": "layernorm_after",
    "ls1": "lambda_1",
    "ls2": "lambda_2",
}
_ELSEWHERE = {
    "vision_model.embeddings.class_embedding": "model.vision_tower.embeddings.cls_token",
    "vision_model.embeddings.position_embedding": (
        "model.vision_tower.embeddings.position_embeddings"
    ),
    "vision_model.embeddings.patch_embedding": (
        "model.vision_tower.embeddings.patch_embeddings.projection"
    ),
    "mlp1.0": "model.multi_modal_projector.layer_norm",
    "mlp1.1": "model.multi_modal_projector.linear_1",
    "mlp1.3": "model.multi_modal_projector.linear_2",
    "language_model.lm_head": "lm_head",
}
_VISION = ("vision_model.encoder.layers.", "model.vision_tower.encoder.layer.")
_TEXT = ("language_model.model.", "model.language_model.")


def to_native(name: str, tensor: Any) -> list[tuple[str, Any]]:
    """Rename one published tensor; a fused query-key-value of the vision tower becomes three.

    Args:
        name: its published name.
        tensor: the tensor, or None for the names alone.

    Returns:
        Native names and tensors; empty for a name that the published model does not have.
    """
    if name.startswith(_TEXT[0]):  # Phi-3 has the same names, and the same fused weights, in both
        return [(_TEXT[1] + name.removeprefix(_TEXT[0]), tensor)]
    if name.startswith(_VISION[0]):
        layer, _, rest = name.removeprefix(_VISION[0]).partition(".")
        fused = re.fullmatch(r"attn\.qkv\.(weight|bias)", rest)
        if fused:
            parts = [None] * 3 if tensor is None else tensor.chunk(3)
            return [
                (f"{_VISION[1]}{layer}.attention.{part}_proj.{fused[1]}", value)
                for part, value in zip("qkv", parts, strict=True)
            ]
        new = _swap(rest, _LAYER)
        return [(f"{_VISION[1]}{layer}.{new}", tensor)] if new else []
    new = _swap(name, _ELSEWHERE)
    return [(new, tensor)] if new else []


def published_name(name: str) -> str | None:
    """Give the published name of a native tensor; None where there is no such tensor."""
    if name.startswith(_TEXT[1]):
        return _TEXT[0] + name.removeprefix(_TEXT[1])
    if name.startswith(_VISION[1]):
        layer, _, rest = name.removeprefix(_VISION[1]).partition(".")
        rest = re.sub(r"^attention\.[qkv]_proj\.", "attn.qkv.", rest)
        back = rest if rest.startswith("attn.qkv.") else _swap(rest, _inverse(_LAYER))
        return f"{_VISION[0]}{layer}.{back}" if back else None
    return _swap(name, _inverse(_ELSEWHERE))


def to_published(state: Mapping[str, Any]) -> dict[str, Any]:
    """Rename a whole native state dict back to the published names.

    Args:
        state: the native `state_dict()`.

    Raises:
        InputError: for a tensor that the published model has no place for.
    """
    torch = require("torch", extra="train")
    gathered: dict[str, list[Any]] = {}
    for name in sorted(state, key=_qkv_order):
        back = published_name(name)
        if back is None:
            raise InputError(f"the published model has no place for {name!r}")
        gathered.setdefault(back, []).append(state[name])
    return {n: parts[0] if len(parts) == 1 else torch.cat(parts) for n, parts in gathered.items()}


def native_config(published: Mapping[str, Any], *, image_token_id: int) -> Any:
    """Turn the published `config.json` into an `InternVLConfig`.

    Args:
        published: the file's content.
        image_token_id: id of `<IMG_CONTEXT>` in the model's tokenizer.

    Raises:
        InputError: for a model that is built otherwise than Mini-InternVL-Chat-4B-V1-5.
    """
    transformers = require("transformers", extra="train")
    text, vision = dict(published["llm_config"]), dict(published["vision_config"])
    _must_be("llm_config.model_type", text.get("model_type"), "phi3")
    _must_be("ps_version", published.get("ps_version", "v1"), "v2")
    for name in ("use_backbone_lora", "use_llm_lora"):
        _must_be(name, published.get(name, 0), 0)
    image_px = int(published.get("force_image_size") or vision["image_size"])
    _must_be("force_image_size", image_px, int(vision["image_size"]))
    ratio = float(published.get("downsample_ratio", 0.5))
    tied = bool(text.get("tie_word_embeddings", False))
    return transformers.InternVLConfig(
        architectures=["InternVLForConditionalGeneration"],
        image_token_id=image_token_id,
        image_seq_length=int((image_px // vision["patch_size"]) ** 2 * ratio**2),
        downsample_ratio=ratio,
        vision_feature_layer=int(published.get("select_layer", -1)),
        # The native class ties by default, which would throw the published head away.
        tie_word_embeddings=tied,
        dtype=published.get("torch_dtype") or text.get("torch_dtype"),
        vision_config=_vision_config(vision),
        text_config=_text_config(text, tied),
    )


def build_processor(tokenizer: Any, *, image_px: int = IMAGE_PX, tokens_a_frame: int = 256) -> Any:
    """Put the processor together: one 448-pixel image a frame, no tiles, no torchvision.

    Args:
        tokenizer: with `<img>`, `</img>` and `<IMG_CONTEXT>`; changed in place to know their parts.
        image_px: side of a frame.
        tokens_a_frame: tokens of a frame between its two marks.

    Raises:
        InputError: when the tokenizer lacks one of the marks.
    """
    from t2vid.models.processors import InternVLProcessor

    known = tokenizer.get_vocab()
    missing = [token for token in (*IMAGE_TOKENS, END) if token not in known]
    if missing:
        raise InputError(f"the tokenizer has no {', '.join(missing)}; is it this model's?")
    # The stock class asks for a video token too. A new one would get an id beyond the embeddings,
    # so one that no text holds stands in.
    video = next((t for t in ("<video>", "<|placeholder1|>") if t in known), tokenizer.pad_token)
    roles = ("start_image_token", "end_image_token", "context_image_token", "video_token")
    tokenizer._set_model_specific_special_tokens(
        dict(zip(roles, (*IMAGE_TOKENS, video), strict=True))
    )
    pil = require("transformers.models.got_ocr2.image_processing_pil_got_ocr2", extra="train")
    image_processor = pil.GotOcr2ImageProcessorPil(
        size={"height": image_px, "width": image_px},
        image_mean=list(IMAGENET_MEAN),
        image_std=list(IMAGENET_STD),
        crop_to_patches=False,
    )
    processor = InternVLProcessor(
        image_processor, tokenizer, image_seq_length=tokens_a_frame, chat_template=PHI3_CHAT
    )
    processor.images_kwargs = {**processor.images_kwargs, "crop_to_patches": False}
    processor.video_settings = {
        "video_processor_type": processor.video_class,
        "size": {"height": image_px, "width": image_px},
        "image_mean": list(IMAGENET_MEAN),
        "image_std": list(IMAGENET_STD),
    }
    return processor


def _vision_config(vision: Mapping[str, Any]) -> dict[str, Any]:
    dropout = vision.get("dropout", 0.0)
    size, patch = int(vision["image_size"]), int(vision["patch_size"])
    return {
        "hidden_size": vision["hidden_size"],
        "intermediate_size": vision["intermediate_size"],
        "num_hidden_layers": vision["num_hidden_layers"],
        "num_attention_heads": vision["num_attention_heads"],
        "image_size": [size, size],
        "patch_size": [patch, patch],
        "num_channels": vision.get("num_channels", 3),
        "attention_bias": vision.get("qkv_bias", False),
        "use_qk_norm": vision.get("qk_normalization", True),
        "hidden_act": vision.get("hidden_act", "gelu"),
        # As in configuration_intern_vit.py, where a missing entry means RMSNorm.
        "norm_type": vision.get("norm_type", "rms_norm"),
        "layer_norm_eps": vision.get("layer_norm_eps", 1e-6),
        "attention_dropout": vision.get("attention_dropout", 0.0),
        "projection_dropout": dropout,
        "hidden_dropout_prob": 0.0,  # the original drops nothing else
        "initializer_range": vision.get("initializer_range", 0.02),
        "layer_scale_init_value": vision.get("initializer_factor", 0.1),
        "use_absolute_position_embeddings": True,
        "use_mean_pooling": True,  # that is: no norm after the last layer
    }


_TEXT_KEYS = (
    "vocab_size hidden_size intermediate_size num_hidden_layers num_attention_heads "
    "num_key_value_heads resid_pdrop embd_pdrop attention_dropout hidden_act "
    "max_position_embeddings original_max_position_embeddings initializer_range rms_norm_eps "
    "bos_token_id eos_token_id pad_token_id sliding_window"
).split()


def _text_config(text: Mapping[str, Any], tied: bool) -> dict[str, Any]:
    kept = {key: text[key] for key in _TEXT_KEYS if key in text}
    return {
        "model_type": "phi3",
        **kept,
        "use_cache": True,
        "tie_word_embeddings": tied,
        "rope_parameters": _rope(text),
    }


def _rope(text: Mapping[str, Any]) -> dict[str, Any]:
    """Give LongRoPE as transformers 5 wants it, with the attention factor that Phi-3's code used."""
    theta = float(text.get("rope_theta", 10_000.0))
    scaling = text.get("rope_scaling")
    if not scaling:
        return {"rope_type": "default", "rope_theta": theta}
    kind = scaling.get("rope_type") or scaling.get("type")
    if kind not in ("su", "longrope", "yarn"):
        raise InputError(f"rope_scaling type {kind!r} must be su, longrope or yarn")
    original = int(text.get("original_max_position_embeddings", 4096))
    stretch = text["max_position_embeddings"] / original
    rope = {
        "rope_type": "longrope",
        "rope_theta": theta,
        "short_factor": list(scaling["short_factor"]),
        "long_factor": list(scaling["long_factor"]),
        "original_max_position_embeddings": original,
        "factor": max(stretch, 1.0),
    }
    if kind == "yarn" and stretch > 1:  # transformers reads it as longrope, whose factor differs
        rope["attention_factor"] = 0.1 * math.log(stretch) + 1.0
    return rope


def _must_be(name: str, value: Any, wanted: Any) -> None:
    if value != wanted:
        raise InputError(
            f"config.json has {name}={value!r}, but the conversion knows {wanted!r} alone: it is "
            "made for Mini-InternVL-Chat-4B-V1-5 and what is built like it"
        )


def _swap(name: str, table: Mapping[str, str]) -> str | None:
    for old, new in table.items():
        if name == old or name.startswith(f"{old}."):
            return new + name.removeprefix(old)
    return None


def _inverse(table: Mapping[str, str]) -> dict[str, str]:
    return {new: old for old, new in table.items()}


def _qkv_order(name: str) -> str:
    # Query, key, value is the order in which the published weight holds them.
    return re.sub(r"\.([qkv])_proj\.", lambda m: f".{'qkv'.index(m[1])}_proj.", name)
