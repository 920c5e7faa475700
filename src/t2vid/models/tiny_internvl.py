"""A tiny InternVL on Phi-3 with random weights: Mini-InternVL-Chat-4B-V1-5 in a nutshell.

>>> model, processor = tiny_internvl(["What is drawn here? A small red boat."])
>>> type(model.model.language_model).__name__, processor.image_seq_length
('Phi3Model', 4)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from t2vid.errors import require
from t2vid.models.internvl import build_processor
from t2vid.models.tiny import PATCH_PX, SHUFFLE, check_sizes, random_model, train_tokenizer

_SPECIAL = {
    "bos_token": "<s>",
    "eos_token": "<|end|>",
    "pad_token": "<|endoftext|>",
    "extra": ["<|system|>", "<|user|>", "<|assistant|>", "<img>", "</img>", "<IMG_CONTEXT>"],
}


def tiny_internvl(
    texts: Iterable[str],
    *,
    seed: int = 0,
    image_px: int = 56,
    hidden: int = 64,
    layers: int = 2,
    vocab_size: int = 1024,
    original_positions: int = 4096,
) -> tuple[Any, Any]:
    """Build an InternVL on Phi-3 with random weights and a tokenizer trained on `texts`.

    Args:
        texts: what the tokenizer learns its merges from; every byte is covered whatever they are.
        seed: of the random weights; the global random state is left alone.
        image_px: side of a frame as the model sees it; a multiple of 28 pixels.
        hidden: width of the language model, a multiple of 16; the vision tower has half of it.
        layers: number of layers of both towers.
        vocab_size: upper limit of the vocabulary, at least 300.
        original_positions: length in tokens from which LongRoPE takes its long factors.

    Returns:
        `(model, processor)`: `InternVLForConditionalGeneration` and an `InternVLProcessor` that
        makes no tiles.

    Raises:
        InputError: when a size does not fit the architecture.
    """
    unit = PATCH_PX * SHUFFLE
    check_sizes(image_px, hidden, unit=unit, what="patch x shuffle")
    transformers = require("transformers", extra="train")

    tokenizer = train_tokenizer(texts, vocab_size=vocab_size, special=_SPECIAL)
    processor = build_processor(
        tokenizer, image_px=image_px, tokens_a_frame=(image_px // unit) ** 2
    )
    config = transformers.InternVLConfig(
        image_token_id=processor.image_token_id,
        image_seq_length=processor.image_seq_length,
        downsample_ratio=1 / SHUFFLE,
        tie_word_embeddings=False,
        vision_config={
            "hidden_size": hidden // 2,
            "intermediate_size": hidden,
            "num_hidden_layers": layers,
            "num_attention_heads": 2,
            "attention_bias": True,
            "image_size": [image_px, image_px],
            "patch_size": [PATCH_PX, PATCH_PX],
        },
        text_config=tiny_phi3_config(
            tokenizer, hidden=hidden, layers=layers, original_positions=original_positions
        ),
    )
    kind = transformers.InternVLForConditionalGeneration
    return random_model(kind, config, tokenizer, seed=seed, start=_telling_frames_apart), processor


def _telling_frames_apart(model: Any) -> None:
    torch = require("torch", extra="train")
    # transformers starts class token and positions at zero, so a frame would look the same
    # whichever way its patches lie.
    for weight in model.model.vision_tower.embeddings.parameters(recurse=False):
        torch.nn.init.normal_(weight, std=0.02)
    # A tower this narrow, started at 0.02, makes nearly the same features of every frame.
    with torch.no_grad():
        for part in (model.model.vision_tower, model.model.multi_modal_projector):
            for weight in part.parameters():
                if weight.dim() > 1:
                    weight.mul_(5.0)


def tiny_phi3_config(
    tokenizer: Any, *, hidden: int, layers: int, original_positions: int
) -> dict[str, Any]:
    """Give the `text_config` of a Phi-3 with LongRoPE that fits `tokenizer`."""
    pairs = hidden // 4 // 2  # rotary frequencies of a head
    return {
        "model_type": "phi3",
        "vocab_size": len(tokenizer),
        "hidden_size": hidden,
        "intermediate_size": 2 * hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 32 * original_positions,
        "original_max_position_embeddings": original_positions,
        "rope_parameters": {
            "rope_type": "longrope",
            "rope_theta": 10000.0,
            "short_factor": [1.0 + 0.05 * i for i in range(pairs)],
            "long_factor": [1.0 + 2.0 * i for i in range(pairs)],
            "original_max_position_embeddings": original_positions,
            "factor": 32.0,
        },
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
