"""Intervals over seeds and clips, Holm, and the comparisons that were stated before the runs."""

from __future__ import annotations

import numpy as np
import pytest

from t2vid.errors import InputError
from t2vid.miniature.arms import ARMS, COMPARISONS
from t2vid.miniature.runner import ArmResult
from t2vid.miniature.verdicts import accuracy, crossed_bootstrap, verdicts

KINDS = ("first", "last", "after", "place")


def result(arm: str, seed: int, share: dict[str, float], n_clips: int = 60) -> ArmResult:
    rng = np.random.default_rng([seed, *arm.encode()])
    asked = [(f"{clip:03d}-{kind}", kind) for clip in range(n_clips) for kind in KINDS]
    right = [bool(rng.random() < share[kind]) for _, kind in asked]
    names = [name for name, _ in asked]
    return ArmResult(arm, seed, 100, 4, 1.0, 1.0, names, right, ["x"] * len(names), {})


def runs(arm: str, unseen: float, seen: float = 0.9, seeds: int = 5) -> list[ArmResult]:
    share = dict.fromkeys(KINDS, unseen) | {"first": seen}
    return [result(arm, seed, share) for seed in range(seeds)]


def test_the_interval_covers_a_known_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    clips = np.repeat(np.arange(40), 3)
    hits = 0
    for draw in range(100):
        by_clip, by_seed = rng.normal(0, 0.1, 40), rng.normal(0, 0.05, 5)
        chance = 0.5 + by_clip[clips] + by_seed[:, None]
        values = (rng.random((5, 120)) < chance).astype(float)
        found = crossed_bootstrap(values, clips=clips, resamples=400, seed=draw)
        hits += found.interval.low <= 0.5 <= found.interval.high
    assert hits >= 88


def test_seeds_that_differ_widen_the_interval():
    clips = np.arange(200)
    even = np.tile(np.arange(200) % 2, (5, 1)).astype(float)
    apart = np.stack([(np.arange(200) % 10 < k) for k in (1, 3, 5, 7, 9)]).astype(float)
    narrow, wide = (crossed_bootstrap(x, clips=clips).interval for x in (even, apart))
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)


def test_a_clear_lead_holds_and_luck_does_not():
    results = [*runs("video", 0.3), *runs("hybrid", 0.5), *runs("few", 0.5)]
    found = {(v.comparison.first, v.comparison.group): v for v in verdicts(results)}
    assert found["video", "unseen"].holds and found["video", "unseen"].difference > 0.1
    assert not found["few", "unseen"].holds
    assert ("shuffled", "unseen") not in found  # not run, so not answered


def test_no_worse_is_judged_by_its_margin():
    lost = verdicts([*runs("video", 0.3, seen=0.9), *runs("hybrid", 0.5, seen=0.7)])
    kept = verdicts([*runs("video", 0.3, seen=0.9), *runs("hybrid", 0.5, seen=0.93)])
    assert [v.holds for v in lost if v.comparison.margin] == [False]
    assert [v.holds for v in kept if v.comparison.margin] == [True]


def test_seeds_asked_other_questions_are_refused():
    share = dict.fromkeys(KINDS, 0.5)
    with pytest.raises(InputError, match="other questions"):
        accuracy([result("video", 0, share), result("video", 1, share, n_clips=50)], KINDS)


def test_every_stated_comparison_is_between_arms_and_says_what_speaks_against_it():
    for comparison in COMPARISONS:
        assert {comparison.first, comparison.second} <= {*ARMS} and comparison.against
