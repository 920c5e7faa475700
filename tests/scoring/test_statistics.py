"""Several runs with seeds of their own: the interval of their mean."""

from __future__ import annotations

import numpy as np
import pytest

from t2vid.errors import InputError
from t2vid.scoring.statistics import bootstrap, nested_bootstrap


def test_the_interval_covers_a_known_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    clips = np.repeat(np.arange(40), 3)
    hits = 0
    for draw in range(100):
        by_clip, by_seed = rng.normal(0, 0.1, (5, 40)), rng.normal(0, 0.05, 5)
        chance = 0.5 + by_clip[:, clips] + by_seed[:, None]
        values = (rng.random((5, 120)) < chance).astype(float)
        found = nested_bootstrap(list(values), [clips] * 5, resamples=400, seed=draw)
        hits += found.interval.low <= 0.5 <= found.interval.high
    assert hits >= 88


def test_seeds_that_differ_widen_the_interval():
    clips = np.arange(200)
    even = np.tile(np.arange(200) % 2, (5, 1)).astype(float)
    apart = np.stack([(np.arange(200) % 10 < k) for k in (1, 3, 5, 7, 9)]).astype(float)
    narrow, wide = (nested_bootstrap(list(x), [clips] * 5).interval for x in (even, apart))
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)


def test_one_run_alone_gives_what_drawing_its_clusters_gives():
    rng = np.random.default_rng(1)
    right, clips = (rng.random(300) < 0.4).astype(float), np.arange(300) // 6
    found = nested_bootstrap([right], [clips])
    alone = bootstrap(right, clips)
    assert found.mean == pytest.approx(right.mean())
    assert found.interval.rounded(2) == alone.rounded(2)


@pytest.mark.parametrize(
    "runs, clusters", [([], []), ([[]], [[]]), ([[1, 0]], []), ([[1]], ["ab"])]
)
def test_runs_without_values_or_with_other_clusters_are_refused(runs, clusters):
    with pytest.raises(InputError):
        nested_bootstrap(runs, clusters)
