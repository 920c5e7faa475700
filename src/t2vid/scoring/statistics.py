"""Is it better, or is it luck: intervals for one run, and tests between two.

>>> wilson(8, 10).rounded(3)
(0.49, 0.943)
>>> mcnemar([1, 1, 1, 1, 1, 0], [0, 0, 0, 0, 0, 1]).p_value
0.21875
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from t2vid.errors import InputError

RESAMPLES = 2_000
CONFIDENCE = 0.95


class Interval(NamedTuple):
    """The two ends of a confidence interval."""

    low: float
    high: float

    def rounded(self, digits: int) -> tuple[float, float]:
        """Give both ends, rounded."""
        return round(self.low, digits), round(self.high, digits)


class Paired(NamedTuple):
    """Two runs on the same questions.

    Attributes:
        n: questions.
        only_first: questions that only the first run answered correctly.
        only_second: questions that only the second run answered correctly.
        difference: accuracy of the second run minus that of the first.
        p_value: probability of a split at least this uneven if the runs were equally good.
    """

    n: int
    only_first: int
    only_second: int
    difference: float
    p_value: float


class Resampled(NamedTuple):
    """A mean over several runs, its interval, and how often chance alone would give it.

    Attributes:
        mean: of the runs' means.
        interval: percentile interval.
        p_value: two-sided, of the mean being 0; never below one in the number of draws.
    """

    mean: float
    interval: Interval
    p_value: float


def wilson(correct: int, n: int, *, confidence: float = CONFIDENCE) -> Interval:
    """Give the Wilson score interval of a share (E. B. Wilson, JASA 22, 1927).

    Args:
        correct: successes.
        n: trials; 0 gives the whole range.
        confidence: coverage, between 0 and 1.

    Raises:
        InputError: for counts or a confidence out of range.
    """
    if not 0 <= correct <= n:
        raise InputError(f"correct ({correct}) must lie between 0 and n ({n})")
    z = NormalDist().inv_cdf(0.5 + _checked(confidence) / 2)
    if n == 0:
        return Interval(0.0, 1.0)
    share = correct / n
    scale = 1 + z * z / n
    middle = (share + z * z / (2 * n)) / scale
    half = z / scale * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # at the ends the formula gives the ends themselves, up to rounding
    low = 0.0 if correct == 0 else middle - half
    return Interval(low, 1.0 if correct == n else middle + half)


def newcombe(
    first: float, n_first: int, second: float, n_second: int, *, confidence: float = CONFIDENCE
) -> Interval:
    """Give the interval of the difference of two shares of which only sizes are known.

    Source: R. G. Newcombe, Statistics in Medicine 17, 1998, method 10. It takes the samples for
    independent; on the same questions the true interval is narrower, and only the answers tell it.

    Args:
        first: share of the first, of `n_first` trials.
        n_first: its trials.
        second: share of the second, of `n_second` trials.
        n_second: its trials.
        confidence: coverage, between 0 and 1.

    >>> newcombe(0.558, 2700, 0.567, 2700).rounded(3)
    (-0.018, 0.035)
    """
    a = wilson(round(first * n_first), n_first, confidence=confidence)
    b = wilson(round(second * n_second), n_second, confidence=confidence)
    down = math.hypot(second - b.low, a.high - first)
    up = math.hypot(b.high - second, first - a.low)
    return Interval(second - first - down, second - first + up)


def bootstrap(
    correct: ArrayLike,
    clusters: Sequence[Any] | NDArray[np.int64] | None = None,
    *,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Give the percentile bootstrap interval of a mean, drawing whole clusters (Efron and Tibshirani, 1993).

    Questions about one video are right or wrong together, so that drawing them one by one gives intervals too narrow.

    Args:
        correct: one number a question, usually 0 or 1.
        clusters: one name (or an array of one number) a question, usually its video; None draws questions.
        confidence: coverage, between 0 and 1.
        resamples: number of draws.
        seed: of the draws.

    >>> bootstrap([0, 1] * 50).rounded(2)
    (0.4, 0.6)
    """
    if resamples < 1:
        raise InputError(f"resamples ({resamples}) must be > 0")
    values = np.asarray(correct, dtype=float)
    if values.size == 0:
        return Interval(0.0, 1.0)
    return _percentiles(_resampled(*_totals(values, clusters), resamples, seed), confidence)


def mcnemar(first: ArrayLike, second: ArrayLike) -> Paired:
    """Test two runs on the same questions with the exact McNemar test (binomial, two-sided).

    Args:
        first: 1 where the first run is right, else 0.
        second: the same for the second run, in the same order.

    Raises:
        InputError: where the lengths differ.
    """
    a, b = _pair(first, second)
    only_first, only_second = int(np.sum(a & ~b)), int(np.sum(b & ~a))
    n = only_first + only_second
    # whole numbers: exact for any n, where floats underflow beyond about a thousand
    tail = sum(math.comb(n, i) for i in range(min(only_first, only_second) + 1))
    difference = (only_second - only_first) / max(1, a.size)
    return Paired(int(a.size), only_first, only_second, difference, min(1.0, 2 * tail / 2**n))


def paired_bootstrap(
    first: ArrayLike,
    second: ArrayLike,
    clusters: Sequence[Any] | None = None,
    *,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Give the interval of the difference in accuracy, drawing the same questions (or videos) for both runs.

    >>> paired_bootstrap([0, 0, 1, 1] * 25, [1, 0, 1, 1] * 25).low > 0
    True
    """
    a, b = (each.astype(float) for each in _pair(first, second))
    return bootstrap(b - a, clusters, confidence=confidence, resamples=resamples, seed=seed)


def nested_bootstrap(
    runs: Sequence[ArrayLike],
    clusters: Sequence[Sequence[Any] | NDArray[np.int64]],
    *,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Resampled:
    """Average over runs with other seeds, drawing runs, and clusters within each (Davison and Hinkley, 1997, 3.8).

    Args:
        runs: of each run one number a question: 0 or 1, or the difference of two arms.
        clusters: of each run one name (or number) a question, usually its video.
        confidence: as for `bootstrap`, like `resamples` and `seed`.
        resamples: number of draws.
        seed: of the draws.

    Raises:
        InputError: without a run, for an empty one, or where names and numbers do not match.

    >>> nested_bootstrap([[1, 1], [1, 1]], [["a", "b"], ["c", "d"]]).interval
    Interval(low=1.0, high=1.0)
    """
    values = [np.asarray(run, dtype=float) for run in runs]
    if not values or len(values) != len(clusters) or not all(run.size for run in values):
        sizes = [run.size for run in values]
        raise InputError(f"runs of {sizes} values and {len(clusters)} lists of clusters must match")
    n = len(values)
    totals = [_totals(run, names) for run, names in zip(values, clusters, strict=True)]
    drawn = [_resampled(*one, n * resamples, seed + i) for i, one in enumerate(totals)]
    chosen = np.random.default_rng(seed).integers(n, size=(1, n, resamples))
    each = np.stack(drawn).reshape(n, n, resamples)
    means = np.take_along_axis(each, chosen, axis=0)[0].mean(axis=0)
    beyond = min(float(np.mean(means <= 0)), float(np.mean(means >= 0)))
    p_value = min(1.0, max(2 * beyond, 1 / resamples))
    mean = float(np.mean([run.mean() for run in values]))
    return Resampled(mean, _percentiles(means, confidence), p_value)


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct for several tests (S. Holm, Scandinavian Journal of Statistics 6, 1979).

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values, kind="stable")
    out, highest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        out[int(place)] = float(f"{highest:.12g}")  # a small p is none of 0
    return out


def _totals(
    values: NDArray[np.float64], clusters: Sequence[Any] | NDArray[np.int64] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if clusters is None:
        return values, np.ones_like(values)
    if len(clusters) != values.size:
        raise InputError(f"{len(clusters)} cluster names for {values.size} values; give one each")
    if not isinstance(clusters, np.ndarray):  # an array holds numbers: no name need be held
        places: dict[Any, int] = {}
        clusters = np.fromiter((places.setdefault(c, len(places)) for c in clusters), np.int64)
    index = np.unique(clusters, return_inverse=True)[1]
    return np.bincount(index, values).astype(float), np.bincount(index).astype(float)


def _resampled(
    sums: NDArray[np.float64], counts: NDArray[np.float64], resamples: int, seed: int
) -> NDArray[np.float64]:
    # Clusters with equal totals are interchangeable: drawing how often each kind appears is the same draw as
    # drawing clusters one by one, and a million rows of 0 and 1 have two kinds. A complex number sorts as a pair.
    kinds, sizes = np.unique(sums + 1j * counts, return_counts=True)
    generator = np.random.default_rng(seed)
    draws = generator.multinomial(sums.size, sizes / sums.size, size=resamples)
    return np.asarray((draws @ kinds.real) / (draws @ kinds.imag), dtype=np.float64)


def _percentiles(means: NDArray[np.float64], confidence: float) -> Interval:
    tail = (1 - _checked(confidence)) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(float(low), float(high))


def _checked(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise InputError(f"confidence ({confidence}) must lie between 0 and 1, e.g. 0.95")
    return confidence


def _pair(first: ArrayLike, second: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    a, b = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    if a.shape != b.shape:
        raise InputError(f"the runs have {a.size} and {b.size} answers; match them by id first")
    return a, b
