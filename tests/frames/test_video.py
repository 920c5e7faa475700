"""Frames of a video: the right ones, by the number burnt into each."""

from __future__ import annotations

from pathlib import Path

import pytest

from media import make_clip, read_numbers
from t2vid.errors import BadVideo, MissingFile
from t2vid.frames.spec import SampleSpec
from t2vid.frames.video import probe, sample_video


def test_one_frame_a_second_is_the_one_before_each_half(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", seconds=5, fps=10)
    frames = sample_video(clip)
    assert read_numbers(frames) == [4, 14, 24, 34, 44]
    assert frames.timestamps_s == pytest.approx([0.4, 1.4, 2.4, 3.4, 4.4])


def test_path_bytes_and_file_object_give_the_same_frames(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4")
    with clip.open("rb") as file:
        found = [sample_video(x) for x in (clip, str(clip), clip.read_bytes(), file)]
    assert all([i.tobytes() for i in one] == [i.tobytes() for i in found[0]] for one in found)


def test_probe_counts_what_sample_gives(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", seconds=7)
    for spec in (SampleSpec(), SampleSpec(max_frames=3), SampleSpec(fps=2.5, max_frames=None)):
        info = probe(clip, spec)
        assert info.n_frames == len(sample_video(clip, spec))
        assert (info.duration_s, info.width, info.height) == (7.0, 96, 64)


def test_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="nowhere.mp4"):
        sample_video(tmp_path / "nowhere.mp4")


def test_what_is_no_video_is_named_with_the_next_move(tmp_path: Path) -> None:
    bad = tmp_path / "bad.mp4"
    whole = make_clip(tmp_path / "whole.mp4").read_bytes()
    for data in (b"", b"<html>not found</html>" * 40, whole[: len(whole) // 3]):
        bad.write_bytes(data)
        with pytest.raises(BadVideo, match=r"bad\.mp4: .+; .*download it again"):
            sample_video(bad)
