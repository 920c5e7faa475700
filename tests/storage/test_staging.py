"""What is written piece by piece arrives at a URL, also after an interruption; a path is itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from t2vid.errors import InputError
from t2vid.frames.doctor import doctor
from t2vid.frames.export import render_files
from t2vid.storage.files import path_of
from t2vid.storage.staging import local_folder, staged_file, staged_folder


def test_a_path_is_the_folder_itself(tmp_path: Path) -> None:
    with staged_folder(tmp_path / "x") as folder:
        assert folder == tmp_path / "x"


def test_what_was_written_arrives_whatever_ends_the_block(tmp_path: Path) -> None:
    url = f"memory://staging{tmp_path}/mix"
    with pytest.raises(KeyboardInterrupt):
        with staged_folder(url) as folder:
            (folder / "a").mkdir()
            (folder / "a" / "1.txt").write_text("one")
            raise KeyboardInterrupt
    with staged_folder(url) as folder:
        assert (folder / "a" / "1.txt").read_text() == "one"
        (folder / "2.txt").write_text("two")
    assert sorted(path.name for path in path_of(url).rglob("*.txt")) == ["1.txt", "2.txt"]


def test_a_file_goes_on_where_it_stopped(tmp_path: Path) -> None:
    url = f"memory://staging{tmp_path}/lines.jsonl"
    for line in ("one\n", "two\n"):
        with staged_file(url) as local:
            with local.open("a") as file:
                file.write(line)
    assert path_of(url).read_text() == "one\ntwo\n"


def test_what_grows_line_by_line_stays_on_this_machine(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must be a folder of this machine"):
        local_folder("memory://runs/one")
    assert local_folder(tmp_path) == tmp_path


def test_text_is_drawn_to_a_url_and_not_over_a_file(tmp_path: Path) -> None:
    (tmp_path / "story.txt").write_text("It rains on the harbour.")
    url = f"memory://staging{tmp_path}/frames"
    (drawn,) = render_files([tmp_path / "story.txt"], url)
    assert str(drawn.path) == f"{url}/story"
    assert path_of(url).joinpath("story", "frame_00001.webp").is_file()
    with pytest.raises(InputError, match=r"must be a folder, but .*story.txt is a file"):
        render_files([tmp_path / "story.txt"], tmp_path / "story.txt")


def test_a_doctor_looks_at_a_url_and_reports_to_one(tmp_path: Path) -> None:
    url = f"memory://staging{tmp_path}"
    path_of(url).joinpath("clips", "a.mp4").write_bytes(b"no video")
    counts = doctor(f"{url}/clips", out=f"{url}/doctor.jsonl", num_proc=1)
    assert counts.kept == 0 and sum(counts.dropped.values()) == 1
    assert "a.mp4" in path_of(f"{url}/doctor.jsonl").read_text()
