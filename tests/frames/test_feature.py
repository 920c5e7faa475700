"""The lazy column keeps its promise through everything that `datasets` does with a column."""

from __future__ import annotations

import pickle

import pyarrow as pa
import pytest
from datasets import (
    Dataset,
    Features,
    Value,
    concatenate_datasets,
    interleave_datasets,
    load_dataset,
    load_from_disk,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from media import make_clip
from t2vid import FrameList, Frames, RenderSpec, SampleSpec
from t2vid.errors import BadVideo, InputError, MissingFile
from t2vid.frames.feature import text_value, video_value

FEATURES = Features(id=Value("string"), images=Frames())
LONG = " ".join(f"word{n}" for n in range(400))


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    make_clip(path, seconds=5, fps=10)
    return str(path)


@pytest.fixture(scope="module")
def texts() -> Dataset:
    rows = [
        {"id": f"t{n}", "images": text_value(LONG[: 300 + 900 * n], RenderSpec())} for n in range(4)
    ]
    return Dataset.from_list(rows, features=FEATURES)


@pytest.fixture(scope="module")
def videos(clip) -> Dataset:
    rows = [
        {"id": f"v{n}", "images": video_value(clip, SampleSpec(max_frames=n + 1))} for n in range(3)
    ]
    return Dataset.from_list(rows, features=FEATURES)


@pytest.fixture(scope="module")
def mixed(texts, videos) -> Dataset:
    return concatenate_datasets([texts, videos])


def pixels(dataset) -> list[list[bytes]]:
    return [[frame.tobytes() for frame in row["images"]] for row in dataset]


def test_text_rows_carry_spans_and_video_rows_timestamps(mixed):
    text, video = mixed[0]["images"], mixed[6]["images"]
    assert isinstance(text, FrameList) and text.timestamps_s is None
    assert text.spans[0][0] == 0 and len(text.spans) == len(text)
    assert video.spans is None and len(video.timestamps_s) == len(video) == 3


def test_reading_a_row_twice_gives_equal_bytes(mixed):
    assert pixels(mixed) == pixels(mixed)


def test_the_budget_changes_at_reading_time_only(mixed):
    few = mixed.cast_column("images", Frames(max_frames=2))
    assert [len(row["images"]) for row in few] == [1, 2, 2, 2, 2, 2, 2]
    assert few[3]["images"].n_total == len(mixed[3]["images"]) > 2
    again = few.cast_column("images", Frames())
    assert pixels(again) == pixels(mixed)
    assert (
        few.data.column("images")
        .combine_chunks()
        .equals(mixed.data.column("images").combine_chunks())
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda rows, _: rows.select(range(len(rows))),
        lambda rows, _: rows.filter(lambda name: True, input_columns=["id"]),
        lambda rows, _: rows.map(lambda row: {"length": len(row["id"])}),
        lambda rows, _: rows.map(lambda frames: {"n": len(frames)}, input_columns=["images"]),
        lambda rows, _: rows.map(lambda row: row),
        lambda rows, _: rows.map(lambda batch: {"n": batch["id"]}, batched=True, batch_size=2),
        lambda rows, _: rows.flatten_indices(),
        lambda rows, _: pickle.loads(pickle.dumps(rows)),
        lambda rows, _: rows.map(lambda row: {"images": row["images"].encoded}),
        lambda rows, _: Dataset.from_generator(
            lambda: ({**row, "images": row["images"].encoded} for row in rows),
            features=rows.features,
        ),
        lambda rows, at: (rows.save_to_disk(at), load_from_disk(at))[1],
        lambda rows, at: (
            rows.to_parquet(f"{at}/rows.parquet"),
            load_dataset(
                "parquet", data_files=f"{at}/rows.parquet", split="train", cache_dir=f"{at}/cache"
            ),
        )[1],
        lambda rows, at: (
            rows.to_parquet(f"{at}/rows.parquet"),
            load_dataset("parquet", data_files=f"{at}/rows.parquet", split="train", streaming=True),
        )[1],
        lambda rows, _: rows.to_iterable_dataset(num_shards=2),
        lambda rows, _: rows.to_iterable_dataset().map(lambda row: {"n": len(row["images"])}),
    ],
    ids=[
        "select",
        "filter",
        "map other columns",
        "map reading the frames",
        "map returning the row",
        "map batched",
        "flatten_indices",
        "pickle",
        "map rewriting the recipe",
        "from_generator",
        "save_to_disk",
        "parquet",
        "parquet streamed",
        "iterable",
        "iterable map",
    ],
)
def test_round_trips_change_neither_frames_nor_recipe(mixed, change, tmp_path):
    changed = change(mixed, str(tmp_path))
    assert pixels(changed) == pixels(mixed)
    if changed.features is None:  # a stream does not know its columns after map
        return
    raw = [row["images"] for row in changed.cast_column("images", Frames(decode=False))]
    assert raw == [row["images"] for row in mixed.cast_column("images", Frames(decode=False))]


def test_pictures_that_are_no_frames_of_a_row_are_refused_with_the_next_move(mixed):
    with pytest.raises(InputError, match=r"List\(Image\(\)\)"):
        mixed.map(lambda row: {"images": [i.copy().rotate(90) for i in row["images"]]})


def test_text_and_video_interleave_map_style_and_streamed(texts, videos):
    rows = interleave_datasets([texts, videos])
    stream = interleave_datasets([texts.to_iterable_dataset(), videos.to_iterable_dataset()])
    assert [row["id"] for row in rows] == ["t0", "v0", "t1", "v1", "t2", "v2"]
    assert pixels(rows) == pixels(stream)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_data_loader_workers_give_the_same_frames(mixed, method):
    torch = pytest.importorskip("torch")
    loader = torch.utils.data.DataLoader(
        mixed, batch_size=None, num_workers=2, multiprocessing_context=method
    )
    assert pixels(loader) == pixels(mixed)


def test_columns_of_datasets_own_types_can_be_cast(clip):
    from datasets import Video

    plain = Dataset.from_dict({"images": [clip]}, features=Features(images=Video(decode=False)))
    assert len(plain.cast_column("images", Frames(max_frames=3))[0]["images"]) == 3
    paths = Dataset.from_dict({"images": [clip]}).cast_column("images", Frames(max_frames=2))
    assert len(paths[0]["images"]) == 2
    with open(clip, "rb") as file:
        data = Dataset.from_dict({"images": [file.read()]})
    assert pixels(data.cast_column("images", Frames(max_frames=2))) == pixels(paths)


def test_a_row_without_frames_is_an_empty_list():
    rows = Dataset.from_dict(
        {"images": [None, {"text": "Words."}]}, features=Features(images=Frames())
    )
    assert [len(row["images"]) for row in rows] == [0, 1]


def test_decode_off_gives_what_is_stored(texts):
    raw = texts.cast_column("images", Frames(decode=False))[0]["images"]
    assert raw["text"] == LONG[:300] and RenderSpec.from_json(raw["spec"]) == RenderSpec()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([Image.new("L", (8, 8))], "List\\(Image"),
        (3, "cannot store an int"),
        ("a text\nof two lines", "is no path"),
        ({"txt": "a"}, "no field \\['txt'\\]"),
        ({"text": "a", "path": "b.mp4"}, "not both"),
    ],
)
def test_values_that_are_no_recipe_are_refused_with_the_next_move(value, words):
    with pytest.raises(InputError, match=words):
        Frames().encode_example(value)


@pytest.mark.parametrize("kind", [pa.int64(), pa.struct({"x": pa.string()})])
def test_a_column_of_another_type_is_refused(kind):
    with pytest.raises(ValueError, match="cannot become Frames"):
        Frames().cast_storage(pa.nulls(2, kind))


def test_a_corrupt_clip_is_an_error_an_empty_list_or_a_blank_frame(tmp_path, caplog):
    bad = tmp_path / "bad.mp4"
    bad.write_text("not a video")
    rows = Dataset.from_list([{"images": video_value(bad)}], features=Features(images=Frames()))
    with pytest.raises(BadVideo, match="bad.mp4"):
        rows[0]
    assert rows.cast_column("images", Frames(on_bad="skip"))[0]["images"] == []
    assert len(rows.cast_column("images", Frames(on_bad="blank"))[0]["images"]) == 1
    assert [record.args[1] for record in caplog.records] == ["skip", "blank"]
    assert all("bad.mp4" in record.getMessage() for record in caplog.records)


def test_a_row_whose_path_is_blank_stops_no_run():
    rows = Dataset.from_list([{"images": {"path": ""}}], features=Features(images=Frames()))
    with pytest.raises(MissingFile, match="'': no such file"):
        rows[0]
    assert rows.cast_column("images", Frames(on_bad="skip"))[0]["images"] == []


def test_rows_drawn_with_other_libraries_are_told_once(caplog):
    stored = RenderSpec().stored().replace('"drawn_with":"', '"drawn_with":"f00')
    value = text_value("Words.") | {"spec": stored}
    rows = Dataset.from_list([{"images": value}] * 3, features=Features(images=Frames()))
    assert [len(row["images"]) for row in rows] == [1, 1, 1]
    assert caplog.text.count("other fonts or libraries") == 1


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(MissingFile, match="gone.mp4"):
        Frames().decode_example(video_value(tmp_path / "gone.mp4"))


@pytest.mark.parametrize(
    "arguments", [{"max_frames": 0}, {"max_frames": "3"}, {"on_bad": "ignore"}]
)
def test_arguments_out_of_range_name_value_and_limit(arguments):
    with pytest.raises(InputError, match="must be"):
        Frames(**arguments)


@settings(max_examples=50, deadline=None)
@given(st.text(), st.sampled_from([RenderSpec(), RenderSpec.paper()]))
def test_a_stored_text_comes_back_unchanged(text, spec):
    try:
        stored = Frames().encode_example(text_value(text, spec))
        rows = Dataset.from_list(
            [{"images": stored}], features=Features(images=Frames(decode=False))
        )
    except (UnicodeEncodeError, pa.ArrowInvalid):
        assert any(0xD800 <= ord(character) <= 0xDFFF for character in text)
        return
    assert rows[0]["images"] == {"text": text, "path": None, "bytes": None, "spec": spec.stored()}


def test_frames_survive_pickling_with_all_they_know():
    frames = Frames().decode_example(text_value("Words \x00.", RenderSpec(on_missing="escape")))
    again = pickle.loads(pickle.dumps(frames))
    assert again.missing == {"\x00": 1}
    assert (again.spans, again.n_total, again.encoded) == (frames.spans, 1, frames.encoded)
    assert [frame.tobytes() for frame in again] == [frame.tobytes() for frame in frames]
