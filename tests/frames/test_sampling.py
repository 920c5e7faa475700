"""Rules of the subset, and the plan of what to decode: pure arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t2vid.errors import InputError
from t2vid.frames.sampling import SAMPLINGS, Grid, plan_runs, subset, target_size
from t2vid.frames.spec import RenderSpec, SampleSpec


def get_seq_frames(total: int, n: int) -> list[int]:
    """The paper's rule in numpy's own arithmetic (T2Vid, evaluation/model_video_qa_loader.py)."""
    seg = float(total - 1) / n
    return [(int(np.round(seg * i)) + int(np.round(seg * (i + 1)))) // 2 for i in range(n)]


@given(st.integers(1, 5000), st.integers(1, 128))
def test_the_paper_subset_is_the_papers(total, n) -> None:
    training = list(range(total)) if total <= n else get_seq_frames(total, n)
    assert subset(total, n, sampling="paper") == training
    # Its evaluation copy applies the rule even when there are no more frames than wanted.
    assert subset(total, n, sampling="paper_eval") == get_seq_frames(total, min(total, n))


@given(st.integers(1, 5000), st.integers(1, 128))
def test_other_subsets_are_those_of_the_tools_they_are_named_for(total, n) -> None:
    # OpenGVLab/InternVL, internvl_chat/README.md, get_index: so many, whatever there are.
    segment = float(total - 1) / n
    cut = [int(0 + (segment / 2) + np.round(segment * i)) for i in range(n)]
    assert subset(total, n, sampling="internvl") == cut
    if total <= n:
        return
    even = np.linspace(0, total - 1, n)
    assert subset(total, n, sampling="linspace") == even.astype(int).tolist()
    assert subset(total, n, sampling="linspace_rounded") == pytest.approx(even.round(), abs=1)
    inner = [int(i * total / (n + 1)) for i in range(1, n + 1)]
    assert subset(total, n, sampling="interior") == pytest.approx(inner, abs=1)
    # longvideobench_dataset.py, load_video
    assert subset(total, n, sampling="starts") == [int(total / n) * i for i in range(n)]
    middle = [int((i + 0.5) * total / n) for i in range(n)]
    assert subset(total, n, sampling="midpoint") == pytest.approx(middle, abs=1)


@given(st.integers(1, 300), st.integers(1, 80), st.sampled_from(SAMPLINGS))
def test_a_subset_is_in_order_inside_the_video_and_never_larger(total, n, select) -> None:
    found = subset(total, n, sampling=select)
    assert found == sorted(found) and len(found) == (n if select == "internvl" else min(n, total))
    assert 0 <= found[0] and found[-1] < total
    assert subset(total, None, sampling=select) == list(range(total))


@given(
    st.lists(st.integers(0, 5000), min_size=1, max_size=60, unique=True),
    st.integers(1, 50),
    st.sampled_from([Fraction(1), Fraction(5, 2), Fraction(1, 3), Fraction(2997, 100)]),
)
def test_the_grid_shows_the_last_frame_before_each_half_step(times, last, fps) -> None:
    times = sorted(times)
    scale, end = fps / 100, times[-1] + last
    grid = Grid(scale, Fraction(end), first=times[0])
    for n in range(min(grid.size, 50)):
        before = [t for t in times if t * scale < n + Fraction(1, 2)]
        if before:
            assert times[grid.pick(times, n)] == before[-1]


@given(
    st.lists(st.integers(0, 900), min_size=1, max_size=40, unique=True),
    st.integers(0, 900),
    st.integers(1, 500),
    st.sampled_from([Fraction(1), Fraction(5, 2), Fraction(1, 3), Fraction(2997, 100)]),
)
def test_a_part_is_the_grid_of_what_is_left_when_the_start_is_cut_off(
    times, start, length, fps
) -> None:
    times, scale, end = sorted(times), fps / 100, Fraction(start + length)
    inside = next((t for t in times if start <= t < end), 0)
    part = Grid(scale, end, Fraction(start), inside)
    left = [t - start for t in times if start <= t < end]
    if not left:  # what is on screen when the part begins stands all through it
        shown = max([i for i, t in enumerate(times) if t < end], default=0)
        assert {part.pick(times, n) for n in range(min(part.size, 30))} == {shown}
        return
    cut = Grid(scale, end - start, first=left[0])
    assert part.size == cut.size
    for n in range(min(part.size, 30)):
        assert part.limit(n) - start == cut.limit(n)
        assert times[part.pick(times, n)] - start == left[cut.pick(left, n)]


def test_the_steps_of_a_part_are_counted_from_its_start() -> None:
    grid = Grid(Fraction(1, 30), Fraction(105), start=Fraction(20))
    assert [grid.limit(n) for n in range(grid.size)] == [34, 64, 94]


@settings(max_examples=200)
@given(st.data())
def test_a_plan_reads_from_a_keyframe_through_every_target_and_no_packet_twice(data) -> None:
    n = data.draw(st.integers(1, 60))
    keys = sorted({0, *data.draw(st.lists(st.integers(0, n - 1), max_size=8))})
    pts: list[int] = []
    for start, stop in zip(keys, [*keys[1:], n], strict=True):  # closed groups, shuffled inside
        pts += [start, *data.draw(st.permutations(range(start + 1, stop)))]
    targets = data.draw(st.sets(st.integers(0, n - 1), min_size=1))
    runs = plan_runs(pts, keys, targets)
    assert set().union(*(run.targets for run in runs)) == targets
    for run in runs:
        assert run.start in keys
        assert run.targets <= set(pts[run.start : run.stop + 1])
    assert all(a.stop < b.start for a, b in zip(runs, runs[1:], strict=False))


def test_leading_pictures_of_an_open_group_are_decoded_from_the_group_before() -> None:
    pts = [0, 2, 1, 6, 4, 5, 8, 7]  # 6 is a keyframe; 4 and 5 come after it and are shown before
    (run,) = plan_runs(pts, [0, 3], [4])
    assert (run.start, run.stop) == (0, 4)


@given(st.integers(16, 4000), st.integers(16, 4000), st.integers(16, 2000))
def test_a_bounded_edge_keeps_the_shape_and_never_enlarges(width, height, edge) -> None:
    w, h = target_size(width, height, edge)
    assert max(w, h) <= max(edge, 1) or (w, h) == (width, height)
    assert w <= width and h <= height
    assert abs(w / width - h / height) <= 1 / min(width, height) + 1e-9


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"fps": 0}, "fps"),
        ({"fps": float("nan")}, "fps"),
        ({"max_frames": 0}, "max_frames"),
        ({"sampling": "best"}, "sampling"),
        ({"start_s": -1}, "start_s"),
        ({"start_s": 3, "end_s": 3}, "start_s"),
        ({"size": "llava"}, "size"),
        ({"size": 8}, "size"),
        ({"size": (64, 100_000)}, "size"),
        ({"folder_fps": 0}, "folder_fps"),
        ({"folder_fps": None}, "folder_fps"),
        ({"max_frames": "3"}, r"max_frames \('3'\) must be a whole number > 0, or None"),
        ({"max_frames": 2.5}, "max_frames"),
        ({"max_frames": True}, "max_frames"),
        ({"max_frames": -1}, "max_frames"),
        ({"fps": "1"}, r"fps \('1'\) must be a number > 0 and at most 1000"),
        ({"fps": float("inf")}, "fps"),
        ({"start_s": "2"}, "start_s"),
        ({"start_s": float("nan")}, "start_s"),
        ({"end_s": float("nan")}, "end_s"),
        ({"end_s": 0}, "end_s"),
        ({"size": 364.0}, "size"),
        ({"size": (364,)}, "size"),
        ({"size": (64, "48")}, "size"),
        ({"size": True}, "size"),
        ({"size": [64, 48]}, r"size \(\[64, 48\]\)"),
        ({"size": {}}, "size"),
    ],
)
def test_a_field_out_of_range_is_named_with_its_limit(fields, words) -> None:
    with pytest.raises(InputError, match=words):
        SampleSpec(**fields)


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        ("{", "Spec '{' is no JSON"),
        ("[1]", "is a mapping of its fields"),
        ('{"pages": 3}', r"no field \['pages'\]"),
        ('{"width": NaN, "fps": NaN}', "no field"),
    ],
)
@pytest.mark.parametrize("kind", [RenderSpec, SampleSpec])
def test_a_stored_spec_that_is_broken_is_named(kind, stored, words) -> None:
    with pytest.raises(InputError, match=words):
        kind.from_json(stored)
    with pytest.raises(InputError, match=words.replace("JSON", "YAML")):
        kind.from_yaml(stored)


def test_a_stored_value_out_of_range_is_named() -> None:
    for stored in ('{"max_frames": "3"}', '{"fps": NaN}'):
        with pytest.raises(InputError, match="must be"):
            SampleSpec.from_json(stored)


def test_numbers_of_any_kind_make_one_spec() -> None:
    plain = SampleSpec(fps=1.0, max_frames=8, size=(64, 48), end_s=2.0)
    other = SampleSpec(fps=1, max_frames=np.int64(8), size=(np.int32(64), 48), end_s=np.float64(2))
    assert (plain, plain.hash) == (other, other.hash)
    assert RenderSpec(width=np.int64(300)).hash == RenderSpec(width=300).hash  # type: ignore[arg-type]


def test_a_spec_survives_json_yaml_and_changes_its_hash_with_any_field() -> None:
    specs = [
        SampleSpec(),
        SampleSpec(fps=None),
        SampleSpec(size=(64, 48)),
        SampleSpec(size="minicpm"),
        SampleSpec(start_s=1.5, end_s=2),
        SampleSpec(sampling="paper_eval", max_frames=None),
    ]
    for spec in specs:
        assert SampleSpec.from_json(spec.to_json()) == spec == SampleSpec.from_yaml(spec.to_yaml())
    assert len({spec.hash for spec in specs}) == len(specs)
