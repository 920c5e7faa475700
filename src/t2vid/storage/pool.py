"""Calls a pure function on many tasks in processes that may die: a task of a dead one runs again.

>>> sorted(in_pool(abs, [(-2,), (1,)], None))
[1, 2]
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from t2vid.errors import T2VidError

logger = logging.getLogger(__name__)

ATTEMPTS = 3  # of a task whose worker died


class BuildError(T2VidError, RuntimeError):
    """A shard that could not be written; the message names it and the reason."""


def in_pool(
    function: Callable[..., Any],
    tasks: list[tuple[Any, ...]],
    num_proc: int | None,
    *,
    ordered: bool = False,
) -> Iterator[Any]:
    """Call `function` on every task, in processes that may die; a task of a dead one runs again.

    Args:
        function: pure, so that running it twice is harmless.
        tasks: its arguments.
        num_proc: processes; None or 1 is this one.
        ordered: give the results in the order of the tasks; else as they come.

    Raises:
        BuildError: when a task killed its worker `ATTEMPTS` times.
    """
    if num_proc is None or num_proc == 1 or len(tasks) < 2:
        for task in tasks:
            yield function(*task)
        return
    waiting = deque(range(len(tasks)))
    tries = dict.fromkeys(waiting, 0)
    results: dict[int, Any] = {}
    given = 0
    while waiting:
        # spawn: a fork of a process with threads (arrow, tokenizers, torch) may hang
        # The function may carry an index of all videos: it is sent once a worker, not once a task.
        pool = ProcessPoolExecutor(
            num_proc,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_receive,
            initargs=(function,),
        )
        running: dict[Future[Any], int] = {}
        try:
            while waiting or running:
                while waiting and len(running) < 2 * num_proc:
                    running[pool.submit(_call, tasks[waiting[0]])] = waiting[0]
                    waiting.popleft()
                future = next((f for f in running if f.done()), None)
                if future is None:
                    time.sleep(0.01)
                    continue
                number = running[future]
                results[number] = future.result()
                del running[future]
                if not ordered:
                    yield results.pop(number)
                while ordered and given in results:
                    yield results.pop(given)
                    given += 1
        except BrokenProcessPool:
            for number in sorted(running.values(), reverse=True):
                tries[number] += 1
                waiting.appendleft(number)
                if tries[number] >= ATTEMPTS:
                    raise BuildError(
                        f"task {number} ({str(tasks[number])[:80]}) was running when a worker died, "
                        f"{ATTEMPTS} times; it may need more memory than there is (lower num_proc), or the "
                        'script that started this does so outside of if __name__ == "__main__"'
                    ) from None
            logger.warning("a worker process died; %d tasks run again", len(running))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


_received: Callable[..., Any] | None = None


def _receive(function: Callable[..., Any]) -> None:
    global _received
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    _received = function


def _call(task: tuple[Any, ...]) -> Any:
    assert _received is not None, "a worker without its initialiser"
    return _received(*task)
