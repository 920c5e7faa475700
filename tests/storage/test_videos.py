"""A name from an annotation finds its video in any layout, and never one outside the folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2vid.corpora.clips import without_marker
from t2vid.errors import MissingFile, UnsafePath
from t2vid.storage.folder import FoundFile
from t2vid.storage.videos import VideoFolder


@pytest.fixture
def folder(tmp_path: Path) -> VideoFolder:
    for name in ("v_a-b_c.d.mkv", "x/1.mp4", "y/1.mp4", "y/1.webm", "z/deep/er/2.MOV", "notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return VideoFolder.scan(tmp_path)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("v_a-b_c.d", "v_a-b_c.d.mkv"),  # an id may hold dots
        ("v_a-b_c.d.pkl", "v_a-b_c.d.mkv"),
        ("2", "z/deep/er/2.MOV"),
        ("v_2.mp4", "z/deep/er/2.MOV"),
        ("elsewhere\\2.avi", "z/deep/er/2.MOV"),
        ("1.mp4", "x/1.mp4"),  # the first of several
        ("y/1.mp4", "y/1.mp4"),
        ("all/y/1.webm", "y/1.webm"),
        ("notes.txt", None),
        ("3.mp4", None),
    ],
)
def test_names_find_their_video(folder: VideoFolder, name: str, found: str | None) -> None:
    path = folder.find(name)
    assert (path and path.relative_to(folder.root).as_posix()) == found


def test_folders_that_an_annotation_leaves_out_are_preferred(folder: VideoFolder) -> None:
    def found(name: str, **kwargs: Any) -> str | None:
        path = folder.find(name, **kwargs)
        return path and path.relative_to(folder.root).as_posix()

    assert found("1.mp4", within=["y"]) == "y/1.mp4"
    assert found("1.webm", within=["nowhere", "y"], unique=True) == "y/1.webm"
    assert found("1.mp4", unique=True) is None
    assert found("x/1", unique=True) == "x/1.mp4"
    assert found("2.mp4", within=["nowhere"], unique=True) == "z/deep/er/2.MOV"
    assert found("3.mp4", within=["x"], unique=True) is None


def test_a_folder_of_images_is_a_video_on_request(tmp_path: Path) -> None:
    for name in ("tvqa/clip_00/1.jpg", "tvqa/clip_00/2.jpg", "tvqa/clip_01.mp4", "notes/a.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert VideoFolder.scan(tmp_path).find("clip_00") is None
    both = VideoFolder.scan(tmp_path, image_folders=True)
    assert both.find("clip_00") == tmp_path / "tvqa" / "clip_00" and len(both) == 2
    (tmp_path / "tvqa" / "clip_00" / "3.jpg").touch()
    assert VideoFolder.scan(tmp_path, image_folders=True).state != both.state


@pytest.mark.parametrize(
    "name", ["../1.mp4", "x/../../1.mp4", "..\\1.mp4", "/x/1.mp4", "C:\\1.mp4", "", "a\0.mp4"]
)
def test_a_name_that_leaves_the_folder_is_refused(folder: VideoFolder, name: str) -> None:
    with pytest.raises(UnsafePath):
        folder.find(name)


@given(st.text())
def test_no_name_finds_anything_outside(name: str) -> None:
    folder = VideoFolder(Path("/root"), (FoundFile("x/1.mp4", 1, ""),))
    try:
        path = folder.find(name)
    except UnsafePath:
        return
    assert path in (None, Path("/root/x/1.mp4"))


def test_a_path_that_is_no_text_is_left_out_and_told(tmp_path: Path, caplog: Any) -> None:
    strange = tmp_path / os.fsdecode(b"\xff")
    try:
        strange.mkdir()
    except OSError:
        pytest.skip("this file system takes names in UTF-8 only")
    (strange / "1.mp4").touch()
    assert VideoFolder.scan(tmp_path).find("1") is None
    assert "is left out: its name is not UTF-8; rename it" in caplog.text


def test_the_state_changes_with_the_videos_and_only_with_them(folder: VideoFolder) -> None:
    again = VideoFolder.scan(folder.root)
    assert again == folder
    (folder.root / "more.txt").touch()
    assert VideoFolder.scan(folder.root).state == folder.state
    (folder.root / "z" / "deep" / "3.mp4").touch()
    changed = VideoFolder.scan(folder.root)
    assert changed.state != folder.state and len(changed) == len(folder) + 1


def test_a_missing_folder_is_named_and_a_dangling_link_is_no_video(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="nowhere' is not a folder"):
        VideoFolder.scan(tmp_path / "nowhere")
    os.symlink(tmp_path / "gone.mp4", tmp_path / "link.mp4")
    os.symlink(tmp_path, tmp_path / "loop")
    assert len(VideoFolder.scan(tmp_path)) == 0


@pytest.mark.parametrize("marker", ["<video>", "<image>", "<video><video>", " <video> <image> "])
@given(before=st.from_regex(r"\A[a-z]+( [a-z]+)*\Z"), after=st.from_regex(r"\A[a-z]+( [a-z]+)*\Z"))
def test_a_marker_leaves_no_trace_wherever_it_stands(marker: str, before: str, after: str) -> None:
    assert without_marker(f"{marker}\n{before}") == before
    assert without_marker(f"{before}\n{marker}") == before
    assert without_marker(f"{before} {marker} {after}") == f"{before} {after}"
    assert without_marker(f"{before}\n{marker}\n{after}") == f"{before}\n{after}"


@pytest.mark.parametrize("ending", ["tar.gz", "tgz", "TAR.ZST", "7z"])
def test_an_archive_that_cannot_be_read_by_place_is_told(tmp_path, caplog, ending):
    (tmp_path / f"clips.{ending}").write_bytes(b"")
    (tmp_path / "rows.json.gz").write_bytes(b"")
    VideoFolder.scan(tmp_path)
    assert [f"clips.{ending} is not looked into" in line for line in caplog.messages] == [True]
