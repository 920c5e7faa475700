"""Is one arm ahead of another, or is it luck: intervals over seeds and clips, Holm, no worse than.

>>> import numpy as np
>>> first, second = np.zeros((3, 40)), np.ones((3, 40))
>>> crossed_bootstrap(second - first, clips=np.arange(40)).interval
Interval(low=1.0, high=1.0)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from t2vid.errors import InputError
from t2vid.miniature.arms import COMPARISONS, Comparison, Group
from t2vid.miniature.questions import KINDS, SEEN_KINDS, UNSEEN_KINDS
from t2vid.miniature.runner import ArmResult
from t2vid.scoring.statistics import CONFIDENCE, Interval, holm

RESAMPLES = 4_000


@dataclass(frozen=True)
class Resampled:
    """A mean over seeds and questions, its interval, and how often chance would give it.

    Attributes:
        mean: of all values.
        interval: percentile interval at 95 %.
        p_value: two-sided, of the mean being 0; never below one in the number of draws.
    """

    mean: float
    interval: Interval
    p_value: float


@dataclass(frozen=True)
class ArmVerdict:
    """What came of a comparison that was stated before the runs.

    Attributes:
        comparison: what was asked.
        difference: accuracy of the second arm minus that of the first.
        interval: of the difference.
        p_value: corrected by Holm; of a comparison with a margin, uncorrected.
        holds: whether the claim stands: the interval above 0, or above the margin.
        seeds: number of seeds that both arms have.
        questions: number of questions.
    """

    comparison: Comparison
    difference: float
    interval: Interval
    p_value: float
    holds: bool
    seeds: int
    questions: int


def crossed_bootstrap(
    values: NDArray[np.float64],
    *,
    clips: NDArray[np.int64],
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Resampled:
    """Draw seeds and clips, both with replacement, and average (pigeonhole bootstrap).

    Source: A. B. Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 1, 2007. A clip's
    questions are drawn together, for they are right or wrong together.

    Args:
        values: `(seeds, questions)`: 0 or 1, or the difference of two arms.
        clips: number of the clip of each question.
        resamples: draws.
        seed: of the draws.
    """
    if values.ndim != 2 or values.shape[1] != len(clips) or not values.size:
        raise InputError(
            f"values {values.shape} must be (seeds, questions), one clip for each of the "
            f"{len(clips)} questions"
        )
    index = np.unique(clips, return_inverse=True)[1]
    n_seeds, n_clips = values.shape[0], int(index.max()) + 1
    sums = np.stack([np.bincount(index, weights=row, minlength=n_clips) for row in values])
    counts = np.bincount(index, minlength=n_clips)
    rng = np.random.default_rng(seed)
    by_seed = rng.multinomial(n_seeds, np.full(n_seeds, 1 / n_seeds), size=resamples)
    by_clip = rng.multinomial(n_clips, np.full(n_clips, 1 / n_clips), size=resamples)
    means = ((by_seed @ sums) * by_clip).sum(axis=1) / (by_clip @ counts) / n_seeds
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    beyond = min(float(np.mean(means <= 0)), float(np.mean(means >= 0)))
    p_value = min(1.0, max(2 * beyond, 1 / resamples))
    return Resampled(float(values.mean()), Interval(float(low), float(high)), p_value)


def accuracy(results: Sequence[ArmResult], kinds: Sequence[str]) -> Resampled:
    """Give the accuracy of an arm on some kinds of question.

    Args:
        results: of one arm, one a seed.
        kinds: the kinds counted.

    Raises:
        InputError: without results, or where no question of these kinds was asked.
    """
    if not results:
        raise InputError("no result of the arm is there; run it first")
    values, clips = table(results, kinds)
    return crossed_bootstrap(values, clips=clips)


def verdicts(results: Sequence[ArmResult]) -> list[ArmVerdict]:
    """Answer every stated comparison for which both arms were run.

    Args:
        results: of all arms and seeds, at equal rows.
    """
    found: list[tuple[Comparison, Resampled, int, int]] = []
    for comparison in COMPARISONS:
        first, second = (by_seed(results, arm) for arm in (comparison.first, comparison.second))
        seeds = sorted(first.keys() & second.keys())
        if not seeds:
            continue
        kinds = kinds_of(comparison.group)
        a, clips = table([first[seed] for seed in seeds], kinds)
        b, _ = table([second[seed] for seed in seeds], kinds)
        found.append((comparison, crossed_bootstrap(b - a, clips=clips), *b.shape))
    tested = [one.p_value for comparison, one, *_ in found if comparison.margin is None]
    corrected = iter(holm(tested))
    out = []
    for comparison, one, n_seeds, n_questions in found:
        p_value = one.p_value if comparison.margin is not None else next(corrected)
        holds = one.interval.low > -(comparison.margin or 0.0)
        if comparison.margin is None:
            holds = holds and p_value < 1 - CONFIDENCE
        out.append(
            ArmVerdict(comparison, one.mean, one.interval, p_value, holds, n_seeds, n_questions)
        )
    return out


def kinds_of(group: Group) -> tuple[str, ...]:
    """Give the kinds of question of a group."""
    return {"unseen": UNSEEN_KINDS, "seen": SEEN_KINDS, "all": KINDS}[group]


def by_seed(results: Sequence[ArmResult], arm: str) -> dict[int, ArmResult]:
    """Give the results of an arm by seed."""
    return {result.seed: result for result in results if result.arm == arm}


def table(
    results: Sequence[ArmResult], kinds: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Give what was right as `(seeds, questions)`, and the number of each question's clip.

    Args:
        results: of one arm, one a seed.
        kinds: the kinds counted.

    Raises:
        InputError: where the seeds were asked different questions, or none of these kinds.
    """
    first = results[0]
    for other in results[1:]:
        if other.questions != first.questions:
            raise InputError(
                f"seeds {first.seed} and {other.seed} of {first.arm!r} were asked other questions"
            )
    places = [i for i in range(len(first.questions)) if first.kind(i) in kinds]
    if not places:
        raise InputError(f"{first.arm!r} was asked no question of {', '.join(kinds)}")
    names = [first.clip(i) for i in places]
    values = np.array([[result.correct[i] for i in places] for result in results], dtype=float)
    return values, np.unique(names, return_inverse=True)[1]
