"""Kinds of files that public clips brought up, each as a tiny clip made here."""

from __future__ import annotations

import io
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
from PIL import ExifTags, Image, ImageOps

from media import make_clip, picture, read_numbers
from t2vid.frames.choosing import choose
from t2vid.frames.decoding import opened_reader
from t2vid.frames.sampling import Course, Grid
from t2vid.frames.spec import SampleSpec
from t2vid.frames.video import sample_video
from t2vid.storage.media import Limits, opened

ALL = SampleSpec(max_frames=None)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turn_that_the_pictures_tell_of_is_applied(tmp_path, orientation) -> None:
    """libav hands EXIF on as a kind of side data that PyAV has no name for."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    still = io.BytesIO()
    Image.fromarray(picture(5, (96, 64))).save(still, "JPEG", exif=exif, quality=95)
    clip = tmp_path / "turned.mjpeg"
    clip.write_bytes(still.getvalue() * 30)
    upright = ImageOps.exif_transpose(Image.open(still))
    (frame,) = sample_video(clip, SampleSpec(max_frames=1))
    assert frame.size == upright.size
    assert np.abs(np.asarray(frame, int) - np.asarray(upright, int)).mean() < 3


@pytest.mark.parametrize("codec", ["libx264", "mpeg2video"])
def test_streams_that_may_be_joined_count_from_their_video(tmp_path, codec) -> None:
    """ffmpeg uses no sound for pictures, and in such containers sets zero by what it uses."""
    made = {"seconds": 5, "fps": 25, "codec": codec, "offset_s": 1.4, "audio_from_s": 0.0}
    frames = sample_video(make_clip(tmp_path / "late.ts", **made), ALL)
    assert read_numbers(frames) == [12, 37, 62, 87, 112]
    assert frames.timestamps_s is not None
    assert frames.timestamps_s[0] == pytest.approx(0.48, abs=0.001)


def test_a_film_that_begins_before_its_zero_is_shown_from_there() -> None:
    """libav takes the first packet's time for the start, and pictures may be shown before it."""
    times, course = list(range(-24, 26)), Course(Fraction(1, 25), 26, 25.0)
    assert Grid(Fraction(1, 25), Fraction(26), first=-24, alone=True).size == 2
    assert choose(times, [2], ALL, course) == (2, [11, 36])
    assert choose(times, [2], SampleSpec(fps=None, max_frames=None), course).positions[0] == 0
    assert choose(times, [2], SampleSpec(start_s=0.5, max_frames=None), course) == (1, [48])
    # ffmpeg writes two steps before zero, and drops what is older.
    assert Grid(Fraction(1), Fraction(3), first=-9, alone=True).size == 5


def test_a_made_up_duration_of_one_tick_repeats_the_one_before(tmp_path) -> None:
    """libav gives it to later frames of a raw H.264 stream that states no rate."""
    clip = make_clip(tmp_path / "clip.h264", seconds=1)
    frames = [
        SimpleNamespace(pts=None, dts=None, duration=duration, key_frame=False)
        for duration in (480, 480, 1, 1, 1, 480)
    ]
    with opened(clip) as media, opened_reader(media, Limits()) as reader:
        starts = [start for start, _, _ in reader.spans(frames)]
    assert np.diff(starts).tolist() == [480] * 5


def test_a_small_file_is_opened_once(tmp_path, monkeypatch) -> None:
    clip, opened_files, open_it = make_clip(tmp_path / "clip.mp4"), [], av.open

    def counted(file: Any, *arguments: Any, **options: Any) -> Any:
        opened_files.append(file)
        return open_it(file, *arguments, **options)

    monkeypatch.setattr(av, "open", counted)
    assert read_numbers(sample_video(clip, ALL)) == [4, 14, 24]
    assert opened_files.count(str(clip)) == 1
