"""One progress bar for the whole library: on rank 0, on a terminal, and nowhere else.

>>> list(progress([1, 2, 3], desc="rows"))
[1, 2, 3]
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")


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
    """Say whether this process may draw: it is rank 0 and its stderr is a terminal."""
    return os.environ.get("RANK", "0") == "0" and sys.stderr.isatty()
