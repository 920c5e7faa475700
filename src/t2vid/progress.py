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


def quieten_libraries() -> None:
    """Keep the bars of `datasets`, `huggingface_hub` and transformers out of logs; call it before them."""
    for library in ("DATASETS", "HUB"):  # transformers asks huggingface_hub
        os.environ.setdefault(f"HF_{library}_DISABLE_PROGRESS_BARS", "1")


@contextmanager
def silenced() -> Iterator[None]:
    """Draw no bars in the block."""
    token = _silenced.set(True)
    try:
        yield
    finally:
        _silenced.reset(token)
