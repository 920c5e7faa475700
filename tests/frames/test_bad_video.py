"""What is no video, or a broken one, is named; nothing hangs, grows or is left behind."""

from __future__ import annotations

import gc
import multiprocessing
import os
import random
import re
import struct
import subprocess
import sys
import threading
import zlib
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest

from media import make_clip, picture, read_numbers
from t2vid.errors import BadVideo, InputError
from t2vid.frames.spec import SampleSpec
from t2vid.frames.video import probe, sample_video
from t2vid.storage import media
from t2vid.storage.media import Limits

SPEC = SampleSpec(max_frames=4)


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    return make_clip(
        tmp_path_factory.mktemp("bad") / "clip.mp4",
        seconds=4,
        container_options={"movflags": "faststart"},
    )


def audio_only(path: Path) -> Path:
    with av.open(str(path), "w") as out:
        sound = out.add_stream("aac", rate=8000)
        for i in range(8):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            frame.sample_rate, frame.pts = 8000, 1024 * i
            out.mux(sound.encode(frame))
        out.mux(sound.encode(None))
    return path


def patched(clip: Path, find: bytes, change, *, offset: int = 0) -> bytes:
    data = bytearray(clip.read_bytes())
    at = data.index(find) + offset
    new = change(bytes(data[at : at + 16]))
    data[at : at + len(new)] = new
    return bytes(data)


def encrypted(path: Path) -> Path:
    return make_clip(
        path,
        container_options={
            "encryption_scheme": "cenc-aes-ctr",
            "encryption_key": "00112233445566778899aabbccddeeff",
            "encryption_kid": "00112233445566778899aabbccddeeff",
        },
    )


def huge_png(side: int = 30_000) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(side), 9)
    parts = (chunk(b"IHDR", head), chunk(b"IDAT", rows), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def jumping(path: Path) -> Path:
    """A recording whose clock was set while it ran, by more than an hour."""
    return make_clip(
        path, times=[*(n / 10 for n in range(20)), *(5000 + n / 10 for n in range(20))]
    )


BAD = {
    "empty": (lambda d, clip: b"", "0 bytes"),
    "text": (lambda d, clip: b"<html>Error 403</html>\n" * 20, "it is text"),
    "lfs pointer": (
        lambda d, clip: b"version https://git-lfs.github.com/spec/v1\n",
        "git lfs pull",
    ),
    "truncated": (lambda d, clip: clip.read_bytes()[: clip.stat().st_size // 2], "cut off"),
    "unreadable": (lambda d, clip: bytes(random.Random(0).randbytes(5000)), "no video that libav"),
    "no video stream": (lambda d, clip: audio_only(d / "a.mp4").read_bytes(), "only audio"),
    "encrypted": (lambda d, clip: encrypted(d / "e.mp4").read_bytes(), "encrypted"),
    "unknown codec": (
        lambda d, clip: patched(clip, b"avc1\0\0\0\0\0\0", lambda _: b"xyzw"),
        "no decoder",
    ),
    "frame size": (lambda d, clip: huge_png(), "its frames are"),
    "timestamps": (lambda d, clip: jumping(d / "b.mkv").read_bytes(), "its clock jumps"),
}


@pytest.mark.parametrize("reason", BAD)
def test_what_cannot_be_shown_is_named_with_what_was_found(reason, clip, tmp_path) -> None:
    make, words = BAD[reason]
    path = tmp_path / "bad.mp4"
    path.write_bytes(make(tmp_path, clip))
    for source in (path, path.read_bytes()):
        with pytest.raises(BadVideo, match=words) as caught:
            sample_video(source, SPEC)
        assert caught.value.reason == reason
        name = "bad.mp4: " if source is path else "bytes>: "
        assert name in str(caught.value) and "; " in str(caught.value)


def test_an_index_at_the_end_that_was_cut_off_is_named(tmp_path) -> None:
    clip = make_clip(tmp_path / "clip.mp4")
    clip.write_bytes(clip.read_bytes()[:-200])
    with pytest.raises(BadVideo, match="without its index") as caught:
        sample_video(clip)
    assert caught.value.reason == "truncated"


CUT = [("mkv", 0.0), ("avi", 0.0), ("asf", 0.0)]
CUT += [(suffix, None) for suffix in ("mkv", "avi", "flv", "webm", "mxf", "asf", "ivf")]


@pytest.mark.parametrize(("suffix", "sound"), CUT)
def test_other_files_that_were_cut_off_are_found_out(tmp_path, suffix, sound) -> None:
    codecs = {"webm": "libvpx", "ivf": "libvpx", "flv": "flv1", "mxf": "mpeg2video"}
    fps = 25 if suffix == "mxf" else 5
    codec = codecs.get(suffix, "mpeg4")
    options = {"b": "400k"} if codec == "libvpx" else None
    clip = make_clip(
        tmp_path / f"clip.{suffix}",
        seconds=20,
        fps=fps,
        codec=codec,
        options=options,
        audio_from_s=sound,
    )
    assert len(sample_video(clip)) == 20
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    with pytest.raises(BadVideo, match="cut off") as caught:
        sample_video(clip)
    assert caught.value.reason == "truncated"


def test_the_part_before_a_cut_can_still_be_read(tmp_path) -> None:
    options = {"movflags": "faststart"}
    clip = make_clip(tmp_path / "clip.mp4", seconds=20, container_options=options)
    whole = read_numbers(sample_video(clip, SampleSpec(end_s=5)))
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size * 2 // 3])
    with pytest.raises(BadVideo, match=r"ask for end_s=[\d.]+ at most"):
        sample_video(clip)
    assert read_numbers(sample_video(clip, SampleSpec(end_s=5))) == whole


def test_no_file_that_is_not_regular_is_waited_for(tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    for path in (tmp_path / "pipe.mp4", "/dev/zero"):
        with pytest.raises(BadVideo, match="no regular file"):
            sample_video(path)


def test_a_playlist_opens_no_other_file(tmp_path, clip) -> None:
    playlist = f"ffconcat version 1.0\nfile '{clip}'\n"
    (tmp_path / "list.mp4").write_text(playlist)
    m3u8 = f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{clip}\n#EXT-X-ENDLIST\n"
    (tmp_path / "list.m3u8").write_text(m3u8)
    for name in ("list.mp4", "list.m3u8"):
        with pytest.raises(BadVideo):
            sample_video(tmp_path / name)


def test_a_wrong_duration_in_the_header_changes_nothing(clip) -> None:
    wrong = patched(clip, b"mvhd", lambda _: struct.pack(">I", 3_600_000), offset=20)
    assert read_numbers(sample_video(wrong)) == read_numbers(sample_video(clip))
    assert probe(wrong).n_frames == 4


def declared(clip: Path, width: int, height: int) -> bytes:
    """Give a motion JPEG film whose container and pictures declare another size."""
    data = bytearray(clip.read_bytes())
    at = data.index(b"\xff\xc0\x00\x11\x08")
    while at >= 0:
        data[at + 5 : at + 9] = struct.pack(">2H", height, width)
        at = data.find(b"\xff\xc0\x00\x11\x08", at + 1)
    entry = data.index(b"jpeg", data.index(b"stsd")) + 28
    data[entry : entry + 4] = struct.pack(">2H", width, height)
    return bytes(data)


@pytest.mark.parametrize("side", [0, 30_000])
def test_a_size_that_no_frame_has_is_refused(tmp_path, side) -> None:
    film = make_clip(tmp_path / "film.mov", codec="mjpeg", pix_fmt="yuvj420p")
    for act in (sample_video, probe):
        with pytest.raises(BadVideo, match="its frames are") as caught:
            act(declared(film, side, side))
        assert caught.value.reason == "frame size"


@pytest.mark.parametrize("name", ["live.webm", "live.mkv"])
def test_a_file_without_a_duration_is_read_to_its_end(tmp_path, name) -> None:
    codec = "libvpx" if name.endswith("webm") else "libx264"
    clip = make_clip(tmp_path / name, codec=codec, container_options={"live": "1"})
    with av.open(str(clip)) as container:
        assert container.duration is None
    assert read_numbers(sample_video(clip)) == [4, 14, 24]
    assert (probe(clip).n_frames, probe(clip).duration_s) == (3, pytest.approx(3.0))


@pytest.mark.parametrize("milliseconds", [3_600_000.0, 500.0, 0.0, -5.0, float("nan")])
def test_a_wrong_duration_of_a_matroska_file_changes_nothing(tmp_path, milliseconds) -> None:
    clip = make_clip(tmp_path / "clip.mkv")
    wrong = patched(clip, b"\x44\x89\x88", lambda _: struct.pack(">d", milliseconds), offset=3)
    (tmp_path / "wrong.mkv").write_bytes(wrong)
    for source in (wrong, tmp_path / "wrong.mkv"):
        assert read_numbers(sample_video(source)) == [4, 14, 24]
        assert probe(source).duration_s == pytest.approx(3.0)


@pytest.mark.parametrize(
    "tag", [b"1/0:0:000000000000", b"1e9999999:00:00000", b"-1:-1:-1.000000000"]
)
def test_a_length_that_is_no_time_changes_nothing(tmp_path, tag) -> None:
    clip = make_clip(tmp_path / "clip.mkv")
    data = clip.read_bytes()
    assert data.count(b"00:00:03.000000000") == 1
    wrong = data.replace(b"00:00:03.000000000", tag)
    assert read_numbers(sample_video(wrong)) == [4, 14, 24]


@pytest.mark.parametrize(
    "name", ["one.mp4", "one.mkv", "one.webm", "one.avi", "one.ts", "one.mov", "one.gif"]
)
def test_a_single_frame_is_a_video(tmp_path, name) -> None:
    codec = {"webm": "libvpx", "avi": "mpeg4", "gif": "gif"}.get(name[4:], "libx264")
    pix_fmt = "rgb8" if name.endswith("gif") else "yuv420p"
    clip = make_clip(tmp_path / name, seconds=0.1, codec=codec, pix_fmt=pix_fmt)
    for spec in (SampleSpec(), SampleSpec(fps=None), SampleSpec(sampling="keyframes"), SPEC):
        frames = sample_video(clip, spec)
        assert (read_numbers(frames), frames.timestamps_s) == ([0], [pytest.approx(0, abs=0.1)])
        assert probe(clip, spec).n_frames == 1


def test_one_broken_packet_costs_few_frames(tmp_path, caplog) -> None:
    clip = make_clip(tmp_path / "clip.mp4", codec="mpeg4", seconds=8, gop=5)
    data = bytearray(clip.read_bytes())
    middle = data.index(b"mdat") + 4 + len(data) // 3
    data[middle : middle + 200] = bytes(200)
    frames = sample_video(bytes(data), SampleSpec(max_frames=None))
    assert len(frames) == 8


def test_frames_that_would_not_fit_are_refused_before_they_are_decoded(clip) -> None:
    with pytest.raises(BadVideo, match="4 frames of 96x64 take") as caught:
        sample_video(clip, limits=Limits(max_bytes=50_000))
    assert caught.value.reason == "memory"
    with pytest.raises(BadVideo) as caught:
        sample_video(clip, limits=Limits(max_pixels=1000))
    assert caught.value.reason == "frame size"


def test_a_frame_that_grows_beyond_the_limit_in_mid_stream_is_refused(tmp_path) -> None:
    for i, size in enumerate([(64, 48), (1920, 1088)]):
        make_clip(tmp_path / f"{i}.h264", seconds=1, size=size)
    data = b"".join((tmp_path / f"{i}.h264").read_bytes() for i in range(2))
    frames = sample_video(data, SampleSpec(fps=None, max_frames=None))
    assert {frame.size for frame in frames} == {(64, 48)} and len(frames) > 10
    few = sample_video(
        data, SampleSpec(fps=None, max_frames=None), limits=Limits(max_pixels=64 * 64)
    )
    assert len(few) < len(frames)


def test_a_file_that_takes_too_long_is_given_up(clip, monkeypatch) -> None:
    clock = SimpleNamespace(now=0.0, monotonic=lambda: clock.now)
    monkeypatch.setattr(media, "time", clock)

    class Slow:
        name = "slow.mp4"

        def __init__(self) -> None:
            self.file = clip.open("rb")
            self.seek, self.tell = self.file.seek, self.file.tell

        def read(self, n: int) -> bytes:
            clock.now += 0.2
            return self.file.read(min(n, 64))

    slow = Slow()
    with slow.file, pytest.raises(BadVideo, match=r"slow\.mp4: not done within") as caught:
        sample_video(slow, limits=Limits(timeout_s=0.5))
    assert caught.value.reason == "timeout"


@pytest.mark.parametrize("value", [0, None, "3"])
@pytest.mark.parametrize("name", ["timeout_s", "max_pixels", "max_bytes"])
def test_limits_are_checked(name, value) -> None:
    with pytest.raises(InputError, match=re.escape(f"{name} ({value!r}) must be > 0")):
        Limits(**{name: value})


def test_a_file_that_may_not_be_read_is_named(clip, monkeypatch) -> None:
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("av.open", lambda *a, **k: av.error.err_check(-13))
    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(BadVideo, match=r"Permission denied"):
        sample_video(clip)


def left_open() -> tuple[int, int]:
    gc.collect()
    return len(os.listdir("/proc/self/fd")), threading.active_count() + len(
        os.listdir("/proc/self/task")
    )


def open_often(clip: Path, n: int) -> None:
    broken = clip.read_bytes()[:3000]
    sample_video(clip, SPEC)
    before = left_open()
    for i in range(n):
        if i % 5 == 0:
            with pytest.raises(BadVideo):
                sample_video(broken)
        elif i % 2:
            probe(clip)
        else:
            sample_video(clip, SampleSpec(max_frames=1))
    assert left_open() == before


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs Linux's /proc")
def test_three_hundred_opens_leave_nothing_behind(clip) -> None:
    open_often(clip, 300)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs Linux's /proc")
@pytest.mark.timeout(1800)  # slow on a busy machine
def test_ten_thousand_opens_leave_nothing_behind(clip) -> None:
    open_often(clip, 10_000)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_decode_after_their_parent_did(clip, method) -> None:
    here = read_numbers(sample_video(clip))
    with av.open(str(clip)) as held:  # open in the parent, and used, while the children start
        next(held.decode(video=0))
        with multiprocessing.get_context(method).Pool(2) as pool:
            found = pool.map_async(sample_video, [str(clip)] * 4).get(timeout=60)
    assert [read_numbers(frames) for frames in found] == [here] * 4


_PEAK = """
import resource, sys
from t2vid.frames.video import sample_video
sample_video(sys.argv[1])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak_kb(seconds: int, folder: Path) -> int:
    clip = make_clip(folder / f"{seconds}.mp4", seconds=seconds, fps=5, gop=50)
    command = [sys.executable, "-c", _PEAK, str(clip)]
    return int(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)


def test_memory_does_not_grow_with_the_length_of_the_video(tmp_path) -> None:
    # All frames of the longer one would take 54 MB.
    assert peak_kb(600, tmp_path) - peak_kb(30, tmp_path) < 12_000


def fuzz(data: bytes, cuts: list[float], flips: int, seed: int) -> dict[str, int]:
    """Read a file cut off or damaged in many ways; count how it went."""
    rng, found = random.Random(seed), {"read": 0, "bad": 0}
    cases = [data[: int(len(data) * cut)] for cut in cuts]
    for _ in range(flips):
        case = bytearray(data)
        for _ in range(rng.choice([1, 3, 30, 300])):
            case[rng.randrange(len(case))] ^= 1 << rng.randrange(8)
        cases.append(bytes(case))
    for case in cases:
        for act in (sample_video, probe):
            try:
                act(case, SPEC, limits=Limits(timeout_s=20, max_bytes=100_000_000))
                found["read"] += 1
            except BadVideo as error:
                found["bad"] += 1
                assert error.reason != "timeout"
    return found


@pytest.mark.parametrize("suffix", ["mp4", "webm", "ts"])
def test_damage_is_read_or_named_and_never_more(tmp_path, suffix) -> None:
    codec = "libvpx" if suffix == "webm" else "libx264"
    data = make_clip(tmp_path / f"clip.{suffix}", seconds=2, codec=codec).read_bytes()
    found = fuzz(data, [n / 10 for n in range(10)], 20, seed=1)
    assert found["read"] and found["bad"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["h264.mp4", "hevc.mp4", "h264.mkv", "vp9.webm", "mpeg4.avi", "mpeg2.ts"]
)
def test_five_hundred_damaged_files_are_read_or_named(tmp_path, name) -> None:
    codecs = {"hevc": "libx265", "vp9": "libvpx-vp9", "mpeg4": "mpeg4", "mpeg2": "mpeg2video"}
    codec = codecs.get(name.split(".")[0], "libx264")
    options = {"x265-params": "log-level=none"} if codec == "libx265" else None
    clip = make_clip(tmp_path / name, seconds=2, fps=25, codec=codec, options=options)
    before = left_open()
    found = fuzz(clip.read_bytes(), [n / 100 for n in range(100)], 400, seed=2)
    assert found["read"] and found["bad"] and left_open() == before


def test_the_picture_helper_refuses_what_it_cannot_read() -> None:
    from PIL import Image

    assert read_numbers([Image.fromarray(picture(77))]) == [77]
    with pytest.raises(AssertionError, match="no number"):
        read_numbers([Image.new("RGB", (96, 64))])
