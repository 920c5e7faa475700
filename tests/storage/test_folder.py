"""Every file below a folder is listed once, through links, too; a loop ends; a pattern finds."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import fsspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from t2vid.errors import MissingFile
from t2vid.storage.folder import files_below, matching
from t2vid.storage.videos import SUFFIXES, VideoFolder, is_video

SLOW = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40
)
names = st.sampled_from("ab")
paths = st.lists(names, min_size=1, max_size=3).map("/".join)


def paths_below(root: Any) -> list[str]:
    return [file.path for file in files_below(root)]


def make(root: Path, files: Any) -> set[str]:
    for name in files:
        path = root / f"{name}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return {f"{name}.mp4" for name in files}


@SLOW
@given(files=st.sets(paths, min_size=1), links=st.lists(st.tuples(paths, paths), max_size=4))
def test_any_tree_of_folders_and_links_is_listed_once(
    tmp_path_factory: pytest.TempPathFactory, files: set[str], links: list[tuple[str, str]]
) -> None:
    root = tmp_path_factory.mktemp("tree")
    made = make(root, files)
    for at, (place, target) in enumerate(links):
        where = root / place
        if where.is_dir() and (root / target).is_dir():
            (where / f"link{at}").symlink_to(root / target, target_is_directory=True)
    found = paths_below(root)
    # each real folder is listed where it lies, however many links lead there
    assert found == sorted(made)


@SLOW
@given(outside=st.sets(paths, min_size=1), loops=st.integers(0, 3))
def test_what_a_link_leads_to_outside_is_listed_once(
    tmp_path_factory: pytest.TempPathFactory, outside: set[str], loops: int
) -> None:
    base = tmp_path_factory.mktemp("base")
    root = base / "root"
    root.mkdir()
    made = make(base / "disk", outside)
    (root / "clips").symlink_to(base / "disk", target_is_directory=True)
    for at in range(loops):
        (base / "disk" / f"loop{at}").symlink_to(root, target_is_directory=True)
        (root / f"again{at}").symlink_to(base / "disk", target_is_directory=True)
    first = "again0" if loops else "clips"
    assert [path.partition("/")[2] for path in paths_below(root)] == sorted(made)
    assert {path.partition("/")[0] for path in paths_below(root)} == {first} or loops


def test_a_link_to_a_folder_around_the_data_is_left_out_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make(tmp_path / "data", ["a"])
    make(tmp_path, ["private"])
    (tmp_path / "data" / "up").symlink_to(tmp_path, target_is_directory=True)
    assert paths_below(tmp_path / "data") == ["a.mp4"]
    assert "links to a folder around it" in caplog.text


def test_a_link_to_a_file_counts_and_a_dangling_one_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make(tmp_path / "else", ["a"])
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "b.mp4").symlink_to(tmp_path / "else" / "a.mp4")
    (tmp_path / "data" / "c.mp4").symlink_to(tmp_path / "gone.mp4")
    assert paths_below(tmp_path / "data") == ["b.mp4"]
    assert "c.mp4 is left out: it links to nothing" in caplog.text


def test_sizes_and_times_are_those_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"123")
    before = files_below(tmp_path)[0]
    os.utime(tmp_path / "a", ns=(1, 2))
    after = files_below(tmp_path)[0]
    assert before.size == after.size == 3 and before.version != after.version == "2"


@SLOW
@given(files=st.sets(paths, min_size=1))
def test_a_url_lists_what_a_folder_does(
    tmp_path_factory: pytest.TempPathFactory, files: set[str]
) -> None:
    root = tmp_path_factory.mktemp("tree")
    make(root, files)
    place = f"/folder{root}"
    fsspec.filesystem("memory").put(str(root), place, recursive=True)
    local, remote = VideoFolder.scan(root), VideoFolder.scan(f"memory:/{place}")
    assert [file[:2] for file in remote.files] == [file[:2] for file in local.files]
    for name in files:
        assert local.inside(name) == remote.inside(name)
    assert str(remote.find(min(files))).startswith("memory://")


@pytest.mark.parametrize("where", ["nowhere", "memory://nowhere"])
def test_a_missing_folder_is_an_error(tmp_path: Path, where: str) -> None:
    with pytest.raises(MissingFile, match="is not a folder"):
        files_below(where if "://" in where else tmp_path / where)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("a.json", ["a.json"]),
        ("b.json", ["x/b.json"]),
        ("*.json", ["a.json"]),  # those here, and not those below
        ("*.jsonl", ["x/y/c.jsonl"]),
        ("y/*.jsonl", ["x/y/c.jsonl"]),
        ("x/*.json", ["x/b.json"]),
        ("**/*.json*", ["a.json", "x/b.json", "x/y/c.jsonl"]),
        ("?.json", ["a.json"]),
        ("[ab].json", ["a.json"]),
        ("x/**", ["x/b.json", "x/y/c.jsonl"]),
        ("../outside.json", []),
        ("/etc/hosts", []),
        ("a+json", []),
    ],
)
def test_patterns(tmp_path: Path, pattern: str, found: list[str]) -> None:
    root = tmp_path / "root"
    for name in ("a.json", "x/b.json", "x/y/c.jsonl", "../outside.json"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    assert matching(root, pattern) == found


def test_one_list_of_suffixes_holds_for_every_finder() -> None:
    assert {".mpg", ".mpeg", ".wmv", ".flv", ".ts", ".m2ts", ".3gp", ".ogv", ".asf"} <= SUFFIXES
    from t2vid.storage.videos import stem_of, video_key

    for suffix in SUFFIXES:
        name = f"v_12345678901{suffix.upper()}"
        assert is_video(name) and stem_of(name) == "v_12345678901"
        assert video_key(f"deep/{name}") == "12345678901"


def test_files_that_link_to_themselves_are_left_out_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "real.mp4").write_bytes(b"x")
    (tmp_path / "self.mp4").symlink_to(tmp_path / "self.mp4")
    (tmp_path / "a.mp4").symlink_to(tmp_path / "b.mp4")
    (tmp_path / "b.mp4").symlink_to(tmp_path / "a.mp4")
    assert [file.path for file in files_below(tmp_path)] == ["real.mp4"]
    assert caplog.text.count("links to nothing") == 3
