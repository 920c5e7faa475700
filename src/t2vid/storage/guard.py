"""Limits of what one source may cost, and the file object that keeps them.

>>> Guarded(io.BytesIO(b"1234"), "four bytes", time.monotonic() + 60).read(2)
b'12'
"""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from typing import Any, BinaryIO

from t2vid.errors import BadVideo, InputError


@dataclass(frozen=True)
class Limits:
    """How much one video may cost before it counts as bad.

    Args:
        timeout_s: seconds from opening to the last frame.
        max_pixels: width x height of a coded frame.
        max_bytes: what the frames given, or a source that has to be held in memory (a pipe, a
            compressed archive member), may take up.
    """

    timeout_s: float = 300.0
    max_pixels: int = 8192 * 8192
    max_bytes: int = 2 * 1024**3

    def __post_init__(self) -> None:
        """Check every field against its limit."""
        for name in ("timeout_s", "max_pixels", "max_bytes"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not value > 0:
                raise InputError(f"{name} ({value!r}) must be > 0")


class Guarded:
    """A file object that stops at a deadline, and is what libav reads from.

    Args:
        file: seekable binary file.
        name: what messages call it.
        deadline: `time.monotonic()` value after which reading is refused.
    """

    def __init__(self, file: BinaryIO, name: str, deadline: float) -> None:
        self._file, self._name, self._deadline = file, name, deadline
        self.seek: Any = getattr(file, "seek", None)  # what is only held in memory has none
        self.tell: Any = getattr(file, "tell", None)

    def seekable(self) -> bool:
        """Say yes."""
        return True

    def readable(self) -> bool:
        """Say yes."""
        return True

    def read(self, n: int = -1) -> bytes:
        """Read at most `n` bytes, while there is time."""
        if time.monotonic() > self._deadline:
            raise timed_out(self._name)
        try:
            return self._file.read(n)
        except Exception as error:  # a network has errors of its own, different for each back end
            found = f"reading broke off ({type(error).__name__}: {error})"
            raise bad(self._name, "unreachable", found, "try again") from error


def bad(name: str, reason: str, found: str, move: str) -> BadVideo:
    """Build the one form every message about a video has: who, what was found, the next move."""
    return BadVideo(f"{name}: {found}; {move}", reason=reason)


def timed_out(name: str) -> BadVideo:
    """Build the error of a video that took too long."""
    move = "leave it out, or give Limits(timeout_s=...) more"
    return bad(name, "timeout", "not done within the time limit", move)


def spool(file: Any, name: str, limits: Limits, deadline: float) -> BinaryIO:
    """Hold a source that cannot be sought in memory, up to the limit."""
    held = io.BytesIO()
    while chunk := file.read(1 << 20):
        held.write(chunk)
        if held.tell() > limits.max_bytes:
            found = f"it cannot be sought and goes on after {limits.max_bytes:,} bytes"
            raise bad(name, "endless", found, "save it as a file first")
        if time.monotonic() > deadline:
            raise timed_out(name)
    return held
