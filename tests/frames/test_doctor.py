"""A scan finds every bad video, says why, and goes on where it stopped."""

from __future__ import annotations

import json

import pytest
from datasets import Dataset, Features

from media import make_clip
from t2vid import Frames
from t2vid.errors import InputError
from t2vid.frames import doctor as module
from t2vid.frames.doctor import doctor
from t2vid.frames.feature import video_value


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    (folder / "deep").mkdir()
    good = make_clip(folder / "deep" / "good.mp4")
    make_clip(folder / "other.webm", codec="libvpx")
    (folder / "text.mp4").write_text("no video\n" * 9)
    (folder / "empty.avi").write_bytes(b"")
    (folder / "cut.mp4").write_bytes(good.read_bytes()[:2000])
    (folder / "notes.txt").write_text("not looked at")
    return folder


@pytest.mark.parametrize("num_proc", [1, 2])
def test_every_bad_video_is_listed_with_its_reason(corpus, tmp_path, num_proc) -> None:
    counts = doctor(corpus, out=tmp_path / "list.jsonl", num_proc=num_proc)
    assert counts.kept == 2
    assert dict(counts.dropped) == {"text": 1, "empty": 1, "truncated": 1}
    lines = [json.loads(line) for line in (tmp_path / "list.jsonl").read_text().splitlines()]
    assert len(lines) == 5 and sum(line["reason"] is None for line in lines) == 2
    assert all(line["message"] for line in lines if line["reason"])
    assert "truncated" in counts.table()


def test_an_interrupted_scan_goes_on_where_it_stopped(corpus, tmp_path, monkeypatch) -> None:
    out = tmp_path / "list.jsonl"
    whole = doctor(corpus, out=out, num_proc=1)
    lines = out.read_bytes().splitlines(keepends=True)
    out.write_bytes(b"".join(lines[:3]) + lines[3][:7])
    seen = []
    sample = module.sample_video
    monkeypatch.setattr(
        module, "sample_video", lambda name, *a, **k: (seen.append(name), sample(name, *a, **k))
    )
    assert doctor(corpus, out=out, num_proc=1) == whole
    assert len(seen) == 2 and sorted(out.read_bytes().splitlines(keepends=True)) == sorted(lines)


def test_a_dataset_is_scanned_by_its_column(corpus, tmp_path) -> None:
    values = [video_value(corpus / name) for name in ("other.webm", "text.mp4", "gone.mp4")]
    rows = Dataset.from_list(
        [{"images": value} for value in [*values, {"text": "words"}]],
        features=Features(images=Frames()),
    )
    counts = doctor(rows, out=tmp_path / "list.jsonl", num_proc=1)
    assert counts.kept == 1 and dict(counts.dropped) == {"text": 1, "missing": 1}


def test_nothing_to_scan_and_a_strange_list_are_refused(corpus, tmp_path) -> None:
    with pytest.raises(InputError, match="no video found"):
        doctor(tmp_path, out=tmp_path / "list.jsonl")
    (tmp_path / "strange.jsonl").write_text("[]\n")
    with pytest.raises(InputError, match="no list of this command"):
        doctor(corpus, out=tmp_path / "strange.jsonl")
    with pytest.raises(InputError, match="num_proc"):
        doctor(corpus, out=tmp_path / "list.jsonl", num_proc=0)
