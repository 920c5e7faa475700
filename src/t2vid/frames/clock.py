"""When a frame is shown: the clock that ffmpeg goes by, where a file's own stamps are poor.

>>> clock, offset_s = JoinClock(Fraction(1, 10)), Fraction(0)
>>> [float(clock.shift(dts, 1, offset_s)) for dts in (0, 1, 2, 500)]  # another recording
[0.0, 0.0, 0.0, -49.7]
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from t2vid.frames.packets import EVER

MAX_JOIN_S = 10  # ffmpeg's -dts_delta_threshold
_FALL_S = Fraction(1, 10)  # fftools: a stamp so far behind the last one begins another recording


class FrameClock:
    """The tick of a decoded frame: its pts or, where those are out of order more often, its dts.

    Source: guess_correct_pts in FFmpeg's libavcodec/decode.c, which ffmpeg shows frames by.
    """

    def __init__(self) -> None:
        self._faulty_pts = self._faulty_dts = 0
        self._last_pts = self._last_dts = -EVER

    def read(self, frame: Any) -> int | None:
        """Give the tick of the next frame; None where it has no stamp at all."""
        pts, dts = frame.pts, frame.dts
        if dts is not None:
            self._faulty_dts += dts <= self._last_dts
            self._last_dts = dts
        elif pts is not None:
            self._last_dts = pts
        if pts is not None:
            self._faulty_pts += pts <= self._last_pts
            self._last_pts = pts
        elif dts is not None:
            self._last_pts = dts
        by_pts = self._faulty_pts <= self._faulty_dts or dts is None
        return pts if by_pts and pts is not None else dts  # type: ignore[no-any-return]


class JoinClock:
    """Makes one clock of several, as of recordings joined byte by byte.

    Source: ts_discontinuity_process in FFmpeg's fftools; it looks at containers that libav marks
    with AVFMT_TS_DISCONT (transport and program streams, Ogg).

    Args:
        tick: the stream's time base in seconds.
    """

    def __init__(self, tick: Fraction) -> None:
        self._tick = tick
        self._next_s: Fraction | None = None
        self._last_s = Fraction(-EVER)

    def shift(self, dts: int | None, duration: int, offset_s: Fraction) -> Fraction:
        """Give the seconds to add to the stamps of the next packet.

        Args:
            dts: its decode tick, None where it has none.
            duration: of the packet in ticks.
            offset_s: what was added to the packet before it.
        """
        if dts is None:
            if self._next_s is not None:
                self._next_s += duration * self._tick
            return offset_s
        now = dts * self._tick + offset_s
        if self._next_s is not None:
            delta = now - self._next_s
            if abs(delta) > MAX_JOIN_S or now + _FALL_S < self._last_s:
                offset_s -= delta
                now -= delta
        self._last_s, self._next_s = now, now + duration * self._tick
        return offset_s
