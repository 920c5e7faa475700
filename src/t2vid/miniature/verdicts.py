"""Is one arm ahead of another, or is it luck: intervals over seeds and clips, Holm, no worse than.

Every seed has test clips of its own, so seeds are drawn first, and clips within each.

>>> kinds_of("seen")
('first', 'colour')
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from t2vid.errors import InputError
from t2vid.miniature.arms import COMPARISONS, Comparison, Group
from t2vid.miniature.questions import KINDS, SEEN_KINDS, UNSEEN_KINDS
from t2vid.miniature.results import ArmResult
from t2vid.scoring.statistics import CONFIDENCE, Interval, Resampled, holm, nested_bootstrap

RESAMPLES = 4_000


class Marks(NamedTuple):
    """What was right, one number a question, and the clip of each."""

    right: NDArray[np.float64]
    clips: list[str]


class Lead(NamedTuple):
    """By how much one arm is ahead of another.

    Attributes:
        found: the mean over seeds, its interval and how often chance would give it.
        seeds_ahead: seeds in which it is ahead.
        seeds: seeds that both arms have.
        questions: in all of them.
    """

    found: Resampled
    seeds_ahead: int
    seeds: int
    questions: int


@dataclass(frozen=True)
class ArmVerdict:
    """What came of a comparison that was stated before the runs.

    Attributes:
        comparison: what was asked.
        lead: of the second arm over the first.
        p_value: corrected by Holm; of a comparison with a margin, uncorrected.
        holds: whether the claim stands: the interval above 0, or above the margin.
    """

    comparison: Comparison
    lead: Lead
    p_value: float
    holds: bool

    @property
    def interval(self) -> Interval:
        """Of the lead."""
        return self.lead.found.interval


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
    marks = [marked(result, kinds) for result in results]
    return nested_bootstrap([m.right for m in marks], [m.clips for m in marks], resamples=RESAMPLES)


def lead(first: Sequence[ArmResult], second: Sequence[ArmResult], kinds: Sequence[str]) -> Lead:
    """Give by how much the second arm is ahead, seed by seed on the same clips.

    Args:
        first: results of one arm, one a seed.
        second: of the other, with the same seeds in the same order.
        kinds: the kinds counted.

    Raises:
        InputError: where a seed of the two was asked different questions.
    """
    gaps, clips = [], []
    for a, b in zip(first, second, strict=True):
        if a.questions != b.questions:
            raise InputError(f"seed {a.seed} of {a.arm!r} and {b.arm!r} was asked other questions")
        mark = marked(b, kinds)
        gaps.append(mark.right - marked(a, kinds).right)
        clips.append(mark.clips)
    found = nested_bootstrap(gaps, clips, resamples=RESAMPLES)
    return Lead(found, sum(bool(gap.mean() > 0) for gap in gaps), len(gaps), sum(map(len, gaps)))


def verdicts(results: Sequence[ArmResult]) -> list[ArmVerdict]:
    """Answer every stated comparison for which both arms were run.

    Args:
        results: of all arms and seeds, at equal rows.
    """
    found: list[tuple[Comparison, Lead]] = []
    for comparison in COMPARISONS:
        first, second = (by_seed(results, arm) for arm in (comparison.first, comparison.second))
        seeds = sorted(first.keys() & second.keys())
        if seeds:
            a, b = ([arm[seed] for seed in seeds] for arm in (first, second))
            found.append((comparison, lead(a, b, kinds_of(comparison.group))))
    corrected = iter(holm([one.found.p_value for c, one in found if c.margin is None]))
    out = []
    for comparison, one in found:
        p_value = one.found.p_value if comparison.margin is not None else next(corrected)
        holds = one.found.interval.low > -(comparison.margin or 0.0)
        if comparison.margin is None:
            holds = holds and p_value < 1 - CONFIDENCE
        out.append(ArmVerdict(comparison, one, p_value, holds))
    return out


def kinds_of(group: Group) -> tuple[str, ...]:
    """Give the kinds of question of a group."""
    return {"unseen": UNSEEN_KINDS, "seen": SEEN_KINDS, "all": KINDS}[group]


def by_seed(results: Sequence[ArmResult], arm: str) -> dict[int, ArmResult]:
    """Give the results of an arm by seed."""
    return {result.seed: result for result in results if result.arm == arm}


def marked(result: ArmResult, kinds: Sequence[str]) -> Marks:
    """Give what was right among the questions of some kinds, and their clips.

    Args:
        result: of one arm and seed.
        kinds: the kinds counted.

    Raises:
        InputError: where none of these kinds was asked.
    """
    places = [i for i in range(len(result.questions)) if result.kind(i) in kinds]
    if not places:
        raise InputError(f"{result.arm!r} was asked no question of {', '.join(kinds)}")
    right = np.array([result.correct[i] for i in places], dtype=float)
    return Marks(right, [result.clip(i) for i in places])
