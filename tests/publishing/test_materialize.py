"""What leaves the machine is complete, lossless, in small pieces and the same every time."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from datasets import Dataset, Features, List, Value, Video
from datasets import Image as ImageFeature
from PIL import Image

import t2vid
from rows import dataset_of, text_rows, video_rows
from t2vid.errors import InputError
from t2vid.frames.spec import SampleSpec
from t2vid.publishing import materialize
from t2vid.publishing.materialize import PublishFormat, clip, picture, survey
from t2vid.publishing.shards import stage


def noise(size: tuple[int, int], mode: str, seed: int) -> Image.Image:
    shape = (size[1], size[0]) + ((3,) if mode == "RGB" else ())
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, np.uint8), mode=None)


@pytest.mark.parametrize("kind", ["webp", "png"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_picture_has_the_same_pixels_again(kind: Any, mode: str) -> None:
    frame = noise((37, 23), mode, 1)
    again = Image.open(io.BytesIO(picture(frame, kind)))
    assert again.convert("RGB").tobytes() == frame.convert("RGB").tobytes()


def test_a_gray_png_has_one_byte_a_pixel_even_when_it_came_as_rgb() -> None:
    gray, color = noise((16, 16), "L", 2), noise((16, 16), "RGB", 2)
    assert Image.open(io.BytesIO(picture(gray.convert("RGB"), "png"))).mode == "L"
    assert Image.open(io.BytesIO(picture(color, "png"))).mode == "RGB"


@pytest.mark.parametrize("n", [1, 2, 7])
@pytest.mark.parametrize("size", [(64, 48), (33, 27)])
def test_a_clip_gives_back_every_frame_bit_for_bit(n: int, size: tuple[int, int]) -> None:
    frames = [noise(size, "RGB", i) for i in range(n)]
    again = t2vid.sample_video(clip(frames), SampleSpec(fps=1, max_frames=None))
    assert [f.tobytes() for f in again] == [f.tobytes() for f in frames]
    assert clip(frames) == clip(frames)


def test_a_row_without_frames_stays_one(tmp_path: Path) -> None:
    rows = dataset_of([*text_rows(1), {**text_rows(1)[0], "images": None}])
    stored = rows.with_format("arrow")[1]["images"].to_pylist()[0]
    for form, empty in ((PublishFormat(), stored), (PublishFormat("webp"), [])):
        (shard,) = stage(rows, form, tmp_path)
        assert pq.read_table(shard.path)["images"].to_pylist()[1] == empty


def test_placeholders_tell_the_number_of_pictures(tmp_path: Path) -> None:
    rows = dataset_of(text_rows(1)).cast_column("images", t2vid.Frames(max_frames=1))
    assert rows[0]["n_frames"] == 2
    (shard,) = stage(rows, PublishFormat("webp"), tmp_path)
    (row,) = pq.read_table(shard.path).to_pylist()
    parts = [part for turn in row["messages"] for part in turn["content"]]
    assert row["n_frames"] == len(row["images"]) == sum(p["type"] == "image" for p in parts) == 1
    assert parts[1:] == [{"type": "text", "text": t} for t in ("Which is 0?", "0.")]


def test_the_survey_reads_kinds_sources_and_folders_only(tmp_path: Path) -> None:
    rows = [*text_rows(3), *video_rows(tmp_path / "corpus")]
    rows.append({**text_rows(1)[0], "images": {"bytes": b"a film", "path": None}})
    rows.append({**text_rows(1)[0], "images": {"path": "https://example.org/a.mp4"}})
    rows.append({**text_rows(1)[0], "images": None})
    found = survey(dataset_of(rows))
    assert (found.n_rows, found.n_texts, found.n_videos, found.n_inline) == (8, 3, 4, 1)
    assert found.sources == {"texts": 6, "clips": 2}
    assert materialize.common_folder(found.folders) == str(tmp_path / "corpus")
    assert found.n_frames == 6 * 2 + 2 * 3


@pytest.mark.parametrize(
    ("path", "root", "published"),
    [
        ("https://example.org/a.mp4", None, "https://example.org/a.mp4"),
        ("/home/me/v/a/b.mp4", "/home/me/v", "a/b.mp4"),
        ("a/b.mp4", "/home/me/v", "a/b.mp4"),
        ("file:///home/me/v/a/b%20c.mp4", "/home/me/v", "a/b c.mp4"),
        ("../../me/b.mp4", None, "me/b.mp4"),
        ("/home/me/b.mp4", None, "home/me/b.mp4"),
    ],
)
def test_published_paths(path: str, root: str | None, published: str) -> None:
    assert materialize.published_path(path, root) == published


def test_films_in_other_columns_are_refused_and_pictures_are_embedded(tmp_path: Path) -> None:
    film = Dataset.from_list([{"v": None}], features=Features(v=Video()))
    with pytest.raises(InputError, match=r'cast_column\("v", t2vid.Frames\(\)\)'):
        materialize.lazy_columns(film.features)
    nested = Features(v=List(t2vid.Frames()))
    with pytest.raises(InputError, match="column 'v'"):
        materialize.lazy_columns(nested)
    noise((5, 4), "RGB", 0).save(tmp_path / "me.png")
    images = Dataset.from_list(
        [{"n": 1, "i": str(tmp_path / "me.png")}],
        features=Features(n=Value("int32"), i=ImageFeature()),
    )
    (shard,) = stage(images, PublishFormat(), tmp_path / "stage")
    (value,) = pq.read_table(shard.path)["i"].to_pylist()
    assert value == {"bytes": (tmp_path / "me.png").read_bytes(), "path": "me.png"}
