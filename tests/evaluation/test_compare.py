"""Intervals cover, tests are exact, and the same seed gives the same figures."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2vid.errors import InputError
from t2vid.evaluation.compare import circular, compare_runs, rotate
from t2vid.scoring.statistics import bootstrap, holm, mcnemar, newcombe, paired_bootstrap, wilson

RUN = st.lists(st.booleans(), min_size=1, max_size=60)


@given(st.integers(0, 400), st.integers(0, 400))
def test_wilson_holds_the_share_and_solves_its_equation(a, b):
    correct, n = min(a, b), max(a, b, 1)
    low, high = wilson(correct, n).low, wilson(correct, n).high
    assert 0 <= low <= correct / n <= high <= 1
    for end in (low, high):  # |share - p| = z * sqrt(p (1 - p) / n) at both ends
        if 0 < end < 1 and 0 < correct < n:
            z = abs(correct / n - end) / math.sqrt(end * (1 - end) / n)
            assert z == pytest.approx(1.959964, abs=1e-5)


def test_wilson_of_nothing_is_everything():
    assert wilson(0, 0).rounded(3) == (0.0, 1.0)
    with pytest.raises(InputError, match=r"correct \(3\)"):
        wilson(3, 2)


def test_wilson_covers_as_promised():
    rng = np.random.default_rng(0)
    hits = rng.binomial(200, 0.55, size=2000)
    covered = [wilson(int(h), 200).low <= 0.55 <= wilson(int(h), 200).high for h in hits]
    assert 0.93 < np.mean(covered) < 0.97


@given(RUN, st.integers(0, 5))
def test_bootstrap_is_seeded_and_holds_the_mean(run, seed):
    one, two = bootstrap(run, seed=seed, resamples=200), bootstrap(run, seed=seed, resamples=200)
    assert one == two and one.low - 1e-9 <= np.mean(run) <= one.high + 1e-9


def test_clusters_of_one_are_questions_and_clusters_of_many_widen():
    run = [i % 3 == 0 for i in range(90)]
    assert bootstrap(run, range(90)) == bootstrap(run)
    alike = [i < 30 for i in range(90)]
    wide, narrow = bootstrap(alike, [i // 15 for i in range(90)]), bootstrap(alike)
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)
    with pytest.raises(InputError, match="2 cluster names"):
        bootstrap(run, ["a", "b"])


def test_drawing_kinds_of_clusters_spreads_like_drawing_clusters():
    rng = np.random.default_rng(1)
    clusters = np.repeat(np.arange(40), rng.integers(1, 6, size=40))
    run = rng.random(clusters.size) < 0.3 + 0.4 * (clusters % 2)
    means = []
    for _ in range(3000):
        drawn = rng.integers(40, size=40)
        hits = sum(run[clusters == c].sum() for c in drawn)
        means.append(hits / sum((clusters == c).sum() for c in drawn))
    ours = bootstrap(run, clusters.tolist(), resamples=3000)
    assert (ours.low, ours.high) == pytest.approx(np.quantile(means, [0.025, 0.975]), abs=0.03)


@given(RUN, st.randoms(use_true_random=False))
def test_mcnemar_is_the_binomial_test_on_the_discordant(run, random):
    other = [random.random() < 0.5 for _ in run]
    test, back = mcnemar(run, other), mcnemar(other, run)
    n, k = test.only_first + test.only_second, min(test.only_first, test.only_second)
    tail = sum(math.comb(n, i) for i in range(k + 1)) / 2**n
    assert test.p_value == pytest.approx(min(1.0, 2 * tail))
    assert back.p_value == test.p_value and back.difference == -test.difference


def test_mcnemar_stays_exact_where_floats_underflow():
    test = mcnemar([True] * 3000 + [False] * 2000, [False] * 3000 + [True] * 2000)
    assert 0 < test.p_value < 1e-40 and test.n == 5000


def test_runs_of_different_length_are_refused():
    with pytest.raises(InputError, match="match them by id"):
        mcnemar([1], [1, 0])


def test_a_difference_that_is_always_there_has_no_width():
    low, high = paired_bootstrap([0, 0, 0], [1, 1, 1]).rounded(3)
    assert (low, high) == (1.0, 1.0)


def test_two_runs_are_compared_on_what_both_answered_by_category():
    first = {"1": True, "2": False, "3": False, "x": True}
    second = {"1": True, "2": True, "3": True}
    report = compare_runs(first, second, categories={"1": "a", "2": "b", "3": "b"})
    assert report["only_in_first"] == 1 and report["all"]["n"] == 3
    assert report["all"]["only_second"] == 2 and report["category: b"]["difference"] == 1.0


@given(st.lists(st.text(max_size=3), min_size=1, max_size=6), st.integers(-9, 9))
def test_rotations_come_round(options, shift):
    turned = rotate(options, shift)
    assert sorted(turned) == sorted(options) and rotate(turned, -shift) == options


def test_circular_asks_for_every_rotation():
    rows = [{"id": q, "correct": q == 1 or r == 0} for q in (1, 2) for r in range(4)]
    figures = circular(rows)
    assert figures["circular_accuracy"] == 0.5 and figures["vanilla_accuracy"] == 0.625


def test_holm_gives_the_published_steps():
    # Holm 1979: p in rising order times the tests that are left, never below the one before
    assert holm([0.01, 0.02, 0.02, 0.5]) == [0.04, 0.06, 0.06, 0.5]
    assert holm([5e-23, 1e-12]) == [1e-22, 1e-12]  # none of them is 0
    assert holm([0.9, 0.8]) == [1.0, 1.0] and holm([]) == []


def test_newcombe_gives_the_published_example_and_covers():
    low, high = newcombe(48 / 80, 80, 56 / 70, 70).rounded(4)  # Newcombe 1998, table II, (a)
    assert (low, high) == (0.0524, 0.3339)
    rng = np.random.default_rng(0)
    draws = rng.binomial(300, [0.5, 0.55], size=(1000, 2)) / 300
    inside = [newcombe(a, 300, b, 300) for a, b in draws]
    assert 0.93 < np.mean([one.low <= 0.05 <= one.high for one in inside]) < 0.97
