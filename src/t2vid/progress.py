"""One progress bar for the whole library: on rank 0, on a terminal, and nowhere else.

>>> list(progress([1, 2, 3], desc="rows"))
[1, 2, 3]
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")
# Whose bars are drawn beside ours, and the variable that each reads once.
_BARS = {
    "datasets.utils": "HF_DATASETS_DISABLE_PROGRESS_BARS",
    "huggingface_hub.utils": "HF_HUB_DISABLE_PROGRESS_BARS",
}
_silenced = ContextVar("_silenced", default=False)


def progress(
    items: Iterable[T], *, desc: str, total: int | None = None, unit: str = "row"
) -> Iterator[T]:
    """Iterate over `items` behind a progress bar that appears after half a second.

    Args:
        items: anything iterable.
        desc: the noun shown at the left of the bar.
        total: number of items, where `items` has no length.
        unit: what one item is called.
    """
    return iter(tqdm(items, desc=desc, total=total, unit=unit, delay=0.5, disable=not visible()))


def visible() -> bool:
    """Say whether this process may draw: it is rank 0, its stderr a terminal, and nobody asked for quiet."""
    return not _silenced.get() and os.environ.get("RANK", "0") == "0" and sys.stderr.isatty()


@contextmanager
def silenced() -> Iterator[None]:
    """Draw no bars in the block, nor let `datasets` and the Hub's client draw theirs."""
    token = _silenced.set(True)
    before = {name: os.environ.get(name) for name in _BARS.values()}
    loaded = [sys.modules[name] for name in _BARS if name in sys.modules]
    shown = [module for module in loaded if not module.are_progress_bars_disabled()]
    os.environ.update(dict.fromkeys(before, "1"))  # read where they are imported from now on
    for module in shown:
        module.disable_progress_bars()
    try:
        yield
    finally:
        _silenced.reset(token)
        for module in shown:
            module.enable_progress_bars()
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
