"""The order of rows: a seeded permutation for each epoch, and a position in it that is one integer.

>>> plan = RowPlan(5, seed=1)
>>> sorted(plan.rows(0, 5).tolist())
[0, 1, 2, 3, 4]
>>> plan.row(7) == int(plan.rows(5, 10)[2])  # position 7 is the third row of the second epoch
True

Nothing here knows how many processes read: a position counts rows over all ranks and workers, so a
run that stops anywhere goes on with exactly the rows that are left, on any number of machines.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from t2vid.errors import InputError

_ROUNDS = 8
_MIN_HALF_BITS = 4  # below, a Feistel network reaches too few of the permutations
_CHUNK = 4096


@dataclass(frozen=True)
class RowPlan:
    """Which row stands at which position, for ever; any position costs the same and no memory.

    Args:
        n_rows: rows of an epoch.
        seed: of the order.
        remix: give every epoch an order of its own; False repeats the first.

    Raises:
        InputError: when `n_rows` or `seed` is out of range.
    """

    n_rows: int
    seed: int = 0
    remix: bool = True

    def __post_init__(self) -> None:
        """Check the arguments."""
        if not 0 < self.n_rows < 2**62:
            raise InputError(f"n_rows ({self.n_rows}) must be from 1 to 2**62 - 1")

    def row(self, position: int) -> int:
        """Give the row at one position."""
        return int(self.rows(position, position + 1)[0])

    def rows(self, start: int, stop: int) -> NDArray[np.int64]:
        """Give the rows at the positions `start` to `stop - 1`, which may span epochs."""
        return self.at(np.arange(start, stop, dtype=np.int64))

    def at(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give the rows at any positions.

        Raises:
            InputError: when a position is negative.
        """
        if len(positions) and positions.min() < 0:
            raise InputError(f"position ({positions.min()}) must be >= 0")
        epochs, places = np.divmod(positions, self.n_rows)
        out = np.empty(len(positions), np.int64)
        for epoch in np.unique(epochs):
            here = epochs == epoch
            key = f"{self.seed}/{int(epoch) if self.remix else 0}"
            out[here] = permuted(places[here], self.n_rows, key=key)
        return out


class PlanSampler:
    """Row numbers for a map-style dataset: what `DataLoader(dataset, sampler=…)` takes.

    One iteration gives the rest of one epoch. `state_dict` is the position that every rank reaches
    together; it loads under any world size. Without `rank` it gives the global order, which
    `accelerate` and the Trainer deal out to the ranks themselves.

    Args:
        plan: the order.
        position: where to begin.
        rank: this process among `world_size`; it takes every `world_size`-th row.
        world_size: number of processes.
    """

    def __init__(
        self, plan: RowPlan, *, position: int = 0, rank: int = 0, world_size: int = 1
    ) -> None:
        check_rank(rank, world_size)
        self.plan, self.position = plan, position
        self.rank, self.world_size = rank, world_size

    def __len__(self) -> int:
        rest = self._epoch_end() - self.position - self.rank
        return max(0, -(-rest // self.world_size))

    def __iter__(self) -> Iterator[int]:
        stop = self._epoch_end()
        while self.position < stop:
            end = min(stop, self.position + _CHUNK * self.world_size)
            mine = np.arange(self.position + self.rank, end, self.world_size)
            for row in self.plan.at(mine).tolist():
                # moved on first: once a row is out, the state says so
                self.position = min(self.position + self.world_size, stop)
                yield row
            self.position = end

    def set_epoch(self, epoch: int) -> None:
        """Move to the start of an epoch, unless the position is inside it already."""
        if self.position // self.plan.n_rows != epoch:
            self.position = epoch * self.plan.n_rows

    def state_dict(self) -> dict[str, int]:
        """Give the position."""
        return {"position": self.position}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state_dict` was taken."""
        self.position = int(state["position"])

    def _epoch_end(self) -> int:
        return (self.position // self.plan.n_rows + 1) * self.plan.n_rows


def permuted(places: NDArray[np.int64], n: int, *, key: str) -> NDArray[np.int64]:
    """Permute the numbers below `n`: equal places give equal numbers, different ones different.

    A Feistel network over the next power of four with cycle walking (Black and Rogaway 2002), so
    no table of `n` numbers exists; only integer arithmetic, so every machine and numpy agree.

    Args:
        places: numbers from 0 to `n - 1`.
        n: size of the domain.
        key: any string; each gives another permutation.
    """
    half = np.uint64(max(_MIN_HALF_BITS, ((n - 1).bit_length() + 1) // 2))
    mask = (np.uint64(1) << half) - np.uint64(1)
    digest = hashlib.shake_256(f"t2vid row plan {key}".encode()).digest(8 * _ROUNDS)
    keys = np.frombuffer(digest, dtype="<u8").astype(np.uint64)
    values = places.astype(np.uint64)
    walking = np.ones(len(values), bool)
    while walking.any():
        values[walking] = _feistel(values[walking], keys, half, mask)
        walking = values >= n
    return values.astype(np.int64)


def _feistel(
    values: NDArray[np.uint64], keys: NDArray[np.uint64], half: np.uint64, mask: np.uint64
) -> NDArray[np.uint64]:
    left, right = values >> half, values & mask
    for key in keys:
        left, right = right, left ^ (mixed(right ^ key) & mask)
    return (left << half) | right


def mixed(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of splitmix64 (Steele, Lea and Flood 2014)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def check_rank(rank: int, world_size: int) -> None:
    """Refuse a rank that is none of a world's."""
    if not 0 <= rank < world_size:
        raise InputError(f"rank ({rank}) must be from 0 to world_size - 1 ({world_size - 1})")
