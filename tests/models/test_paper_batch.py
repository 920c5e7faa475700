"""`compat="t2vid-paper"`: the batches that the two programs of the paper's repository make.

What they do is written down here a second time, from reading them (T2Vid, `finetune/dataset.py` of
both models): from a row of their files to ids and targets.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch
from datasets import Dataset, Image, List
from PIL import Image as Pillow

from t2vid.errors import InputError
from t2vid.models.families import family_of
from t2vid.models.tiny import tiny_idefics3, tiny_minicpm
from t2vid.schema import row_features
from t2vid.trainer import VideoCollator, VideoSFTTrainer
from tiny_families import qwen2_5_vl
from training_rows import clip, cpu_settings, row, texts

TURNS = [("user", "What? "), ("assistant", " A boat."), ("user", "Why?"), ("assistant", "Wind.")]


def rows() -> list[dict[str, Any]]:
    return [
        row("two", "clips", clip("red", 2), TURNS, 2),
        row("one", "clips", clip("blue", 1), TURNS[:2], 1),
        row("none", "words", [], TURNS, 0),
    ]


def as_file(one: dict[str, Any]) -> list[tuple[str, str]]:
    """The conversation as their preprocessing stores it: a tag and a line break a frame."""
    tags = "".join(f"<image_{at:02}>\n" for at in range(len(one["images"])))
    said = [
        (t["role"], "".join(p.get("text") or "" for p in t["content"])) for t in one["messages"]
    ]
    return [(said[0][0], tags + said[0][1]), *said[1:]]


def tokens_of(text: str, tokenizer: Any) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def idefics3_batch(one: dict[str, Any], processor: Any) -> tuple[list[int], list[int]]:
    tokenizer = processor.tokenizer
    text = "<|begin_of_text|>"
    for at, (role, content) in enumerate(as_file(one)):
        said = re.sub(r"<image_\d+>", "", content).strip()
        images = "<image>" * len(one["images"]) if at == 0 else ""
        text += f"{role.capitalize()}:{images or ' '}{said}<end_of_utterance>\n"
    # The tokenizer of the checkpoint adds a beginning of its own.
    given = {"images": [one["images"]]} if one["images"] else {}
    out = processor(text=[text.strip()], **given, add_special_tokens=False)
    ids = [tokenizer.bos_token_id, *out["input_ids"][0]]
    image = tokenizer.convert_tokens_to_ids("<image>")
    return ids, [-100 if token in (image, tokenizer.pad_token_id) else token for token in ids]


def minicpm_batch(one: dict[str, Any], processor: Any) -> tuple[list[int], list[int]]:
    tokenizer, queries = processor.tokenizer, processor.image_processor.image_feature_size
    picture = "<image>" + "<unk>" * queries + "</image>"
    text = "<|begin_of_text|>"
    for role, content in as_file(one):
        parts = re.split(r"(<image_\d+>)", content)
        joined = "\n".join(picture if part.startswith("<image_") else part for part in parts)
        text += f"<|start_header_id|>{role}<|end_header_id|>\n\n{joined.strip()}<|eot_id|>"
    ids = tokens_of(text, tokenizer)
    end, header = (tokenizer.convert_tokens_to_ids(t) for t in ("<|eot_id|>", "<|end_header_id|>"))
    assistant, breaks = tokens_of("assistant", tokenizer), tokens_of("\n\n", tokenizer)
    context = [1] * len(ids)
    for at in range(len(ids)):
        start = at + len(assistant) + 1 + len(breaks)
        if ids[at : at + len(assistant)] == assistant and ids[at + len(assistant)] == header:
            stop = next(place for place in range(start + 1, len(ids)) if ids[place] == end)
            context[start : stop + 1] = [0] * (stop + 1 - start)
    target = [-100] * len(ids)  # of the next token, as the program stores them
    for at in range(1, len(ids)):
        if context[at] == 0:
            target[at - 1] = ids[at]
        if context[at] == 1 and context[at - 1] == 0:
            target[at - 1] = end
    return ids, [-100, *target[:-1]]


MADE = {"idefics3": (tiny_idefics3, idefics3_batch), "minicpm": (tiny_minicpm, minicpm_batch)}


@pytest.fixture(params=sorted(MADE))
def made(request) -> tuple[Any, Any, Any]:
    maker, reference = MADE[request.param]
    return *maker([*texts(rows()), "assistant user"]), reference


def test_batches_are_those_of_the_papers_programs(made):
    model, processor, reference = made
    batch = VideoCollator(processor, family_of(model), compat="t2vid-paper")(rows())
    for at, one in enumerate(rows()):
        ids, labels = reference(one, processor)
        assert batch["input_ids"][at, : len(ids)].tolist() == ids
        assert batch["labels"][at, 1 : len(ids)].tolist() == labels[1:]
        assert (batch["labels"][at, len(ids) :] == -100).all()
    plain = VideoCollator(processor, family_of(model))(rows())
    assert plain["input_ids"].shape != batch["input_ids"].shape or not torch.equal(
        plain["labels"], batch["labels"]
    )


def test_what_differs_is_what_the_docs_say():
    model, processor = tiny_idefics3(texts(rows()))
    ids = VideoCollator(processor, "idefics3", compat="t2vid-paper")([rows()[0]])["input_ids"][0]
    assert ids[:2].tolist() == [processor.tokenizer.bos_token_id] * 2
    assert ids[-1] == processor.tokenizer.convert_tokens_to_ids("<end_of_utterance>")
    model, processor = tiny_minicpm(texts(rows()))
    batch = VideoCollator(processor, "minicpm", compat="t2vid-paper")([rows()[0]])
    words = processor.tokenizer.decode(batch["input_ids"][0])
    assert "</image>\n\n\n<image>" in words and "</image>\n\nWhat?<|eot_id|>" in words
    end = processor.tokenizer.convert_tokens_to_ids("<|eot_id|>")
    assert int((batch["labels"] == end).sum()) == 3  # one of two answers asks for a second


def test_lengths_are_known_without_frames_in_the_papers_batches_too(made):
    model, processor, _ = made
    encode = VideoCollator(processor, family_of(model), compat="t2vid-paper").encode
    for one in rows():
        assert encode.n_tokens(one, n_frames=len(one["images"])) == len(encode(one).ids)


@pytest.mark.parametrize("compat", ["", "t2vid-paper"])
def test_the_papers_loss_is_a_mean_of_the_means_of_micro_batches(tmp_path, compat):
    model, processor = tiny_minicpm(texts(rows()))
    data = Dataset.from_list(rows()[:2], features=row_features(List(Image())))
    collate = VideoCollator(processor, "minicpm", compat=compat, segments=False)
    with torch.no_grad():
        losses = [model(**collate([one])).loss for one in rows()[:2]]
        whole = model(**collate(rows()[:2])).loss
    args = cpu_settings(
        tmp_path,
        compat=compat or None,
        per_device_train_batch_size=1,
        gradient_accumulation_steps=2,
        max_steps=1,
    )
    run = VideoSFTTrainer(model, args, train_dataset=data, processing_class=processor)
    run.train()
    want = sum(losses) / 2 if compat else whole
    assert run.state.log_history[0]["loss"] == pytest.approx(float(want), rel=1e-4)
    assert abs(float(sum(losses) / 2 - whole)) > 1e-3
    assert run.model.config.attend_padding is bool(compat)


def test_frames_are_enlarged_and_shrunk_as_published(tmp_path):
    model, processor = tiny_idefics3(texts(rows()))
    data = Dataset.from_list(rows()[:2], features=row_features(List(Image())))
    args = cpu_settings(tmp_path, compat="t2vid-paper")
    run = VideoSFTTrainer(model, args, train_dataset=data, processing_class=processor)
    assert dict(processor.image_processor.size)["longest_edge"] == 4 * 56
    got = run.data_collator([rows()[1]])["pixel_values"]
    frame = rows()[1]["images"][0]
    large = frame.resize(
        (224, 150), Pillow.Resampling.LANCZOS
    )  # an even height, as its rule has it
    small = large.resize((56, 56), Pillow.Resampling.LANCZOS)
    values = (torch.tensor(np.array(small)).permute(2, 0, 1) / 255 - 0.5) / 0.5
    assert torch.allclose(got[0, 0], values.float(), atol=0.02)


def test_frames_of_several_sizes_see_the_padding_as_published():
    model, processor = tiny_minicpm(texts(rows()))
    collate = VideoCollator(processor, "minicpm", segments=False)
    wide, square = Pillow.new("RGB", (96, 40), "red"), Pillow.new("RGB", (56, 56), "blue")
    mixed = collate([row("a", "s", [wide, square], TURNS, 2)])
    alike = collate([row("a", "s", [wide, wide], TURNS, 2)])
    body, sizes = model.model, mixed["target_sizes"]
    with torch.no_grad():
        ours = body.get_image_features(mixed["pixel_values"], sizes)
        same = body.get_image_features(alike["pixel_values"], alike["target_sizes"])
        model.config.attend_padding = True
        theirs = body.get_image_features(mixed["pixel_values"], sizes)
        still = body.get_image_features(alike["pixel_values"], alike["target_sizes"])
        # Their mask is one for every patch of the longest frame; what is padded is zero.
        pixels = mixed["pixel_values"].clone()
        lengths = sizes.prod(dim=1)
        for at, n in enumerate(lengths):
            pixels[at, :, :, 14 * int(n) :] = 0
        mask = torch.ones(2, 1, int(lengths.max()), dtype=torch.bool)
        seen = body.vpm(pixel_values=pixels, patch_attention_mask=mask).last_hidden_state
        want = body.resampler(seen, [tuple(size) for size in sizes.tolist()])
    assert len(set(lengths.tolist())) == 2
    assert torch.allclose(theirs, want, atol=1e-6) and torch.equal(same, still)
    shorter = int(lengths.argmin())
    assert (ours[shorter] - theirs[shorter]).abs().max() > 1e-3
    assert torch.allclose(ours[1 - shorter], theirs[1 - shorter], atol=1e-5)


def test_what_the_paper_did_not_do_is_refused(made):
    model, processor, _ = made
    with pytest.raises(InputError, match="pack"):
        VideoCollator(processor, family_of(model), compat="t2vid-paper", pack=True)
    with pytest.raises(InputError, match="must be 't2vid-paper'"):
        VideoCollator(processor, family_of(model), compat="paper")
    turns = [("system", "Be brief."), *TURNS]
    with pytest.raises(InputError, match="no turn of 'system'"):
        VideoCollator(processor, family_of(model), compat="t2vid-paper")(
            [row("a", "s", [], turns, 0)]
        )
    model, processor = qwen2_5_vl(texts(rows()))
    with pytest.raises(InputError, match="idefics3 and minicpm, and none of qwen_vl"):
        VideoCollator(processor, family_of(model), compat="t2vid-paper")
