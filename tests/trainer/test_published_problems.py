"""Problems that users of TRL, LLaMA-Factory and ms-swift published: here each of them passes.

docs/training.md lists them with their links; a test there compares the numbers with these names.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset, Image, List

from media import make_clip
from t2vid.errors import LayoutError
from t2vid.frames import video
from t2vid.frames.feature import Frames, video_value
from t2vid.models.families import family_of
from t2vid.models.parts import freeze, part_of
from t2vid.models.rows import RowEncoder, RowTooLong
from t2vid.models.tiny import tiny_idefics3
from t2vid.schema import row_features
from t2vid.trainer import VideoCollator, VideoSFTTrainer
from tiny_families import qwen3_vl
from training_rows import clip, cpu_settings, mixed_rows, row, texts

ROWS = mixed_rows()
TURNS = [("user", "What colour moves?"), ("assistant", "red square")]


@pytest.fixture(scope="module")
def tiny() -> Any:
    return tiny_idefics3(texts(ROWS))


def stored(rows: list[Any]) -> Dataset:
    return Dataset.from_list(rows, features=row_features(List(Image())))


def pictures(batch: dict[str, Any]) -> int:
    values = batch.get("pixel_values")
    return 0 if values is None else values.flatten(0, -4).shape[0]


def learned(batch: dict[str, Any], processor: Any, at: int = 0) -> str:
    labels = batch["labels"][at]
    return str(processor.tokenizer.decode(labels[labels != -100]))


def test_trl_4874_a_picture_inside_a_message_reaches_the_model_and_the_log_says_so(
    tiny, tmp_path, caplog
):
    model, processor = tiny
    part = {"type": "image", "image": clip("red", 1)[0]}
    user = {"role": "user", "content": [part, {"type": "text", "text": "What?"}]}
    turns = [user, {"role": "assistant", "content": [{"type": "text", "text": "Red."}]}]
    assert pictures(VideoCollator(processor, "idefics3")([{"messages": turns}])) == 1
    args = cpu_settings(tmp_path, max_steps=1, per_device_train_batch_size=2)
    VideoSFTTrainer(model, args, train_dataset=stored(ROWS[:2]), processing_class=processor).train()
    assert "training on 2 rows; the first 2 show 2, 11 pictures" in caplog.text


def test_trl_4289_image_tokens_are_never_cut_by_max_length(tiny):
    _, processor = tiny
    whole = VideoCollator(processor, "idefics3")([ROWS[1]])
    n = whole["input_ids"].shape[1]
    with pytest.raises(RowTooLong, match=f"needs {n:,} tokens .11 frames x"):
        VideoCollator(processor, "idefics3", max_length=n - 1)([ROWS[1]])
    fewer = VideoCollator(processor, "idefics3", max_length=n - 1, on_long="fewer_frames")
    batch = fewer([ROWS[1]])
    places = int((batch["input_ids"] == processor.image_token_id).sum())
    assert places == 4 * pictures(batch) == 4 * 10
    assert learned(batch, processor) == learned(whole, processor)  # nor is the answer


def test_trl_1880_neither_questions_nor_pictures_are_in_the_loss(tiny):
    _, processor = tiny
    batch = VideoCollator(processor, "idefics3")([ROWS[0]])
    end = "<end_of_utterance>"
    assert learned(batch, processor) == f" red square{end} To the right.{end}"


def test_trl_6545_rows_with_pictures_and_without_pack_and_do_not_see_each_other(tiny):
    model, processor = tiny
    packed = VideoCollator(processor, "idefics3", pack=True)([ROWS[7], ROWS[0]])
    segments = packed.pop("segments")
    with torch.no_grad():
        logits = model(**packed).logits[0]
        for one, at in zip((ROWS[7], ROWS[0]), segments, strict=True):
            alone = model(**VideoCollator(processor, "idefics3", segments=False)([one])).logits[0]
            assert torch.allclose(logits[at.start : at.end], alone, atol=1e-4)


def test_trl_1623_the_end_is_learned_where_it_pads_too():
    _, processor = tiny_idefics3(texts(ROWS))
    processor.tokenizer.pad_token = processor.tokenizer.eos_token
    batch = VideoCollator(processor, "idefics3")([ROWS[7], ROWS[1]])
    end = processor.tokenizer.eos_token_id
    assert int((batch["labels"][0] == end).sum()) == int((batch["labels"][1] == end).sum()) == 1
    assert (batch["labels"][batch["attention_mask"] == 0] == -100).all()


def test_trl_4077_messages_and_prompt_with_completion_are_trained_alike(tiny):
    _, processor = tiny
    one = row("a", "s", clip("red", 2), TURNS, 2)
    said = one.pop("messages")
    both = [{**one, "messages": said}, {**one, "prompt": said[:1], "completion": said[1:]}]
    first, second = (VideoCollator(processor, "idefics3")([way]) for way in both)
    assert torch.equal(first["input_ids"], second["input_ids"])
    assert torch.equal(first["labels"], second["labels"])


def test_transformers_37766_accumulation_leaves_the_loss_as_it_is(tmp_path):
    losses = []
    for size in (1, 4):
        model, processor = tiny_idefics3(texts(ROWS))
        args = cpu_settings(
            tmp_path,
            per_device_train_batch_size=size,
            gradient_accumulation_steps=4 // size,
            max_steps=1,
            train_sampling_strategy="sequential",
        )
        run = VideoSFTTrainer(
            model, args, train_dataset=stored(ROWS[:4]), processing_class=processor
        )
        run.train()
        losses.append(run.state.log_history[0]["loss"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_llamafactory_5883_one_path_is_as_good_as_a_list_of_them(tiny, tmp_path):
    _, processor = tiny
    clip("red", 1)[0].save(tmp_path / "a.png")
    said = [
        {"from": "human", "value": "<image>What?"},
        {"from": "gpt", "value": "Red."},
    ]
    collate = VideoCollator(processor, "idefics3", folder=str(tmp_path))
    as_text = collate([{"image": "a.png", "conversations": said}])
    as_list = collate([{"images": ["a.png"], "conversations": said}])
    assert pictures(as_text) == 1
    assert torch.equal(as_text["pixel_values"], as_list["pixel_values"])
    assert torch.equal(as_text["input_ids"], as_list["input_ids"])


def test_llamafactory_5329_a_place_too_few_or_too_many_is_said(tiny, tmp_path):
    _, processor = tiny
    clip("red", 1)[0].save(tmp_path / "a.png")
    collate = VideoCollator(processor, "idefics3", folder=str(tmp_path))

    def says(text: str) -> list[dict[str, str]]:
        return [{"from": "human", "value": text}, {"from": "gpt", "value": "Red."}]

    for media, text in (
        ({"image": "a.png"}, "<image><image>What?"),
        ({"images": ["a.png", "a.png"]}, "<image>What?"),
        ({}, "<image>What?"),
    ):
        with pytest.raises(LayoutError):
            collate([{**media, "conversations": says(text)}])


@pytest.mark.filterwarnings("ignore:.*pin_memory:UserWarning")
def test_llamafactory_5817_a_broken_video_is_left_out_and_counted(tiny, tmp_path, caplog):
    model, processor = tiny
    film = make_clip(tmp_path / "good.mp4", size=(64, 64), seconds=1, fps=2)
    (tmp_path / "bad.mp4").write_bytes(b"\0" * 64)
    rows = [
        {**row(name, "clips", [], TURNS, 2), "images": video_value(path)}
        for name, path in (("good", film), ("bad", tmp_path / "bad.mp4"))
    ]
    data = Dataset.from_list(rows, features=row_features(Frames()))
    args = cpu_settings(tmp_path, max_steps=2, on_bad="skip", per_device_train_batch_size=2)
    run = VideoSFTTrainer(model, args, train_dataset=data, processing_class=processor)
    run.train()
    # once before training, for the first log line, and once at each step
    assert sum(run.dropped.dropped.values()) == 2 and "rows left out" in caplog.text
    assert all(math.isfinite(x["loss"]) for x in run.state.log_history if "loss" in x)


@pytest.mark.filterwarnings("ignore:.*pin_memory:UserWarning")
def test_llamafactory_9531_no_video_is_decoded_before_its_batch(tiny, tmp_path, monkeypatch):
    model, processor = tiny
    film = make_clip(tmp_path / "a.mp4", size=(64, 64), seconds=1, fps=2)
    rows = [{**row(str(i), "clips", [], TURNS, 2), "images": video_value(film)} for i in range(20)]
    decoded = []
    real = video.sample_video
    monkeypatch.setattr(video, "sample_video", lambda *a, **k: decoded.append(1) or real(*a, **k))
    data = Dataset.from_list(rows, features=row_features(Frames()))
    args = cpu_settings(tmp_path, max_steps=1, per_device_train_batch_size=2)
    run = VideoSFTTrainer(model, args, train_dataset=data, processing_class=processor)
    assert not decoded
    next(iter(run.get_train_dataloader()))
    assert 0 < len(decoded) <= 4  # the loader has one batch in hand beside the one asked for


def test_llamafactory_6754_the_connector_of_qwen_trains_where_its_tower_rests():
    """Its merger lies inside the tower; the mergers of Qwen3-VL's deepstack are the tower's own."""
    model, _ = qwen3_vl(texts(ROWS))
    freeze(model, ["vision"])
    trains = {name: weight.requires_grad for name, weight in model.named_parameters()}
    assert all(on for name, on in trains.items() if ".visual.merger." in name)
    assert not any(on for name, on in trains.items() if ".visual.blocks." in name)
    assert not any(on for name, on in trains.items() if "deepstack_merger_list" in name)
    assert {part_of(n, family_of(model)) for n, on in trains.items() if on} == {
        "connector",
        "language",
    }


def test_ms_swift_6191_the_frames_of_all_videos_of_a_row_stay_within_the_limit(tiny, tmp_path):
    _, processor = tiny
    film = str(make_clip(tmp_path / "a.mp4", size=(64, 64), seconds=6, fps=2))
    said = [
        {"role": "user", "content": "<video><video>Which is longer?"},
        {"role": "assistant", "content": "Neither."},
    ]
    one = {"messages": said, "videos": [film, film]}
    for limit in (2, 5, 8):
        encoded = RowEncoder(processor, family="idefics3", max_frames=limit)(one)
        assert 2 <= encoded.n_frames <= limit
        assert int(encoded.is_frame.sum()) == 4 * encoded.n_frames


def test_ms_swift_9655_a_batch_of_text_runs_the_vision_tower_and_keeps_its_loss(tiny):
    model, processor = tiny
    ran = []
    hook = model.model.vision_model.register_forward_hook(lambda *args: ran.append(1))
    plain, dummy = (
        VideoCollator(processor, "idefics3", segments=False, dummy_frame=on)([ROWS[7]])
        for on in (False, True)
    )
    with torch.no_grad():
        losses = [float(model(**batch).loss) for batch in (plain, dummy)]
    hook.remove()
    assert ran == [1] and losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_the_docs_list_each_of_them_with_its_link():
    page = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")
    listed = re.findall(r"\[([\w-]+)#(\d+)\]\(https://github\.com/\S+/(\d+)\)", page)
    assert all(number == linked for _, number, linked in listed) and len(listed) >= 12
    names = {f"test_{project.lower().replace('-', '_')}_{number}_" for project, number, _ in listed}
    tried = {name for name in globals() if re.match(r"test_\w+?_\d{4,}_", name)}
    assert all(any(name.startswith(one) for name in tried) for one in names)
    assert len(tried) == len(names)
