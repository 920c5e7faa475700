"""Several media in one value of a `Frames` column come apart as they were put together."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from datasets import Dataset
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from media import make_clip
from t2vid.corpora.layouts import read_row
from t2vid.corpora.stored import count_frames
from t2vid.errors import BadVideo, InputError
from t2vid.frames.feature import Frames, text_value
from t2vid.frames.spec import SampleSpec
from t2vid.frames.together import (
    StoredMedium,
    is_blank,
    is_several,
    media_of,
    open_picture,
    paths_in,
    picture_of,
    plain,
    together,
    with_paths,
)
from t2vid.publishing.materialize import PublishFormat, plain_tables
from t2vid.schema import row_features


def png(colour: tuple[int, int, int]) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (32, 24), colour).save(out, "png")
    return out.getvalue()


names = st.one_of(
    st.none(), st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=9)
)
media = st.builds(
    StoredMedium,
    st.sampled_from(["image", "video"]),
    path=names,
    data=st.one_of(st.none(), st.binary(min_size=1, max_size=9)),
    text=st.none(),
    spec=st.none(),
    n=st.integers(1, 9),
)


@given(st.lists(media, min_size=2, max_size=5))
def test_media_come_apart_as_they_were_put_together(given_media):
    value = together(given_media)
    assert is_several(value) and not is_blank(value) and media_of(value) == given_media
    assert paths_in(value) == [one.path for one in given_media if one.path is not None]
    moved = with_paths(value, lambda path: f"/x/{path}")
    assert paths_in(moved) == [f"/x/{path}" for path in paths_in(value)]
    assert [one.data for one in media_of(moved)] == [one.data for one in given_media]


def test_nothing_and_one_text_or_video_are_stored_as_ever():
    assert is_blank(together([])) and is_blank(None)
    text = text_value("A page.")
    assert together([StoredMedium("text", text="A page.", spec=text["spec"])]) == text


@pytest.fixture
def value(tmp_path: Path) -> dict:
    make_clip(tmp_path / "x.mp4", seconds=6.0)
    (tmp_path / "a.png").write_bytes(png((200, 0, 0)))
    return together(
        [
            StoredMedium("image", path=str(tmp_path / "a.png")),
            StoredMedium("video", path=str(tmp_path / "x.mp4"), spec=SampleSpec().to_json(), n=6),
            StoredMedium("image", data=png((0, 0, 200))),
        ]
    )


@pytest.mark.parametrize(("limit", "n"), [(None, 8), (5, 5), (2, 2), (1, 1)])
def test_a_budget_is_shared_and_pictures_go_before_frames_of_videos(value, limit, n):
    frames = Frames(max_frames=limit).decode_example(value)
    assert len(frames) == n and frames.n_total == 8
    if n > 2:
        assert frames[0].getpixel((0, 0)) == (200, 0, 0)
        assert frames[-1].getpixel((0, 0)) == (0, 0, 200)


def test_a_row_is_read_with_each_medium_at_its_own_places(value):
    parts = [{"type": "image"}, "a", *[{"type": "image"}] * 6, "b", {"type": "image"}]
    turns = [{"role": "user", "content": parts}, {"role": "assistant", "content": "c"}]
    row = read_row({"images": value, "messages": turns})
    assert row.turns[0].parts == (0, "a", 1, 1, 1, 1, 1, 1, "b", 2)
    assert [one.kind for one in row.media] == ["image", "frames", "image"]
    frames = Frames().decode_example(value)
    assert read_row({"images": frames, "messages": turns}).turns == row.turns


def test_a_picture_that_cannot_be_read_is_a_bad_medium_by_name(tmp_path, value):
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(BadVideo, match="a.png"):
        Frames().decode_example(value)
    assert Frames(on_bad="skip").decode_example(value) == []


def test_what_is_published_has_no_path_of_this_machine(tmp_path, value):
    paths_only = together(media_of(value)[:2])
    features = row_features(Frames(), weighted=True)
    row = {
        "id": "a",
        "source": "b",
        "images": paths_only,
        "messages": [],
        "n_frames": 7,
        "n_words": 0,
    }
    rows = Dataset.from_list([row], features=features)
    [lazy] = plain_tables(rows, PublishFormat(media_root=str(tmp_path)))
    stored = lazy["images"][0].as_py()
    assert paths_in(stored) == ["a.png", "x.mp4"] and str(tmp_path) not in str(stored)
    [made] = plain_tables(rows, PublishFormat(include_media=True, media_root=str(tmp_path)))
    again = Frames().decode_example(made["images"][0].as_py())
    assert [f.tobytes() for f in again] == [f.tobytes() for f in rows[0]["images"]]


def test_a_published_row_keeps_weights_and_has_a_place_for_each_picture(tmp_path, value):
    content = [{"type": "image", "text": None}] * 9  # one more than there are pictures
    turns = [
        {
            "role": "user",
            "content": [*content, {"type": "text", "text": "?"}],
            "weight": None,
            "tool_calls": None,
        },
        {
            "role": "assistant",
            "content": [{"type": "text", "text": "."}],
            "weight": 0,
            "tool_calls": "[]",
        },
    ]
    row = {
        "id": "a",
        "source": "b",
        "images": value,
        "messages": turns,
        "n_frames": 9,
        "n_words": 0,
    }
    rows = Dataset.from_list([row], features=row_features(Frames(), weighted=True))
    form = PublishFormat("webp", include_media=True, media_root=str(tmp_path))
    [made] = [table.to_pylist()[0] for table in plain_tables(rows, form)]
    kinds = [part["type"] for part in made["messages"][0]["content"]]
    assert kinds == ["image"] * 8 + ["text"] and len(made["images"]) == made["n_frames"] == 8
    assert made["messages"][1]["weight"] == 0 and made["messages"][1]["tool_calls"] == "[]"


def test_what_is_transparent_lies_on_white_whatever_colour_is_hidden_there():
    image = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    image.putpixel((1, 0), (200, 0, 0, 255))
    out = io.BytesIO()
    image.save(out, "png")
    shown = open_picture(None, out.getvalue())
    assert [shown.getpixel((x, 0)) for x in (0, 1)] == [(255, 255, 255), (200, 0, 0)]
    hidden = Image.new("P", (1, 1), 0)
    hidden.info["transparency"] = 0
    assert plain(hidden).getpixel((0, 0)) == (255, 255, 255)


def test_sixteen_bits_are_scaled_not_cut_off():
    gray = Image.fromarray(np.array([[0, 32768, 65535]], dtype=np.uint16))
    assert list(np.asarray(plain(gray))[0]) == [0, 128, 255]


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float32", "float64", "uint16"])
@pytest.mark.parametrize("first", [True, False])
def test_an_array_is_the_picture_it_was_made_of(dtype, first):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3))
    scale = {"float32": 1 / 255, "float64": 1, "uint16": 257}.get(dtype, 1)
    array = (pixels * scale).astype(dtype)
    shown = picture_of(array.transpose(2, 0, 1) if first else array)
    assert np.array_equal(np.asarray(shown), pixels)


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((2, 4, 7, 5), "uint8"), r"\(2, 4, 7, 5\)"),
        (np.full((4, 4), -0.5), "from -0.5"),
        (np.full((4, 4), np.nan), "nan"),
    ],
)
def test_an_array_that_is_no_picture_says_its_shape_or_range(array, said):
    with pytest.raises(InputError, match=said):
        picture_of(array)


def test_a_page_saved_as_a_picture_says_how_it_begins_in_an_archive_too(tmp_path):
    with zipfile.ZipFile(tmp_path / "media.zip", "w") as pack:
        pack.writestr("a.png", "<html>404</html>")
    medium = StoredMedium("image", path=f"{tmp_path / 'media.zip'}::a.png")
    with pytest.raises(BadVideo, match=r"begins with b'<html>"):
        count_frames(medium)
