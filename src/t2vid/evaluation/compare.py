"""Two runs on the same questions, and one question with its options in every order.

>>> rotate(["x", "y", "z"], 1)
['y', 'z', 'x']
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from t2vid.scoring.statistics import RESAMPLES, mcnemar, paired_bootstrap


def compare_runs(
    first: Mapping[str, bool],
    second: Mapping[str, bool],
    *,
    categories: Mapping[str, str] | None = None,
    clusters: Mapping[str, str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Any]:
    """Compare two runs on the questions that both answered, as a whole and by category.

    Args:
        first: whether each question id was right in the first run.
        second: the same for the second run.
        categories: category of each question id.
        clusters: video of each question id.
        resamples: draws of the bootstrap.
        seed: seed of the draws.

    >>> runs = compare_runs({"q1": True, "q2": False}, {"q2": True, "q3": True})
    >>> runs["all"]["n"], runs["only_in_first"], runs["only_in_second"]
    (1, 1, 1)
    """
    shared = sorted(first.keys() & second.keys())
    groups = {"all": shared}
    for name in shared if categories else ():
        groups.setdefault(f"category: {(categories or {}).get(name, '')}", []).append(name)
    report: dict[str, Any] = {
        "only_in_first": len(first.keys() - second.keys()),
        "only_in_second": len(second.keys() - first.keys()),
    }
    for group, names in groups.items():
        a = [bool(first[name]) for name in names]
        b = [bool(second[name]) for name in names]
        videos = [clusters.get(name, name) for name in names] if clusters else None
        test = mcnemar(a, b)
        low, high = -1.0, 1.0  # one video says nothing of how others differ
        if len(set(videos or names)) > 1:
            low, high = paired_bootstrap(a, b, videos, resamples=resamples, seed=seed).rounded(6)
        report[group] = {
            "n": test.n,
            "first": float(np.mean(a)) if a else math.nan,
            "second": float(np.mean(b)) if b else math.nan,
            "difference": test.difference,
            "low": low,
            "high": high,
            "only_first": test.only_first,
            "only_second": test.only_second,
            "p_value": test.p_value,
        }
    return report


def rotate(options: Sequence[str], shift: int) -> list[str]:
    """Rotate options for circular evaluation (MMBench, arXiv 2307.06281): option i moves to place i - shift.

    >>> rotate(["x", "y", "z"], 1)
    ['y', 'z', 'x']
    """
    shift %= max(1, len(options))
    return [*options[shift:], *options[:shift]]


def circular(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Count a question as right only where every rotation of its options was answered correctly.

    Args:
        rows: one mapping a rotation with `id` (of the question) and `correct`.

    >>> circular([{"id": 1, "correct": True}, {"id": 1, "correct": False}, {"id": 2, "correct": True}])
    {'questions': 2, 'rotations': 3, 'circular_accuracy': 0.5, 'vanilla_accuracy': 0.6666666666666666}
    """
    all_right: dict[Any, bool] = {}
    for row in rows:
        all_right[row["id"]] = all_right.get(row["id"], True) and bool(row["correct"])
    right = sum(bool(row["correct"]) for row in rows)
    return {
        "questions": len(all_right),
        "rotations": len(rows),
        "circular_accuracy": sum(all_right.values()) / max(1, len(all_right)),
        "vanilla_accuracy": right / max(1, len(rows)),
    }
