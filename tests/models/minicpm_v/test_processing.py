"""What MiniCPM's processor promises: the published sizes, order of patches, marks and files."""

from __future__ import annotations

import json
import random
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoProcessor

from t2vid.errors import InputError
from t2vid.evaluation.backends import TransformersBackend
from t2vid.frames.sampling import target_size
from t2vid.models.families import (
    decode_px,
    family_of,
    frame_px,
    load_processor,
    match_tokens,
    one_patch,
    seen_px,
)
from t2vid.models.minicpm_v import MiniCPMVImageProcessor, MiniCPMVProcessor
from t2vid.models.minicpm_v.processing import fit_size, slice_grid
from t2vid.models.pixels import joined_pixels, normalise
from t2vid.models.rows import RowEncoder
from t2vid.models.strips import strip, unstrip
from t2vid.models.tiny import tiny_minicpm, train_tokenizer
from training_rows import clip, mixed_rows, row, texts

ROWS = mixed_rows()


@pytest.fixture(scope="module")
def tiny() -> tuple[Any, Any]:
    return tiny_minicpm(texts(ROWS))


@pytest.fixture(scope="module")
def processor(tiny: Any) -> Any:
    return tiny[1]


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def test_large_frames_get_the_size_that_video_decoding_gives_them():
    rng = random.Random(0)
    for _ in range(300):
        width, height = rng.randint(449, 4000), rng.randint(449, 2200)
        assert fit_size(width, height) == target_size(width, height, "minicpm")
    assert fit_size(320, 240) == (518, 392)  # smaller ones are enlarged: 392 x 518 is about 448²
    assert fit_size(320, 240, enlarge=False) == (322, 238)


@pytest.mark.parametrize(
    ("size", "limit", "grid"),
    [
        ((448, 448), 9, None),
        ((1280, 720), 1, None),
        ((1280, 720), 9, (3, 2)),  # 4.6 areas: 4, 5 or 6 slices; 3 x 2 is nearest to 16:9
        ((720, 1280), 9, (2, 3)),
        ((896, 896), 9, (2, 2)),
        ((3000, 1000), 9, (4, 2)),  # 15 areas, of which 8 or 9 slices: 4:2 is nearest to 3:1
    ],
)
def test_slices_are_as_many_as_areas_and_as_square_as_can_be(size, limit, grid):
    assert slice_grid(*size, limit=limit) == grid


def test_patches_are_laid_out_as_unfold_lays_them():
    image = noise(70, 42)
    values = torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1).float()[None]
    columns = torch.nn.functional.unfold(values, 14, stride=14)  # (1, 3 * 14 * 14, patches)
    want = columns.reshape(3, 14, 14, -1).permute(0, 1, 3, 2).reshape(3, 14, -1)
    got = strip(np.asarray(image), 14)
    assert np.array_equal(got.transpose(2, 0, 1), want.numpy())
    assert np.array_equal(unstrip(got, 3, 5), image)


def test_an_image_becomes_its_pieces_and_a_text_their_marks():
    tokenizer = _tokenizer()
    processor = MiniCPMVProcessor(MiniCPMVImageProcessor(image_feature_size=2), tokenizer)
    big, small = noise(1280, 720), noise(100, 100)
    out = processor(images=[[big, small]], text=["a <unk> b (<image>./</image>)"])
    one = "<image><unk><unk></image>"
    sliced = f"{one}<slice>{one}{one}{one}\n{one}{one}{one}</slice>"
    assert tokenizer.decode(out["input_ids"][0]) == f"a {sliced} b {one}"
    # the whole; six slices of 427 x 360, so of 490 x 406 pixels; the small image enlarged
    assert out["target_sizes"].tolist() == [[24, 43], *[[29, 35]] * 6, [32, 32]]
    assert out["pixel_values"].shape == (8, 3, 14, 14 * 24 * 43)
    assert not out["pixel_values"][1, ..., 14 * 29 * 35 :].any()
    # slice 4 is the lower left one
    large = np.asarray(big.resize((490 * 3, 406 * 2), Image.Resampling.BICUBIC)) / 127.5 - 1
    want = strip(large[406:, :490], 14).transpose(2, 0, 1)
    assert np.allclose(out["pixel_values"][4, ..., : 14 * 29 * 35], want, atol=1e-6)
    assert one_patch(processor)(images=big, text="<unk>")["target_sizes"].tolist() == [[24, 43]]


def test_images_and_places_must_match(processor):
    with pytest.raises(InputError, match="1 images but 2 <unk>"):
        processor(images=noise(56, 56), text="<unk><unk>")
    with pytest.raises(InputError, match="0 images but 1 <unk>"):
        processor(text="<unk>")
    with pytest.raises(InputError, match="videos"):
        processor(text="", videos=[noise(56, 56)])


def test_the_chat_is_llamas_and_marks_the_answers(processor):
    turns = [
        {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": " Why? "}]},
        {"role": "assistant", "content": "So."},
        {"role": "user", "content": "And?"},
    ]
    text = processor.apply_chat_template(turns, add_generation_prompt=True)
    assert text == (
        "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n<unk>\n Why?<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\nSo.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nAnd?<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
    )
    encoded = RowEncoder(processor, family="minicpmv")(
        {"messages": turns[:2], "images": [clip("red", 1)[0]]}
    )
    kept = encoded.ids[encoded.in_loss & ~encoded.is_frame]
    assert processor.tokenizer.decode(kept) == "So.<|eot_id|>"


def test_a_template_renders_tokens_with_frames(processor):
    turns = [
        {
            "role": "user",
            "content": [
                {"type": "image", "image": noise(90, 60)},
                {"type": "text", "text": "Why?"},
            ],
        }
    ]
    out = processor.apply_chat_template(
        [turns], tokenize=True, return_dict=True, return_tensors="pt", add_generation_prompt=True
    )
    assert int((out["input_ids"] == processor.image_token_id).sum()) == 4
    assert out["pixel_values"].shape[0] == 1


def test_frames_as_bytes_are_the_processors_values(processor):
    shapes = [(96, 64), (64, 96), (300, 20), (56, 56)]
    mixed = [noise(*size, seed=i) for i, size in enumerate(shapes)]
    gray = mixed[1].convert("L")
    rows = [
        row("a", "s", mixed[:2], [("user", "?"), ("assistant", "!")], 2),
        row("b", "s", [*mixed[2:], gray], [("user", "?"), ("assistant", "!")], 3),
    ]
    both = []
    for pixels in ("direct", "processor"):
        encode = RowEncoder(processor, family="minicpmv", pixels=pixels)
        out = joined_pixels([encode(r) for r in rows])
        if "frames" in out:
            assert out["frames"].dtype == torch.uint8
            out["pixel_values"] = normalise(out.pop("frames"), processor)
        both.append(out)
    ours, theirs = both
    assert torch.equal(ours["target_sizes"], theirs["target_sizes"])
    assert ours["pixel_values"].shape == theirs["pixel_values"].shape
    for i, (height, width) in enumerate(ours["target_sizes"].tolist()):
        own = slice(0, 14 * height * width)
        a, b = (out["pixel_values"][i, ..., own] for out in both)
        assert torch.allclose(a, b, atol=1e-6)


def test_a_frame_keeps_its_shape(processor):
    assert frame_px(processor) == (56, 56)
    assert seen_px(processor, (640, 360)) == fit_size(640, 360, edge=56) == (70, 42)
    assert decode_px(processor) is None  # no rule of `SampleSpec` gives sizes of 56 pixels
    local = TransformersBackend(tiny_minicpm(["?"])[0], processor)
    assert local.fit(noise(640, 360)).size == (70, 42)
    for size in (
        (100, 31),
        (77, 200),
    ):  # whatever was done before encoding, the model sees one size
        seen = seen_px(processor, local.fit(noise(*size)).size)
        assert seen == seen_px(processor, size)


def test_it_saves_and_loads_by_the_auto_class(tiny, tmp_path):
    model, processor = tiny
    model.save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    again = AutoProcessor.from_pretrained(tmp_path)
    assert type(again) is MiniCPMVProcessor
    assert again.chat_template == processor.chat_template
    assert again.image_processor.to_dict() == processor.image_processor.to_dict()
    assert again.tokenizer.get_vocab() == processor.tokenizer.get_vocab()
    images = [noise(96, 64), noise(30, 90)]
    one, two = (
        p(images=images, text="<unk> and <unk>", return_tensors="pt") for p in (processor, again)
    )
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_published_folder_loads_without_its_code(tiny, tmp_path):
    tiny[0].config.save_pretrained(tmp_path)
    tokenizer = _tokenizer()
    tokenizer.save_pretrained(tmp_path)
    path = tmp_path / "tokenizer_config.json"
    said = json.loads(path.read_text()) | {
        "tokenizer_class": "PreTrainedTokenizerFastWrapper",
        "auto_map": {"AutoTokenizer": ["modeling_minicpmv.PreTrainedTokenizerFastWrapper", None]},
        "pad_token": "!",
        "eos_token": "<|end_of_text|>",
        "chat_template": "{{ messages }}",
    }
    path.write_text(json.dumps(said))
    published = {
        "auto_map": {
            "AutoImageProcessor": "image_processing_minicpmv.MiniCPMVImageProcessor",
            "AutoProcessor": "processing_minicpmv.MiniCPMVProcessor",
        },
        "feature_extractor_type": "MiniCPMVFeatureExtractor",
        "im_end": "</image>",
        "im_start": "<image>",
        "image_feature_size": 96,
        "image_processor_type": "MiniCPMVImageProcessor",
        "max_slice_nums": 9,
        "norm_mean": [0.5, 0.5, 0.5],
        "norm_std": [0.5, 0.5, 0.5],
        "patch_size": 14,
        "processor_class": "MiniCPMVProcessor",
        "scale_resolution": 448,
        "slice_mode": True,
        "unk": "<unk>",
        "version": 2.5,
    }
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(published))
    processor = load_processor(str(tmp_path))
    assert processor.image_processor.max_slice_nums == 1  # one patch a frame
    assert frame_px(processor) == (448, 448)
    assert processor.tokenizer.eos_token == "<|eot_id|>"
    assert processor.tokenizer.pad_token == "<|end_of_text|>"
    encode = RowEncoder(processor, family="minicpmv")
    assert len(encode.frame_ids((448, 448))) == 98  # the paper's 96 and two marks
    encoded = encode({"prompt": "Why?", "completion": "So!", "images": [noise(640, 360)]})
    assert encoded.pixels["target_sizes"].tolist() == [[24, 43]]
    assert encoded.frames.shape == (1, 14, 14 * 24 * 43, 3)
    processor.save_pretrained(tmp_path / "again")
    assert "auto_map" not in (tmp_path / "again" / "processor_config.json").read_text()


def test_the_model_takes_the_token_that_the_processor_writes():
    model, processor = tiny_minicpm(["?"])
    model.config.image_token_id = 0
    match_tokens(model, processor)
    assert model.config.image_token_id == processor.tokenizer.unk_token_id


def test_a_tokenizer_without_the_marks_is_refused():
    bare = train_tokenizer(["?"])
    with pytest.raises(InputError, match="</image>, </slice>, <slice>, <unk>"):
        MiniCPMVProcessor(MiniCPMVImageProcessor(), bare)


def test_the_family_names_its_parts(tiny):
    family = family_of(tiny[0])
    names = [name for name, _ in tiny[0].named_modules()]
    for path in (family.vision, family.connector, family.language):
        assert f"model.{path}" in names
    assert family.name == "minicpm" and family.packs


def _tokenizer() -> Any:
    from t2vid.models.tiny import _MINICPM_SPECIAL

    tokenizer = train_tokenizer(texts(ROWS), special=_MINICPM_SPECIAL)
    tokenizer.unk_token = "<unk>"
    return tokenizer
