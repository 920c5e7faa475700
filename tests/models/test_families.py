"""What every family promises: frames, tokens, loss, a step, an answer, a checkpoint, no torchvision."""

from __future__ import annotations

import json
import pickle
import re
from typing import Any

import pytest
import torch
import transformers
from datasets import Dataset, List
from datasets import Image as ImageColumn
from PIL import Image
from transformers import AutoModelForImageTextToText

from media import make_clip
from t2vid.errors import InputError, MissingExtra
from t2vid.evaluation.generate import answer
from t2vid.frames.feature import Frames, text_value, video_value
from t2vid.mixing.budget import tokens_of_a_frame
from t2vid.models import processors
from t2vid.models.families import family_of, frame_px, load_processor, one_patch, part
from t2vid.models.parts import part_of
from t2vid.models.prompts import training_template
from t2vid.models.rows import RowEncoder
from t2vid.models.showing import conversation
from t2vid.pages.batch import inspect
from t2vid.schema import row_features
from t2vid.trainer import VideoCollator, VideoSFTTrainer
from t2vid.trainer.check import check
from tiny_families import BUILDERS, qwen2_5_vl
from training_rows import clip, cpu_settings, mixed_rows, row, texts

ROWS = mixed_rows()
# A frame of the family's size: tokens that stand for it, by the architecture's arithmetic.
TOKENS = {
    "idefics3": (56 // 14 // 2) ** 2,
    "smolvlm": (56 // 14 // 2) ** 2,
    "internvl_phi3": (56 // 14 // 2) ** 2,
    "internvl_qwen": (56 // 14 // 2) ** 2,
    "qwen2_5_vl": (448 // 28) ** 2,
    "qwen3_vl": (448 // 32) ** 2,
    "llava_onevision": (56 // 14) ** 2 + 1,
}


@pytest.fixture(scope="module", params=sorted(BUILDERS))
def made(request) -> tuple[str, Any, Any]:
    return request.param, *BUILDERS[request.param](texts(ROWS))


def collator(made: Any, **kwargs: Any) -> VideoCollator:
    return VideoCollator(made[2], family_of(made[1]), **kwargs)


def test_its_parts_are_where_the_entry_says(made):
    _, model, _ = made
    family = family_of(model)
    vision, connector, language = (
        part(model, path) for path in (family.vision, family.connector, family.language)
    )
    assert sum(p.numel() for p in vision.parameters()) > 0
    assert sum(p.numel() for p in connector.parameters()) > 0
    inside = {id(p) for p in vision.parameters()}
    assert not inside & {id(p) for p in language.parameters()}


def test_lora_touches_every_projection_of_the_language_model_and_nothing_else(made):
    _, model, _ = made
    family = family_of(model)
    linear = [n for n, m in model.named_modules() if isinstance(m, torch.nn.Linear)]
    hit = {n for n in linear if re.fullmatch(family.lora_pattern, n)}
    want = {n for n in linear if f"{family.language}.layers." in n}
    assert hit == want and len(hit) >= 4 * 2


def test_a_frame_takes_the_tokens_that_its_processor_writes(made):
    name, model, processor = made
    encode = RowEncoder(processor, family=family_of(model))
    size = frame_px(processor)
    for n in (1, 2, 5):
        frames = [Image.new("RGB", size, (40 * i, 9, 9)) for i in range(n)]
        turns = [("user", "What?"), ("assistant", "That.")]
        encoded = encode(row("a", "s", frames, turns, n))
        assert encoded.is_frame.sum() == n * TOKENS[name]
        # The processor's own count, where it does not cut a lone image into tiles.
        if not (n == 1 and encode.family.tiles_lone):
            out = processor(text=[processor.image_token * n], images=[frames])
            ids = torch.tensor(out["input_ids"][0])
            assert (ids == processor.image_token_id).sum() == n * TOKENS[name]


def test_a_budget_asks_the_processor_what_a_frame_costs(made):
    name, model, processor = made
    cost = tokens_of_a_frame(processor, size=frame_px(processor))
    marks = RowEncoder(processor, family=family_of(model)).frame_ids(frame_px(processor))
    assert TOKENS[name] <= cost <= len(marks)  # frames side by side may share a mark


def test_batches_hold_drawn_pages_clips_and_rows_without_frames(made):
    _, model, processor = made
    batch = collator(made, segments=False)(ROWS)
    with torch.no_grad():
        out = model(**batch)
    assert torch.isfinite(out.loss)
    assert (batch["input_ids"] == processor.image_token_id).any(1).tolist() == [True] * 7 + [False]
    alone = collator(made, segments=False)([ROWS[-1]])
    assert "pixel_values" not in alone
    with torch.no_grad():
        assert torch.isfinite(model(**alone).loss)


def test_the_loss_holds_the_answers_with_their_end_and_no_frame(made):
    _, _, processor = made
    batch = collator(made)(ROWS)
    end = processor.tokenizer.eos_token
    for i, r in enumerate(ROWS):
        answers = [t["content"][0]["text"] for t in r["messages"] if t["role"] == "assistant"]
        labels = batch["labels"][i]
        text = processor.tokenizer.decode(labels[labels != -100])
        parts = text.split(end)
        assert parts[-1] == "" and [p.strip() for p in parts[:-1]] == answers
    ids, labels = batch["input_ids"], batch["labels"]
    assert (labels[ids == processor.image_token_id] == -100).all()
    assert (labels[batch["attention_mask"] == 0] == -100).all()


def test_a_row_does_not_feel_its_neighbours(made):
    _, model, _ = made
    collate = collator(made, segments=False)
    rows = [ROWS[0], ROWS[2], ROWS[4], ROWS[7]]
    together = collate(rows)
    with torch.no_grad():
        whole = model(**together).logits
        for i, r in enumerate(rows):
            alone = model(**collate([r])).logits[0]
            assert torch.allclose(whole[i, : len(alone)], alone, atol=1e-4)


def test_a_frame_is_seen(made):
    _, model, processor = made
    collate = collator(made, segments=False)
    turns = [("user", "What?"), ("assistant", "That.")]
    size = frame_px(processor)
    logits = []
    for frame in (Image.new("RGB", size, "red"), Image.new("RGB", size, "blue")):
        with torch.no_grad():
            logits.append(model(**collate([row("a", "s", [frame], turns, 1)])).logits)
    assert not torch.allclose(logits[0][0, -1], logits[1][0, -1], atol=1e-6)


def test_logits_equal_those_of_the_processors_own_inputs(made):
    _, model, processor = made
    size = frame_px(processor)
    frames = [frame.resize(size) for frame in clip("red", 3)]
    turns = [("user", "What?"), ("assistant", "That.")]
    one = row("a", "s", frames, turns, 3)
    text = processor.apply_chat_template(
        conversation(one), chat_template=training_template(processor)
    )
    theirs = processor(text=[text], images=[frames], add_special_tokens=False, return_tensors="pt")
    theirs.pop("pixel_attention_mask", None)
    ours = collator(made, segments=False)([one])
    assert torch.equal(ours["input_ids"], theirs["input_ids"])
    with torch.no_grad():
        assert torch.allclose(model(**ours).logits, model(**theirs).logits, atol=1e-5)


def test_pixels_equal_the_processors_where_sizes_agree(made):
    _, model, processor = made
    size = frame_px(processor)
    frames = [frame.resize(size) for frame in clip("red", 3)]
    rows = [row("a", "s", frames, [("user", "?"), ("assistant", "!")], 3)]
    direct, theirs = (collator(made, pixels=way)(rows) for way in ("direct", "processor"))
    assert torch.equal(direct["input_ids"], theirs["input_ids"])
    assert torch.allclose(direct["pixel_values"], theirs["pixel_values"], atol=1e-6)
    with torch.no_grad():
        one, two = (
            model(**{k: v for k, v in batch.items() if k != "segments"}).loss
            for batch in (direct, theirs)
        )
    assert torch.allclose(one, two, atol=1e-5)


def test_a_dummy_frame_changes_no_loss(made):
    _, model, _ = made
    plain, dummy = (collator(made, segments=False, dummy_frame=d)([ROWS[-1]]) for d in (0, 1))
    assert "pixel_values" not in plain and "pixel_values" in dummy
    with torch.no_grad():
        assert torch.allclose(model(**plain).loss, model(**dummy).loss, atol=1e-5)


def test_lengths_are_known_without_frames(made):
    _, model, processor = made
    encode = RowEncoder(processor, family=family_of(model))
    for r in ROWS:
        n, real = encode.n_tokens(r, n_frames=len(r["images"])), len(encode(r).ids)
        assert real <= n if encode.family.pixels == "processor" else real == n


def test_packed_rows_have_the_losses_of_rows_alone(made):
    _, model, _ = made
    if not family_of(model).packs:
        with pytest.raises(InputError, match="pack"):
            collator(made, pack=True)
        return
    packed = collator(made, pack=True)(ROWS)
    segments = packed.pop("segments")
    with torch.no_grad():
        logits = model(**packed).logits
        for r, s in zip(ROWS, segments, strict=True):
            alone = model(**collator(made, segments=False)([r])).logits[0]
            assert torch.allclose(logits[0, s.start : s.end], alone[: s.end - s.start], atol=1e-4)


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")
def test_one_step_trains_and_the_model_answers(made, tmp_path):
    _, model, processor = made
    data = Dataset.from_list(ROWS, features=row_features(List(ImageColumn())))
    args = cpu_settings(
        tmp_path,
        per_device_train_batch_size=8,
        max_steps=1,
        freeze_vision=True,
    )
    before = {k: v.clone() for k, v in model.state_dict().items()}
    run = VideoSFTTrainer(model, args, train_dataset=data, processing_class=processor)
    run.train()
    assert 0 < run.state.log_history[0]["loss"] < 20
    family = family_of(model)
    moved = {k for k, v in model.state_dict().items() if not torch.equal(v, before[k])}
    assert moved and {part_of(k, family) for k in moved} == {"connector", "language"}
    answers = answer(model, processor, ROWS, max_new_tokens=3, batch_size=3)
    assert len(answers) == len(ROWS) and all(isinstance(a, str) for a in answers)
    for p in model.parameters():
        p.requires_grad_(True)


def test_a_step_in_two_batches_is_the_step_in_one(made, tmp_path):
    name, _, processor = made
    data = Dataset.from_list([ROWS[0], ROWS[7]], features=row_features(List(ImageColumn())))
    losses = []
    for size in (1, 2):
        model, _ = BUILDERS[name](texts(ROWS))
        args = cpu_settings(
            tmp_path,
            per_device_train_batch_size=size,
            gradient_accumulation_steps=2 // size,
            num_train_epochs=2,
            learning_rate=1e-2,
            lr_scheduler_type="constant",
            train_sampling_strategy="sequential",
        )
        run = VideoSFTTrainer(model, args, train_dataset=data, processing_class=processor)
        run.train()
        losses.append([line["loss"] for line in run.state.log_history if "loss" in line])
    # the rows have different numbers of targets, so a mean of their means is another number
    assert losses[0] == pytest.approx(losses[1], rel=1e-4) and len(losses[0]) == 2


def test_its_checkpoint_loads_without_torchvision_to_the_same_logits(made, tmp_path):
    _, model, processor = made
    model.save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    again = load_processor(str(tmp_path))
    assert frame_px(again) == frame_px(processor)
    assert training_template(again) == training_template(processor)
    loaded = AutoModelForImageTextToText.from_pretrained(tmp_path).eval()
    first = collator(made, segments=False)(ROWS[:5])
    second = VideoCollator(again, family_of(loaded), segments=False)(ROWS[:5])
    assert first.keys() == second.keys()
    assert all(torch.equal(first[k], second[k]) for k in first)
    with torch.no_grad():
        assert torch.equal(model(**first).logits, loaded(**second).logits)


@pytest.fixture(scope="module")
def stored(tmp_path_factory) -> Any:
    """Rows as a mix stores them: a text and a video, neither drawn nor decoded."""
    folder = tmp_path_factory.mktemp("stored")
    film = make_clip(folder / "clip.mp4", size=(640, 360), seconds=2, fps=5)
    lazy = [
        dict(ROWS[4], images=text_value("word " * 300), n_frames=3),
        dict(ROWS[1], images=video_value(film), n_frames=2),
    ]
    Dataset.from_list(lazy, features=row_features(Frames())).save_to_disk(folder / "rows")
    return folder / "rows"


def test_stored_rows_are_looked_at_and_estimated(made, stored, tmp_path):
    name, model, processor = made
    model.save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    found = inspect(stored, model=str(tmp_path), rows=2, overrides=["loss_on=answer"])
    answers = [r["messages"][-1]["content"][0]["text"] for r in (ROWS[4], ROWS[1])]
    end = processor.tokenizer.eos_token
    for seen, answer_ in zip(found.rows, answers, strict=True):
        counted = [run.text for run in seen.runs if run.kind == "loss"]
        assert "".join(counted).strip() == f"{answer_}{end}"
        assert 0 < seen.tokens_per_frame <= TOKENS[name]
    over = [f"model_name_or_path={tmp_path}", f"dataset_name={stored}"]
    estimate = check("idefics3-hybrid-30k", [*over, "dataset_config=null", "family=null"])
    assert estimate.shape.parameters == sum(p.numel() for p in model.parameters())
    assert estimate.load.frames == 5


def test_its_collator_pickles(made):
    again = pickle.loads(pickle.dumps(collator(made, segments=False)))
    ours, theirs = collator(made, segments=False)(ROWS[:2]), again(ROWS[:2])
    assert all(torch.equal(ours[k], theirs[k]) for k in ours)


def test_a_frame_of_any_shape_stays_within_its_limit():
    _, processor = qwen2_5_vl(texts(ROWS))
    encode = RowEncoder(processor, family="qwen2_5_vl")
    for size in [(1920, 1080), (1080, 1920), (5000, 100), (448, 448)]:
        frames = [Image.new("RGB", size)]
        encoded = encode(row("a", "s", frames, [("user", "?"), ("assistant", "!")], 1))
        assert encoded.is_frame.sum() <= TOKENS["qwen2_5_vl"]


def test_a_limit_that_somebody_chose_is_kept():
    _, processor = qwen2_5_vl(texts(ROWS))
    processor.image_processor.size = {"shortest_edge": 56 * 56, "longest_edge": 672 * 672}
    assert frame_px(one_patch(processor)) == (672, 672)


def test_settings_of_the_video_half_travel_with_the_processor(made, tmp_path):
    _, _, processor = made
    file = tmp_path / "again" / processors.VIDEO_SETTINGS
    processor.save_pretrained(tmp_path)
    if made[0] == "idefics3":  # it has no video half
        assert not (tmp_path / processors.VIDEO_SETTINGS).exists()
        return
    own = json.loads((tmp_path / processors.VIDEO_SETTINGS).read_text())
    assert hasattr(transformers, own["video_processor_type"])
    (tmp_path / processors.VIDEO_SETTINGS).write_text(json.dumps(own | {"num_frames": 17}))
    load_processor(str(tmp_path)).save_pretrained(tmp_path / "again")
    assert json.loads(file.read_text()) == own | {"num_frames": 17}


def test_a_processor_that_needs_torchvision_says_so(tmp_path, monkeypatch):
    _, processor = qwen2_5_vl(texts(ROWS))
    processor.save_pretrained(tmp_path)
    monkeypatch.setattr(processors, "PROCESSORS", {})  # as for a family that nobody tried
    with pytest.raises(MissingExtra, match="Qwen2_5_VLProcessor of .* needs torchvision"):
        load_processor(str(tmp_path))
