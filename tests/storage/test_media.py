"""A video may lie anywhere: only what is needed is read, and what is wrong is named."""

from __future__ import annotations

import base64
import io
import json
import logging
import os
import re
import subprocess
import sys
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from hub import Hub
from media import make_clip, read_numbers
from t2vid.errors import BadVideo, InputError, MissingExtra, MissingFile
from t2vid.frames.spec import SampleSpec
from t2vid.frames.video import probe, sample_video
from t2vid.storage.archives import Window
from t2vid.storage.media import BLOCK_BYTES, Limits

SPEC = SampleSpec(max_frames=3)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return make_clip(tmp_path_factory.mktemp("sources") / "clip.mp4", seconds=5)


@pytest.fixture(scope="module")
def pixels(clip):
    return [frame.tobytes() for frame in sample_video(clip, SPEC)]


def same(source, pixels) -> bool:
    return [frame.tobytes() for frame in sample_video(source, SPEC)] == pixels


def test_path_bytes_and_file_object_give_the_same_frames(clip, pixels) -> None:
    with clip.open("rb") as file:
        assert all(same(x, pixels) for x in (str(clip), clip.read_bytes(), file, file))
        assert not file.closed


def test_a_source_that_cannot_be_sought_is_held_up_to_the_limit(clip, pixels) -> None:
    class Pipe(io.RawIOBase):
        def __init__(self, data: bytes | None) -> None:
            self.rest = data

        def seekable(self) -> bool:
            return False

        def read(self, n: int = -1) -> bytes:
            if self.rest is None:
                return bytes(n)
            data, self.rest = self.rest[:n], self.rest[n:]
            return data

    assert same(Pipe(clip.read_bytes()), pixels)
    with pytest.raises(BadVideo, match="goes on after 5,000,000 bytes") as caught:
        sample_video(Pipe(None), limits=Limits(max_bytes=5_000_000))
    assert caught.value.reason == "endless"


@pytest.mark.parametrize("kind", ["stored.zip", "deflated.zip", "plain.tar", "packed.tar.gz"])
def test_members_of_archives_are_read_where_they_lie(clip, pixels, tmp_path, kind) -> None:
    archive = tmp_path / kind
    if kind.endswith("zip"):
        how = zipfile.ZIP_STORED if "stored" in kind else zipfile.ZIP_DEFLATED
        with zipfile.ZipFile(archive, "w", how) as pack:
            pack.writestr("other.txt", "text")
            pack.write(clip, "a/clip.mp4")
    else:
        with tarfile.open(archive, "w:gz" if "gz" in kind else "w") as pack:
            pack.add(clip, "a/clip.mp4")
    assert same(f"{archive}::a/clip.mp4", pixels)
    scheme = "zip" if kind.endswith("zip") else "tar"
    assert same(f"{scheme}://a/clip.mp4::{archive}", pixels)
    assert os.listdir(tmp_path) == [kind]
    with pytest.raises(MissingFile, match=r"did you mean 'a/clip\.mp4'"):
        sample_video(f"{archive}::a/clp.mp4")


def changed(data: bytes, *edits: tuple[int, bytes]) -> bytes:
    """Put other bytes into some places."""
    out = bytearray(data)
    for at, new in edits:
        out[at : at + len(new)] = new
    return bytes(out)


def zipped(kind: int) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", kind) as pack:
        pack.writestr("x.mp4", os.urandom(500) + bytes(500))
    return held.getvalue()


def tarred(mode: str) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode=f"w:{mode}") as pack:
        for name in ("a.mp4", "x.mp4"):
            member = tarfile.TarInfo(name)
            member.size = 3000
            pack.addfile(member, io.BytesIO(os.urandom(3000)))
    return held.getvalue()


def tar_that_leads_back() -> bytes:
    """A header with a size of minus one block: whoever follows it comes back for ever."""
    first, member = tarfile.TarInfo("a.mp4"), tarfile.TarInfo("x.mp4")
    size = (-512).to_bytes(12, "big", signed=True)
    header = changed(member.tobuf(tarfile.GNU_FORMAT)[:512], (124, size), (148, b" " * 8))
    header = changed(header, (148, b"%06o\0 " % sum(header)))
    return first.tobuf(tarfile.GNU_FORMAT)[:512] + header + bytes(1024)


STORED, DEFLATED = zipped(zipfile.ZIP_STORED), zipped(zipfile.ZIP_DEFLATED)
TABLE = STORED.index(b"PK\x01\x02")
BROKEN = {
    "nothing.zip": b"PK\x03\x04" + bytes(100),
    "version.zip": changed(STORED, (TABLE + 6, b"\x63")),
    "name.zip": changed(STORED, (TABLE + 8, b"\x00\x08"), (TABLE + 46, b"\xff")),
    "before.zip": changed(STORED, (STORED.index(b"PK\x05\x06") + 16, b"\xff\x0f")),
    "deflated.zip": changed(DEFLATED, (60, b"\xff" * 200)),
    "back.tar": tar_that_leads_back(),
    **{f"cut.tar.{mode}": tarred(mode)[:3000] for mode in ("gz", "bz2", "xz")},
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_archive_is_named(tmp_path, name) -> None:
    path = tmp_path / name
    path.write_bytes(BROKEN[name])
    with pytest.raises(BadVideo) as caught:
        sample_video(f"{path}::x.mp4", limits=Limits(timeout_s=20))
    assert f"{name}::x.mp4: the archive is broken" in str(caught.value)
    assert caught.value.reason == "archive"


@pytest.mark.parametrize("name", ["12:30.mp4", "pipe:0.mp4", "concat:clip.mp4", "a%03d.mp4"])
def test_a_name_is_no_protocol(clip, pixels, tmp_path, monkeypatch, name) -> None:
    monkeypatch.chdir(tmp_path)
    make_clip("clip.mp4", seconds=1)  # what concat: would read
    (tmp_path / name).write_bytes(clip.read_bytes())
    assert same(name, pixels)


def test_a_member_that_unpacks_beyond_the_limit_is_refused(tmp_path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("x.mp4", bytes(30_000_000))
    with pytest.raises(BadVideo, match="goes on after") as caught:
        sample_video(f"{tmp_path / 'bomb.zip'}::x.mp4", limits=Limits(max_bytes=1_000_000))
    assert caught.value.reason == "endless"


def test_a_window_is_a_file_of_its_own() -> None:
    window = Window(io.BytesIO(b"0123456789"), 3, 4)
    assert window.read() == b"3456" and window.read() == b""
    assert window.seek(-2, os.SEEK_END) == 2 and window.read(9) == b"56"
    assert window.seek(1) == 1 and window.read(1) == b"4" and window.tell() == 2


class Server:
    """A loopback server that counts the bytes it hands out."""

    def __init__(
        self,
        files: dict[str, bytes],
        *,
        ranges: bool = True,
        sized: bool = True,
        cut: int | None = None,
    ):
        outer = self
        self.sent, self.requests = 0, 0

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                self.answer(body=False)

            def do_GET(self) -> None:
                self.answer(body=True)

            def answer(self, *, body: bool) -> None:
                data = files.get(self.path)
                if data is None:
                    self.send_response(404)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                found = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
                start, stop = 0, len(data)
                if found and ranges:
                    start = int(found[1])
                    stop = min(len(data), int(found[2]) + 1) if found[2] else len(data)
                    self.send_response(206)
                    self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(data)}")
                else:
                    self.send_response(200)
                if ranges:
                    self.send_header("Accept-Ranges", "bytes")
                if sized:
                    self.send_header("Content-Length", str(stop - start))
                self.close_connection = not sized
                self.end_headers()
                if body:
                    outer.sent += stop - start
                    outer.requests += 1
                    part = data[start:stop]
                    if cut is not None and start > cut:
                        part = part[:10]
                        self.close_connection = True
                    self.wfile.write(part)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> Server:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """A clip whose pixels hardly compress, with many groups of pictures."""
    return make_clip(
        tmp_path_factory.mktemp("film") / "film.mp4",
        seconds=100,
        size=(480, 320),
        gop=10,
        options={"crf": "0", "preset": "ultrafast"},
    )


def test_a_url_is_read_by_ranges_and_only_where_needed(film) -> None:
    data = film.read_bytes()
    assert len(data) > 24 * BLOCK_BYTES
    spec = SampleSpec(max_frames=4)
    with Server({"/film.mp4": data}) as server:
        frames = sample_video(f"{server.url}/film.mp4", spec)
        sent = server.sent
        assert probe(f"{server.url}/film.mp4", spec).n_total == 100
    assert read_numbers(frames) == read_numbers(sample_video(film, spec))
    # The index, the last group, and two blocks for each of four groups.
    assert sent < 12 * BLOCK_BYTES < len(data) / 2


def test_members_of_a_remote_zip_are_read_by_ranges(film, tmp_path) -> None:
    with zipfile.ZipFile(tmp_path / "films.zip", "w", zipfile.ZIP_STORED) as pack:
        pack.write(film, "one.mp4")
        pack.write(film, "two.mp4")
    data = (tmp_path / "films.zip").read_bytes()
    with Server({"/films.zip": data}) as server:
        frames = sample_video(f"{server.url}/films.zip::two.mp4", SampleSpec(max_frames=2))
        assert server.sent < len(data) // 2
    assert read_numbers(frames) == read_numbers(sample_video(film, SampleSpec(max_frames=2)))


ON_THE_HUB = """
import json
from t2vid import Frames, SampleSpec
from t2vid.errors import MissingFile
from t2vid.frames.feature import video_value
from t2vid.frames.video import probe, sample_video

root, spec, missing = "hf://datasets/me/clips", SampleSpec(max_frames=4), []
frames = [
    sample_video(f"{root}/sampled.mp4", spec),
    Frames().decode_example(video_value(f"{root}@main/column.mp4", spec)),
    sample_video(f"{root}/films.zip::two.mp4", spec),
]
for path in ("me/clips/gone.mp4", "me/nowhere/film.mp4"):
    try:
        probe(f"hf://datasets/{path}")
    except MissingFile as error:
        missing.append(str(error))
pictures = [[list(frame.resize((48, 32)).tobytes()) for frame in found] for found in frames]
print(json.dumps([pictures, probe(f"{root}/probed.mp4").n_total, missing]))
"""


def test_a_video_on_the_hub_is_read_by_ranges_and_only_where_needed(film, tmp_path) -> None:
    data = film.read_bytes()
    with zipfile.ZipFile(tmp_path / "films.zip", "w", zipfile.ZIP_STORED) as pack:
        pack.write(film, "one.mp4")
        pack.write(film, "two.mp4")
    there = {name: data for name in ("sampled.mp4", "column.mp4", "probed.mp4")}
    there["films.zip"] = (tmp_path / "films.zip").read_bytes()
    with Hub() as hub:
        hub.put("datasets/me/clips", there)
        done = subprocess.run(
            [sys.executable, "-c", ON_THE_HUB],
            env=hub.environment(tmp_path / "home"),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        sent = {
            name: sum(n for way, path, n in hub.log if way == "GET" and path.endswith(name))
            for name in there
        }
    pictures, total, missing = json.loads(done.stdout)
    here = sample_video(film, SampleSpec(max_frames=4))
    assert pictures == [[list(frame.resize((48, 32)).tobytes()) for frame in here]] * 3
    # The index, the last group, and two blocks for each of four groups.
    assert all(BLOCK_BYTES < sent[name] < 12 * BLOCK_BYTES < len(data) / 2 for name in there)
    assert total == 100 and sent["probed.mp4"] < 6 * BLOCK_BYTES
    assert len(missing) == 2 and all("server has no such file" in message for message in missing)


@pytest.mark.parametrize("sized", [True, False])
def test_a_server_without_ranges_is_read_from_start_to_end(clip, pixels, sized) -> None:
    with Server({"/clip.mp4": clip.read_bytes()}, ranges=False, sized=sized) as server:
        assert same(f"{server.url}/clip.mp4", pixels)
        with pytest.raises(BadVideo, match="goes on after" if not sized else "clip.mp4"):
            sample_video(f"{server.url}/clip.mp4", limits=Limits(max_bytes=1_000))


def test_what_a_server_does_not_give_is_named(film, caplog) -> None:
    with Server({"/film.mp4": film.read_bytes()}, cut=1_000_000) as server:
        with pytest.raises(MissingFile, match=r"gone\.mp4: the server has no such file"):
            sample_video(f"{server.url}/gone.mp4")
        with pytest.raises(BadVideo, match=r"film\.mp4: "):
            sample_video(f"{server.url}/film.mp4", limits=Limits(timeout_s=20))
    with pytest.raises(BadVideo, match="cannot be opened"):
        sample_video(f"{server.url}/film.mp4", limits=Limits(timeout_s=20))
    with pytest.raises(BadVideo, match="cannot be opened"):
        sample_video("nosuch://host/film.mp4")
    assert all(
        record.levelno < logging.ERROR for record in caplog.records if "t2vid" in record.name
    )


def test_what_is_no_source_is_refused() -> None:
    with pytest.raises(InputError, match="an int is no video"):
        sample_video(3)


def test_a_file_that_is_closed_or_open_as_text_is_refused(clip) -> None:
    with clip.open("rb") as file:
        pass
    with pytest.raises(InputError, match="is a closed file; give an open file"):
        sample_video(file)
    with clip.open() as text, pytest.raises(InputError, match='open it with mode "rb"'):
        sample_video(text)


def test_a_data_url_does_not_fill_the_message() -> None:
    with pytest.raises(BadVideo) as caught:
        sample_video("data:video/mp4;base64," + "A" * 1_000_000)
    assert len(str(caught.value)) < 400


def test_a_data_url_is_read_or_one_short_error(film) -> None:
    encoded = base64.b64encode(film.read_bytes()).decode()
    there = sample_video(str(film), SampleSpec(max_frames=3))
    inline = sample_video(f"data:video/mp4;base64,{encoded}", SampleSpec(max_frames=3))
    assert [a.tobytes() for a in inline] == [b.tobytes() for b in there]
    for broken in (
        f"data:video/mp4;base64,{encoded[:5000]}",
        "data:video/mp4;base64,%%" + "A" * 9999,
    ):
        with pytest.raises(BadVideo) as caught:
            sample_video(broken)
        assert len(str(caught.value)) < 400 and "data:video/mp4;base64,…" in str(caught.value)


def test_a_scheme_without_its_package_names_the_package(monkeypatch) -> None:
    for scheme, package in (("s3", "s3fs"), ("gs", "gcsfs")):
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(MissingExtra, match=f"{scheme}://.*pip install {package}"):
            sample_video(f"{scheme}://bucket/film.mp4")
