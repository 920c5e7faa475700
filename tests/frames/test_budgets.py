"""Budgets in qwen-vl-utils' terms, against a table of its rules written from their description."""

from __future__ import annotations

import math
import random
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import numpy as np
import pytest

from media import make_clip, read_numbers
from t2vid import catalog
from t2vid.errors import BadVideo, InputError
from t2vid.frames.budgets import PixelBudget, frame_size, n_frames
from t2vid.frames.choosing import choose
from t2vid.frames.sampling import Course
from t2vid.frames.spec import SampleSpec
from t2vid.frames.video import probe, sample_video

CASES = 2000


def to_multiple(value: float, step: int, rounding: str) -> int:
    """Round to a whole multiple, in decimal arithmetic."""
    return int((Decimal(value) / step).to_integral_value(rounding)) * step


def told_frames(total: int, rate: float, **limits) -> int | None:
    """How many frames the rules give; None where they refuse the video.

    | asked | rule |
    |---|---|
    | nframes | to the nearest even number, halves to the even half |
    | fps, 2 unless said | length x fps; at least min_frames (4), rounded up; at most max_frames |
    | | (768), rounded down, and the frames there are; then down to even |
    | either | refused outside 2 .. total |
    """
    if "nframes" in limits:
        n = to_multiple(limits["nframes"], 2, ROUND_HALF_EVEN)
    else:
        at_least = to_multiple(limits.get("min_frames", 4), 2, ROUND_CEILING)
        at_most = to_multiple(limits.get("max_frames", 768), 2, ROUND_FLOOR)
        wished = total / rate * limits.get("fps", 2.0)
        n = to_multiple(sorted([at_least, wished])[1], 1, ROUND_FLOOR)
        n = to_multiple(min(n, at_most, total), 2, ROUND_FLOOR)
    return n if 2 <= n <= total else None


def told_size(width: int, height: int, n: int, factor: int, **limits) -> tuple[int, int]:
    """The size of each of n frames by the rules: 128 to 768 patches, fewer where many frames share."""
    patch = factor * factor
    least = limits.get("min_pixels", 128 * patch)
    total = limits.get("total_pixels", 128_000 * patch * 0.9)
    most = min(768 * patch, total / n * 2)
    most = max(most, int(least * 1.05))
    most = min(most, limits.get("max_pixels", most))
    w, h = (max(factor, to_multiple(side, factor, ROUND_HALF_EVEN)) for side in (width, height))
    if w * h > most:
        by = math.sqrt(width * height / most)
        return tuple(
            max(factor, math.floor(side / by / factor) * factor) for side in (width, height)
        )
    if w * h < least:
        by = math.sqrt(least / (width * height))
        return tuple(math.ceil(side * by / factor) * factor for side in (width, height))
    return w, h


def test_frames_are_counted_by_the_rules_on_random_lengths() -> None:
    rng = random.Random(16)
    refused = 0
    for _ in range(CASES):
        rate = rng.choice([10.0, 15.0, 23.976, 24.0, 25.0, 29.97, 30.0, 50.0, 59.94])
        total = rng.choice([rng.randint(1, 60), rng.randint(1, 20_000)])
        limits = rng.choice(
            [
                {},
                {"nframes": rng.randint(1, 64)},
                {"fps": rng.choice([0.5, 1.0, 2.0, 4.0])},
                {"fps": 1.0, "min_frames": rng.randint(1, 9), "max_frames": rng.randint(10, 99)},
                {"max_frames": rng.randint(5, 500)},
            ]
        )
        told = told_frames(total, rate, **limits)
        try:
            spec = SampleSpec.for_family("qwen2_5_vl", **limits)
        except InputError:
            assert told is None  # nframes=1 rounds to none at all
            continue
        course = Course(Fraction(1, 1), total, rate)
        if told is None:
            refused += 1
            with pytest.raises(BadVideo, match="frames are asked for, and there are"):
                choose(range(total), [0], spec, course)
            continue
        _, positions = choose(range(total), [0], spec, course)
        assert len(positions) == told, (total, rate, limits)
        step = (total - 1) / (told - 1)
        assert positions == [round(step * i) for i in range(told)]
    assert 0 < refused < CASES / 2


def test_sizes_are_those_of_the_rules_on_random_sizes() -> None:
    rng = random.Random(17)
    for _ in range(CASES):
        width, height = rng.randint(16, 4000), rng.randint(16, 4000)
        if max(width, height) > 200 * min(width, height):
            continue
        n, factor = 2 * rng.randint(1, 384), rng.choice([28, 32])
        limits = rng.choice(
            [
                {},
                {"max_pixels": rng.randint(150, 1000) * factor**2},
                {"total_pixels": rng.randint(2000, 100_000) * factor**2},
                {"min_pixels": 16 * factor**2, "max_pixels": 512 * factor**2},
            ]
        )
        mine = frame_size(width, height, n, PixelBudget(factor=factor, **limits))
        assert mine == told_size(width, height, n, factor, **limits), (width, height, n, limits)
        family = "qwen2_5_vl" if factor == 28 else "qwen3_vl"
        assert SampleSpec.for_family(family, **limits).shape(width, height, n) == mine


def test_a_frame_200_times_as_long_as_wide_is_refused() -> None:
    with pytest.raises(InputError, match="8000x16 is more than 200 times"):
        frame_size(8000, 16, 2, PixelBudget())


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return make_clip(tmp_path_factory.mktemp("budget") / "clip.mp4", seconds=9, size=(160, 96))


def test_a_qwen_preset_gives_whole_groups_at_whole_patches(clip) -> None:
    spec = SampleSpec.for_family("qwen2_5_vl")
    frames = sample_video(clip, spec)
    assert len(frames) == 18 == probe(clip, spec).n_frames
    assert read_numbers(frames)[::17] == [0, 89]
    assert all(side % 28 == 0 for side in frames[0].size)
    assert frames[0].size == (probe(clip, spec).width, probe(clip, spec).height)
    part = sample_video(clip, SampleSpec.for_family("qwen2_5_vl", start_s=2, end_s=4))
    assert read_numbers(part) == [20, 27, 33, 40]  # the frame at the very end counts, too


def test_more_frames_than_there_are_is_refused(clip) -> None:
    with pytest.raises(BadVideo, match="200 frames are asked for, and there are 90") as caught:
        sample_video(clip, SampleSpec(nframes=200))
    assert caught.value.reason == "too short"


@pytest.mark.parametrize("family", [*(one.name for one in catalog.presets("sample")), "Qwen2.5-VL"])
def test_every_family_has_its_frames(clip, family) -> None:
    spec = SampleSpec.for_family(family)
    frames = sample_video(clip, spec)
    assert 8 <= len(frames) <= (spec.max_frames or 90)
    assert SampleSpec.from_json(spec.to_json()) == spec == SampleSpec.from_value(family)


def test_presets_show_the_frames_of_the_code_that_they_name(clip) -> None:
    def shown(family: str, **changes) -> list[int]:
        return read_numbers(sample_video(clip, SampleSpec.for_family(family, size=None, **changes)))

    # 90 frames at 10 a second: every tenth from the first on, and then the middle of equal parts.
    assert shown("minicpm") == list(range(0, 90, 10))
    assert shown("minicpm", max_frames=3) == [10, 40, 70]
    assert shown("minicpm", fps=4) == list(range(0, 90, 2))  # 2.5 rounds to the even 2
    assert shown("internvl") == [5, 16, 27, 38, 49, 61, 72, 83]
    assert shown("llava_video") == np.linspace(0, 89, 64, dtype=int).tolist()
    assert shown("llava_onevision")[-1] == 89


def test_an_unknown_family_is_named() -> None:
    with pytest.raises(InputError, match="family \\('gpt'\\) must be one of"):
        SampleSpec.for_family("gpt")


def test_groups_hold_without_a_preset() -> None:
    assert n_frames(17, 10.0, fps=None, max_frames=12, factor=4) == 12
    assert n_frames(10, 10.0, fps=None, factor=4) == 8
    assert n_frames(100, 10.0, fps=1.0, min_frames=7, factor=2) == 10


@pytest.mark.parametrize("n", [1, 2, 5, 100])
@pytest.mark.parametrize(
    "spec",
    [
        SampleSpec(),
        SampleSpec(nframes=8),
        SampleSpec(min_frames=4, max_frames=8),
        SampleSpec(timestamps=(0.1, 3.0, 2.0)),
        SampleSpec(frames=range(0, 90, 30)),
    ],
)
def test_a_budget_at_reading_time_holds_for_every_way_of_counting(clip, spec, n) -> None:
    assert len(sample_video(clip, spec.limited(n))) <= n


def test_frames_named_one_by_one_come_in_their_order(clip) -> None:
    spec = SampleSpec(timestamps=(3.0, 0.05, 8.99, 3.0))
    frames = sample_video(clip, spec)
    assert read_numbers(frames) == [30, 0, 89, 30] and frames.timestamps_s == [3.0, 0.0, 8.9, 3.0]
    again = sample_video(clip, SampleSpec(timestamps=frames.timestamps_s))
    assert read_numbers(again) == read_numbers(frames)
    assert read_numbers(sample_video(clip, SampleSpec(frames=range(80, 0, -40)))) == [80, 40]
    many = SampleSpec(frames=range(60))  # more than max_frames: each was asked for by name
    assert read_numbers(sample_video(clip, many)) == list(range(60))


def test_every_frame_is_found_by_its_own_time(tmp_path) -> None:
    ntsc = make_clip(tmp_path / "ntsc.mp4", seconds=4, fps=Fraction(30000, 1001))
    times = sample_video(ntsc, SampleSpec(fps=None, max_frames=None)).timestamps_s
    found = sample_video(ntsc, SampleSpec(timestamps=times))
    assert read_numbers(found) == list(range(len(times)))


def test_what_lies_behind_the_end_is_named(clip) -> None:
    with pytest.raises(BadVideo, match=r"ends at 9\.00 s, before timestamp 9\.5"):
        sample_video(clip, SampleSpec(timestamps=[9.5]))
    with pytest.raises(BadVideo, match="90 frames, and none with number 90"):
        sample_video(clip, SampleSpec(frames=[90]))
    with pytest.raises(BadVideo, match=r"before the clip at 10\.0 s"):
        sample_video(clip, SampleSpec(clips=[(1, 2), (10, 12)]))


def test_several_clips_of_a_video_are_sampled_as_one(clip) -> None:
    spec = SampleSpec(clips=((0, 2), (6, 9)))
    assert read_numbers(sample_video(clip, spec)) == [4, 14, 64, 74, 84]
    few = sample_video(clip, SampleSpec(clips=((0, 2), (6, 9)), max_frames=2))
    assert len(few) == 2 and few.n_total == 5
    budgeted = SampleSpec(clips=((0, 1), (8, 9)), nframes=4)
    assert read_numbers(sample_video(clip, budgeted)) == [0, 7, 82, 89]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"nframes": 0}, "nframes"),
        ({"frame_factor": 0}, "frame_factor"),
        ({"frame_factor": None}, "frame_factor"),
        ({"min_frames": 9, "max_frames": 8}, r"min_frames \(9\) must be at most max_frames"),
        ({"frame_factor": 30}, r"max_frames \(24\) must be at least frame_factor"),
        ({"nframes": 1, "frame_factor": 4}, "at least"),
        ({"size": 64, "max_pixels": 9000}, "both say how large"),
        ({"min_pixels": 9, "max_pixels": 8}, "min_pixels"),
        ({"size_factor": 0}, "size_factor"),
        ({"timestamps": []}, "timestamps"),
        ({"timestamps": [-1.0]}, "timestamps"),
        ({"timestamps": "12"}, "timestamps"),
        ({"frames": [1.5]}, "frames"),
        ({"frames": [True]}, "frames"),
        ({"frames": [1], "timestamps": [1.0]}, "both say which part"),
        ({"clips": [(3, 1)]}, "clips"),
        ({"clips": [(1, 2, 3)]}, "clips"),
        ({"clips": [(1, 2)], "start_s": 1}, "both say which part"),
        ({"nframes": 4, "sampling": "keyframes"}, "keyframes"),
        ({"tonemap": "aces"}, "tonemap"),
    ],
)
def test_a_budget_that_makes_no_sense_is_named(fields, words) -> None:
    with pytest.raises(InputError, match=words):
        SampleSpec(**fields)


def test_what_select_was_called_goes_on_with_a_word() -> None:
    with pytest.warns(DeprecationWarning, match="select= is now called sampling="):
        old = SampleSpec(select="midpoint")
    assert old == SampleSpec(sampling="midpoint")
    with pytest.warns(DeprecationWarning, match="called sampling"):
        assert old.select == "midpoint"
    assert SampleSpec.from_json('{"select": "midpoint"}') == old
