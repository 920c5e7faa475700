"""Packets in, decoded frames out: what demuxing tells, and what is decoded because of it.

A frame that was planned and does not come raises `Unplanned`; the caller then tries the next, slower
way, of which the last, decoding everything in order, needs no plan.

    near      only the groups of pictures around the targets   (mp4 and mkv with an index)
    whole     every packet looked at, only some decoded        (anything with clean timestamps)
    sequence  everything decoded, twice                        (the rest)

>>> from t2vid import samples
>>> from t2vid.storage.media import Limits, opened
>>> clip = samples.ROOT / "clips/ball.mp4"
>>> with opened(clip) as media, opened_reader(media, Limits()) as reader:
...     len(reader.whole().shown)
120
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import cached_property
from typing import Any

import av

from t2vid.errors import pluralize
from t2vid.frames.clock import MAX_JOIN_S, FrameClock, JoinClock
from t2vid.frames.container import opened_container, opened_stream, read_only
from t2vid.frames.packets import EVER, Piece, TakenFrames, Unplanned, starts_decoding
from t2vid.frames.pictures import Matrix, square_pixels, stored_matrix
from t2vid.frames.sampling import Course, plan_runs
from t2vid.storage.media import Limits, Media, bad

logger = logging.getLogger(__name__)

# Dropping non-reference frames is bit-exact for these two; libaom's AV1 comes out wrong.
_SKIPPABLE = ("h264", "hevc")
_MAX_REORDER = 16  # H.264 and HEVC: at most so many frames decode before and show after another
_MICROSECONDS = 1_000_000
_MAX_STEP_BACK_S = 1  # a clock that falls back further belongs to a broken or a glued file
_SAME_RATE = 0.01
_MAX_STEP_S = 3600  # a frame on screen for longer is a clock that was set


class Reader:
    """One open container, its video stream, and the clock that times are counted on.

    Attributes:
        stream: the stream that is read.
        tick: the stream's time base in seconds.
        origin: tick at which the file starts; frame times are counted from there.
        first: tick, counted from there, at which the stream starts.
        joined: whether its container may hold several recordings, each with a clock of its own.
    """

    def __init__(self, container: Any, stream: Any, media: Media) -> None:
        self._container, self._media = container, media
        self.stream = stream
        self.format: str = container.format.name
        self.joined = bool(container.format.flags & av.format.Flags.ts_discont.value)
        self.tick: Fraction = stream.time_base
        self.origin = round((container.start_time or 0) / (_MICROSECONDS * self.tick))
        first = stream.start_time
        if self.joined and first is not None:
            # ffmpeg counts from the first stream that it uses; pictures alone use no sound.
            self.origin = max(self.origin, first)
        self.first = 0 if first is None else first - self.origin
        self.lost_packets = self.hidden = 0
        self._fall = 0
        rate = stream.guessed_rate or stream.average_rate or Fraction(25)
        self._missing_duration = max(1, round(1 / (rate * self.tick)))
        self._decoder = stream.codec_context
        self._alone = len(container.streams) == 1
        self._reads, self._next = 0, self.origin
        self.aspect = square_pixels(stream)

    @property
    def indexed(self) -> bool:
        """Whether the container knows beforehand where its keyframes are, and seeks to them."""
        if self.format.startswith("mov"):
            return 0 < int(self.stream.frames) <= len(self.stream.index_entries)
        return bool(self.format.startswith("matroska") and self._container.duration)

    @property
    def duration_s(self) -> Fraction | None:
        """How long the container says that all of it is."""
        ticks = self._container.duration
        return None if not ticks else Fraction(ticks, _MICROSECONDS)

    def packets(self) -> Iterator[Any]:
        """Read on, packet by packet, to the end of the file.

        A packet without data shows the last picture for longer (Theora); libav decodes none.
        """
        for packet in _demuxed(self._container, self.stream):
            self._watch()
            if self._reads == 1 and packet.has_sidedata("encryption_info"):
                found, move = "its video is encrypted", "ask whoever made it for a copy that is not"
                raise bad(self._media.name, "encrypted", found, move)
            if packet.size:
                yield packet

    def whole(self) -> Piece:
        """Look at every packet."""
        piece = Piece()
        for packet in self.packets():
            self._add(piece, packet)
        piece.ended, piece.known = True, EVER
        if piece.keys[:1] != [0]:
            raise Unplanned  # it begins in the middle: only decoding tells where pictures begin
        piece.check(max_step=float(MAX_JOIN_S / self.tick) if self.joined else EVER)
        return piece

    def tail(self) -> Piece:
        """Look at the last group of pictures."""
        entries = self.stream.index_entries
        known = len(entries)
        last = entries[-1].timestamp if self.format.startswith("mov") else self._duration()
        piece = next(self.near([last], to_end=True))
        if self.format.startswith("mov") and len(entries) > known:
            raise Unplanned  # fragments: the index covered only what had been read
        return piece

    def near(self, limits: Iterable[int], *, to_end: bool = False) -> Iterator[Piece]:
        """Look at the groups of pictures that hold the last frames at or before given ticks.

        Args:
            limits: ascending ticks, counted like pts.
            to_end: read on to the end of the file after the last.
        """
        piece: Piece | None = None
        reading: Iterator[Any] = iter(())
        for limit in limits:
            if piece is None or self._key_ahead(piece, limit):
                if piece is not None:
                    yield piece
                piece, reading = self._land(limit)
            self._extend(piece, reading, limit)
        if piece is None:
            return
        if to_end:
            for packet in reading:
                self._add(piece, packet)
            piece.ended = True
            piece.check()
        yield piece

    def decode(self, piece: Piece, targets: Collection[int]) -> Iterator[Any]:
        """Decode the frames at some ticks of a piece, in order.

        Args:
            piece: what `near` or `whole` gave.
            targets: presentation ticks, counted like pts.

        Raises:
            Unplanned: when one of them does not come.
        """
        skips = self._decoder.name in _SKIPPABLE and not piece.refreshes
        at, reading = 0, iter(piece.packets or ())
        if piece.packets is None:
            reading = self._from_start()
        for run in plan_runs(piece.pts, piece.keys, targets):
            if run.start < at:  # only packets in memory can be fed twice
                if piece.packets is None:
                    raise Unplanned
                at, reading = 0, iter(piece.packets)
            taken = TakenFrames(run)
            for packet in reading:
                position, at = at, at + 1
                if position < run.start:
                    continue
                if packet.pts != piece.pts[position]:
                    raise Unplanned
                skip = skips and packet.pts not in run.targets
                self._decoder.skip_frame = "NONREF" if skip else "DEFAULT"
                yield from taken.of(self._feed(packet))
                if at > run.stop:
                    break
            yield from taken.of(self._feed(None))
            self._decoder.flush_buffers()
            if taken.n != len(run.targets):
                raise Unplanned

    def everything(self) -> Iterator[Any]:
        """Decode every frame in order, going on after what is broken."""
        self._decoder.skip_frame = "DEFAULT"
        for packet in self.on_one_clock():
            yield from self._feed(packet, forgive=True)
        yield from self._feed(None, forgive=True)

    def on_one_clock(self) -> Iterator[Any]:
        """Read every packet, with stamps as if joined recordings were one."""
        if not self.joined:
            yield from self.packets()
            return
        clock, offset_s = JoinClock(self.tick), Fraction(0)
        for packet in self.packets():
            offset_s = clock.shift(packet.dts, packet.duration or self._missing_duration, offset_s)
            ticks = round(offset_s / self.tick)
            if packet.pts is not None:
                packet.pts += ticks
            if packet.dts is not None:
                packet.dts += ticks
            yield packet

    def spans(self, frames: Iterable[Any]) -> Iterator[tuple[int, int, bool]]:
        """Give start and end, counted from the start of the file, and whether it is a keyframe.

        Where the clock falls back, frames are taken for as late as the latest before them, so that
        of those the last is shown; ffmpeg's fps filter does the same. `hidden` counts them.

        Args:
            frames: decoded frames in their order.
        """
        clock, last, duration = FrameClock(), -EVER, 0
        for frame in frames:
            tick = clock.read(frame)
            if tick is None:
                tick = self._next
            if tick < last:
                self.hidden += 1
                self._fall = max(self._fall, last - tick)
            last = max(last, tick)
            # libav makes 1 up where it knows none; ffmpeg then repeats the one before.
            if frame.duration != 1 or duration <= 2:
                duration = frame.duration or self._missing_duration
            self._next = last + duration
            yield last - self.origin, self._next - self.origin, bool(frame.key_frame)

    def warn(self) -> None:
        """Say what could not be shown of a file that was decoded in order."""
        name = self._media.name
        if self.lost_packets:
            logger.warning("%s: %s cannot be decoded", name, pluralize(self.lost_packets, "packet"))
        if self._fall * self.tick > _MAX_STEP_BACK_S:
            logger.warning(
                "%s: its clock falls back by %.1f s, and %s before it passes that point again are "
                "hidden, as ffmpeg hides them; to see them, write the file anew with ffmpeg -fflags "
                "+genpts",
                name,
                float(self._fall * self.tick),
                pluralize(self.hidden, "frame"),
            )

    def check_clock(self, times: list[int]) -> None:
        """Refuse ascending frame times with a jump that no video has."""
        jump = max((b - a for a, b in zip(times, times[1:], strict=False)), default=0)
        if jump * self.tick > _MAX_STEP_S:
            found = f"its clock jumps by {float(jump * self.tick):,.0f} s, as in joined recordings"
            move = "write it anew: ffmpeg -i FILE OUT.mp4"
            raise bad(self._media.name, "timestamps", found, move)

    def course(self, end: int, times: list[int] | None = None) -> Course:
        """Give what the choice of frames needs to know of the file.

        Args:
            end: tick, from the start of the file, at which the last frame ends.
            times: ascending ticks of all frames, where they are known.
        """
        seconds = float(end * self.tick)
        held = seconds - float(min(0, times[0]) * self.tick) if times else 0.0
        counted = len(times) / held if times and held > 0 else 0.0
        told = float(self.stream.average_rate or 0)
        # Times in milliseconds make a rate of 24 into 24.002, which would cost a frame.
        rate = told if told and (not counted or abs(counted / told - 1) < _SAME_RATE) else counted
        first = self.first if times is None else times[0]
        return Course(self.tick, end, rate or 1.0, self._media.name, first, self._alone)

    @property
    def upright(self) -> tuple[int, int]:
        """Width and height with square pixels, turned upright as the container says."""
        width, height = max(1, round(self._decoder.width * self.aspect)), self._decoder.height
        return (height, width) if self.matrix[0] == 0 else (width, height)

    @cached_property
    def matrix(self) -> Matrix:
        """How the container has the pictures turned."""
        return stored_matrix(self.stream)

    def _watch(self) -> None:
        self._reads += 1
        if not self._reads % 64:
            self._media.check_time()

    def _duration(self) -> int:
        seconds = Fraction(self._container.duration, _MICROSECONDS)
        return int(self.origin + seconds / self.tick)

    def _add(self, piece: Piece, packet: Any) -> None:
        if packet.pts is None:
            raise Unplanned
        shown = not packet.is_discard
        if self._decoder.name in ("vp8", "libvpx"):
            # VP8's alternate reference frames are packets of their own that show nothing.
            shown = shown and bool(memoryview(packet)[0] & 0x10)
        starts = packet.is_keyframe and starts_decoding(
            packet, self._decoder.name, self._decoder.extradata
        )
        piece.add(packet, starts=starts, shown=shown, missing_duration=self._missing_duration)

    def _land(self, limit: int) -> tuple[Piece, Iterator[Any]]:
        """Go to the last keyframe shown at or before `limit`."""
        goal = limit
        for _ in range(4):
            try:
                self._container.seek(goal, stream=self.stream, backward=True)
            except av.FFmpegError:
                raise Unplanned from None
            reading = self.packets()
            packet = next(reading, None)
            if packet is None or packet.pts is None or not packet.is_keyframe:
                raise Unplanned
            piece = Piece()
            self._add(piece, packet)
            if piece.keys and (packet.pts <= limit or packet.pts <= self.origin + self.first):
                return piece, reading
            goal = min(goal, packet.pts if packet.dts is None else packet.dts) - 1
        raise Unplanned

    def _extend(self, piece: Piece, reading: Iterator[Any], limit: int) -> None:
        """Read on until nothing that is shown at or before `limit` can follow."""
        later = sum(pts > limit for pts in piece.pts[-2 * _MAX_REORDER :])
        while later <= _MAX_REORDER and not piece.ended:
            if piece.dts[-1] is not None and piece.dts[-1] > limit:
                break
            packet = next(reading, None)
            if packet is None:
                piece.ended = True
                break
            self._add(piece, packet)
            later += packet.pts > limit
        if piece.packets is None:
            raise Unplanned
        piece.known = limit
        piece.check()

    def _key_ahead(self, piece: Piece, limit: int) -> bool:
        """Say whether a keyframe comes before `limit` that has not been read yet."""
        entries = self.stream.index_entries
        i = entries.search_timestamp(limit, backward=True, any_frame=False)
        if i < 0 or piece.ended:
            return False
        reached = piece.dts[-1] if self.format.startswith("mov") else max(piece.pts)
        return reached is None or entries[i].timestamp > reached

    def _from_start(self) -> Iterator[Any]:
        with opened_container(self._media) as container:
            stream = container.streams[self.stream.index]
            read_only(container, stream)
            for packet in _demuxed(container, stream):
                self._watch()
                if packet.size:
                    yield packet

    def _feed(self, packet: Any, *, forgive: bool = False) -> list[Any]:
        try:
            return self._decoder.decode(packet)  # type: ignore[no-any-return]
        except av.FFmpegError:
            if forgive:
                self.lost_packets += 1
                return []
            raise Unplanned from None


def _demuxed(container: Any, *streams: Any) -> Iterator[Any]:
    """Read packets; damage may make a stream begin in the middle, which PyAV does not expect."""
    try:
        yield from container.demux(*streams)
    except IndexError:
        raise Unplanned from None


@contextmanager
def opened_reader(media: Media, limits: Limits) -> Iterator[Reader]:
    """Open a container and its best video stream.

    Raises:
        BadVideo: when there is none, or none that can be decoded within the limits.
    """
    with opened_stream(media, limits) as (container, stream):
        yield Reader(container, stream, media)
