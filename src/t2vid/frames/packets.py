"""Packets as far as they were looked at, and which of them a decoder can start from.

>>> recovery_frames(bytes([6, 6, 1, 0b00101000]))  # SEI, recovery point, one byte: ue(v) of 4
4
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from av.video.frame import PictureType

from t2vid.frames.sampling import DecodeRun

EVER = 1 << 62  # a tick beyond any
_KEEP_BYTES = 48 * 1024**2  # compressed packets held at once; beyond, they are read a second time
_H264_IDR, _H264_SEI, _SEI_RECOVERY = 5, 6, 6  # ISO/IEC 14496-10, tables 7-1 and D.1


class Unplanned(Exception):
    """A frame that was planned did not come, or no plan could be made; try the next way."""


@dataclass
class Piece:
    """Packets one after another in decode order, as far as they were looked at.

    Attributes:
        pts: presentation tick of each.
        dts: decode tick of each, None where the container has none.
        keys: positions of those that a decoder can start from.
        refreshes: whether some are marked as keyframes and are none: the picture is renewed
            bit by bit, and only later ones are whole.
        shown: ticks of those that are shown (an edit list hides some).
        known: tick up to which it is known what is shown.
        packets: the packets themselves, or None where they were too many to hold.
        end: tick at which the last one shown ends.
        ended: whether the end of the file was reached.
    """

    pts: list[int] = field(default_factory=list)
    dts: list[int | None] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)
    refreshes: bool = False
    shown: list[int] = field(default_factory=list)
    packets: list[Any] | None = field(default_factory=list)
    end: int = 0
    known: int = -EVER
    ended: bool = False
    _bytes: int = 0
    _last: int = -EVER

    @property
    def whole(self) -> bool:
        """Whether every packet of the file was looked at."""
        return self.known == EVER

    def add(self, packet: Any, *, starts: bool, shown: bool, missing_duration: int) -> None:
        """Take the next packet."""
        if packet.is_keyframe:
            if starts:
                self.keys.append(len(self.pts))
            else:
                self.refreshes = True
        self.pts.append(packet.pts)
        self.dts.append(packet.dts)
        if shown:
            self.shown.append(packet.pts)
            if packet.pts > self._last:
                self._last, self.end = (
                    packet.pts,
                    packet.pts + (packet.duration or missing_duration),
                )
        if self.packets is not None:
            self.packets.append(packet)
            self._bytes += packet.size
            if self._bytes > _KEEP_BYTES:
                self.packets = None

    def check(self, *, max_step: float = EVER) -> None:
        """Refuse timestamps that no plan can be built on.

        Args:
            max_step: ticks from one decode time to the next beyond which recordings were joined.
        """
        known = [tick for tick in self.dts if tick is not None]
        steps = [b - a for a, b in zip(known, known[1:], strict=False)]
        strange = any(step < 0 or step > max_step for step in steps)
        if not self.shown or strange or len(set(self.pts)) < len(self.pts):
            raise Unplanned


class TakenFrames:
    """Picks the frames that a run is decoded for, and counts them."""

    def __init__(self, run: DecodeRun) -> None:
        self.run, self.n = run, 0
        self.begun = run.start == 0  # a file may begin however it does

    def of(self, frames: Iterable[Any]) -> Iterator[Any]:
        """Give those of some decoded frames; the first of a run must need none before it.

        A container may call every packet a keyframe, as AVI does with H.263.
        """
        for frame in frames:
            if frame.is_corrupt:
                continue
            self.begun = self.begun or bool(frame.key_frame) or frame.pict_type == PictureType.I
            if not self.begun:
                raise Unplanned
            if frame.pts in self.run.targets:
                self.n += 1
                yield frame


def starts_decoding(packet: Any, codec: str, extradata: bytes | None) -> bool:
    """Say whether a packet that is marked as a keyframe gives a whole picture when decoding begins there.

    H.264 marks the start of an intra refresh, too, after which the picture becomes whole bit by bit.

    Args:
        packet: of a demuxer.
        codec: name of its decoder.
        extradata: of its stream; in mp4 it tells how the parts of a packet are set apart.
    """
    if codec != "h264":
        return True
    length = extradata[4] % 4 + 1 if extradata and extradata[0] == 1 and len(extradata) > 4 else 0
    count = 0
    for unit in _units(bytes(packet), length):
        kind = unit[0] % 32
        if kind == _H264_IDR:
            return True
        if kind == _H264_SEI:
            count = max(count, recovery_frames(unit))
    return count == 0


def recovery_frames(unit: bytes) -> int:
    """Give `recovery_frame_cnt` of an H.264 SEI unit, 0 where it holds no recovery point.

    Source: ISO/IEC 14496-10, 7.3.2.3.1 and D.1.7.

    >>> recovery_frames(bytes([6, 6, 1, 0b01010000])), recovery_frames(bytes([6, 6, 1, 0x80]))
    (1, 0)
    """
    data = unit.replace(b"\x00\x00\x03", b"\x00\x00")
    at = 1
    while at + 2 <= len(data) and data[at] != 0x80:
        numbers = []
        for _ in range(2):
            value = 0
            while at < len(data) and data[at] == 0xFF:
                value, at = value + 255, at + 1
            if at == len(data):
                return 0
            numbers.append(value + data[at])
            at += 1
        kind, size = numbers
        if kind == _SEI_RECOVERY:
            bits = "".join(f"{byte:08b}" for byte in data[at : at + min(size, 5)])
            zeros = len(bits) - len(bits.lstrip("0"))
            return int(bits[zeros : 2 * zeros + 1] or "1", 2) - 1
        at += size
    return 0


def _units(data: bytes, length: int) -> Iterator[bytes]:
    """Take a packet's NAL units apart.

    Args:
        data: of the packet.
        length: bytes that tell each unit's size; 0 where start codes stand between units.
    """
    if length:
        at = 0
        while at + length < len(data):
            size = int.from_bytes(data[at : at + length], "big")
            if size:
                yield data[at + length : at + length + size]
            at += length + size
        return
    for unit in data.split(b"\x00\x00\x01")[1:]:
        if unit:
            yield unit
