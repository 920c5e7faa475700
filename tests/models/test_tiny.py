"""What the tiny models promise: real classes, any text, repeatable, saved like large ones."""

from __future__ import annotations

import pytest
import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor
from trl.chat_template_utils import is_chat_template_stop_token_trained

from t2vid.errors import InputError
from t2vid.models.families import frame_px
from t2vid.models.tiny import tiny_idefics3

TEXTS = ["The small red boat leaves the harbour.", "Why does it leave?"]


def test_the_same_seed_gives_the_same_model_and_leaves_the_global_state_alone() -> None:
    before = torch.random.get_rng_state()
    one, two, three = (tiny_idefics3(TEXTS, seed=seed)[0].state_dict() for seed in (1, 1, 2))
    assert torch.equal(before, torch.random.get_rng_state())
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not all(torch.equal(one[name], three[name]) for name in one)


def test_any_text_survives_its_tokenizer() -> None:
    tokenizer = tiny_idefics3(TEXTS)[1].tokenizer
    for text in ("naïve café", "数字と仮名", "a  b\n\n\tc", "\U0001f6a2"):
        assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_checkpoints_load_by_the_auto_classes(tmp_path) -> None:
    model, processor = tiny_idefics3(TEXTS, image_px=112)
    model.save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    again = AutoProcessor.from_pretrained(tmp_path)
    assert frame_px(again) == (112, 112) and again.image_seq_len == 16
    assert again.chat_template == processor.chat_template
    inputs = again(text="<image>Why?", images=[Image.new("RGB", (64, 48))], return_tensors="pt")
    inputs.pop("pixel_attention_mask")
    loaded = AutoModelForImageTextToText.from_pretrained(tmp_path).eval()
    with torch.no_grad():
        assert torch.equal(model(**inputs).logits, loaded(**inputs).logits)


def test_the_template_trains_the_end_token() -> None:
    assert is_chat_template_stop_token_trained(tiny_idefics3(TEXTS)[1])


@pytest.mark.parametrize("size", [{"image_px": 50}, {"hidden": 40}, {"vocab_size": 100}])
def test_sizes_that_do_not_fit_are_named(size) -> None:
    with pytest.raises(InputError, match=next(iter(size))):
        tiny_idefics3(TEXTS, **size)
