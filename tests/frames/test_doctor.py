"""A scan finds every bad video, says why, and goes on where it stopped."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from datasets import Dataset, Features

from media import make_clip
from t2vid import Frames
from t2vid.errors import InputError, MissingFile
from t2vid.frames import doctor as module
from t2vid.frames.doctor import doctor
from t2vid.frames.feature import video_value
from t2vid.frames.spec import SampleSpec


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


def test_a_scan_says_how_much_it_looked_at(corpus, tmp_path) -> None:
    out = tmp_path / "list.jsonl"
    table = doctor(corpus / "deep", out=out, num_proc=1).table()
    assert "decoded 3 of 30 frames (10 %); --full decodes all of them" in table
    assert json.loads(out.read_text()) == {
        "video": str(corpus / "deep" / "good.mp4"),
        "reason": None,
        "message": None,
        "decoded": 3,
        "frames": 30,
    }
    full = doctor(corpus / "deep", out=out, num_proc=1, full=True)  # looked at again
    assert full.kept == 1 and full.table().endswith("decoded 30 of 30 frames (100 %)")


def test_a_full_scan_finds_what_a_look_at_a_few_frames_does_not(tmp_path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", seconds=20, codec="mpeg4", gop=5)
    data = bytearray(clip.read_bytes())
    at = data.index(b"mdat") + 4 + len(data) // 2
    data[at : at + 400] = bytes(400)
    clip.write_bytes(data)
    spec = SampleSpec(max_frames=1, start_s=1, end_s=2)
    assert doctor(clip, out=tmp_path / "few.jsonl", num_proc=1, spec=spec).kept == 1
    full = doctor(clip, out=tmp_path / "all.jsonl", num_proc=1, spec=spec, full=True)
    assert dict(full.dropped) == {"damaged": 1}


def test_a_file_name_that_is_no_text_is_listed_and_found_again(corpus, tmp_path) -> None:
    folder = tmp_path / "videos"
    folder.mkdir()
    name = os.fsdecode(b"\xff.mp4")
    try:
        shutil.copy(corpus / "cut.mp4", folder / name)
    except OSError:
        pytest.skip("this file system takes names in UTF-8 only")
    for _ in range(2):
        counts = doctor(folder, out=tmp_path / "list.jsonl", num_proc=1)
        assert dict(counts.dropped) == {"truncated": 1}
    (line,) = (tmp_path / "list.jsonl").read_text().splitlines()
    assert json.loads(line)["video"] == str(folder / name)


def test_a_name_that_can_be_none_stops_no_scan(corpus, tmp_path) -> None:
    names = ["", "a\0.mp4", str(corpus / "deep" / "good.mp4")]
    counts = doctor(names, out=tmp_path / "list.jsonl", num_proc=1)
    assert counts.kept == 1 and sum(counts.dropped.values()) == 2


CRASHING_SCAN = """
import os, sys
from t2vid.frames import doctor as module

def crash(name, *args, sample=module.sample_video, **kwargs):
    if "crash" in name:
        os._exit(139)
    return sample(name, *args, **kwargs)

module.sample_video = crash  # in spawned workers too: they import this file
if __name__ == "__main__":
    print(module.doctor(sys.argv[1], out=sys.argv[2], num_proc=2))
"""


def test_a_video_that_ends_its_process_is_listed_and_the_others_are_done(corpus, tmp_path) -> None:
    for n in range(6):
        name = f"{n}-crash.mp4" if n in (1, 4) else f"{n}.webm"
        shutil.copy(corpus / "other.webm", tmp_path / name)
    (tmp_path / "scan.py").write_text(CRASHING_SCAN)
    command = [sys.executable, str(tmp_path / "scan.py"), str(tmp_path), str(tmp_path / "list")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "kept 4, dropped 2 (crash: 2)" in done.stdout
    assert len((tmp_path / "list").read_text().splitlines()) == 6


def test_an_interrupted_scan_goes_on_where_it_stopped(corpus, tmp_path, monkeypatch) -> None:
    out = tmp_path / "list.jsonl"
    whole = doctor(corpus, out=out, num_proc=1)
    lines = out.read_bytes().splitlines(keepends=True)
    out.write_bytes(b"".join(lines[:3]) + lines[3][:7])
    seen = []
    sample = module.sample_video
    monkeypatch.setattr(
        module, "sample_video", lambda name, *a, **k: seen.append(name) or sample(name, *a, **k)
    )
    assert doctor(corpus, out=out, num_proc=1) == whole
    assert len(seen) == 2 and sorted(out.read_bytes().splitlines(keepends=True)) == sorted(lines)


SLOW_SCAN = """
import sys, time
from t2vid.frames import doctor as module

def slow(name, *args, sample=module.sample_video, **kwargs):
    time.sleep(0.1)
    return sample(name, *args, **kwargs)

module.sample_video = slow  # in spawned workers too: they import this file
if __name__ == "__main__":
    module.doctor(sys.argv[1], out=sys.argv[2], num_proc=int(sys.argv[3]))
"""


@pytest.mark.parametrize("num_proc", [1, 2])
def test_a_scan_that_was_killed_goes_on_and_leaves_no_process(corpus, tmp_path, num_proc) -> None:
    for n in range(40):
        shutil.copy(corpus / ("cut.mp4" if n % 4 == 0 else "other.webm"), tmp_path / f"{n:02d}.mp4")
    (tmp_path / "scan.py").write_text(SLOW_SCAN)
    out = tmp_path / "list.jsonl"
    command = [sys.executable, str(tmp_path / "scan.py"), str(tmp_path), str(out), str(num_proc)]
    with subprocess.Popen(command, start_new_session=True) as scan:
        while not (out.exists() and out.read_bytes().count(b"\n") >= 3):
            assert scan.poll() is None, "the scan ended before it could be killed"
            time.sleep(0.02)
        scan.kill()
    before = out.read_bytes()
    counts = doctor(tmp_path, out=out, num_proc=1)
    assert (counts.kept, dict(counts.dropped)) == (30, {"truncated": 10})
    assert out.read_bytes().startswith(before[: before.rfind(b"\n") + 1])
    names = [json.loads(line)["video"] for line in out.read_text().splitlines()]
    assert sorted(names) == sorted(str(path) for path in tmp_path.glob("*.mp4"))
    while _processes_of(scan.pid):  # one that stays is ended by pytest's own limit
        time.sleep(0.1)


def _processes_of(group: int) -> list[str]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            found.append(stat.parent.name)
    return found


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


def test_a_folder_that_is_not_there_is_no_missing_video(tmp_path) -> None:
    with pytest.raises(MissingFile, match="nowhere is not there"):
        doctor(tmp_path / "nowhere", out=tmp_path / "list.jsonl")
    assert not (tmp_path / "list.jsonl").exists()
