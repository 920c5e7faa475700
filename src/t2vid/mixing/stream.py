"""`PlanStream`: a row plan over a dataset as a torch `IterableDataset`, for `DataLoader` and friends.

>>> from t2vid.mixing.plan import RowPlan
>>> stream = PlanStream(["a", "b", "c"], RowPlan(3), batch_size=1)
>>> sorted(stream)
['a', 'b', 'c']
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from t2vid.errors import InputError, require
from t2vid.mixing.plan import RowPlan, check_rank

if TYPE_CHECKING:
    from torch.utils.data import IterableDataset
else:
    IterableDataset = require("torch.utils.data", extra="train").IterableDataset


class RowSequence(Protocol):
    """Anything with numbered rows, e.g. a `datasets.Dataset`."""

    def __getitem__(self, row: int) -> Any:
        """Give one row."""

    def __len__(self) -> int:
        """Count the rows."""


class PlanStream(IterableDataset[Any]):
    """The rows of a dataset in the order of a plan, the same for any number of loader workers.

    Worker `w` of `n` makes the batches `w, w + n, …`, as `DataLoader` collects them, so give both
    the same batch size. Rank `r` takes the `r`-th batch of every `world_size` batches.

    Args:
        dataset: rows by number.
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
        plan: RowPlan,
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
        self.dataset, self.plan, self.batch_size = dataset, plan, batch_size
        self.rank, self.world_size = rank, world_size
        self.start, self.epochs = position, epochs
        self._given = 0  # rows that this worker of this rank has given since `start`

    def __iter__(self) -> Iterator[Any]:
        from torch.utils.data import get_worker_info

        info = get_worker_info()
        worker, workers = (info.id, info.num_workers) if info else (0, 1)
        stop = (self.start // self.plan.n_rows + self.epochs) * self.plan.n_rows
        while True:
            batch, place = divmod(self._given, self.batch_size)
            turn = (batch * workers + worker) * self.world_size + self.rank
            first = self.start + turn * self.batch_size
            positions = np.arange(first + place, min(first + self.batch_size, stop))
            if not len(positions):
                break
            for row in self.plan.at(positions).tolist():
                self._given += 1
                yield self.dataset[row]
        self._given = 0

    def set_epoch(self, epoch: int) -> None:
        """Move to the start of an epoch, unless the position is inside it already."""
        if self.start // self.plan.n_rows != epoch:
            self.start, self._given = epoch * self.plan.n_rows, 0

    def state_dict(self) -> dict[str, int]:
        """Give the state of this worker, as `StatefulDataLoader` keeps it for each."""
        return {"start": self.start, "given": self._given}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state_dict` was taken, in the same worker of as many."""
        self.start, self._given = int(state["start"]), int(state["given"])
