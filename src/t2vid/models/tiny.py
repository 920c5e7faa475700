"""Tiny vision-language models: real classes, random weights, trained within seconds.

>>> model, processor = tiny_idefics3(["What is drawn here? A small red boat."])
>>> type(model).__name__, processor.image_seq_len
('Idefics3ForConditionalGeneration', 4)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from t2vid.errors import InputError, require

# The published Idefics3 format: `User:<image>question<end_of_utterance>\nAssistant:
# answer<end_of_utterance>`.
IDEFICS3_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}Assistant:{% generation %} "
    "{% for part in message['content'] %}{{ part['text'] }}{% endfor %}"
    "<end_of_utterance>\n{% endgeneration %}"
    "{% else %}{{ message['role'] | capitalize }}:"
    "{% if message['content'][0]['type'] != 'image' %} {% endif %}"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}<end_of_utterance>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)
PATCH_PX = 14
SHUFFLE = 2  # Idefics3's `scale_factor`: so many patches a side become one token


def tiny_idefics3(
    texts: Iterable[str],
    *,
    seed: int = 0,
    image_px: int = 56,
    hidden: int = 64,
    layers: int = 2,
    vocab_size: int = 1024,
) -> tuple[Any, Any]:
    """Build an Idefics3 with random weights and a processor whose tokenizer is trained on `texts`.

    Args:
        texts: what the tokenizer learns its merges from; every byte is covered whatever they are.
        seed: of the random weights; the global random state is left alone.
        image_px: side of a frame as the model sees it; a multiple of 28 pixels.
        hidden: width of the language model, a multiple of 16; the vision tower has half of it.
        layers: number of layers of both towers.
        vocab_size: upper limit of the vocabulary, at least 300.

    Returns:
        `(model, processor)`: `Idefics3ForConditionalGeneration` and `Idefics3Processor`, no image
        splitting.

    Raises:
        InputError: when a size does not fit the architecture.
    """
    unit = PATCH_PX * SHUFFLE
    check_sizes(image_px, hidden, unit=unit, what="patch x shuffle")
    transformers = require("transformers", extra="train")

    tokens_a_frame = (image_px // unit) ** 2
    tokenizer = train_tokenizer(texts, vocab_size=vocab_size, special=_IDEFICS3_SPECIAL)
    pil = require("transformers.models.idefics3.image_processing_pil_idefics3", extra="train")
    image_processor = pil.Idefics3ImageProcessorPil(
        size={"longest_edge": image_px},
        max_image_size={"longest_edge": image_px},
        do_image_splitting=False,
    )
    processor = transformers.Idefics3Processor(
        image_processor,
        tokenizer,
        image_seq_len=tokens_a_frame,
        chat_template=IDEFICS3_TEMPLATE,
    )
    config = transformers.Idefics3Config(
        image_token_id=processor.image_token_id,
        scale_factor=SHUFFLE,
        tie_word_embeddings=False,
        vision_config={
            "hidden_size": hidden // 2,
            "intermediate_size": hidden,
            "num_hidden_layers": layers,
            "num_attention_heads": 2,
            "image_size": image_px,
            "patch_size": PATCH_PX,
        },
        text_config=tiny_llama_config(tokenizer, hidden=hidden, layers=layers),
    )
    model = random_model(
        transformers.Idefics3ForConditionalGeneration, config, tokenizer, seed=seed
    )
    return model, processor


def tiny_minicpm(
    texts: Iterable[str],
    *,
    seed: int = 0,
    image_px: int = 56,
    hidden: int = 64,
    layers: int = 2,
    queries: int = 4,
    vocab_size: int = 1024,
) -> tuple[Any, Any]:
    """Build a MiniCPM-Llama3-V-2.5 with random weights and a processor, as `tiny_idefics3` does.

    Args:
        texts: what the tokenizer learns its merges from.
        seed: of the random weights; the global random state is left alone.
        image_px: side of the square whose area a frame is given, a multiple of 14 pixels.
        hidden: width of the language model, a multiple of 16; the vision tower has half of it.
        layers: number of layers of both towers.
        queries: tokens that a frame becomes; 96 in the published model.
        vocab_size: upper limit of the vocabulary, at least 300.

    Returns:
        `(model, processor)`: `MiniCPMVForConditionalGeneration` and `MiniCPMVProcessor`, no slices.

    Raises:
        InputError: when a size does not fit the architecture.
    """
    check_sizes(image_px, hidden, unit=PATCH_PX, what="the patch")
    port = require("t2vid.models.minicpm_v", extra="train")
    tokenizer = train_tokenizer(texts, vocab_size=vocab_size, special=_MINICPM_SPECIAL)
    tokenizer.unk_token = "<unk>"
    images = port.MiniCPMVImageProcessor(
        max_slice_nums=1, scale_resolution=image_px, image_feature_size=queries
    )
    processor = port.MiniCPMVProcessor(images, tokenizer)
    text_config = tiny_llama_config(tokenizer, hidden=hidden, layers=layers)
    del text_config["model_type"]
    config = port.MiniCPMVConfig(
        **text_config,
        query_num=queries,
        resampler_heads=4,
        image_token_id=processor.image_token_id,
        vision_config={
            "hidden_size": hidden // 2,
            "intermediate_size": hidden,
            "num_hidden_layers": layers,
            "num_attention_heads": 2,
            "image_size": 2 * image_px,  # about as many positions a side as published: 70 for 32
            "patch_size": PATCH_PX,
        },
    )
    return random_model(
        port.MiniCPMVForConditionalGeneration, config, tokenizer, seed=seed
    ), processor


def check_sizes(image_px: int, hidden: int, *, unit: int, what: str) -> None:
    """Refuse sizes that do not fit a tiny model.

    Args:
        image_px: side of a frame.
        hidden: width of the language model.
        unit: what the side must be a multiple of, in pixels.
        what: what the unit is.

    Raises:
        InputError: naming the value and the limit.
    """
    if image_px < unit or image_px % unit:
        raise InputError(f"image_px ({image_px}) must be a multiple of {unit} ({what})")
    if hidden < 16 or hidden % 16:
        raise InputError(f"hidden ({hidden}) must be a multiple of 16")


def random_model(
    kind: Any,
    config: Any,
    tokenizer: Any,
    *,
    seed: int,
    start: Callable[[Any], None] = lambda model: None,
) -> Any:
    """Build a model with random weights that stops where `tokenizer` ends a turn.

    Args:
        kind: class of the model.
        config: its configuration.
        tokenizer: gives the tokens that begin, end and pad.
        seed: of the weights; the global random state is left alone.
        start: changes the weights further, drawing from the same seed.
    """
    torch = require("torch", extra="train")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = kind(config)
        start(model)
    for name in ("bos", "eos", "pad"):
        setattr(model.generation_config, f"{name}_token_id", getattr(tokenizer, f"{name}_token_id"))
    return model.eval()


def tiny_llama_config(tokenizer: Any, *, hidden: int, layers: int) -> dict[str, Any]:
    """Give the `text_config` of a Llama that fits `tokenizer`."""
    return {
        "model_type": "llama",
        "vocab_size": len(tokenizer),
        "hidden_size": hidden,
        "intermediate_size": 2 * hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 16384,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }


_IDEFICS3_SPECIAL = {
    "bos_token": "<|begin_of_text|>",
    "eos_token": "<end_of_utterance>",
    "pad_token": "<|pad|>",
    "extra": ["<fake_token_around_image>", "<image>", "<global-img>"],
}


_MINICPM_SPECIAL = {
    "bos_token": "<|begin_of_text|>",
    "eos_token": "<|eot_id|>",
    "pad_token": "<|end_of_text|>",
    "extra": [
        "<unk>",
        "<image>",
        "</image>",
        "<slice>",
        "</slice>",
        "<|start_header_id|>",
        "<|end_header_id|>",
    ],
}


def train_tokenizer(
    texts: Iterable[str], *, vocab_size: int = 1024, special: dict[str, Any] | None = None
) -> Any:
    """Train a byte-level BPE tokenizer on the spot.

    Args:
        texts: what the merges are learned from.
        vocab_size: upper limit of the vocabulary, special tokens included.
        special: `bos_token`, `eos_token`, `pad_token` and a list `extra`; Idefics3's by default.

    Returns:
        A `PreTrainedTokenizerFast` that encodes any text without an unknown token.
    """
    special = special or _IDEFICS3_SPECIAL
    if vocab_size < 300:
        raise InputError(f"vocab_size ({vocab_size}) must be at least 300: 256 bytes and the marks")
    transformers = require("transformers", extra="train")
    tokenizers = require("tokenizers", extra="train")
    names = [special["bos_token"], special["eos_token"], special["pad_token"], *special["extra"]]
    core = tokenizers.Tokenizer(tokenizers.models.BPE())
    core.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=names,
        initial_alphabet=sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    core.train_from_iterator(list(texts), trainer)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=core,
        bos_token=special["bos_token"],
        eos_token=special["eos_token"],
        pad_token=special["pad_token"],
        additional_special_tokens=list(special["extra"]),
        padding_side="right",
        clean_up_tokenization_spaces=False,
    )
