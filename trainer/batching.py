"""Batches under a token budget: rows of like length together, or packed into one sequence.

>>> plan = plan_batches([50, 10, 40, 12], max_tokens=100, seed=0)
>>> sorted(sorted(batch) for batch in plan)
[[0, 2], [1, 3]]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from t2vid.corpora.placing import MEDIA_COLUMNS
from t2vid.errors import BudgetError, InputError
from t2vid.progress import progress

WINDOW = 2048  # rows among which lengths are matched; the order stays random beyond it


def plan_batches(
    lengths: Sequence[int],
    *,
    max_tokens: int,
    seed: int,
    world: int = 1,
    pack: bool = False,
    window: int = WINDOW,
    ids: Sequence[str] | None = None,
) -> list[list[int]]:
    """Decide which rows share a batch; pure, so that every process makes the same plan.

    Args:
        lengths: tokens of each row, frames included.
        max_tokens: limit of a batch: rows x longest row, or with `pack` the sum of the rows.
        seed: of the order of rows and of batches.
        world: number of processes; neighbouring batches go to different ones and are of like size.
        pack: rows will be laid end to end in one sequence instead of padded.
        window: rows among which lengths are matched.
        ids: of the rows, for messages.

    Returns:
        Batches of row numbers, every row once, their number a multiple of `world`.

    Raises:
        BudgetError: when a row alone is over the budget.
        InputError: when there are fewer rows than processes.
    """
    over = [i for i, n in enumerate(lengths) if n > max_tokens]
    if over:
        longest = max(over, key=lambda i: lengths[i])
        name = longest if ids is None else repr(ids[longest])
        raise BudgetError(
            f"row {name} needs {lengths[longest]:,} tokens but max_tokens_per_batch="
            f"{max_tokens:,} ({len(over):,} rows are over it); raise it, or lower max_frames"
        )
    if len(lengths) < world:
        raise InputError(f"{len(lengths)} rows cannot feed {world} processes")
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(lengths))
    batches: list[list[int]] = []
    for start in range(0, len(order), window):
        rows = sorted((int(i) for i in order[start : start + window]), key=lambda i: -lengths[i])
        fill = _packed if pack else _padded
        batches += fill(rows, lengths, max_tokens)
    _make_divisible(batches, world, lengths)
    # Ranks wait for each other, so batches of like size are dealt to the same step.
    batches.sort(key=lambda batch: cost(batch, lengths, pack=pack))
    steps = [batches[i : i + world] for i in range(0, len(batches), world)]
    return [batch for i in rng.permutation(len(steps)) for batch in steps[int(i)]]


def row_ids(dataset: Any) -> Sequence[str] | None:
    """Give the ids of a map-style dataset's rows, read only when asked for; None without ids."""
    return dataset["id"] if "id" in (getattr(dataset, "column_names", None) or []) else None


def cost(batch: Sequence[int], lengths: Sequence[int], *, pack: bool = False) -> int:
    """Count the token places that a batch takes, padding included."""
    sizes = [lengths[i] for i in batch]
    return sum(sizes) if pack else len(sizes) * max(sizes)


def padding_share(
    batches: Sequence[Sequence[int]], lengths: Sequence[int], *, pack: bool = False
) -> float:
    """Give the share of places that hold padding.

    >>> padding_share([[0, 1]], [30, 15])
    0.25
    """
    places = sum(cost(batch, lengths, pack=pack) for batch in batches)
    return 1 - sum(lengths[i] for batch in batches for i in batch) / places


def row_lengths(dataset: Any, encode: Any) -> list[int]:
    """Count the tokens of every row without drawing or decoding a frame.

    Args:
        dataset: map-style; an `n_frames` column, where there is one, saves looking at the media.
        encode: the `RowEncoder` of the run.

    Raises:
        InputError: when the dataset streams.
    """
    names = getattr(dataset, "column_names", None) or []
    if not hasattr(dataset, "__len__"):
        raise InputError(
            "batches by length need a map-style dataset; leave max_tokens_per_batch and "
            "group_by_length off for a stream"
        )
    if "n_frames" in names and None not in dataset["n_frames"][:]:
        dataset = dataset.select_columns([name for name in names if name not in MEDIA_COLUMNS])
    return [
        encode.n_tokens(row, n_frames=row.get("n_frames"))
        for row in progress(dataset, desc="lengths")
    ]


class TokenBatchSampler:
    """Deals planned batches to one process; which rows share a batch is fixed, their order is not.

    Args:
        batches: as `plan_batches` gives them.
        rank: this process.
        world: number of processes.
        seed: of the order in later epochs.
    """

    def __init__(
        self, batches: Sequence[Sequence[int]], *, rank: int = 0, world: int = 1, seed: int = 0
    ) -> None:
        self._steps = [batches[i : i + world] for i in range(0, len(batches), world)]
        self._rank = rank
        self._seed = seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of an epoch; the Trainer calls it."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._steps)

    def __iter__(self) -> Iterator[list[int]]:
        order = np.arange(len(self._steps))
        if self._epoch:
            order = np.random.default_rng([self._seed, self._epoch]).permutation(len(order))
        for i in order:
            yield list(self._steps[int(i)][self._rank])


def _padded(rows: list[int], lengths: Sequence[int], max_tokens: int) -> list[list[int]]:
    batches: list[list[int]] = []
    for i in rows:  # longest first, so the first row of a batch sets its width
        if not batches or lengths[batches[-1][0]] * (len(batches[-1]) + 1) > max_tokens:
            batches.append([])
        batches[-1].append(i)
    return batches


def _packed(rows: list[int], lengths: Sequence[int], max_tokens: int) -> list[list[int]]:
    # First fit, longest first: at most 11/9 of the least possible number of bins (Johnson 1973).
    batches: list[list[int]] = []
    room: list[int] = []
    for i in rows:
        at = next((k for k, free in enumerate(room) if free >= lengths[i]), None)
        if at is None:
            batches.append([])
            room.append(max_tokens)
            at = len(room) - 1
        batches[at].append(i)
        room[at] -= lengths[i]
    return batches


def _make_divisible(batches: list[list[int]], world: int, lengths: Sequence[int]) -> None:
    # Every process must take as many steps; splitting a batch neither drops nor repeats a row.
    while len(batches) % world:
        largest = max(batches, key=len)
        if len(largest) < 2:
            batches.append(list(largest))  # only single rows are left: one is seen twice
            continue
        batches.remove(largest)
        batches += [largest[::2], largest[1::2]]
