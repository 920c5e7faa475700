"""Several processes that share one evaluation: who takes what, and when all are done.

>>> Processes(rank=1, world=4).meet()
False
"""

from __future__ import annotations

import atexit
import logging
import os
from datetime import timedelta
from typing import NamedTuple, Self

from t2vid.errors import require

logger = logging.getLogger(__name__)

# One process may be done long before another; a launcher ends all where one dies.
_PATIENCE = timedelta(days=7)


class Processes(NamedTuple):
    """This process among those of a launcher (`torchrun`, `accelerate launch`).

    Attributes:
        rank: number of this one, from 0.
        world: how many there are.
    """

    rank: int = 0
    world: int = 1

    @classmethod
    def found(cls) -> Self:
        """Read what the launcher set."""
        return cls(int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1")))

    def meet(self) -> bool:
        """Wait until every process is here; False where there is no way to know.

        A launcher that sets RANK and WORLD_SIZE alone, without MASTER_ADDR, gives none: then run the
        same command once more in one process, which finds nothing to ask and scores.
        """
        if self.world == 1:
            return True
        if "MASTER_ADDR" not in os.environ:
            logger.warning("%s is done; run once more in one process to score", self)
            return False
        torch = require("torch", extra="eval")
        distributed = torch.distributed
        if not distributed.is_initialized():
            distributed.init_process_group("gloo", timeout=_PATIENCE)
            atexit.register(_leave)
        # gloo even where a model is spread with nccl: a barrier of nccl gives up after minutes
        group = (
            None
            if distributed.get_backend() == "gloo"
            else distributed.new_group(backend="gloo", timeout=_PATIENCE)
        )
        distributed.barrier(group)
        return True


def _leave() -> None:
    distributed = require("torch", extra="eval").distributed
    if distributed.is_initialized():
        distributed.destroy_process_group()
