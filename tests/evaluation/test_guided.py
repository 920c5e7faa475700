"""Prompt-guided sampling shows what a CLIP-style model finds most like the question."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

import t2vid
from benchmark_rows import make_rows
from t2vid.errors import InputError
from t2vid.evaluation.asking import Ask
from t2vid.evaluation.backends import FunctionBackend
from t2vid.evaluation.config import EvalConfig
from t2vid.evaluation.guided import ClipGuide, Looked, box, load_clip
from t2vid.models.tiny import tiny_idefics3

HOW = EvalConfig.named("prompt-guided").replace(
    frames=2, middle_frames=2, fast_frames=4, fast_px=48
)


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    """A tiny CLIP with random weights, saved as a checkpoint."""
    from transformers import CLIPConfig, CLIPModel

    towers = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1}
    towers["num_attention_heads"] = 2
    _, processor = tiny_idefics3(["What is number one of clip two? red green"])
    words = {"vocab_size": len(processor.tokenizer), "max_position_embeddings": 16}
    config = CLIPConfig(
        text_config={**towers, **words, "eos_token_id": processor.tokenizer.eos_token_id},
        vision_config={**towers, "image_size": 32, "patch_size": 8},
        projection_dim=16,
    )
    folder = tmp_path_factory.mktemp("clip")
    CLIPModel(config).save_pretrained(folder)
    processor.tokenizer.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text('{"image_mean": [0.5, 0.5, 0.5]}')
    return folder


def test_every_question_gets_its_frames_by_name_of_protocol_and_guide(clip, clips, tmp_path):
    asks: list[Ask] = []
    keep = FunctionBackend(lambda ask: asks.append(ask) or "A")
    how = HOW.replace(guide=str(clip))
    t2vid.evaluate(keep, make_rows(clips[3:]), how, out=tmp_path, workers=2)
    part = (round(96 * 0.8**0.5), round(64 * 0.8**0.5))
    assert len(asks) == 3
    for ask in asks:
        assert [f.size for f in ask.frames] == [part] * 4 + [(48, 32)] * 4
    whole = how.replace(region=1.0, fast_frames=0)
    t2vid.evaluate(keep, make_rows(clips[3:]), whole, out=tmp_path / "whole")
    assert [f.size for f in asks[-1].frames] == [(96, 64)] * 4


class Colours(ClipGuide):
    """A guide that knows one thing: how red a patch is."""

    def __init__(self) -> None:
        pass

    def read(self, text: str) -> np.ndarray:
        return np.asarray([1.0, 0.0] if "red" in text else [0.0, 1.0], dtype=np.float32)

    def look(self, frames) -> Looked:
        arrays = [np.asarray(f.resize((4, 4), 0), dtype=np.float32) / 255 for f in frames]
        patches = np.stack([array.reshape(16, 3)[:, :2] for array in arrays])
        return Looked(self, frames, patches.mean(axis=1), patches)


def test_the_frames_and_the_regions_are_those_most_like_the_question():
    frames = []
    for number in range(8):
        frame = Image.new("RGB", (80, 80))
        drawn = ImageDraw.Draw(frame)
        if number in (2, 5):
            drawn.rectangle([40, 40, 79, 79], fill="red")
        if number == 3:
            drawn.rectangle([0, 0, 39, 39], fill=(0, 255, 0))
        frames.append(frame)
    seen = Colours().look(frames)
    how = HOW.replace(region=0.25, frames=2)
    red = seen.pictures("Where is the red box?", how)
    assert len(red) == 4 and [f.size for f in red] == [(40, 40)] * 4
    assert red[0].getpixel((39, 39)) == red[1].getpixel((39, 39)) == (255, 0, 0)
    green = seen.pictures("Where is the green box?", how.replace(frames=1))
    assert green[0].getpixel((0, 0)) == (0, 255, 0)
    places = [f.getpixel((0, 0)) for f in seen.pictures("red", how.replace(region=1.0))]
    assert len(places) == 4  # frames 2 and 5, then 0 and 4, in order of time


@pytest.mark.parametrize("share", [0.01, 0.3, 0.8, 1.0])
@pytest.mark.parametrize("corner", [(0, 0), (0, 6), (6, 0), (6, 6), (3, 3)])
def test_a_region_stays_inside_the_frame_and_has_its_share(share, corner):
    left, top, right, bottom = box(
        (161, 90), rows=[corner[0]], columns=[corner[1]], grid=7, share=share
    )
    assert 0 <= left < right <= 161 and 0 <= top < bottom <= 90
    assert (right - left) * (bottom - top) == pytest.approx(share * 161 * 90, rel=0.08)


def test_what_is_no_guide_is_an_error_before_any_question(clips, tmp_path):
    asked = FunctionBackend(lambda ask: pytest.fail("asked"))
    how = HOW.replace(guide=str(tmp_path))
    with pytest.raises(InputError, match="CLIP-style"):
        t2vid.evaluate(asked, make_rows(clips[:1]), how, out=tmp_path / "run")
    with pytest.raises(InputError, match="tower for pictures"):
        ClipGuide(tiny_idefics3(["x"])[0], None)


def test_a_guide_sees_the_same_in_any_number_of_frames_at_a_time(clip):
    guide = load_clip(str(clip))
    frames = [Image.new("RGB", (40, 30), (n * 9, 90, 200)) for n in range(6)]
    both = guide.look(frames).pictures("red", HOW)
    again = load_clip(str(clip)).look(frames).pictures("red", HOW)
    assert [f.tobytes() for f in both] == [f.tobytes() for f in again]
    assert guide.read("red").shape == (16,) and np.linalg.norm(guide.read("red")) == pytest.approx(
        1
    )
    assert guide.read("red " * 90).shape == (16,)  # longer than it takes: cut
