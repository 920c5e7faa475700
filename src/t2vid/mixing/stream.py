"""`PlanStream`: a row plan over a dataset as a torch `IterableDataset`, for `DataLoader` and friends.

>>> from t2vid.mixing.plan import RowPlan
>>> stream = PlanStream(["a", "b", "c"], RowPlan(3), batch_size=1)
>>> first = next(iter(stream)); rest = PlanStream(["a", "b", "c"], RowPlan(3), batch_size=2)
>>> rest.load_state_dict(stream.state_dict()); sorted([first, *rest])
['a', 'b', 'c']
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from t2vid.errors import InputError, require
from t2vid.mixing.plan import check_rank

if TYPE_CHECKING:
    from torch.utils.data import IterableDataset
else:
    IterableDataset = require("torch.utils.data", extra="train").IterableDataset

State = Mapping[str, Any]

_ROWS_AT_A_TIME = 1024
_ROWS_AHEAD = 64  # how often what comes soon is asked for


class RowSequence(Protocol):
    """Anything with numbered rows, e.g. a `datasets.Dataset`."""

    def __getitem__(self, row: int) -> Any:
        """Give one row."""

    def __len__(self) -> int:
        """Count the rows."""


class Order(Protocol):
    """Says which row stands at a position: a `RowPlan`, a `GroupPlan`, a `StratifiedPlan`."""

    @property
    def n_rows(self) -> int:
        """Rows of an epoch."""

    def at(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give the rows at any positions, which may span epochs."""


class PlanStream(IterableDataset[Any]):
    """The rows of a dataset in the order of a plan, the same for any number of loader workers.

    Worker `w` of `n` makes the batches `w, w + n, …`, as `DataLoader` collects them, so give both
    the same batch size. Rank `r` takes the `r`-th batch of every `world_size` batches.

    Args:
        dataset: rows by number; one with a method `prefetch(rows)` is told which come soon.
        plan: their order.
        batch_size: rows of a batch of one rank.
        position: rows that all ranks have seen together: batches x batch size x world size.
        epochs: one iteration goes to the end of so many epochs, the one of `position` included.
        rank: this process among `world_size`.
        world_size: number of processes.

    Raises:
        InputError: when the plan does not fit the dataset.
    """

    def __init__(
        self,
        dataset: RowSequence,
        plan: Order,
        *,
        batch_size: int,
        position: int = 0,
        epochs: int = 1,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        super().__init__()
        check_rank(rank, world_size)
        if plan.n_rows != len(dataset):
            raise InputError(
                f"the plan is over {plan.n_rows:,} rows, the dataset has {len(dataset):,}"
            )
        if batch_size < 1:
            raise InputError(f"batch_size ({batch_size}) must be > 0")
        self.dataset, self.plan, self.batch_size = dataset, plan, batch_size
        self.rank, self.world_size = rank, world_size
        self.start, self.epochs, self.epoch = position, epochs, position // plan.n_rows
        # What is to be given: these positions before `start`, then all from `start` on.
        self.left: list[int] = []
        self._given = 0  # rows that this worker of this rank has given of that
        self._worker, self._workers, self._ended = 0, 1, False

    def __iter__(self) -> Iterator[Any]:
        self._find_worker()
        if self._ended:
            self._given, self._ended = 0, False
        prefetch = getattr(self.dataset, "prefetch", None)
        n_rows = self.plan.n_rows
        stop = len(self.left) + (self.epoch + self.epochs) * n_rows - self.start
        size, place = self.batch_size, np.arange(self.batch_size)
        while True:
            # Many batches at a time: the plan of one row costs as much as that of hundreds.
            first = self._given // size
            batches = np.arange(first, first + max(1, _ROWS_AT_A_TIME // size))
            turns = (batches * self._workers + self._worker) * self.world_size + self.rank
            places = (turns[:, None] * size + place).ravel()[self._given - first * size :]
            places = places[places < stop]
            if not len(places):
                break
            for at, row in enumerate(self._rows(places).tolist()):
                if prefetch is not None and at % _ROWS_AHEAD == 0:
                    start = int(places[at])
                    prefetch(lambda n, at=start: self._rows(np.arange(at, min(at + n, stop))))
                self._given += 1
                yield self.dataset[row]
        self._ended = True  # until then a state says that all was given

    def set_epoch(self, epoch: int) -> None:
        """Move to the start of an epoch, unless the position is inside it already."""
        if self.epoch != epoch:
            self.epoch, self.start = epoch, epoch * self.plan.n_rows
            self._given, self._ended, self.left = 0, False, []

    def state_dict(self) -> dict[str, Any]:
        """Give the state of this worker, as `StatefulDataLoader` keeps it for each."""
        self._find_worker()
        return {
            "epoch": self.epoch,
            "start": self.start, "given": self._given, "left": list(self.left),
            "batch_size": self.batch_size, "rank": self.rank, "world_size": self.world_size,
            "worker": self._worker, "workers": self._workers, "n_rows": self.plan.n_rows,
        }  # fmt: skip

    def load_state_dict(self, state: State | Sequence[State]) -> None:
        """Go on where `state_dict` was taken.

        Args:
            state: of this rank and worker, for the same number of each; or those of all ranks (and of
                all their workers), for any number of ranks and workers and any batch size.

        Raises:
            InputError: for one state of several, or of a stream of other rows.
        """
        states = [state] if isinstance(state, Mapping) else list(state)
        n_rows = {one.get("n_rows", self.plan.n_rows) for one in states}
        if n_rows != {self.plan.n_rows}:
            raise InputError(
                f"the state is of {sorted(n_rows)} rows, this stream has {self.plan.n_rows}"
            )
        now = (self.rank, self.world_size, self.batch_size)
        same = [one for one in states if _place(one, self)[:3] == now]
        if isinstance(state, Mapping) and same:
            self.start, self._given = int(state["start"]), int(state["given"])
            self.left = list(state.get("left", []))
        else:
            states = [{**_blank(self), **one} for one in states]
            (self.start, self.left), self._given = _rest(states), 0
        self._ended = False
        self.epoch = int(states[0].get("epoch", self.start // self.plan.n_rows))

    def _rows(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give the rows at places of what is to be given."""
        n_left = len(self.left)
        positions = self.start + places - n_left
        if n_left:
            early = places < n_left
            positions[early] = np.asarray(self.left, np.int64)[places[early]]
        return self.plan.at(positions)

    def _find_worker(self) -> None:
        from torch.utils.data import get_worker_info

        info = get_worker_info()
        self._worker, self._workers = (info.id, info.num_workers) if info else (0, 1)


def _blank(stream: PlanStream) -> dict[str, Any]:
    return stream.state_dict() | {"left": [], "worker": 0, "workers": 1}


def _place(state: State, stream: PlanStream) -> tuple[int, int, int]:
    whole = {**_blank(stream), **state}
    return whole["rank"], whole["world_size"], whole["batch_size"]


def _rest(states: Sequence[State]) -> tuple[int, list[int]]:
    """Add up what the workers of all ranks have given: where all begins, and what is left before.

    Raises:
        InputError: when a rank or a worker is missing, or they are of different runs.
    """
    first = states[0]
    common = ("epoch", "start", "left", "batch_size", "world_size", "workers")
    if any(one[name] != first[name] for one in states for name in common):
        raise InputError("the states are of different runs; give those of one moment of one run")
    world, workers, size = first["world_size"], first["workers"], first["batch_size"]
    there = {(one["rank"], one["worker"]) for one in states}
    wanted = {(rank, worker) for rank in range(world) for worker in range(workers)}
    if there != wanted or len(states) != len(wanted):
        raise InputError(
            f"of the {len(wanted)} states of {world} ranks with {workers} workers, "
            f"{sorted(wanted - there)} are missing; give the states of all (rank, worker)"
        )
    given: set[int] = set()
    for one in states:
        for row in range(one["given"]):
            batch, place = divmod(row, size)
            turn = (batch * workers + one["worker"]) * world + one["rank"]
            given.add(turn * size + place)
    end = max(given, default=-1) + 1
    n_left = len(first["left"])
    end = max(end, n_left)
    positions = [
        first["left"][i] if i < n_left else first["start"] + i - n_left for i in range(end)
    ]
    left = [position for i, position in enumerate(positions) if i not in given]
    return first["start"] + end - n_left, left
