"""A shuffled order that reads whole row groups, and one in which every batch holds every source.

>>> plan = GroupPlan([2, 3, 1], seed=1, window=2)
>>> sorted(plan.at(np.arange(6)).tolist())
[0, 1, 2, 3, 4, 5]
>>> even = StratifiedPlan(plan, ["a", "a", "b", "a", "b", "a"], batch_size=3)
>>> sorted(even.at(np.arange(6)).tolist())
[0, 1, 2, 3, 4, 5]

A `RowPlan` alone would read a row group of a hundred rows for each row. Here row groups come in a
seeded order, and rows are shuffled among the row groups of a window; whatever the number of
processes, the row at a position is the same.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from t2vid.errors import InputError
from t2vid.mixing.plan import RowPlan, permuted

WINDOW = 16  # row groups: 1,600 rows of a mix that t2vid built
Stratify = Literal["mixed", "apart"]
STRATIFY = ("mixed", "apart")


class GroupPlan:
    """Which row stands at which position, where rows lie in groups that are read as a whole.

    Args:
        rows_of_groups: number of rows of each group.
        seed: of the order.
        window: groups whose rows are shuffled among each other; that many are held in memory.
        remix: give every epoch an order of its own.

    Raises:
        InputError: when there are no rows or no window.
    """

    def __init__(
        self,
        rows_of_groups: Sequence[int],
        *,
        seed: int = 0,
        window: int = WINDOW,
        remix: bool = True,
    ) -> None:
        sizes = np.asarray(rows_of_groups, np.int64)
        if not sizes.sum():
            raise InputError("there are no rows to stream")
        if window < 1:
            raise InputError(f"window ({window}) must be > 0 row groups")
        self.sizes, self.seed, self.window, self.remix = sizes, seed, window, remix
        self.first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        self.n_rows = int(sizes.sum())

    def at(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give the rows at any positions."""
        epochs, places = np.divmod(positions, self.n_rows)
        out = np.empty(len(positions), np.int64)
        for epoch in np.unique(epochs):
            here = np.flatnonzero(epochs == epoch)
            order, starts = _shuffled(self, int(epoch) if self.remix else 0)
            windows = np.searchsorted(starts, places[here], "right") - 1
            for window in np.unique(windows):
                mine = here[windows == window]
                groups = order[window * self.window : (window + 1) * self.window]
                ends = np.cumsum(self.sizes[groups])
                key = f"{self.seed}/{epoch if self.remix else 0}/{window}"
                inside = permuted(places[mine] - starts[window], int(ends[-1]), key=key)
                at = np.searchsorted(ends, inside, "right")
                out[mine] = self.first[groups[at]] + inside - (ends - self.sizes[groups])[at]
        return out

    def group_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give the group of each row."""
        return np.searchsorted(self.first, rows, "right") - 1 if len(rows) else rows


class StratifiedPlan:
    """The order of another plan, rearranged so that each batch is made of the sources as asked.

    Args:
        plan: the order within each source.
        sources: source of each row.
        batch_size: rows that follow each other in one batch.
        how: `"mixed"` spreads every source evenly, so that a batch holds the shares of the whole;
            `"apart"` makes every batch of one source, batches in a seeded order, and the remainders
            of all sources together at the end.

    Raises:
        InputError: for another `how`, or sources of other rows.
    """

    def __init__(
        self,
        plan: GroupPlan | RowPlan,
        sources: Sequence[str],
        *,
        batch_size: int,
        how: Stratify = "mixed",
    ) -> None:
        if how not in STRATIFY:
            raise InputError(f"stratify ({how!r}) must be one of {STRATIFY}, or None")
        if len(sources) != plan.n_rows:
            raise InputError(f"{len(sources):,} sources are given for {plan.n_rows:,} rows")
        self.plan, self.batch_size, self.how, self.n_rows = plan, batch_size, how, plan.n_rows
        names, labels = np.unique(
            np.asarray(sources, dtype=object).astype(str), return_inverse=True
        )
        self.names, self.labels = names.tolist(), labels

    def at(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give the rows at any positions."""
        epochs, places = np.divmod(positions, self.n_rows)
        out = np.empty(len(positions), np.int64)
        for epoch in np.unique(epochs):
            here = epochs == epoch
            out[here] = _arranged(self, int(epoch))[places[here]]
        return out


@functools.lru_cache(maxsize=4)
def _shuffled(plan: GroupPlan, epoch: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the order of the groups, and the position at which each window begins."""
    n = len(plan.sizes)
    order = permuted(np.arange(n), n, key=f"{plan.seed}/{epoch} groups")
    rows = np.add.reduceat(plan.sizes[order], np.arange(0, n, plan.window))
    return order, np.concatenate([[0], np.cumsum(rows)[:-1]])


@functools.lru_cache(maxsize=2)
def _arranged(plan: StratifiedPlan, epoch: int) -> NDArray[np.int64]:
    """Give all rows of an epoch in their order."""
    rows = plan.plan.at(np.arange(plan.n_rows) + epoch * plan.n_rows)
    labels = plan.labels[rows]
    parts = [rows[labels == label] for label in range(len(plan.names))]
    if plan.how == "mixed":
        # The j-th of n rows of a source belongs at (j + 1/2) / n of the epoch.
        due = np.concatenate([(np.arange(len(part)) + 0.5) / len(part) for part in parts])
        return np.concatenate(parts)[np.argsort(due, kind="stable")]
    size = plan.batch_size
    whole = np.concatenate([part[: len(part) // size * size] for part in parts]).reshape(-1, size)
    rest = np.concatenate([part[len(part) // size * size :] for part in parts])
    n = len(whole)
    if n:
        whole = whole[permuted(np.arange(n), n, key=f"{plan.plan.seed}/{epoch} batches")]
    return np.concatenate([whole.ravel(), rest])
