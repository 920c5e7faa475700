"""Every target of every family, against a conversation written out by hand.

Each family's published format stands here as a string: ⟦…⟧ is what the loss counts, F a frame. The
string is cut at its special tokens and tokenised without t2vid, its labels set token by token.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from PIL import Image

from t2vid.errors import InputError
from t2vid.models.families import family_of, frame_px
from t2vid.models.tiny import tiny_minicpm
from t2vid.trainer import VideoCollator
from tiny_families import BUILDERS
from training_rows import mixed_rows, row, texts

MAKERS = {**BUILDERS, "minicpm": tiny_minicpm}
_IDEFICS3 = (
    "User:FFWhat?<end_of_utterance>\nAssistant:⟦ That.<end_of_utterance>⟧\n"
    "User: Two and two?<end_of_utterance>\nAssistant:⟦ Four.<end_of_utterance>⟧\n"
)
_QWEN = (
    "<|im_start|>user\n{frames}What?<|im_end|>\n<|im_start|>assistant\n⟦That.<|im_end|>⟧\n"
    "<|im_start|>user\nTwo and two?<|im_end|>\n<|im_start|>assistant\n⟦Four.<|im_end|>⟧\n"
)
WRITTEN = {
    "idefics3": "<|begin_of_text|>" + _IDEFICS3,
    "smolvlm": "<|im_start|>" + _IDEFICS3,
    "internvl_phi3": (
        "<s><|system|>\nYou are an AI assistant whose name is Phi-3.<|end|><|user|>\n"
        "Frame1: F\nFrame2: F\nWhat?<|end|><|assistant|>\n⟦That.<|end|>⟧"
        "<|user|>\nTwo and two?<|end|><|assistant|>\n⟦Four.<|end|>⟧"
    ),
    "internvl_qwen": _QWEN.format(frames="F\nF\n"),
    "qwen2_5_vl": "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
    + _QWEN.format(frames="FF"),
    "qwen3_vl": _QWEN.format(frames="FF"),
    "llava_onevision": (
        "<|im_start|>user FF\nWhat?<|im_end|><|im_start|>assistant ⟦\nThat.<|im_end|>⟧"
        "<|im_start|>user \nTwo and two?<|im_end|><|im_start|>assistant ⟦\nFour.<|im_end|>⟧"
    ),
    "minicpm": (
        "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nF\nF\nWhat?<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n⟦That.<|eot_id|>⟧"
        "<|start_header_id|>user<|end_header_id|>\n\nTwo and two?<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n⟦Four.<|eot_id|>⟧"
    ),
}
# What a frame of the tiny model's size becomes, by the architecture's arithmetic.
_FAKE = "<fake_token_around_image>"
FRAMES = {
    "idefics3": f"{_FAKE}<global-img>{'<image>' * 4}{_FAKE}",
    "smolvlm": f"{_FAKE}<global-img>{'<image>' * 4}{_FAKE}",
    "internvl_phi3": f"<img>{'<IMG_CONTEXT>' * 4}</img>",
    "internvl_qwen": f"<img>{'<IMG_CONTEXT>' * 4}</img>",
    "qwen2_5_vl": f"<|vision_start|>{'<|image_pad|>' * 256}<|vision_end|>",
    "qwen3_vl": f"<|vision_start|>{'<|image_pad|>' * 196}<|vision_end|>",
    "llava_onevision": "<image>" * 17,
    "minicpm": f"<image>{'<unk>' * 4}</image>",
}


def by_hand(text: str, tokenizer: Any, *, everything: str = "") -> tuple[list[int], list[int]]:
    """Give ids and labels of a written conversation; with `everything`, all but that token."""
    special = sorted(tokenizer.get_added_vocab(), key=len, reverse=True)
    cut = re.compile("(⟦|⟧|" + "|".join(map(re.escape, special)) + ")")
    ids: list[int] = []
    labels: list[int] = []
    learned = False
    for piece in cut.split(text):
        if piece in ("⟦", "⟧"):
            learned = piece == "⟦"
        elif piece:
            known = tokenizer.get_added_vocab().get(piece)
            new = (
                [known] if known is not None else tokenizer.encode(piece, add_special_tokens=False)
            )
            ids += new
            counts = piece != everything if everything else learned
            labels += new if counts else [-100] * len(new)
    return ids, labels


@pytest.fixture(scope="module", params=sorted(MAKERS))
def made(request) -> tuple[str, Any, Any]:
    return request.param, *MAKERS[request.param](texts(mixed_rows()))


def conversation(processor: Any) -> dict[str, Any]:
    frames = [Image.new("RGB", frame_px(processor), colour) for colour in ("red", "blue")]
    turns = [("user", "What?"), ("assistant", "That.")]
    turns += [("user", "Two and two?"), ("assistant", "Four.")]
    return row("a", "s", frames, turns, 2)


def written(name: str) -> str:
    # An F before a capital, a line's end or another F: the one of "Four" and "Frame1" is a letter.
    return re.sub(r"F(?=[\nFW])", FRAMES[name], WRITTEN[name])


@pytest.mark.parametrize("loss_on", ["answer", "conversation"])
def test_ids_and_labels_are_those_written_by_hand(made, loss_on):
    name, model, processor = made
    batch = VideoCollator(processor, family_of(model), loss_on=loss_on)([conversation(processor)])
    place = str(processor.image_token) if loss_on == "conversation" else ""
    ids, labels = by_hand(written(name), processor.tokenizer, everything=place)
    assert batch["input_ids"][0].tolist() == ids
    assert batch["labels"][0].tolist()[1:] == labels[1:]  # the first is nobody's target


def test_a_turn_without_weight_leaves_the_loss_and_nothing_else_changes(made):
    name, model, processor = made
    one = conversation(processor)
    said = [dict(turn) for turn in one["messages"]]
    said[1]["weight"] = 0
    batch = VideoCollator(processor, family_of(model))([one | {"messages": said}])
    text = written(name)
    first = text.index("⟦")
    text = text[:first] + text[first + 1 :].replace("⟧", "", 1)
    ids, labels = by_hand(text, processor.tokenizer)
    assert batch["input_ids"][0].tolist() == ids and batch["labels"][0].tolist()[1:] == labels[1:]


def test_each_answer_ends_with_the_token_that_ends_generation(made):
    _, model, processor = made
    batch = VideoCollator(processor, family_of(model))([conversation(processor)])
    labels = batch["labels"][0].tolist()
    last = [a for a, b in zip(labels, [*labels[1:], -100], strict=True) if a != -100 and b == -100]
    assert last == [processor.tokenizer.eos_token_id] * 2


def test_packed_rows_have_the_labels_of_rows_alone_but_for_their_first_tokens(made):
    name, model, processor = made
    if not family_of(model).packs:
        with pytest.raises(InputError, match="do not restart"):
            VideoCollator(processor, family_of(model), pack=True)
        return
    collate = VideoCollator(processor, family_of(model), pack=True, loss_on="conversation")
    batch = collate([conversation(processor)] * 2)
    _, labels = by_hand(written(name), processor.tokenizer, everything=str(processor.image_token))
    one = [
        -100,
        *labels[1:],
    ]  # what stands before a row is another row, which predicts nothing of it
    assert batch["labels"][0].tolist() == one * 2
