"""A row that was read can be written again, by every operation of `datasets` that does so."""

from __future__ import annotations

from typing import Any

import pytest
from datasets import Dataset, Features, Image, List, Value
from PIL import ImageDraw

from media import make_clip
from t2vid.errors import InputError
from t2vid.frames.feature import Frames, text_value, video_value
from t2vid.frames.spec import RenderSpec, SampleSpec

SMALL = RenderSpec(width=64, height=64, margin_px=4, font_px=12)


@pytest.fixture
def rows(tmp_path) -> Dataset:
    clip = make_clip(tmp_path / "clip.mp4", size=(64, 48))
    values = [
        text_value("Two pages of a text, or three. " * 3, SMALL),
        video_value(clip, SampleSpec(max_frames=3)),
        video_value(clip.read_bytes(), SampleSpec(max_frames=2)),
        None,
    ]
    features = Features(id=Value("string"), images=Frames())
    return Dataset.from_list(
        [{"id": str(at), "images": value} for at, value in enumerate(values)], features=features
    )


def stored(dataset: Any) -> list[Any]:
    return dataset.cast_column("images", Frames(decode=False))[:]["images"]


OPERATIONS = {
    "map that reads": lambda ds: ds.map(lambda r: {"n": len(r["images"])}),
    "map that returns the row": lambda ds: ds.map(lambda r: {**r}),
    "map in batches": lambda ds: ds.map(lambda r: {"n": list(map(len, r["images"]))}, batched=True),
    "map in processes": lambda ds: ds.map(lambda r: {"n": len(r["images"])}, num_proc=2),
    "filter": lambda ds: ds.filter(lambda r: len(r["images"]) >= 0),
    "from_list": lambda ds: Dataset.from_list(list(ds), features=ds.features),
    "from_generator": lambda ds: Dataset.from_generator(lambda: iter(ds), features=ds.features),
    "stream": lambda ds: Dataset.from_list(
        list(ds.to_iterable_dataset().map(lambda r: {**r, "n": 1})),
        features=Features({**ds.features, "n": Value("int64")}),
    ),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_row_that_was_read_is_written_as_what_its_frames_are_made_from(rows, name):
    again = OPERATIONS[name](rows)
    assert isinstance(again.features["images"], Frames)
    empty = dict.fromkeys(("text", "path", "bytes", "spec"))
    assert [v or empty for v in stored(again)] == [v or empty for v in stored(rows)]


def test_a_budget_at_reading_time_does_not_reach_what_is_stored(rows):
    few = rows.cast_column("images", Frames(max_frames=1))
    assert stored(few.map(lambda r: {"n": len(r["images"])})) == stored(few)


@pytest.mark.parametrize(
    "change",
    [
        lambda images: [image.rotate(90) for image in images],
        lambda images: images[:1] if len(images) > 1 else [i.convert("RGBA") for i in images],
        lambda images: images[::-1] if len(images) > 1 else [i.rotate(180) for i in images],
        lambda images: [ImageDraw.Draw(i).rectangle((0, 0, 30, 30), fill=128) or i for i in images],
    ],
)
def test_changed_pictures_are_refused_not_taken_for_the_row_they_came_from(rows, change):
    with pytest.raises(InputError, match=r"not pixels.*List\(Image\(\)\)"):
        rows.select([0]).map(lambda r: {"images": change(r["images"])})


def test_frames_may_become_pictures_of_another_column(rows):
    features = Features({**rows.features, "pictures": List(Image())})
    made = rows.map(lambda r: {"pictures": list(r["images"])}, features=features)
    assert [len(r["pictures"]) for r in made] == [len(r["images"]) for r in rows]
    assert made[0]["pictures"][0].size == (64, 64)


def test_pictures_in_a_column_tell_nobody_the_text_or_the_path_of_their_row(rows):
    made = rows.map(
        lambda r: {"pictures": list(r["images"])},
        features=Features({**rows.features, "pictures": List(Image())}),
    )
    pictures = made.cast_column("pictures", List(Image(decode=False)))["pictures"]
    written = b"".join(one["bytes"] for row in pictures for one in row)
    assert b"t2vid-made-from" in written
    assert b"clip.mp4" not in written and b"Two pages" not in written


def test_a_frame_saved_to_a_file_carries_nothing(rows, tmp_path):
    rows[0]["images"][0].save(tmp_path / "page.png")
    assert b"t2vid" not in (tmp_path / "page.png").read_bytes()


def test_a_text_beyond_what_pillow_inflates_is_restored():
    features = Features(images=Frames(max_frames=1))
    long = Dataset.from_list([{"images": text_value("word " * 300_000, SMALL)}], features=features)
    assert stored(long.map(lambda r: {"n": len(r["images"])})) == stored(long)


def test_publishing_such_a_column_by_hand_is_refused_with_the_way_that_works(rows):
    feature = rows.features["images"]
    with pytest.raises(InputError, match=r"t2vid\.push"):
        feature.embed_storage(rows.data.column("images").chunk(0), remote_files=True)
    plain = rows.cast_column("images", Frames(decode=False)).cast_column("images", feature.plain)
    assert plain[0]["images"] == stored(rows)[0]
