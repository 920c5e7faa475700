"""What `VideoCollator` promises, each mask and pixel against an independent computation."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from trl.trainer.sft_trainer import DataCollatorForVisionLanguageModeling

from media import make_clip, read_numbers
from t2vid.errors import BudgetError, InputError, MissingFile
from t2vid.frames.feature import Frames, at_size, text_value, video_value
from t2vid.frames.framelist import FrameList
from t2vid.frames.spec import RenderSpec, SampleSpec
from t2vid.frames.video import sample_video
from t2vid.models.families import family_of, one_patch
from t2vid.models.pixels import frames_array
from t2vid.models.rows import RowEncoder
from t2vid.models.showing import conversation, place_frames
from t2vid.models.tiny import tiny_idefics3
from t2vid.trainer.collator import VideoCollator
from t2vid.trainer.config import VideoSFTConfig
from t2vid.trainer.preparing import build_collator
from training_rows import clip, mixed_rows, row, texts

ROWS = mixed_rows()


@pytest.fixture(scope="module")
def processor() -> Any:
    return tiny_idefics3(texts(ROWS))[1]


@pytest.fixture(scope="module")
def model() -> Any:
    return tiny_idefics3(texts(ROWS))[0]


def sized(rows: list[dict], px: int = 56) -> list[dict]:
    """The same rows with frames of the model's size, and only those with frames."""
    rows = copy.deepcopy([r for r in rows if r["images"]])
    for r in rows:
        r["images"] = [frame.convert("RGB").resize((px, px)) for frame in r["images"]]
    return rows


def labelled(processor: Any, batch: dict, i: int) -> str:
    labels = batch["labels"][i]
    return processor.tokenizer.decode(labels[labels != -100])


def test_the_loss_holds_every_answer_with_its_end_token_and_nothing_else(processor):
    batch = VideoCollator(processor, "idefics3")(ROWS)
    for i, r in enumerate(ROWS):
        answers = [t["content"][0]["text"] for t in r["messages"] if t["role"] == "assistant"]
        assert labelled(processor, batch, i) == "".join(f" {a}<end_of_utterance>" for a in answers)


def test_answer_labels_equal_those_of_trl_but_for_the_newline_after_the_end_token(processor):
    rows = sized(ROWS)
    ours = VideoCollator(processor, "idefics3")(rows)
    trl = DataCollatorForVisionLanguageModeling(processor, assistant_only_loss=True)
    theirs = trl.torch_call(copy.deepcopy(rows))
    assert torch.equal(ours["input_ids"], theirs["input_ids"])
    assert torch.equal(ours["attention_mask"], theirs["attention_mask"])
    end, newline = processor.tokenizer.convert_tokens_to_ids(["<end_of_utterance>", "Ċ"])
    labels = theirs["labels"].clone()
    after_end = torch.zeros_like(labels, dtype=torch.bool)
    after_end[:, 1:] = (labels[:, 1:] == newline) & (theirs["input_ids"][:, :-1] == end)
    assert after_end.any()
    assert torch.equal(ours["labels"], labels.masked_fill(after_end, -100))


def test_conversation_loss_holds_every_token_but_frames_and_padding(processor):
    batch = VideoCollator(processor, "idefics3", loss_on="conversation")(ROWS)
    ids, labels = batch["input_ids"], batch["labels"]
    out = (batch["attention_mask"] == 0) | (ids == processor.image_token_id)
    out[:, 0] = True  # nothing predicts a first token
    assert torch.equal(labels, ids.masked_fill(out, -100))


def test_nothing_predicts_the_first_token_of_a_packed_row(processor):
    batch = VideoCollator(processor, "idefics3", pack=True, loss_on="conversation")(ROWS)
    (ids,), (labels,) = batch["input_ids"], batch["labels"]
    starts = [segment.start for segment in batch["segments"]]
    assert len(starts) == len(ROWS) and labels[starts].tolist() == [-100] * len(ROWS)
    out = ids == processor.image_token_id
    out[starts] = True
    end = max(segment.end for segment in batch["segments"])
    assert torch.equal(labels[:end], ids.masked_fill(out, -100)[:end])


def test_pixels_equal_the_processor_where_sizes_agree(processor):
    rows = sized(ROWS)
    ours = VideoCollator(processor, "idefics3")(rows)["pixel_values"]
    for pixels in ("direct", "processor"):
        batch = VideoCollator(processor, "idefics3", pixels=pixels)(rows)
        frames = [frame for r in rows for frame in r["images"]]
        theirs = processor.image_processor(images=[frames], return_tensors="pt")["pixel_values"]
        assert batch["pixel_values"].shape == theirs.shape
        assert torch.allclose(batch["pixel_values"], theirs, atol=1e-6)
    assert ours.dtype == torch.float32


def test_a_batch_gives_the_losses_of_trls_batch(model, processor):
    rows = sized(ROWS)
    ours = VideoCollator(processor, "idefics3", loss_on="conversation", segments=False)(rows)
    theirs = DataCollatorForVisionLanguageModeling(processor).torch_call(copy.deepcopy(rows))
    theirs["labels"][theirs["labels"] == processor.image_token_id] = -100
    with torch.no_grad():
        assert torch.allclose(model(**ours).loss, model(**theirs).loss, atol=1e-5)


def test_an_all_black_or_gray_frame_is_still_a_frame(model, processor):
    # Idefics3 drops frames whose values are all zero, which would shift every later frame.
    frames = [Image.new("RGB", (56, 56), (v, v, v)) for v in (0, 127, 128, 255)]
    rows = [row("a", "s", frames, [("user", "?"), ("assistant", "!")], 4)]
    with torch.no_grad():
        model(**VideoCollator(processor, "idefics3", segments=False)(rows))


def test_a_row_does_not_feel_its_neighbours(model, processor):
    collate = VideoCollator(processor, "idefics3", segments=False)
    together = collate(ROWS)
    with torch.no_grad():
        whole = model(**together).logits
        for i, r in enumerate(ROWS):
            alone = model(**collate([r])).logits[0]
            assert torch.allclose(whole[i, : len(alone)], alone, atol=1e-4)


@pytest.mark.parametrize("written", [0, 1, 7])
def test_placeholders_follow_the_frames_that_are_there(processor, written):
    frames = FrameList(clip("red", 3), encoded={})
    r = row("a", "s", frames, [("user", "What?"), ("assistant", "Red.")], written)
    batch = VideoCollator(processor, "idefics3")([r])
    text = processor.tokenizer.decode(batch["input_ids"][0])
    assert text.count("<global-img>") == 3 and len(batch["pixel_values"][0]) == 3
    assert text.index("<global-img>") < text.index("What?")


def test_placeholders_that_match_stay_where_they_are():
    image, text = {"type": "image"}, {"type": "text", "text": "and"}
    turns = [{"role": "user", "content": [image, text, image]}]
    assert place_frames(turns, 2) == turns
    assert place_frames(turns, 1) == [{"role": "user", "content": [image, text]}]
    late = [{"role": "user", "content": [text, image, text]}]
    assert place_frames(late, 2)[0]["content"] == [text, image, image, text]


def test_frames_without_a_user_turn_are_an_error():
    with pytest.raises(InputError, match="no user turn"):
        place_frames([{"role": "assistant", "content": "So."}], 2)


def test_a_row_that_would_be_cut_is_an_error_with_the_numbers(processor):
    r = row("clip/9", "clips", clip("red", 24), [("user", "What?"), ("assistant", "Red.")], 24)
    with pytest.raises(BudgetError, match=r"'clip/9' needs \d+ tokens \(24 frames x 7 \+ .*=128"):
        VideoCollator(processor, "idefics3", max_length=128)([r])
    VideoCollator(processor, "idefics3", max_length=128, max_frames=8)([r])


def test_a_row_without_an_answer_is_an_error_not_a_zero_loss(processor):
    r = row("a", "s", [], [("user", "What?")], 0)
    with pytest.raises(InputError, match="'a' has no answer to learn"):
        VideoCollator(processor, "idefics3")([r])


def test_the_frame_budget_holds_by_source(processor):
    rows = [row(s, s, clip("red", 9), [("user", "?"), ("assistant", "!")], 9) for s in "ab"]
    batch = VideoCollator(processor, "idefics3", max_frames={"a": 2, "*": 5})(rows)
    assert [segment.n_frames for segment in batch["segments"]] == [2, 5]
    assert batch["pixel_values"].shape[1] == 7


def test_stored_frames_are_drawn_within_the_budget(processor):
    r = row("a", "s", [], [("user", "?"), ("assistant", "!")], 40)
    r["images"] = text_value("word " * 115 * 40)
    batch = VideoCollator(processor, "idefics3", max_frames=3)([r])
    assert batch["pixel_values"].shape[1] == 3


def test_coloured_text_frames_keep_their_colours_beside_gray_ones(processor):
    spec = RenderSpec(width=56, height=56, margin_px=4, font_px=12, colors=("#7a1020", "#f0fff4"))
    rows = []
    for name, one in (("a", spec), ("b", dataclasses.replace(spec, colors=None))):
        r = row(name, "s", [], [("user", "?"), ("assistant", "!")], 1)
        rows.append(r | {"images": Frames().decode_example(text_value("ink", one))})
    assert [r["images"][0].mode for r in rows] == ["RGB", "L"]
    frames = VideoCollator(processor, "idefics3", uint8=True)(rows)["frames"]
    for seen, r in zip(frames, rows, strict=True):
        assert np.array_equal(seen, np.asarray(r["images"][0].convert("RGB")))


def test_an_image_token_in_a_text_asks_for_no_frame(processor):
    r = row("a", "s", [], [("user", "What does <image> do?"), ("assistant", "Nothing.")], 0)
    batch = VideoCollator(processor, "idefics3")([r])
    assert not (batch["input_ids"] == processor.image_token_id).any()


def test_prompt_and_completion_are_a_conversation():
    row = {"prompt": "Why?", "completion": [{"role": "assistant", "content": "So."}]}
    assert [turn["role"] for turn in conversation(row)] == ["user", "assistant"]


def test_lengths_are_known_without_the_frames(processor):
    encode = RowEncoder(processor, family="idefics3", max_frames={"clips": 4, "*": None})
    for r in ROWS:
        assert encode.n_tokens(r, n_frames=len(r["images"])) == len(encode(r).ids)


def test_a_dummy_frame_changes_no_loss(model, processor):
    plain = VideoCollator(processor, "idefics3", segments=False)([ROWS[-1]])
    dummy = VideoCollator(processor, "idefics3", segments=False, dummy_frame=True)([ROWS[-1]])
    assert "pixel_values" not in plain and dummy["pixel_values"].shape[1] == 1
    with torch.no_grad():
        assert torch.allclose(model(**plain).loss, model(**dummy).loss, atol=1e-6)


def test_an_unreadable_row_is_named(processor):
    r = row("clip/7", "clips", ["no image"], [("user", "?"), ("assistant", "!")], 1)
    with pytest.raises(MissingFile, match="'clip/7' of 'clips': no such image: no image"):
        VideoCollator(processor, "idefics3")([r])


def test_segments_say_what_lies_where(processor):
    batch = VideoCollator(processor, "idefics3")(ROWS)
    for segment in batch["segments"]:
        labels = batch["labels"][segment.row, segment.start : segment.end]
        assert segment.n_targets == int((labels != -100).sum())
        assert batch["attention_mask"][segment.row].sum() == segment.end


def test_the_collator_pickles(processor):
    again = pickle.loads(pickle.dumps(VideoCollator(processor, "idefics3", uint8=True)))
    frames = again(ROWS)["frames"]
    assert frames.dtype == torch.uint8
    assert np.array_equal(frames, VideoCollator(processor, "idefics3", uint8=True)(ROWS)["frames"])


def test_no_frame_is_split(processor):
    one_patch(processor)
    big = row("a", "s", clip("red", 2, (640, 360)), [("user", "?"), ("assistant", "!")], 2)
    assert VideoCollator(processor, "idefics3")([big])["pixel_values"].shape == (1, 2, 3, 56, 56)


def video_row(path: Any, spec: SampleSpec = SampleSpec()) -> dict[str, Any]:  # noqa: B008
    r = row("a", "s", [], [("user", "?"), ("assistant", "!")], 3)
    return r | {"images": video_value(path, spec)}


def frames_of(processor: Any, r: dict[str, Any]) -> np.ndarray:
    return VideoCollator(processor, "idefics3", uint8=True)([r])["frames"].numpy()


def test_a_video_is_decoded_at_the_models_own_size(processor, tmp_path, monkeypatch):
    path = make_clip(tmp_path / "clip.mp4", size=(192, 128))
    sizes = []

    def watched(frames, size, resample):
        sizes.extend(frame.size for frame in frames)
        return frames_array(frames, size, resample)

    monkeypatch.setattr("t2vid.models.pixels.frames_array", watched)
    frames = frames_of(processor, video_row(path))
    assert frames.shape == (3, 56, 56, 3) and sizes == [(56, 56)] * 3
    shown = read_numbers(Image.fromarray(frame) for frame in frames)
    assert shown == read_numbers(sample_video(path))


def test_decoding_at_the_models_size_shows_what_decoding_and_resizing_shows(processor, tmp_path):
    path = make_clip(tmp_path / "clip.mp4", size=(192, 128))
    small = frames_of(processor, video_row(path))
    whole = frames_of(processor, video_row(path, SampleSpec(size=(192, 128))))
    luma = np.array([0.299, 0.587, 0.114])
    apart = np.abs(small @ luma - whole @ luma)
    assert 0 < apart.mean() < 2  # of 255: libav's bicubic filter is not Pillow's Lanczos


def test_a_video_of_the_models_size_is_the_same_to_the_bit(processor, tmp_path):
    path = make_clip(tmp_path / "clip.mp4", size=(56, 56))
    batch = VideoCollator(processor, "idefics3")([video_row(path)])["pixel_values"][0]
    frames = list(sample_video(path))
    theirs = processor.image_processor(images=[frames], return_tensors="pt")["pixel_values"][0]
    assert torch.allclose(batch, theirs, atol=1e-6)


def test_a_size_that_the_row_states_is_kept(processor, tmp_path):
    path = make_clip(tmp_path / "clip.mp4", size=(192, 128))
    stated = video_row(path, SampleSpec(size=(28, 28)))
    assert at_size(stated["images"], (56, 56)) == stated["images"]
    frames = [frame.resize((56, 56), 1) for frame in sample_video(path, SampleSpec(size=(28, 28)))]
    assert np.array_equal(frames_of(processor, stated), np.stack([np.asarray(f) for f in frames]))


def test_the_processor_gets_frames_of_the_videos_own_size(processor, tmp_path):
    path = make_clip(tmp_path / "clip.mp4", size=(192, 128))
    batch = VideoCollator(processor, "idefics3", pixels="processor")([video_row(path)])
    frames = list(sample_video(path))
    theirs = processor.image_processor(images=[frames], return_tensors="pt")["pixel_values"]
    assert torch.equal(batch["pixel_values"], theirs)


def test_frames_kept_from_the_epoch_before_make_the_same_batch(processor, tmp_path):
    args = VideoSFTConfig(
        str(tmp_path / "run"), frame_cache=str(tmp_path / "kept"), use_cpu=True, bf16=False
    )
    row = video_row(make_clip(tmp_path / "clip.mp4"))
    batches = [
        build_collator(
            processor,
            VideoSFTConfig(str(tmp_path / "run"), use_cpu=True, bf16=False),
            family_of("idefics3"),
        )([row])
    ]
    collate = build_collator(processor, args, family_of("idefics3"))
    batches += [collate([row]) for _ in range(2)]
    assert list((tmp_path / "kept").glob("??/*.frames"))
    for batch in batches[1:]:
        assert torch.equal(batch["frames"], batches[0]["frames"])
        assert torch.equal(batch["input_ids"], batches[0]["input_ids"])
