"""A file is written whole or not at all, on a disk and behind a URL; a wrong place is one line."""

from __future__ import annotations

import os
import resource
import stat
import sys
import threading
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from t2vid.errors import InputError, MissingExtra
from t2vid.storage.files import (
    absolute,
    inside_of,
    is_url,
    joined,
    output_file,
    output_folder,
    path_of,
    sha256_of,
    version_at,
    whole_file,
    write_atomically,
)

SLOW = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture(params=["disk", "memory"])
def root(request: pytest.FixtureRequest, tmp_path: Path):
    return path_of(tmp_path if request.param == "disk" else f"memory://files{tmp_path}")


@SLOW
@given(before=st.binary(), after=st.binary(), broken=st.booleans())
def test_a_reader_sees_the_file_before_or_the_whole_new_one(
    root, before: bytes, after: bytes, broken: bool
) -> None:
    path = root / "deep" / "er" / "note"
    write_atomically(path, before)
    try:
        with whole_file(path) as file:
            for at in range(len(after)):
                file.write(after[at : at + 1])
                file.flush()
                assert path.read_bytes() == before
            if broken:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    assert path.read_bytes() == (before if broken else after)
    assert [other.name for other in path.parent.iterdir()] == ["note"]


def test_a_writer_does_not_disturb_another(root) -> None:
    path = root / "note"
    with whole_file(path) as file:
        file.write(b"one")
        write_atomically(root / "other", "two")
    assert (path.read_text(), (root / "other").read_text()) == ("one", "two")


def test_the_version_changes_with_the_content_and_the_hash_only_with_it(root) -> None:
    path = root / "note"
    write_atomically(path, "one")
    version, digest = version_at(path), sha256_of(path)
    assert version_at(path) == version
    write_atomically(path, "one")
    assert sha256_of(path) == digest
    write_atomically(path, "three")
    assert version_at(path) != version and sha256_of(path) != digest


@SLOW
@given(parts=st.lists(st.from_regex(r"\A[a-z0-9_. -]*[a-z0-9_]\Z"), min_size=1, max_size=3))
def test_a_relative_path_leads_back(root, parts: list[str]) -> None:
    inside = str(PurePosixPath(*parts))
    assert inside_of(root / inside, root) == inside
    assert path_of(joined(absolute(root), inside)) == root / inside


def test_a_path_is_a_path_and_a_url_is_a_url(tmp_path: Path) -> None:
    assert path_of(str(tmp_path)) == path_of(tmp_path) == path_of(f"file://{tmp_path}") == tmp_path
    remote = path_of("memory://bucket/mix")
    assert path_of(remote) is remote and path_of(Path("memory://bucket/mix")) == remote
    assert [is_url(name) for name in ("C:/x", "a::b", "x:y", "s3://x")] == [False] * 3 + [True]


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for scheme, package in (("s3", "s3fs"), ("gs", "gcsfs"), ("abfs", "adlfs")):
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(MissingExtra, match=f"^{scheme}://.*run: pip install {package}$"):
            path_of(f"{scheme}://bucket/mix")
    with pytest.raises(InputError, match="unknown scheme 'nosuch'"):
        path_of("nosuch://x")


def test_an_output_in_the_way_of_a_file_or_folder_is_refused(root) -> None:
    write_atomically(root / "hello.txt", "hello")
    for place in (root / "hello.txt", root / "hello.txt" / "mix"):
        with pytest.raises(InputError, match=r"out \(.*\) must be a folder, but .*hello.txt is a"):
            output_folder(place)
    with pytest.raises(InputError, match="must be a file, but it is a folder"):
        output_file(root)
    write_atomically(output_file(root / "new" / "page.html"), "page")
    assert output_folder(root / "new") == root / "new"


def test_a_write_that_does_not_fit_names_the_file_and_leaves_nothing(tmp_path):
    path = tmp_path / "mix" / "big"
    write_atomically(path, "before")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large") as refused:
            write_atomically(path, "x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert refused.value.filename == str(path)
    assert [file.name for file in path.parent.iterdir()] == ["big"]
    assert path.read_text() == "before"


def test_a_long_name_is_written_and_an_error_names_the_file_that_was_asked_for(tmp_path):
    long = tmp_path / ("n" * 250)
    write_atomically(long, "x")
    assert long.read_text() == "x"
    (tmp_path / "gone").mkdir()
    there = tmp_path / "gone" / "a.txt"
    with pytest.raises(OSError) as caught, whole_file(there):  # noqa: PT012
        (tmp_path / "gone").rename(tmp_path / "moved")
    assert "a.txt" in str(caught.value)


def test_a_pipe_and_a_link_that_are_written_to_stay_what_they_are(tmp_path):
    pipe, link, real = tmp_path / "pipe", tmp_path / "link", tmp_path / "real"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    write_atomically(pipe, "through")
    reader.join()
    link.symlink_to(real)
    write_atomically(link, "kept")
    assert got == [b"through"] and stat.S_ISFIFO(pipe.stat().st_mode)
    assert link.is_symlink() and real.read_text() == "kept"
