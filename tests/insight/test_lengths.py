"""Lengths come from what the files tell, for video and text alike, and nothing is decoded."""

from __future__ import annotations

import io
import json

import pytest
from datasets import Dataset, Features, Value
from PIL import Image

from media import make_clip
from t2vid import Frames, RenderSpec, SampleSpec
from t2vid.errors import InputError
from t2vid.frames.decoding import Reader
from t2vid.frames.feature import text_value, video_value
from t2vid.insight import lengths
from t2vid.insight.lengths import picture

FEATURES = Features(source=Value("string"), images=Frames())


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lengths")
    found = [("gone", video_value(folder / "gone.mp4"))]
    for seconds in (2, 5, 31):
        clip = make_clip(folder / f"{seconds}.mp4", seconds=seconds, fps=5)
        found.append(("clips", video_value(clip, SampleSpec(max_frames=4))))
    found.append(("clips", video_value(clip, SampleSpec(start_s=10, end_s=20))))
    found.append(("texts", text_value("word " * 300, RenderSpec())))
    items = [{"source": source, "images": value} for source, value in found]
    return Dataset.from_list(items, features=FEATURES)


def test_lengths_are_counted_without_decoding_or_budget(rows, monkeypatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("a frame was decoded")

    monkeypatch.setattr(Reader, "decode", never)
    monkeypatch.setattr(Reader, "everything", never)
    found = lengths(rows)
    assert found.sources["clips"].frames == [2, 5, 31, 10]
    assert found.sources["clips"].durations_s == pytest.approx([2, 5, 31, 10])
    assert found.sources["texts"].frames == [3] and not found.sources["texts"].durations_s
    assert found.counts.kept == 5 and dict(found.counts.dropped) == {"missing": 1}
    assert "clips" in found.table()


def test_a_text_that_cannot_be_drawn_is_counted() -> None:
    items = [{"source": "texts", "images": text_value(text)} for text in ("Words.", " ", "\x00")]
    counts = lengths(Dataset.from_list(items, features=FEATURES)).counts
    assert counts.kept == 1 and dict(counts.dropped) == {"cannot be drawn": 2}
    assert "is blank" in counts.examples["cannot be drawn"][0]


def test_a_report_does_not_end_at_a_text_that_cannot_be_drawn() -> None:
    from t2vid.insight.rows import read

    features = Features(
        {**FEATURES, "messages": [{"role": Value("string"), "content": Value("string")}]}
    )
    turns = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]
    items = [
        {"source": "texts", "images": text_value(text), "messages": turns}
        for text in ("Words.", "\x00", "More.")
    ]
    counts = read(Dataset.from_list(items, features=features)).counts
    assert counts.sources["texts"] == {"kept": 3, "length unknown (cannot be drawn)": 1}


def test_a_mapping_names_its_sources(rows) -> None:
    found = lengths({"a": rows.select([1, 2]), "b": rows.select([3])})
    assert {name: source.frames for name, source in found.sources.items()} == {
        "a": [2, 5],
        "b": [31],
    }


def test_the_picture_is_a_png_and_the_numbers_are_json(rows) -> None:
    with Image.open(io.BytesIO(picture(rows))) as image:
        assert image.format == "PNG" and len(image.convert("RGB").getcolors(1 << 20)) > 3
    found = json.loads(json.dumps(lengths(rows).to_dict()))
    assert (
        found["sources"]["clips"]["n"] == 4 == sum(found["sources"]["clips"]["histogram"]["rows"])
    )
    assert found["sources"]["clips"]["frames"]["p50"] == 7.5


def test_a_dataset_without_frames_is_refused() -> None:
    with pytest.raises(InputError, match="no Frames or Video column"):
        lengths(Dataset.from_dict({"text": ["a"]}))
