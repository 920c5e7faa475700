"""Writes the shards of a planned mix on a Ray cluster: the same function, the same bytes.

    >>> list(write_shards(Path("mix"), [0, 1, 2], address="auto"))  # doctest: +SKIP

Only shard numbers travel. The folders of the mix and of the data must be shared by all machines.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from t2vid.errors import require
from t2vid.mixing.shards import Shard, write_shard
from t2vid.storage.files import PathLike, absolute, path_of
from t2vid.storage.pool import BuildError

RETRIES = 5  # of a task whose worker or machine died
WINDOW = 2  # tasks waiting for each CPU, so that a million shards are no million tasks


def write_shards(
    out: PathLike, numbers: list[int], *, num_proc: int | None = None, address: str | None = None
) -> Iterator[Shard]:
    """Write shards on a cluster, giving each as it is finished.

    Args:
        out: folder of the mix with its plan.
        numbers: of the shards.
        num_proc: CPUs of a cluster that is started here; None is all.
        address: of a running cluster, e.g. `auto`; None starts one on this machine.

    Raises:
        BuildError: when a shard failed for good, with its number and the reason.
        MissingExtra: when Ray is not installed.
    """
    if not numbers:
        return
    ray = require("ray", extra="scale")
    started = not ray.is_initialized()
    if started:
        cpus = {} if address else {"num_cpus": num_proc}
        ray.init(address=address, log_to_driver=False, include_dashboard=False, **cpus)
    try:
        yield from _write(ray, absolute(path_of(out)), numbers)
    finally:
        if started:
            ray.shutdown()


def _write(ray: Any, out: str, numbers: list[int]) -> Iterator[Shard]:
    task = ray.remote(num_cpus=1, max_retries=RETRIES)(write_shard)
    room = WINDOW * max(1, int(ray.cluster_resources().get("CPU", 1)))
    waiting = list(reversed(numbers))
    running: dict[Any, int] = {}
    while waiting or running:
        while waiting and len(running) < room:
            number = waiting.pop()
            running[task.remote(out, number)] = number
        done, _ = ray.wait(list(running), num_returns=1)
        number = running.pop(done[0])
        try:
            yield ray.get(done[0])
        except ray.exceptions.RayError as error:
            reason = str(getattr(error, "cause", None) or error).strip().splitlines()[-1]
            raise BuildError(f"shard {number} failed for good: {reason}") from error
