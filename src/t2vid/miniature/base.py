"""The mini image-LLM before it has learned anything: a native Idefics3 of one million parameters.

>>> model, processor = new_base(seed=0)
>>> sum(weight.numel() for weight in model.parameters()) < 3_000_000
True
>>> processor.tokenizer.tokenize("first a red box at left")
['first', 'Ġa', 'Ġred', 'Ġbox', 'Ġat', 'Ġleft']
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from t2vid.errors import require
from t2vid.miniature.pictures import FRAME_PX
from t2vid.miniature.prompts import DESCRIBE, LOOK, READ
from t2vid.miniature.questions import LETTERS, WORDINGS
from t2vid.miniature.world import COLOURS, NUMBERS, PLACES, SHAPES, all_phrases
from t2vid.models.tiny import random_model, train_tokenizer

PATCH_PX = 14
SHUFFLE = 2  # 4 x 4 patches of a frame become 2 x 2 tokens

# The shortest that marks turns and answers: every token of a row costs time.
TEMPLATE = (
    "{% for message in messages %}{% if message['role'] == 'assistant' %}<assistant>"
    "{% generation %} {% for part in message['content'] %}{{ part['text'] }}{% endfor %}"
    "<end_of_utterance>{% endgeneration %}{% else %}<user>"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endif %}{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
)
_SPECIAL = {
    "bos_token": "<|begin_of_text|>",
    "eos_token": "<end_of_utterance>",
    "pad_token": "<|pad|>",
    "extra": [
        "<fake_token_around_image>",
        "<image>",
        "<global-img>",
        "<user>",
        "<assistant>",
    ],
}


@dataclass(frozen=True)
class BaseSize:
    """How large a mini image-LLM is.

    Attributes:
        hidden: width of the language model.
        layers: its layers; depth pays more than width for questions about an order.
        vision_hidden: width of the vision tower.
        vision_layers: its layers.
    """

    hidden: int = 96
    layers: int = 6
    vision_hidden: int = 64
    vision_layers: int = 3


def new_base(size: BaseSize = BaseSize(), *, seed: int = 0) -> tuple[Any, Any]:  # noqa: B008  frozen
    """Build the model with random weights, and its processor.

    Args:
        size: how large.
        seed: of the weights.
    """
    transformers = require("transformers", extra="train")
    pil = require("transformers.models.idefics3.image_processing_pil_idefics3", extra="train")
    tokenizer = train_tokenizer(_texts(), vocab_size=900, special=_SPECIAL)
    processor = transformers.Idefics3Processor(
        pil.Idefics3ImageProcessorPil(
            size={"longest_edge": FRAME_PX},
            max_image_size={"longest_edge": FRAME_PX},
            do_image_splitting=False,
        ),
        tokenizer,
        image_seq_len=(FRAME_PX // PATCH_PX // SHUFFLE) ** 2,
        chat_template=TEMPLATE,
    )
    config = transformers.Idefics3Config(
        image_token_id=processor.image_token_id,
        scale_factor=SHUFFLE,
        tie_word_embeddings=False,
        vision_config={
            "hidden_size": size.vision_hidden,
            "intermediate_size": 3 * size.vision_hidden,
            "num_hidden_layers": size.vision_layers,
            "num_attention_heads": 4,
            "image_size": FRAME_PX,
            "patch_size": PATCH_PX,
        },
        text_config={
            "model_type": "llama",
            "vocab_size": len(tokenizer),
            "hidden_size": size.hidden,
            "intermediate_size": 8 * size.hidden // 3,
            "num_hidden_layers": size.layers,
            "num_attention_heads": 4,
            "num_key_value_heads": 4,
            "max_position_embeddings": 1024,
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id,
            "pad_token_id": tokenizer.pad_token_id,
        },
    )
    kind = transformers.Idefics3ForConditionalGeneration
    return random_model(kind, config, tokenizer, seed=seed), processor


def _texts() -> list[str]:
    """Give every word of the world often enough that each becomes one token."""
    values = [*COLOURS, *SHAPES, *PLACES, *NUMBERS]
    lists = [f" {value}\n" for value in values] + [f"{letter}. " for letter in LETTERS]
    told = [f" {phrase}" for phrase in all_phrases()]
    asked = [wording for wordings in WORDINGS.values() for wording in wordings]
    return [*all_phrases(), *told, *(asked + lists + [*DESCRIBE, *LOOK, *READ]) * 20]
