"""A tiny model with random weights for each family, with the processor its checkpoints bring.

Stock classes of transformers (but for the video half, which needs torchvision), a tokenizer trained
on the spot, and chat templates as the published checkpoints carry them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import transformers
from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil
from transformers.models.llava_onevision.image_processing_pil_llava_onevision import (
    LlavaOnevisionImageProcessorPil,
)
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from transformers.models.smolvlm.image_processing_pil_smolvlm import SmolVLMImageProcessorPil
from trl.chat_template_utils import qwen2_5_vl_chat_template, qwen3_vl_chat_template

from t2vid.models import processors
from t2vid.models.families import one_patch
from t2vid.models.templates import CHATML, LLAVA_ONEVISION, SMOLVLM
from t2vid.models.tiny import tiny_idefics3, tiny_llama_config, train_tokenizer
from t2vid.models.tiny_internvl import tiny_internvl

HIDDEN, LAYERS = 64, 2


def unmarked(template: str) -> str:
    """A template as published: without the marks of the answers."""
    return template.replace("{% generation %}", "").replace("{% endgeneration %}", "")


def smolvlm(texts: list[str]) -> tuple[Any, Any]:
    """SmolVLM2: SigLIP, pixel shuffle, Llama."""
    tokenizer = _tokenizer(
        texts,
        "<|im_start|>",
        "<end_of_utterance>",
        "<image>",
        "<fake_token_around_image>",
        "<global-img>",
    )
    images = SmolVLMImageProcessorPil(
        size={"longest_edge": 224}, max_image_size={"longest_edge": 56}
    )
    processor = processors.SmolVLMProcessor(
        images, tokenizer, image_seq_len=4, chat_template=unmarked(SMOLVLM)
    )
    vision = {
        "hidden_size": HIDDEN // 2,
        "intermediate_size": HIDDEN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": 2,
        "image_size": 56,
        "patch_size": 14,
    }
    config = transformers.SmolVLMConfig(
        image_token_id=processor.image_token_id,
        scale_factor=2,
        tie_word_embeddings=False,
        vision_config=vision,
        text_config=tiny_llama_config(tokenizer, hidden=HIDDEN, layers=LAYERS),
    )
    return _built(transformers.SmolVLMForConditionalGeneration, config, processor)


def internvl_qwen(texts: list[str]) -> tuple[Any, Any]:
    """InternVL3 as transformers converted it: InternViT, pixel shuffle, Qwen2, ChatML."""
    marks = {
        "start_image_token": "<img>",
        "end_image_token": "</img>",
        "context_image_token": "<IMG_CONTEXT>",
        "video_token": "<video>",
    }
    tokenizer = _tokenizer(texts, "<|im_start|>", "<|im_end|>", *marks.values())
    tokenizer._set_model_specific_special_tokens(marks)
    images = GotOcr2ImageProcessorPil(size={"height": 56, "width": 56}, crop_to_patches=True)
    processor = processors.InternVLProcessor(
        images, tokenizer, image_seq_length=4, chat_template=unmarked(CHATML)
    )
    config = transformers.InternVLConfig(
        image_token_id=processor.image_token_id,
        tie_word_embeddings=False,
        vision_config={
            "hidden_size": HIDDEN // 2,
            "intermediate_size": HIDDEN,
            "num_hidden_layers": LAYERS,
            "num_attention_heads": 2,
            "image_size": [56, 56],
        },
        text_config=_text("qwen2", tokenizer),
    )
    return _built(transformers.InternVLForConditionalGeneration, config, processor)


def qwen2_5_vl(texts: list[str]) -> tuple[Any, Any]:
    """Qwen2.5-VL: frames of any shape, positions in space."""
    tokenizer, tokens = _qwen_tokenizer(texts)
    processor = processors.Qwen2_5_VLProcessor(
        Qwen2VLImageProcessorPil(max_pixels=12845056),
        tokenizer,
        chat_template=qwen2_5_vl_chat_template,
    )
    config = transformers.Qwen2_5_VLConfig(
        vision_config={
            "depth": LAYERS,
            "hidden_size": 32,
            "intermediate_size": HIDDEN,
            "num_heads": 2,
            "out_hidden_size": HIDDEN,
            "fullatt_block_indexes": [1],
        },
        text_config=_text("qwen2_5_vl_text", tokenizer)
        | {"rope_parameters": {"rope_type": "default", "mrope_section": [2, 3, 3]}},
        **tokens,
    )
    return _built(transformers.Qwen2_5_VLForConditionalGeneration, config, processor)


def qwen3_vl(texts: list[str]) -> tuple[Any, Any]:
    """Qwen3-VL: patches of 16 pixels, features of several layers."""
    tokenizer, tokens = _qwen_tokenizer(texts)
    images = Qwen2VLImageProcessorPil(
        size={"shortest_edge": 65536, "longest_edge": 16777216}, patch_size=16
    )
    processor = processors.Qwen3VLProcessor(images, tokenizer, chat_template=qwen3_vl_chat_template)
    config = transformers.Qwen3VLConfig(
        vision_config={
            "depth": LAYERS,
            "hidden_size": 32,
            "intermediate_size": HIDDEN,
            "num_heads": 2,
            "out_hidden_size": HIDDEN,
            "deepstack_visual_indexes": [0],
            "num_position_embeddings": 64,
        },
        text_config=_text("qwen3_vl_text", tokenizer)
        | {
            "head_dim": 16,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10000.0,
                "mrope_section": [4, 2, 2],
                "mrope_interleaved": True,
            },
        },
        **tokens,
    )
    return _built(transformers.Qwen3VLForConditionalGeneration, config, processor)


def llava_onevision(texts: list[str]) -> tuple[Any, Any]:
    """LLaVA-OneVision: SigLIP without shuffle, tiles for a lone image, Qwen2."""
    tokenizer = _tokenizer(texts, "<|im_start|>", "<|im_end|>", "<image>", "<video>")
    images = LlavaOnevisionImageProcessorPil(
        size={"height": 56, "width": 56}, image_grid_pinpoints=[[56, 56], [56, 112], [112, 56]]
    )
    processor = processors.LlavaOnevisionProcessor(
        images,
        tokenizer,
        num_image_tokens=16,
        vision_feature_select_strategy="full",
        chat_template=unmarked(LLAVA_ONEVISION),
    )
    config = transformers.LlavaOnevisionConfig(
        image_token_index=processor.image_token_id,
        video_token_index=processor.video_token_id,
        image_grid_pinpoints=[[56, 56], [56, 112], [112, 56]],
        vision_config={
            "model_type": "siglip_vision_model",
            "hidden_size": HIDDEN // 2,
            "intermediate_size": HIDDEN,
            "num_hidden_layers": LAYERS,
            "num_attention_heads": 2,
            "image_size": 56,
            "patch_size": 14,
            "vision_use_head": False,
        },
        text_config=_text("qwen2", tokenizer),
    )
    return _built(transformers.LlavaOnevisionForConditionalGeneration, config, processor)


BUILDERS: dict[str, Callable[[list[str]], tuple[Any, Any]]] = {
    "idefics3": tiny_idefics3,
    "smolvlm": smolvlm,
    "internvl_phi3": tiny_internvl,
    "internvl_qwen": internvl_qwen,
    "qwen2_5_vl": qwen2_5_vl,
    "qwen3_vl": qwen3_vl,
    "llava_onevision": llava_onevision,
}


def _qwen_tokenizer(texts: list[str]) -> tuple[Any, dict[str, int]]:
    names = ["<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]
    tokenizer = _tokenizer(texts, "<|im_start|>", "<|im_end|>", *names)
    start, end, image, video = tokenizer.convert_tokens_to_ids(names)
    ids = {"vision_start_token_id": start, "vision_end_token_id": end}
    return tokenizer, {**ids, "image_token_id": image, "video_token_id": video}


def _tokenizer(texts: list[str], bos: str, eos: str, *extra: str) -> Any:
    special = {
        "bos_token": bos,
        "eos_token": eos,
        "pad_token": "<|endoftext|>",
        "extra": list(extra),
    }
    return train_tokenizer(texts, special=special)


def _text(model_type: str, tokenizer: Any) -> dict[str, Any]:
    config = tiny_llama_config(tokenizer, hidden=HIDDEN, layers=LAYERS)
    return config | {"model_type": model_type, "use_sliding_window": False}


def _built(cls: Any, config: Any, processor: Any) -> tuple[Any, Any]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = cls(config)
    tokenizer = processor.tokenizer
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    return model.eval(), one_patch(processor)
