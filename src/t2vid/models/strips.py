"""A picture as one row of patches, the form in which MiniCPM-V takes frames of any shape.

>>> picture = np.arange(28 * 42 * 3, dtype=np.uint8).reshape(28, 42, 3)
>>> strip(picture, 14).shape, bool((unstrip(strip(picture, 14), 2, 3) == picture).all())
((14, 84, 3), True)
"""

from __future__ import annotations

from typing import Any

import numpy as np


def strip(picture: np.ndarray[Any, Any], patch: int) -> np.ndarray[Any, Any]:
    """Lay the patches of a picture side by side, row by row.

    Args:
        picture: `(height, width, 3)`, both multiples of `patch`.
        patch: side of a patch in pixels.

    Returns:
        `(patch, patches * patch, 3)`.
    """
    height, width, _ = picture.shape
    grid = picture.reshape(height // patch, patch, width // patch, patch, 3)
    return grid.swapaxes(0, 1).reshape(patch, -1, 3)


def unstrip(row: np.ndarray[Any, Any], rows: int, columns: int) -> np.ndarray[Any, Any]:
    """Put a picture together again.

    Args:
        row: as `strip` gives it; what lies beyond the patches is left out.
        rows: of patches.
        columns: of patches.

    Returns:
        `(rows * patch, columns * patch, 3)`.
    """
    patch = row.shape[0]
    grid = row[:, : rows * columns * patch].reshape(patch, rows, columns, patch, 3)
    return grid.swapaxes(0, 1).reshape(rows * patch, columns * patch, 3)
