"""White frames whose memory is used again once nobody holds them.

>>> frame = blank_frame(448, 448)
>>> frame.shape, bool((frame == 255).all())
((448, 448), True)

The memory of a frame is larger than what the C library keeps at hand, so it goes back to the system
and comes anew, page by page, which takes longer than all drawing.
"""

from __future__ import annotations

import weakref

import numpy as np

from t2vid.frames.strip import WHITE, Gray

POOL_BYTES = 16 * 2**20  # 80 frames of 448x448, as many as a row may have

_free: dict[int, list[bytearray]] = {}
_n_free_bytes = 0
_leases: dict[int, _Lease] = {}


class _Lease(weakref.ref[Gray]):
    """Knows when a frame is gone, and with it every view and picture that looked at its memory."""

    __slots__ = ("buffer",)
    buffer: bytearray


def blank_frame(height_px: int, width_px: int) -> Gray:
    """Give a white frame of its own.

    Args:
        height_px: rows.
        width_px: columns.
    """
    global _n_free_bytes
    size = height_px * width_px
    try:
        buffer = _free[size].pop()
        _n_free_bytes -= size
    except (KeyError, IndexError):
        buffer = bytearray(size)
    frame: Gray = np.ndarray((height_px, width_px), np.uint8, buffer)
    lease = _Lease(frame, _give_back)
    lease.buffer = buffer
    _leases[id(buffer)] = lease
    frame.fill(WHITE)
    return frame


def _give_back(lease: _Lease) -> None:
    global _n_free_bytes
    del _leases[id(lease.buffer)]
    size = len(lease.buffer)
    if _n_free_bytes + size <= POOL_BYTES:
        _n_free_bytes += size
        _free.setdefault(size, []).append(lease.buffer)
