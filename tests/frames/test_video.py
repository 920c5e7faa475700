"""Frames of a video: the right ones, by the number burnt into each, whatever the file is like."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import ExifTags, Image

from media import make_clip, picture, read_number, read_numbers
from t2vid.errors import BadVideo, InputError, MissingFile
from t2vid.frames import video
from t2vid.frames.decoding import opened_reader
from t2vid.frames.packets import Unplanned
from t2vid.frames.spec import SampleSpec
from t2vid.frames.video import probe, sample_video, sample_videos
from t2vid.storage.media import Limits, opened

UNCUT = {"avoid_negative_ts": "disabled"}  # the muxer then hides what is before zero
OPEN_GOP = {"x264-params": "open-gop=1:keyint=15:min-keyint=15:bframes=3:b-pyramid=normal"}
HEVC = {"x265-params": "log-level=none:bframes=4:b-pyramid=1:open-gop=1:keyint=15"}
_steps = random.Random(1)
VFR = [Fraction(0)]
while VFR[-1] < 9:
    VFR.append(VFR[-1] + Fraction(_steps.randint(1, 90), 100))

KINDS: dict[str, dict[str, Any]] = {
    "constant.mp4": {"seconds": 9},
    "ties.mp4": {"seconds": 9, "fps": 2},
    "ntsc.mp4": {"seconds": 9, "fps": Fraction(30000, 1001), "gop": 30},
    "one_in_two_seconds.mp4": {"seconds": 12, "fps": Fraction(1, 2)},
    "variable.mp4": {"times": VFR},
    "variable.mkv": {"times": VFR},
    "offset.mp4": {"seconds": 7, "offset_s": 3.7},
    "offset.mkv": {"seconds": 7, "offset_s": 3.7},
    "offset.ts": {"seconds": 7, "offset_s": 3.7},
    "late.mp4": {"seconds": 7, "offset_s": 1.3, "audio_from_s": 0},
    "edit_list.mp4": {"seconds": 7, "offset_s": -0.5, "container_options": UNCUT},
    "edit_list.mov": {"seconds": 7, "offset_s": -2.3, "container_options": UNCUT},
    "open_gop.mp4": {"seconds": 9, "options": OPEN_GOP, "gop": 15},
    "one_gop.mp4": {"seconds": 9, "gop": 1000},
    "no_b_frames.mp4": {"seconds": 5, "b_frames": 0},
    "hevc.mp4": {"seconds": 7, "codec": "libx265", "options": HEVC},
    "vp8.webm": {"seconds": 7, "codec": "libvpx", "options": {"auto-alt-ref": "1"}},
    "vp9.webm": {"seconds": 7, "codec": "libvpx-vp9"},
    "av1.mkv": {"seconds": 3, "codec": "libsvtav1", "options": {"preset": "12"}},
    "mpeg4.mp4": {"seconds": 7, "codec": "mpeg4"},
    "mpeg4.avi": {"seconds": 7, "codec": "mpeg4"},
    "mpeg2.ts": {"seconds": 5, "codec": "mpeg2video", "fps": 25},
    "mpeg2.mpg": {"seconds": 5, "codec": "mpeg2video", "fps": 25},
    "h264.ts": {"seconds": 7},
    "h264.flv": {"seconds": 7},
    "mjpeg.mov": {"seconds": 4, "codec": "mjpeg", "pix_fmt": "yuvj420p"},
    "fragments.mp4": {
        "seconds": 7,
        "container_options": {"movflags": "frag_keyframe+empty_moov"},
    },
    "ten_bit.mp4": {"seconds": 4, "pix_fmt": "yuv420p10le"},
    "interlaced.mp4": {"seconds": 4, "options": {"x264-params": "tff=1"}},
    "intra_refresh.mp4": {
        "seconds": 7,
        "options": {"x264-params": "intra-refresh=1:keyint=20"},
        "b_frames": 0,
    },
}
GUESSED = ("mpg", "avi", "flv")  # their clocks are what libav makes of them


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder, made = tmp_path_factory.mktemp("kinds"), {}

    def make(name: str) -> Path:
        if name not in made:
            try:
                made[name] = make_clip(folder / name, **KINDS[name])
            except ValueError as error:  # PyAV's UnknownCodecError
                pytest.skip(f"this libav has no such encoder: {error}")
        return made[name]

    return make


@pytest.fixture
def by_seeking(monkeypatch):
    monkeypatch.setattr(video, "_FEW_BYTES", 0)


def expected(name: str, fps: float) -> list[int]:
    """Say which numbers are shown: the last before each half step; steps before the first repeat it."""
    made = KINDS[name]
    rate = Fraction(made.get("fps", 10))
    times = made.get("times") or [Fraction(i) / rate for i in range(round(made["seconds"] * rate))]
    shift = Fraction(str(made.get("offset_s", 0)))
    start = Fraction(0) if shift < 0 or "audio_from_s" in made else shift
    shown = [(i, t + shift - start) for i, t in enumerate(times) if t + shift - start >= 0]
    step = Fraction(str(fps))
    count = int((shown[-1][1] + 1 / rate) * step + Fraction(1, 2))
    first = int(shown[0][1] * step + Fraction(1, 2))
    ends = [max(n, first) + Fraction(1, 2) for n in range(count)]
    return [[i for i, t in shown if t * step < end][-1] for end in ends]


@pytest.mark.parametrize("fps", [1.0, 2.5])
@pytest.mark.parametrize("name", [n for n in KINDS if not n.endswith(GUESSED)])
def test_the_frame_before_each_half_step_is_shown(clips, by_seeking, name, fps) -> None:
    spec = SampleSpec(fps=fps, max_frames=None)
    assert read_numbers(sample_video(clips(name), spec)) == expected(name, fps)


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
@pytest.mark.parametrize("name", KINDS)
def test_ffmpeg_extracts_the_same_frames(clips, tmp_path, name) -> None:
    clip = clips(name)
    command = ["ffmpeg", "-v", "quiet", "-i", str(clip), "-vf", "fps=1", str(tmp_path / "%04d.png")]
    subprocess.run(command, check=True, timeout=60)
    extracted = [Image.open(path) for path in sorted(tmp_path.glob("*.png"))]
    shown = sample_video(clip, SampleSpec(max_frames=None))
    assert read_numbers(shown) == read_numbers(extracted)
    for mine, theirs in zip(shown, extracted, strict=True):
        far = np.abs(np.asarray(mine, int) - np.asarray(theirs.convert("RGB"), int))
        assert far.max() <= 2


@pytest.mark.parametrize("name", KINDS)
def test_every_way_of_reading_gives_the_same_pixels(clips, name) -> None:
    spec, limits, found = SampleSpec(max_frames=4, size=32), Limits(), {}
    for way in ("near", "whole", "sequence"):
        with opened(clips(name), limits) as media:
            try:
                found[way] = video._sample(media, spec, limits, way)
            except Unplanned:
                continue
    frames = [([i.tobytes() for i in f.frames], f.seconds) for f in found.values()]
    assert "sequence" in found and frames == frames[:1] * len(frames)
    # Only a look at the whole file counts its frames; an index tells the rate that its header states.
    infos = [found[way].info for way in found if way != "near"]
    assert infos == infos[:1] * len(infos)


@pytest.mark.parametrize("name", ["constant.mp4", "open_gop.mp4", "hevc.mp4", "vp9.webm"])
def test_files_with_an_index_are_sought_and_not_run_through(clips, by_seeking, name) -> None:
    with opened(clips(name)) as media:
        video._sample(media, SampleSpec(max_frames=1), Limits(), "near")


@pytest.mark.parametrize("name", KINDS)
def test_probe_counts_what_sample_gives(clips, by_seeking, name) -> None:
    clip = clips(name)
    for spec in (SampleSpec(), SampleSpec(max_frames=3), SampleSpec(fps=2.5, max_frames=None)):
        info, frames = probe(clip, spec), sample_video(clip, spec)
        assert (info.n_frames, info.n_total) == (len(frames), frames.n_total)
        assert (info.width, info.height) == frames[0].size


def test_timestamps_are_the_presentation_times(clips) -> None:
    frames = sample_video(clips("late.mp4"), SampleSpec(max_frames=None))
    assert frames.timestamps_s == pytest.approx([1.4, *(1.4 + n for n in range(7))])
    times = sample_video(clips("variable.mp4"), SampleSpec(fps=None, max_frames=None)).timestamps_s
    assert times == pytest.approx([float(t) for t in VFR], abs=1e-4)


def test_every_frame_of_the_file_comes_without_fps(clips) -> None:
    frames = sample_video(clips("variable.mp4"), SampleSpec(fps=None, max_frames=None))
    assert read_numbers(frames) == list(range(len(VFR)))


@pytest.mark.parametrize("name", ["no_b_frames.mp4", "vp8.webm", "h264.ts", "mpeg4.avi"])
def test_keyframes_are_those_that_decode_alone(clips, name) -> None:
    frames = sample_video(clips(name), SampleSpec(sampling="keyframes", max_frames=None))
    assert read_number(frames[0]) == 0 and 1 < len(frames) < 12
    assert frames.n_total == probe(clips(name), SampleSpec(sampling="keyframes")).n_total


@pytest.mark.parametrize(
    ("start_s", "end_s", "numbers"),
    [
        (2, 5, [24, 34, 44]),
        (0, 2, [4, 14]),
        (2.05, 2.09, [20]),  # nothing begins in there: what is on screen is shown
        (7.3, None, [77, 87]),
        (None, 3.2, [4, 14, 24]),
        (1, 100, [14, 24, 34, 44, 54, 64, 74, 84]),
    ],
)
def test_a_part_is_sampled_as_if_it_were_the_file(
    clips, by_seeking, start_s, end_s, numbers
) -> None:
    spec = SampleSpec(start_s=start_s, end_s=end_s)
    clip = clips("constant.mp4")
    assert read_numbers(sample_video(clip, spec)) == numbers
    assert probe(clip, spec).n_frames == len(numbers)


@pytest.mark.parametrize(
    "name", ["constant.mp4", "open_gop.mp4", "vp9.webm", "mpeg4.avi", "h264.ts"]
)
@pytest.mark.parametrize(("start_s", "end_s"), [(1.2, None), (None, 3.4), (2.0, 5.0), (2.05, 2.09)])
def test_a_part_of_a_small_file_is_the_same_however_it_is_read(clips, name, start_s, end_s) -> None:
    clip, spec = clips(name), SampleSpec(fps=2, start_s=start_s, end_s=end_s)
    assert clip.stat().st_size < video._FEW_BYTES  # it is looked at whole
    frames = sample_video(clip, spec)
    for way in ("near", "sequence"):
        with opened(clip) as media, pytest.MonkeyPatch.context() as patch:
            patch.setattr(video, "_FEW_BYTES", 0)
            try:
                again = video._sample(media, spec, Limits(), way)
            except Unplanned:
                unseekable = not name.endswith(("mp4", "webm"))
                assert way == "near" and (unseekable or start_s == 2.05)  # nothing begins there
                continue
        assert read_numbers(again.frames) == read_numbers(frames)
        assert again.seconds == frames.timestamps_s
    assert probe(clip, spec).n_frames == len(frames)


def joined(tmp_path, first_s: float, second_s: float) -> Path:
    """Two transport streams, one behind the other, each with a clock of its own."""
    one = make_clip(tmp_path / "one.ts", seconds=4, offset_s=first_s)
    two = make_clip(tmp_path / "two.ts", seconds=4, offset_s=second_s)
    path = tmp_path / "joined.ts"
    path.write_bytes(one.read_bytes() + two.read_bytes())
    return path


@pytest.mark.parametrize(("first_s", "second_s"), [(0, 0), (0, 60), (100, 0)])
def test_joined_recordings_are_shown_one_after_the_other(tmp_path, first_s, second_s) -> None:
    frames = sample_video(joined(tmp_path, first_s, second_s))
    assert read_numbers(frames) == [4, 14, 24, 34, 4, 14, 24, 34]
    assert probe(tmp_path / "joined.ts").n_frames == 8


def test_a_clock_that_falls_back_hides_frames_and_says_so(tmp_path, caplog) -> None:
    for name in ("one", "two"):
        make_clip(tmp_path / f"{name}.mkv", seconds=4)
    data = b"".join((tmp_path / f"{name}.mkv").read_bytes() for name in ("one", "two"))
    assert read_numbers(sample_video(data)) == [4, 14, 24, 34]
    assert "its clock falls back by 3.9 s, and 39 frames" in caplog.text


def test_times_before_zero_are_read(tmp_path) -> None:
    clip = make_clip(tmp_path / "c.mkv", seconds=7, offset_s=-1.3, container_options=UNCUT)
    numbers = read_numbers(sample_video(clip))
    assert numbers[1:4] == [n for n in range(numbers[1], numbers[1] + 21, 10)]


def test_a_packet_without_data_is_not_the_end(clips, monkeypatch) -> None:
    class Packet:
        def __init__(self, size: int) -> None:
            self.size, self.pts, self.dts, self.is_keyframe = size, size, size, True

        def has_sidedata(self, name: str) -> bool:
            return False

    with opened(clips("constant.mp4")) as media, opened_reader(media, Limits()) as reader:
        monkeypatch.setattr(
            reader,
            "_container",
            type("C", (), {"demux": lambda *_: map(Packet, [3, 0, 0, 5, 0])})(),
        )
        assert [packet.size for packet in reader.packets()] == [3, 5]


def test_decoding_starts_at_no_picture_that_is_still_being_refreshed(tmp_path, by_seeking) -> None:
    options = {"x264-params": "intra-refresh=1:keyint=30:bframes=0"}
    clip = make_clip(
        tmp_path / "clip.mp4", seconds=12, size=(192, 128), options=options, b_frames=0
    )
    with opened(clip) as media, opened_reader(media, Limits()) as reader:
        piece = reader.whole()
        assert piece.refreshes and piece.keys == [0]
    spec = SampleSpec(timestamps=(4.1, 8.3, 11.0))
    with opened(clip) as media:
        in_order = video._sample(media, spec, Limits(), "sequence")
    assert [i.tobytes() for i in sample_video(clip, spec)] == [i.tobytes() for i in in_order.frames]


def animation(path: Path, n: int, **options: Any) -> Path:
    images = [Image.fromarray(picture(i)) for i in range(n)]
    images[0].save(path, save_all=True, append_images=images[1:], lossless=True, **options)
    return path


def test_an_animated_webp_is_a_video(tmp_path) -> None:
    Image.init()  # every plug-in, as in a process that has met other formats
    path = animation(tmp_path / "a.webp", 30, duration=100)
    for source in (path, path.read_bytes()):
        assert read_numbers(sample_video(source)) == [4, 14, 24]
    uneven = animation(tmp_path / "b.webp", 4, duration=[100, 2000, 500, 400])
    assert read_numbers(sample_video(uneven)) == [1, 1, 2]
    info = probe(path)
    assert (info.n_frames, info.duration_s, info.size, info.codec) == (3, 3.0, (96, 64), "webp")


def test_a_damaged_animation_is_named(tmp_path) -> None:
    data = animation(tmp_path / "a.webp", 30, duration=100).read_bytes()
    with pytest.raises(BadVideo, match="image"):
        sample_video(data[: len(data) // 2])


def hdr(path: Path) -> Path:
    tags = "colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc"
    return make_clip(path, seconds=1, pix_fmt="yuv420p10le", options={"x264-params": tags})


def test_hdr_is_named_and_brought_to_an_ordinary_range_on_request(tmp_path, caplog) -> None:
    clip = hdr(tmp_path / "hdr.mp4")
    flat = sample_video(clip)[0]
    assert "hdr.mp4: it is HDR (PQ)" in caplog.text and "tonemap='hable'" in caplog.text
    caplog.clear()
    for curve in ("hable", "reinhard", "clip"):
        shown = np.asarray(sample_video(clip, SampleSpec(tonemap=curve))[0])
        assert shown.shape == np.asarray(flat).shape
        # PQ puts 10,000 nits at white, and what is bright on a screen in the middle.
        middle = np.asarray(flat)[40:] > 130
        assert (shown[40:][middle] > np.asarray(flat)[40:][middle]).mean() > 0.6
    assert not caplog.text
    plain = make_clip(tmp_path / "plain.mp4", seconds=1)
    same = sample_video(plain, SampleSpec(tonemap="hable"))
    assert [i.tobytes() for i in same] == [i.tobytes() for i in sample_video(plain)]


@pytest.mark.parametrize("spec", [SampleSpec(), SampleSpec(fps=40, max_frames=None, end_s=1)])
def test_arrays_hold_the_same_pixels_as_images(clips, spec) -> None:
    import torch

    for name in ("constant.mp4", "mpeg4.avi"):
        images = np.stack([np.asarray(i) for i in sample_video(clips(name), spec)])
        array = sample_video(clips(name), spec, output="numpy")
        tensor = sample_video(clips(name), spec, output="torch")
        assert array.dtype == np.uint8 and np.array_equal(array, images)
        assert tensor.dtype == torch.uint8 and tensor.shape == (len(images), 3, 64, 96)
        assert np.array_equal(tensor.permute(0, 2, 3, 1).numpy(), images)


def test_an_output_that_does_not_exist_is_named(clips) -> None:
    with pytest.raises(InputError, match=r"output \('jax'"):
        sample_video(clips("constant.mp4"), output="jax")  # type: ignore[call-overload]


def test_videos_decoded_at_once_come_in_order(clips) -> None:
    names = ["constant.mp4", "vp9.webm", "one_gop.mp4", "ntsc.mp4"] * 3
    found = list(sample_videos([clips(name) for name in names], num_threads=3))
    assert [len(f) for f in found] == [len(sample_video(clips(name))) for name in names]
    with pytest.raises(InputError, match="num_threads"):
        next(sample_videos([], num_threads=0))


def test_frames_know_what_video_they_are_of(clips) -> None:
    spec = SampleSpec(max_frames=3)
    for name in ("constant.mp4", "vp9.webm", "mpeg4.avi", "h264.ts"):
        frames = sample_video(clips(name), spec)
        info = frames.info
        assert info is not None and info.codec in ("h264", "vp9", "mpeg4", "libvpx-vp9")
        assert info.fps == pytest.approx(10, rel=0.02)
        assert [i / info.fps for i in info.indices] == pytest.approx(frames.timestamps_s, abs=0.06)
        assert info.sampled_fps == pytest.approx(3 / info.duration_s)
        told = probe(clips(name), spec)
        assert (told.n_frames, told.size, told.indices) == (3, frames[0].size, info.indices)
        assert info.metadata()["total_num_frames"] == info.video_frames


def test_a_part_behind_the_end_is_refused(clips) -> None:
    with pytest.raises(BadVideo, match=r"ends at 9\.00 s, before start_s \(9\.5\)") as caught:
        sample_video(clips("constant.mp4"), SampleSpec(start_s=9.5))
    assert caught.value.reason == "too short"


def test_a_clip_under_half_a_second_gives_one_frame(tmp_path) -> None:
    for seconds in (0.1, 0.3):
        clip = make_clip(tmp_path / "short.mp4", seconds=seconds)
        assert len(sample_video(clip)) == probe(clip).n_frames == 1


@pytest.mark.parametrize(
    ("size", "shape"),
    [
        (None, (160, 96)),
        ((48, 64), (48, 64)),
        (80, (80, 48)),
        (400, (160, 96)),
        ("idefics3", (364, 364)),
        ("internvl", (448, 448)),
        ("minicpm", (154, 98)),
    ],
)
def test_frames_have_the_size_asked_for(tmp_path, size, shape) -> None:
    clip = make_clip(tmp_path / "clip.mp4", size=(160, 96))
    frames = sample_video(clip, SampleSpec(size=size))
    assert {frame.size for frame in frames} == {shape}
    assert read_numbers(frames) == [4, 14, 24]
    info = probe(clip, SampleSpec(size=size))
    assert (info.width, info.height) == shape


@pytest.mark.parametrize("degrees", [90, 180, 270])
@pytest.mark.parametrize("size", [None, (40, 60)])
def test_a_rotation_in_the_metadata_is_applied(tmp_path, degrees, size) -> None:
    plain = sample_video(make_clip(tmp_path / "plain.mp4"))[0]
    turned = make_clip(tmp_path / "turned.mp4", rotation=degrees)
    frame = sample_video(turned, SampleSpec(size=size))[0]
    if size is None:
        assert frame.size == (probe(turned).width, probe(turned).height)
        steps = np.rot90(np.asarray(plain), degrees // 90)
        assert np.array_equal(np.asarray(frame), steps), np.argwhere(np.asarray(frame) != steps)
    else:
        assert frame.size == size
    for bound in (48, "minicpm"):
        shown, told = (
            sample_video(turned, SampleSpec(size=bound)),
            probe(turned, SampleSpec(size=bound)),
        )
        assert shown[0].size == (told.width, told.height)


def test_pixels_become_square(tmp_path) -> None:
    clip = make_clip(tmp_path / "wide.mp4", sar=Fraction(2))
    frames = sample_video(clip)
    assert frames[0].size == (192, 64) == (probe(clip).width, probe(clip).height)
    assert read_numbers(frames) == [4, 14, 24]


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuvj420p", "yuv422p", "yuv444p", "yuv420p10le"])
def test_black_and_white_stay_black_and_white(tmp_path, pix_fmt) -> None:
    frame = sample_video(make_clip(tmp_path / "clip.mp4", pix_fmt=pix_fmt, seconds=1))[0]
    cells = np.asarray(frame.convert("L"))[4:12]
    assert cells.min() <= 12 and cells.max() >= 243


def test_a_folder_of_numbered_images_is_a_video(tmp_path, clips) -> None:
    frames = sample_video(clips("constant.mp4"), SampleSpec(fps=None, max_frames=30))
    for number, frame in enumerate(frames, 1):
        frame.save(tmp_path / f"{number}.png")
    (tmp_path / "notes.txt").write_text("not an image")
    spec = SampleSpec(folder_fps=3)
    shown = sample_video(tmp_path, spec)
    assert [i.tobytes() for i in shown] == [frames[n].tobytes() for n in range(1, 30, 3)]
    assert shown.timestamps_s == pytest.approx([1 / 3 + n for n in range(10)])
    info = probe(tmp_path, spec)
    assert (info.n_frames, info.duration_s, info.width) == (10, 10.0, 96)
    part = sample_video(tmp_path, SampleSpec(start_s=2, end_s=4, size=(32, 32)))
    assert len(part) == 2 and part[0].size == (32, 32)


def test_a_pipe_in_a_folder_is_not_waited_for(tmp_path) -> None:
    os.mkfifo(tmp_path / "1.jpg")
    for read in (sample_video, probe):
        with pytest.raises(BadVideo, match=r"1\.jpg: it is no regular file"):
            read(tmp_path)


def test_to_draw_on_a_frame_changes_no_other(clips) -> None:
    frames = sample_video(clips("constant.mp4"), SampleSpec(fps=40, max_frames=None, end_s=1))
    before = [frame.tobytes() for frame in frames]
    assert len(set(before)) < len(before)  # ten frames a second, each shown four times
    frames[0].paste("red", (0, 0, 9, 9))
    assert [frame.tobytes() for frame in frames[1:]] == before[1:]


def test_probe_turns_the_images_of_a_folder_upright(tmp_path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    Image.new("RGB", (40, 20)).save(tmp_path / "1.jpg", exif=exif)
    info = probe(tmp_path)
    assert sample_video(tmp_path)[0].size == (info.width, info.height) == (20, 40)


def test_a_folder_without_images_or_with_a_broken_one_is_named(tmp_path) -> None:
    with pytest.raises(BadVideo, match="none of them an image"):
        sample_video(tmp_path)
    (tmp_path / "1.jpg").write_bytes(b"broken")
    with pytest.raises(BadVideo, match=r"1\.jpg"):
        sample_video(tmp_path)
    with pytest.raises(BadVideo, match=r"1\.jpg"):
        probe(tmp_path)


class Decoder:
    """What torchcodec's `VideoDecoder` promises, over every frame of a clip."""

    def __init__(self, clip: Path, *, begin: float = 0.0) -> None:
        self.frames = sample_video(clip, SampleSpec(fps=None, max_frames=None))
        self.begin = begin
        self.metadata = type("VideoStreamMetadata", (), {})()
        self.metadata.begin_stream_seconds = begin
        self.metadata.end_stream_seconds = begin + len(self.frames) / 10
        self.metadata.width, self.metadata.height = self.frames[0].size

    def __len__(self) -> int:
        return len(self.frames)

    def get_frames_at(self, indices):
        batch = type("FrameBatch", (), {})()
        batch.data = np.stack([np.asarray(self.frames[i]).transpose(2, 0, 1) for i in indices])
        batch.pts_seconds = np.array([self.begin + i / 10 for i in indices])
        return batch

    def get_frames_played_at(self, seconds):
        return self.get_frames_at([int((s - self.begin) * 10) for s in seconds])


def test_a_torchcodec_decoder_is_a_source(clips) -> None:
    decoder = Decoder(clips("constant.mp4"), begin=2.0)
    frames = sample_video(decoder, SampleSpec(max_frames=3))
    assert read_numbers(frames) == read_numbers(
        sample_video(clips("constant.mp4"), SampleSpec(max_frames=3))
    )
    assert frames.n_total == 9 == probe(decoder).n_total
    every = sample_video(decoder, SampleSpec(fps=None, max_frames=None, size=48))
    assert read_numbers(every) == list(range(90)) and every[0].size == (48, 32)
    with pytest.raises(InputError, match="keyframes"):
        sample_video(decoder, SampleSpec(sampling="keyframes"))


@pytest.fixture(scope="session")
def torchcodec():
    """Give the real package; it is no dependency, and needs the system's FFmpeg."""
    try:
        from torchcodec import decoders
    except (ImportError, RuntimeError, OSError) as error:
        pytest.skip(f"torchcodec cannot be imported here: {str(error)[:80]}")
    return decoders


@pytest.mark.parametrize("name", ["constant.mp4", "variable.mp4", "offset.mkv", "vp9.webm"])
def test_a_real_torchcodec_decoder_gives_the_frames_of_the_file(torchcodec, clips, name) -> None:
    clip = clips(name)
    for spec in (SampleSpec(max_frames=4), SampleSpec(fps=None, max_frames=5), SampleSpec(end_s=4)):
        decoder = torchcodec.VideoDecoder(clip)
        frames, plain = sample_video(decoder, spec), sample_video(clip, spec)
        assert read_numbers(frames) == read_numbers(plain)
        assert frames.timestamps_s == pytest.approx(plain.timestamps_s, abs=1e-3)
        told, known = probe(decoder, spec), probe(clip, spec)
        assert (told.n_frames, told.n_total, told.width) == (len(frames), plain.n_total, 96)
        assert told.duration_s == pytest.approx(known.duration_s, abs=0.2)


def test_the_values_of_a_real_video_column_are_a_source(torchcodec, clips) -> None:
    from datasets import Dataset, Video

    clip = clips("constant.mp4")
    plain = [i.tobytes() for i in sample_video(clip)]
    held = [{"path": str(clip), "bytes": None}, {"path": "x", "bytes": clip.read_bytes()}]
    rows = Dataset.from_dict({"video": held}).cast_column("video", Video())
    assert isinstance(rows[0]["video"], torchcodec.VideoDecoder)
    for row in rows:
        assert [i.tobytes() for i in sample_video(row["video"])] == plain
        assert probe(row["video"]).n_total == 9


def test_what_a_decoder_cannot_read_is_named(clips) -> None:
    decoder = Decoder(clips("constant.mp4"))
    decoder.get_frames_played_at = lambda seconds: [][0]
    with pytest.raises(BadVideo, match=r"<Decoder>: torchcodec cannot read on .*give the file"):
        sample_video(decoder)
    with pytest.raises(BadVideo, match=r"<Decoder>: 9 frames of 96x64 take 0 MB; ask for fewer"):
        sample_video(decoder, limits=Limits(max_bytes=100_000))


def test_what_a_video_column_holds_is_unwrapped(clips) -> None:
    clip = clips("constant.mp4")
    plain = [i.tobytes() for i in sample_video(clip)]
    decoder = Decoder(clip)
    decoder._hf_encoded = {"path": str(clip), "bytes": None}
    held = [
        {"path": str(clip), "bytes": None},
        {"path": "x.mp4", "bytes": clip.read_bytes()},
        decoder,
    ]
    for source in held:
        assert [i.tobytes() for i in sample_video(source)] == plain
    with pytest.raises(InputError, match="neither"):
        sample_video({"path": None, "bytes": None})


def test_bytes_that_have_a_path_are_called_by_it() -> None:
    value = {"path": "videos/x.mp4", "bytes": b"no video at all"}
    for act in (sample_video, probe):
        with pytest.raises(BadVideo, match=r"^videos/x\.mp4: it is text"):
            act(value)


def test_missing_file_is_said(tmp_path) -> None:
    with pytest.raises(MissingFile, match=r"nowhere\.mp4"):
        sample_video(tmp_path / "nowhere.mp4")


def test_clips_from_public_test_suites_read_alike_in_every_way(shared_data: Path) -> None:
    found = [p for p in sorted((shared_data / "clips").glob("*")) if p.suffix != ".md"]
    assert found
    for clip in found:
        frames = sample_video(clip, SampleSpec(max_frames=8))
        with opened(clip) as media:
            again = video._sample(media, SampleSpec(max_frames=8), Limits(), "sequence")
        assert [i.tobytes() for i in frames] == [i.tobytes() for i in again.frames], clip.name
        told = probe(clip, SampleSpec(max_frames=8))
        assert (len(frames), *frames[0].size) == (told.n_frames, told.width, told.height), clip.name


def test_packets_that_are_all_called_keyframes_are_not_believed(tmp_path) -> None:
    clip = make_clip(tmp_path / "h263.avi", seconds=6, size=(176, 144), codec="h263", b_frames=0)
    with av.open(str(clip)) as container:
        keys = [packet.is_keyframe for packet in container.demux(video=0) if packet.size]
    with av.open(str(clip)) as container:
        frames = list(container.decode(video=0))
    assert all(keys) and not all(frame.key_frame for frame in frames)  # so says this container
    few = sample_video(clip, SampleSpec(max_frames=3))
    for index, image in zip(few.info.indices, few, strict=True):
        in_order = frames[index].to_image(width=image.width, height=image.height)
        assert np.abs(np.asarray(image, int) - np.asarray(in_order, int)).mean() < 5
