"""Containers x codecs x group structures, all written by the ffmpeg program: we show its frames.

Each clip carries a number in every frame (`media.picture`). What `ffmpeg -vf fps=1` extracts is the
truth, frame by frame and pixel by pixel. Run by `make test-slow`; without ffmpeg it says so.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from media import picture, read_number
from t2vid.frames.sampling import subset
from t2vid.frames.spec import SampleSpec
from t2vid.frames.video import probe, sample_video

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("ffmpeg") is None, reason="the ffmpeg program is not installed"
    ),
]

RATE, SECONDS, SIZE = 10, 12, (96, 64)
X264, X265 = "-c:v libx264 -pix_fmt yuv420p", "-c:v libx265 -x265-params log-level=none"
OPEN = "keyint=25:min-keyint=25:bframes=3:b-pyramid=normal:open-gop=1"

# How the pictures of one codec may depend on each other, as encoder arguments.
H264 = {
    "default": X264,
    "b0": f"{X264} -bf 0",
    "zerolatency": f"{X264} -tune zerolatency",
    "open_gop": f"{X264} -x264-params {OPEN}",
    "one_gop": f"{X264} -g 9999 -sc_threshold 0",
    "all_intra": f"{X264} -g 1",
    "refresh": f"{X264} -x264-params intra-refresh=1:keyint=60:bframes=0",
    "refresh_b": f"{X264} -x264-params intra-refresh=1:keyint=30:bframes=2",
    "interlaced": f"{X264} -x264-params tff=1:keyint=20",
    "ten_bit": "-c:v libx264 -pix_fmt yuv420p10le -g 20",
    "422": "-c:v libx264 -pix_fmt yuv422p -g 20",
    "444_full": "-c:v libx264 -pix_fmt yuv444p -color_range pc -g 20",
}
HEVC = {
    "default": X265,
    "b0": f"{X265}:bframes=0:keyint=20",
    "open_gop": f"{X265}:keyint=25:min-keyint=25:bframes=4:open-gop=1",
    "refresh": f"{X265}:intra-refresh=1:keyint=30:bframes=0",
    "ten_bit": f"-pix_fmt yuv420p10le {X265}:keyint=20",
}
OTHER = {
    "mpeg4": "-c:v mpeg4 -q:v 2",
    "mpeg4_b": "-c:v mpeg4 -q:v 2 -bf 2 -g 25",
    "xvid_packed": "-c:v libxvid -q:v 2 -bf 2 -g 25",
    "mpeg2": "-c:v mpeg2video -q:v 2 -g 15 -bf 2 -r 25",
    "mpeg2_b0": "-c:v mpeg2video -q:v 2 -g 15 -bf 0 -r 25",
    "mpeg1": "-c:v mpeg1video -q:v 2 -g 15 -bf 2 -r 25",
    "vp8": "-c:v libvpx -b:v 500k -auto-alt-ref 1 -lag-in-frames 16 -g 30",
    "vp9": "-c:v libvpx-vp9 -b:v 0 -crf 20 -g 30",
    "vp9_one_gop": "-c:v libvpx-vp9 -b:v 0 -crf 20 -g 9999",
    "av1": "-c:v libsvtav1 -preset 12 -crf 20 -g 30",
    "av1_libaom": "-c:v libaom-av1 -cpu-used 8 -crf 20 -g 30 -usage realtime",
    "theora": "-c:v libtheora -q:v 9 -pix_fmt yuv420p",
    "mjpeg": "-c:v mjpeg -q:v 2 -pix_fmt yuvj420p",
    "wmv2": "-c:v wmv2 -q:v 2",
    "msmpeg4": "-c:v msmpeg4 -q:v 2",
    "flv1": "-c:v flv1 -q:v 2",
    "prores": "-c:v prores_ks",
    "ffv1": "-c:v ffv1",
    "huffyuv": "-c:v huffyuv -pix_fmt yuv422p",
    "rawvideo": "-c:v rawvideo -pix_fmt yuv420p",
    "y4m": "-pix_fmt yuv420p",
    "png": "-c:v png",
    "gif": "-c:v gif",
    "h263": "-c:v h263 -s 128x96 -q:v 2",
    "dv": "-c:v dvvideo -s 720x576 -pix_fmt yuv420p -r 25",
    "dnxhd": "-c:v dnxhd -profile:v dnxhr_hq -pix_fmt yuv422p -s 256x128",
    "apng": "-c:v apng -pix_fmt rgb24",
    "alpha": "-c:v ffv1 -pix_fmt yuva420p",
    "deep_alpha": "-c:v ffv1 -pix_fmt yuva444p10le",
    "gray": "-c:v ffv1 -pix_fmt gray",
    "roq": "-c:v roqvideo -s 128x64 -r 30",
}
PLAIN = ("default", "b0", "refresh")
MPEG_IN = ("mpg", "ts", "vob", "m2ts", "mkv", "mp4", "avi", "mxf", "m2v")
NUMBERED = [
    *[f"h264.{kind}.{c}" for kind in H264 for c in ("mp4", "mkv", "ts", "avi", "flv")],
    *[f"h264.{kind}.{c}" for kind in PLAIN for c in "mov h264 m2ts 3gp mpg nut asf".split()],
    *[f"hevc.{kind}.{c}" for kind in HEVC for c in ("mp4", "mkv", "ts")],
    *[f"hevc.{kind}.hevc" for kind in ("default", "b0")],
    *[f"mpeg4.{c}" for c in ("mp4", "avi", "mkv", "m4v", "mov", "3gp", "nut")],
    *[f"mpeg4_b.{c}" for c in ("mp4", "avi", "mkv", "mov", "m4v")],
    "xvid_packed.avi",
    *[f"{codec}.{c}" for codec in ("mpeg2", "mpeg2_b0") for c in MPEG_IN],
    *[f"mpeg1.{c}" for c in ("mpg", "mkv", "avi")],
    *[f"vp8.{c}" for c in ("webm", "mkv", "ivf", "avi")],
    *[f"{codec}.{c}" for codec in ("vp9", "vp9_one_gop") for c in ("webm", "mp4", "ivf", "mkv")],
    *[f"{codec}.{c}" for codec in ("av1", "av1_libaom") for c in ("mp4", "mkv", "webm", "ivf", "obu")],
    "theora.ogv", "theora.mkv", "mjpeg.avi", "mjpeg.mov", "mjpeg.mkv", "mjpeg.mjpeg", "wmv2.wmv", "wmv2.avi",
    "msmpeg4.avi", "msmpeg4.asf", "flv1.flv", "prores.mov", "prores.mkv", "ffv1.mkv", "ffv1.avi", "ffv1.nut",
    "huffyuv.avi", "rawvideo.avi", "y4m.y4m", "png.mov", "png.mkv", "gif.gif", "h263.3gp",
    "h263.avi", "dv.dv", "dv.avi", "dv.mov", "dnxhd.mov", "apng.apng",
]  # fmt: skip


def run(*arguments: str, feed: bytes | None = None) -> None:
    subprocess.run(
        ["ffmpeg", "-y", "-v", "error", *arguments],
        input=feed,
        check=True,
        timeout=120,
        capture_output=True,
    )


def write(name: str, path: Path, *extra: str) -> Path:
    codec, kind = name.split(".")[0], name.split(".")[1]
    families = {"h264": H264, "hevc": HEVC}
    encode = families[codec][kind] if codec in families else OTHER[codec]
    pictures = b"".join(picture(n, SIZE).tobytes() for n in range(RATE * SECONDS))
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{SIZE[0]}x{SIZE[1]}", "-r", str(RATE)]
    run(*raw, "-i", "-", *encode.split(), *extra, str(path), feed=pictures)
    return path


def extracted(clip: Path, folder: Path, *filters: str) -> list[Image.Image]:
    folder.mkdir()
    run("-i", str(clip), "-vf", ",".join(["fps=1", *filters]), str(folder / "%04d.png"))
    return [Image.open(path).convert("RGB") for path in sorted(folder.glob("*.png"))]


def number(image: Image.Image) -> int | None:
    try:
        return read_number(image)
    except AssertionError:  # a codec that keeps too little of it
        return None


def check_same(clip: Path, folder: Path) -> None:
    mine = sample_video(clip, SampleSpec(max_frames=None))
    theirs = extracted(clip, folder / "plain")
    if theirs[0].size != mine[0].size:  # the clip's pixels are not square
        theirs = extracted(clip, folder / "square", "scale={}:{}".format(*mine[0].size))
    assert [number(image) for image in mine] == [number(image) for image in theirs]
    for n, (a, b) in enumerate(zip(mine, theirs, strict=True)):
        far = np.abs(np.asarray(a, int) - np.asarray(b, int)).max()
        assert far <= 2, f"frame {n} is {far} gray levels off"
    few = sample_video(clip, SampleSpec(max_frames=3))
    picked = subset(len(mine), 3, sampling="paper")
    assert [i.tobytes() for i in few] == [mine[n].tobytes() for n in picked]
    for spec in (SampleSpec(max_frames=None), SampleSpec(max_frames=3)):
        assert probe(clip, spec).n_frames == min(len(mine), spec.max_frames or len(mine))


@pytest.mark.parametrize("name", NUMBERED)
def test_every_container_codec_and_group_structure_gives_ffmpegs_frames(name, tmp_path) -> None:
    check_same(write(name, tmp_path / f"clip.{name.rpartition('.')[2]}"), tmp_path)


def joined(first: str, second: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        suffix = first.rpartition(".")[2]
        one = write(first, folder / f"one.{suffix}", "-t", "4")
        two = write(second, folder / f"two.{suffix}", "-t", "5", "-output_ts_offset", "60")
        path = folder / f"joined.{suffix}"
        path.write_bytes(one.read_bytes() + two.read_bytes())
        return path

    return make


def swapped(first: str, second: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = joined(first, second)(folder)
        one, two = (path.with_name(f"{n}{path.suffix}").read_bytes() for n in ("one", "two"))
        path.write_bytes(two + one)
        return path

    return make


def shifted(name: str, seconds: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        suffix = name.rpartition(".")[2]
        plain = write(name, folder / f"plain.{suffix}")
        times = ["-avoid_negative_ts", "disabled"]
        path = folder / f"shifted.{suffix}"
        run("-itsoffset", seconds, "-i", str(plain), "-c", "copy", *times, str(path))
        return path

    return make


def still(folder: Path) -> Path:
    """Theora codes an unchanged picture in no bytes at all."""
    encode = ["-c:v", "libtheora", "-q:v", "5"]
    run("-f", "lavfi", "-i", "color=red:s=96x64:r=10:d=5", *encode, str(folder / "still.ogv"))
    return folder / "still.ogv"


def with_sound(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        suffix = name.rpartition(".")[2]
        plain = write(name, folder / f"plain.{suffix}")
        tone = ["-f", "lavfi", "-i", "sine=d=14"]
        path = folder / f"sound.{suffix}"
        run("-itsoffset", "1.7", "-i", str(plain), *tone, "-c:v", "copy", str(path))
        return path

    return make


def headless(name: str) -> Callable[[Path], Path]:
    """A recording that begins between two keyframes."""

    def make(folder: Path) -> Path:
        plain = write(name, folder / "plain.ts", "-g", "20")
        path = folder / "headless.ts"
        path.write_bytes(plain.read_bytes()[188 * 30 :])
        return path

    return make


def turned(folder: Path) -> Path:
    """As phones film in high dynamic range: the colours of 10 bits lie otherwise once turned."""
    run("-f", "lavfi", "-i", "testsrc2=s=96x64:r=5:d=3", *X264.split(), str(folder / "flat.mp4"))
    path = folder / "turned.mp4"
    with av.open(str(folder / "flat.mp4")) as flat, av.open(str(path), "w") as out:
        stream: Any = out.add_stream("libx264", rate=5, options={"qp": "1"})
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p10le"
        stream.set_display_rotation(90)
        for frame in flat.decode(video=0):
            out.mux(stream.encode(frame.reformat(format="yuv420p10le")))
        out.mux(stream.encode(None))
    return path


CLOCKS = {
    "joined.ts": joined("h264.default.ts", "h264.default.ts"),
    "joined.b0.ts": joined("h264.b0.ts", "h264.b0.ts"),
    "joined.mpg": joined("mpeg2.mpg", "mpeg2.mpg"),
    "joined.mkv": joined("h264.default.mkv", "h264.default.mkv"),
    "swapped.ts": swapped("h264.default.ts", "h264.default.ts"),
    "swapped.mpg": swapped("mpeg2.mpg", "mpeg2.mpg"),
    "swapped.flv": swapped("h264.default.flv", "h264.default.flv"),
    "negative.mkv": shifted("h264.default.mkv", "-1.3"),
    "negative.mov": shifted("h264.default.mov", "-1.3"),
    "negative.ts": shifted("h264.default.ts", "-1.3"),
    "negative.vp9.mkv": shifted("vp9.mkv", "-2.55"),
    "late.mkv": shifted("h264.default.mkv", "3.3"),
    "late.mp4": shifted("h264.default.mp4", "3.3"),
    "still.ogv": still,
    "sound.mkv": with_sound("h264.default.mkv"),
    "sound.mp4": with_sound("h264.default.mp4"),
    "sound.avi": with_sound("mpeg4.avi"),
    "sound.ts": with_sound("h264.default.ts"),
    "sound.mpg": with_sound("mpeg2.mpg"),
    "headless.ts": headless("h264.default.ts"),
    "turned.mp4": turned,
}


@pytest.mark.parametrize("name", CLOCKS)
def test_clocks_of_all_kinds_give_ffmpegs_frames(name, tmp_path) -> None:
    check_same(CLOCKS[name](tmp_path), tmp_path)


@pytest.mark.parametrize("matrix", ["bt709", "smpte170m", "bt2020nc", "unknown"])
@pytest.mark.parametrize("reach", ["tv", "pc"])
@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le"])
def test_colours_are_those_of_ffmpegs_png(pix_fmt, reach, matrix, tmp_path) -> None:
    into = "" if matrix == "unknown" else f":out_color_matrix={matrix.replace('nc', '')}"
    filters = f"scale=out_range={reach}{into},format={pix_fmt}"
    tags = ["-color_range", reach, "-colorspace", matrix]
    source = ["-f", "lavfi", "-i", "testsrc2=s=130x74:r=5:d=3", "-vf", filters]
    clip = tmp_path / "clip.mkv"
    run(*source, *tags, "-c:v", "libx264", "-qp", "1", str(clip))
    theirs = extracted(clip, tmp_path / "png")
    mine = sample_video(clip, SampleSpec(max_frames=None))
    assert len(mine) == len(theirs) == 3
    for a, b in zip(mine, theirs, strict=True):
        assert np.abs(np.asarray(a, int) - np.asarray(b, int)).max() <= 2


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
@pytest.mark.parametrize("curve", ["hable", "reinhard", "clip"])
def test_hdr_is_tonemapped_as_by_ffmpegs_filters(curve, transfer, tmp_path) -> None:
    has = subprocess.run(["ffmpeg", "-v", "quiet", "-filters"], capture_output=True, text=True)
    if " zscale " not in has.stdout:
        pytest.skip("this ffmpeg has no zscale filter to make and to tone-map HDR with")
    encode = (
        f"zscale=pin=bt709:tin=bt709:min=bt709:rin=pc:p=2020:t={transfer}:m=2020_ncl:r=tv:npl=203"
    )
    clip = tmp_path / "hdr.mkv"
    source = ["-f", "lavfi", "-i", "testsrc2=s=320x192:r=5:d=1"]
    tags = f"-color_primaries bt2020 -color_trc {transfer} -colorspace bt2020nc".split()
    run(
        *source,
        "-vf",
        f"{encode},format=yuv444p10le",
        "-c:v",
        "libx264",
        "-qp",
        "1",
        *tags,
        str(clip),
    )
    decode = (
        "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,"
        f"tonemap={curve}:desat=0,zscale=t=bt709:m=bt709:r=tv,format=yuv444p,format=rgb24"
    )
    theirs = extracted(clip, tmp_path / "png", decode)
    mine = sample_video(clip, SampleSpec(tonemap=curve))
    far = np.abs(np.asarray(mine[0], int) - np.asarray(theirs[0], int))
    assert far.mean() < 4  # libswscale and zimg spread the colour of 4:4:4 alike, and round apart
