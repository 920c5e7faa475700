"""A part of a small file, which is looked at whole: the same frames as of a large one."""

from __future__ import annotations

from fractions import Fraction

import pytest

from media import make_clip, read_numbers
from t2vid.errors import BadVideo
from t2vid.frames import video
from t2vid.frames.spec import SampleSpec
from t2vid.frames.video import probe, sample_video

FPS, SECONDS = 10, 6
PARTS = [(1.0, 4.0), (0.25, 3.3), (2.0, None), (None, 2.5), (3.01, 3.05), (5.9, None), (4.0, 99.0)]


@pytest.fixture(scope="module", params=[12, 1000], ids=["keyframes", "one keyframe"])
def clip(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("parts") / f"{request.param}.mp4"
    return make_clip(path, seconds=SECONDS, fps=FPS, gop=request.param)


def numbers(start_s: float | None, end_s: float | None, fps: float) -> list[int]:
    """Count as `ffmpeg -ss START -to END -vf fps=FPS` does: the last frame before each half step."""
    start = Fraction(str(start_s or 0))
    end = min(Fraction(SECONDS), Fraction(str(end_s if end_s is not None else SECONDS)))
    step = Fraction(str(fps))
    times = [Fraction(i, FPS) for i in range(SECONDS * FPS)]
    inside = [i for i, t in enumerate(times) if start <= t < end]
    if not inside:
        return [max(i for i, t in enumerate(times) if t <= start)]
    found = []
    for n in range(max(1, int((end - start) * step + Fraction(1, 2)))):
        before = [i for i in inside if times[i] - start < (n + Fraction(1, 2)) / step]
        found.append(before[-1] if before else inside[0])
    return found


@pytest.mark.parametrize("fps", [1.0, 2.5])
@pytest.mark.parametrize(("start_s", "end_s"), PARTS)
def test_a_part_of_a_small_file_is_that_of_a_large_one(
    clip, monkeypatch, start_s, end_s, fps
) -> None:
    spec = SampleSpec(fps=fps, max_frames=None, start_s=start_s, end_s=end_s)
    small = read_numbers(sample_video(clip, spec))
    assert small == numbers(start_s, end_s, fps)
    assert probe(clip, spec).n_frames == len(small)
    monkeypatch.setattr(video, "_FEW_BYTES", 0)
    assert read_numbers(sample_video(clip, spec)) == small


def test_a_part_behind_the_end_is_refused(clip) -> None:
    with pytest.raises(BadVideo, match=r"before start_s \(6\.5\)"):
        sample_video(clip, SampleSpec(start_s=6.5))
