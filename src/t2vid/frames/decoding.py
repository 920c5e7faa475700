"""Packets in, pictures out: what demuxing tells, what is decoded because of it, and how it is shown.

>>> orient(np.arange(6).reshape(2, 3, 1), (0, -1, 1, 0))[..., 0].tolist()
[[2, 5], [1, 4], [0, 3]]

A frame that was planned and does not come raises `Unplanned`; the caller then tries the next, slower
way, of which the last, decoding everything in order, needs no plan.

    near      only the groups of pictures around the targets   (mp4 and mkv with an index)
    whole     every packet looked at, only some decoded        (anything with clean timestamps)
    sequence  everything decoded, twice                        (the rest)
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.stream import Discard, Disposition
from av.video.reformatter import VideoReformatter
from PIL import Image

from t2vid.frames.sampling import plan_runs, target_size
from t2vid.storage.media import Limits, Media, bad

# What may be opened: no playlists (they name other files and hosts), no text that draws itself.
FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,av1,obu,ivf,flv,"
    "asf,ogg,gif,mxf,nut,rm,rawvideo,yuv4mpegpipe,dv,swf,wtv,h263,h261,vc1,mjpeg,apng,webp_pipe,"
    "png_pipe,jpeg_pipe,webp,bink,vivo,live_flv,nsv,gxf"
)
# Dropping non-reference frames is bit-exact for these two; libaom's AV1 comes out wrong.
_SKIPPABLE = ("h264", "hevc")
_KEEP_BYTES = 48 * 1024**2  # compressed packets held at once; beyond, they are read a second time
_MAX_REORDER = 16  # H.264 and HEVC: at most so many frames decode before and show after another
_MICROSECONDS = 1_000_000
_MAX_STEP_BACK_S = 1  # a clock that falls back further belongs to a broken or a glued file
_SAME_ASPECT = 0.02  # of a pixel; correcting less would only blur the picture
_EVER = 1 << 62  # a tick beyond any
_MAX_STEP_S = 3600  # a frame on screen for longer is a clock that was set
_TKHD_MATRIX = 44  # bytes from the box's name to its matrix; ISO/IEC 14496-12, 8.3.2, version 0
_DURATION = re.compile(r"(\d{1,6}):(\d\d):(\d\d(?:\.\d{1,9})?)")
_MAX_ASPECT = 16  # of a pixel; what is beyond is damage, and would make pictures of any width

Matrix = tuple[int, int, int, int]
_UPRIGHT: Matrix = (1, 0, 0, 1)


class Unplanned(Exception):
    """A frame that was planned did not come, or no plan could be made; try the next way."""


@dataclass
class Piece:
    """Packets one after another in decode order, as far as they were looked at.

    Attributes:
        pts: presentation tick of each.
        dts: decode tick of each, None where the container has none.
        keys: positions of the keyframes.
        shown: ticks of those that are shown (an edit list hides some).
        known: tick up to which it is known what is shown.
        packets: the packets themselves, or None where they were too many to hold.
        end: tick at which the last one shown ends.
        ended: whether the end of the file was reached.
    """

    pts: list[int] = field(default_factory=list)
    dts: list[int | None] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)
    shown: list[int] = field(default_factory=list)
    packets: list[Any] | None = field(default_factory=list)
    end: int = 0
    known: int = -_EVER
    ended: bool = False
    _bytes: int = 0
    _last: int = -_EVER

    @property
    def whole(self) -> bool:
        """Whether every packet of the file was looked at."""
        return self.known == _EVER

    def add(self, packet: Any, *, shown: bool, missing_duration: int) -> None:
        """Take the next packet."""
        if packet.is_keyframe:
            self.keys.append(len(self.pts))
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

    def check(self) -> None:
        """Refuse timestamps that no plan can be built on."""
        known = [tick for tick in self.dts if tick is not None]
        falling = any(b < a for a, b in zip(known, known[1:], strict=False))
        if not self.shown or falling or len(set(self.pts)) < len(self.pts):
            raise Unplanned


class _Clock:
    """The time of a decoded frame: by pts or, where those are out of order more often, by dts.

    Source: guess_correct_pts in FFmpeg's libavcodec/decode.c, which ffmpeg shows frames by.
    """

    def __init__(self) -> None:
        self._faults, self._last = [0, 0], [-_EVER, -_EVER]

    def read(self, frame: Any) -> int | None:
        """Give the tick of the next frame."""
        ticks: tuple[int | None, int | None] = (frame.pts, frame.dts)
        for i, tick in enumerate(ticks):
            if tick is not None:
                self._faults[i] += tick <= self._last[i]
                self._last[i] = tick
        pts, dts = ticks
        by_pts = self._faults[0] <= self._faults[1] or dts is None
        return pts if by_pts and pts is not None else dts


class Reader:
    """One open container, its video stream, and the clock that times are counted on.

    Attributes:
        tick: the stream's time base in seconds.
        origin: tick at which the file starts; frame times are counted from there.
    """

    def __init__(self, container: Any, stream: Any, media: Media) -> None:
        self._container, self._stream, self._media = container, stream, media
        self.format: str = container.format.name
        self.tick: Fraction = stream.time_base
        self.origin = round((container.start_time or 0) / (_MICROSECONDS * self.tick))
        first = stream.start_time
        self.first = 0 if first is None else first - self.origin
        self.lost_packets = 0
        rate = stream.guessed_rate or stream.average_rate or Fraction(25)
        self._missing_duration = max(1, round(1 / (rate * self.tick)))
        self._decoder = stream.codec_context
        self._reads = self._next = 0
        aspect = stream.sample_aspect_ratio or Fraction(1)
        plain = abs(aspect - 1) < _SAME_ASPECT or not 1 / _MAX_ASPECT <= aspect <= _MAX_ASPECT
        self._aspect = Fraction(1) if plain else aspect

    @property
    def indexed(self) -> bool:
        """Whether the container knows beforehand where its keyframes are, and seeks to them."""
        if self.format.startswith("mov"):
            return 0 < int(self._stream.frames) <= len(self._stream.index_entries)
        return bool(self.format.startswith("matroska") and self._container.duration)

    def packets(self) -> Iterator[Any]:
        """Read on, packet by packet, to the end of the file."""
        for packet in self._container.demux(self._stream):
            self._reads += 1
            if not self._reads % 64:
                self._media.check_time()
            if not packet.size:
                return  # libav's mark for the end
            if self._reads == 1 and packet.has_sidedata("encryption_info"):
                found, move = "its video is encrypted", "ask whoever made it for a copy that is not"
                raise bad(self._media.name, "encrypted", found, move)
            yield packet

    def whole(self) -> Piece:
        """Look at every packet."""
        if self.format == "avi":
            raise Unplanned  # it has no presentation times; libav makes up wrong ones for B-frames
        piece = Piece()
        for packet in self.packets():
            self._add(piece, packet)
        piece.ended, piece.known = True, _EVER
        piece.check()
        return piece

    def tail(self) -> Piece:
        """Look at the last group of pictures."""
        entries = self._stream.index_entries
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
        skips = self._decoder.name in _SKIPPABLE
        at, reading = 0, iter(piece.packets or ())
        if piece.packets is None:
            reading = self._from_start()
        for run in plan_runs(piece.pts, piece.keys, targets):
            if run.start < at:  # only packets in memory can be fed twice
                if piece.packets is None:
                    raise Unplanned
                at, reading = 0, iter(piece.packets)
            came = 0
            for packet in reading:
                position, at = at, at + 1
                if position < run.start:
                    continue
                if packet.pts != piece.pts[position]:
                    raise Unplanned
                skip = skips and packet.pts not in run.targets
                self._decoder.skip_frame = "NONREF" if skip else "DEFAULT"
                for frame in self._feed(packet):
                    if frame.pts in run.targets and not frame.is_corrupt:
                        came += 1
                        yield frame
                if at > run.stop:
                    break
            for frame in self._feed(None):
                if frame.pts in run.targets and not frame.is_corrupt:
                    came += 1
                    yield frame
            self._decoder.flush_buffers()
            if came != len(run.targets):
                raise Unplanned

    def everything(self) -> Iterator[Any]:
        """Decode every frame in order, going on after what is broken."""
        self._decoder.skip_frame = "DEFAULT"
        for packet in self.packets():
            yield from self._feed(packet, forgive=True)
        yield from self._feed(None, forgive=True)

    def spans(self, frames: Iterable[Any]) -> Iterator[tuple[int, int, bool]]:
        """Give start and end, counted from the start of the file, and whether it is a keyframe.

        Args:
            frames: decoded frames, or packets, in their order.

        Raises:
            BadVideo: when the clock falls back so far that the order of the pictures is unknown.
        """
        clock, last = _Clock(), -_EVER
        for item in frames:
            is_packet = isinstance(item, av.Packet)
            tick = item.pts if is_packet else clock.read(item)
            if tick is None:
                tick = item.dts if item.dts is not None else self._next
            if is_packet:
                last = tick  # in decode order its clock jumps to and fro
            elif (last - tick) * self.tick > _MAX_STEP_BACK_S:
                found = f"its clock falls back by {float((last - tick) * self.tick):.1f} s"
                move = "write it anew: ffmpeg -fflags +genpts -i FILE OUT.mp4"
                raise bad(self._media.name, "timestamps", found, move)
            last = max(last, tick)
            self._next = last + (item.duration or self._missing_duration)
            key = item.is_keyframe if is_packet else item.key_frame
            yield last - self.origin, self._next - self.origin, bool(key)

    def check_clock(self, times: list[int]) -> None:
        """Refuse ascending frame times with a jump that no video has."""
        jump = max((b - a for a, b in zip(times, times[1:], strict=False)), default=0)
        if jump * self.tick > _MAX_STEP_S:
            found = f"its clock jumps by {float(jump * self.tick):,.0f} s, as in joined recordings"
            move = "write it anew: ffmpeg -i FILE OUT.mp4"
            raise bad(self._media.name, "timestamps", found, move)

    def painter(self, size: tuple[int, int] | int | str | None) -> Painter:
        """Give what turns this stream's frames into pictures."""
        return Painter(size, self._aspect)

    def shape(self, size: tuple[int, int] | int | str | None) -> tuple[int, int]:
        """Tell the width and height of a picture, turned upright as the container says."""
        width, height = max(1, round(self._decoder.width * self._aspect)), self._decoder.height
        sideways = stored_matrix(self._stream)[0] == 0
        return target_size(*((height, width) if sideways else (width, height)), size)

    def check_complete(self, end: int | None, until_s: float | None) -> None:
        """Refuse a file that was cut off before what is asked for.

        Args:
            end: tick, from the start of the file, at which the last frame found ends; None if unknown.
            until_s: second at which the part asked for ends; None for the end of the file.
        """
        lost = self._missing_after()
        if lost is None and end is not None:
            declared, seen = self._declared_s(), (end + max(0, self.origin)) * self.tick
            if declared is not None and declared - seen > max(Fraction(1), declared / 20):
                lost = end * self.tick
        if lost is None or (until_s is not None and until_s <= lost):
            return
        found = f"cut off: its data ends at {float(lost):.1f} s, before its index says"
        move = f"download it again, or ask for end_s={int(lost)} at most"
        raise bad(self._media.name, "truncated", found, move)

    def _missing_after(self) -> Any:
        """Say from which second on the data is not in the file any more, going by an mp4's index."""
        entries = self._stream.index_entries
        size = self._media.size
        if not self.format.startswith("mov") or not len(entries) or size is None:
            return None
        if entries[-1].pos + entries[-1].size <= size:
            return None
        lost = next(e.timestamp for e in entries if e.pos + e.size > size)
        return max(Fraction(0), (lost - self.origin) * self.tick)

    def _declared_s(self) -> Fraction | None:
        """Give how long the container says that this stream is; mp4's index is trusted instead."""
        if self.format == "avi" and self._stream.duration:
            return self._stream.duration * self.tick  # type: ignore[no-any-return]
        # ffmpeg and mkvmerge write "00:01:02.345000000" beside each stream.
        found = _DURATION.fullmatch(self._stream.metadata.get("DURATION") or "")
        if found is None:
            return None
        hours, minutes, seconds = map(Fraction, found.groups())
        return hours * 3600 + minutes * 60 + seconds

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
        piece.add(packet, shown=shown, missing_duration=self._missing_duration)

    def _land(self, limit: int) -> tuple[Piece, Iterator[Any]]:
        """Go to the last keyframe shown at or before `limit`."""
        goal = limit
        for _ in range(4):
            try:
                self._container.seek(goal, stream=self._stream, backward=True)
            except av.FFmpegError:
                raise Unplanned from None
            reading = self.packets()
            packet = next(reading, None)
            if packet is None or packet.pts is None or not packet.is_keyframe:
                raise Unplanned
            if packet.pts <= limit or packet.pts <= self.origin + self.first:
                piece = Piece()
                self._add(piece, packet)
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
        entries = self._stream.index_entries
        i = entries.search_timestamp(limit, backward=True, any_frame=False)
        if i < 0 or piece.ended:
            return False
        reached = piece.dts[-1] if self.format.startswith("mov") else max(piece.pts)
        return reached is None or entries[i].timestamp > reached

    def _from_start(self) -> Iterator[Any]:
        with opened_container(self._media) as container:
            stream = container.streams[self._stream.index]
            _only(container, stream)
            for packet in container.demux(stream):
                self._reads += 1
                if not self._reads % 64:
                    self._media.check_time()
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


@contextmanager
def opened_container(media: Media) -> Iterator[Any]:
    """Open a container, naming what is wrong with it where that fails."""
    if not isinstance(media.file, str):
        media.file.seek(0)
    media.check_time()
    try:
        container = av.open(
            media.file,
            options={"format_whitelist": FORMATS},
            metadata_errors="replace",
            timeout=max(1.0, media.remaining_s),
        )
    except (av.FFmpegError, ValueError) as error:
        raise _unopenable(media, error) from None
    with container:
        yield container


@contextmanager
def opened_reader(media: Media, limits: Limits) -> Iterator[Reader]:
    """Open a container and its best video stream.

    Raises:
        BadVideo: when there is none, or none that can be decoded within the limits.
    """
    with opened_container(media) as container:
        stream = _video_stream(container, media)
        context = stream.codec_context
        pixels = context.width * context.height
        if not 0 < pixels <= limits.max_pixels:
            found = f"its frames are {context.width}x{context.height}"
            move = f"leave it out, or give Limits(max_pixels=...) more than {limits.max_pixels:,}"
            if not pixels:
                move = "download it again, or encode it with ffmpeg"
            raise bad(media.name, "frame size", found, move)
        # Taken here: the same option through av.open does not reach the decoder.
        context.options = {"max_pixels": str(limits.max_pixels)}
        stream.thread_count = 1  # the loader's workers are the parallelism; threads break forks
        _only(container, stream)
        yield Reader(container, stream, media)


class Painter:
    """Turns decoded frames into upright RGB pictures of one size.

    Args:
        size: as in `SampleSpec`.
        aspect: width of a pixel over its height, as the container says.
    """

    def __init__(
        self, size: tuple[int, int] | int | str | None, aspect: Fraction = Fraction(1)
    ) -> None:
        self._size, self._aspect = size, aspect
        self._fixed: tuple[int, int] | None = None
        self._scaler = VideoReformatter()

    def paint(self, frame: Any) -> Image.Image:
        """Scale a frame in libav, in its own colours, and set it upright."""
        matrix = display_matrix(frame)
        sideways = matrix[0] == 0
        if self._fixed is None:  # the resolution may change on the way; the first one stays
            upright = (round(frame.width * self._aspect), frame.height)
            upright = (max(1, upright[0]), upright[1])
            self._fixed = target_size(*(upright[::-1] if sideways else upright), self._size)
        width, height = self._fixed[::-1] if sideways else self._fixed
        array = self._convert(frame, width, height).to_ndarray()
        return Image.fromarray(np.ascontiguousarray(orient(array, matrix)))

    def _convert(self, frame: Any, width: int, height: int) -> Any:
        args: dict[str, Any] = {"width": width, "height": height, "format": "rgb24", "threads": 1}
        args["interpolation"] = "BICUBIC"  # what ffmpeg's own scale filter uses
        try:
            return self._scaler.reformat(frame, **args)
        except av.FFmpegError:
            # A reserved colour space is refused; players then take it for BT.601.
            args.update(src_colorspace="ITU601", dst_colorspace="ITU601")
            return self._scaler.reformat(frame, **args)


def display_matrix(frame: Any) -> Matrix:
    """Give the upper left 2x2 of a frame's display matrix as -1, 0 and 1; upright where it has none."""
    for data in frame.side_data:
        if data.type.name == "DISPLAYMATRIX":
            return _unit(struct.unpack("5i", bytes(data)[:20]))
    return _UPRIGHT


def stored_matrix(stream: Any) -> Matrix:
    """Give the display matrix that a container stores for a stream, without decoding.

    PyAV tells it of decoded frames only, but copies it with the other parameters of a stream: the
    header of a QuickTime file in memory then shows it.
    """
    header = io.BytesIO()
    try:
        with av.open(header, "w", format="mov", options={"movflags": "empty_moov"}) as out:
            out.add_stream_from_template(stream, opaque=True)
            out.start_encoding()
    except (av.FFmpegError, ValueError):  # a codec that QuickTime does not hold
        return _UPRIGHT
    data = header.getvalue()
    box = data.find(b"tkhd")
    return _UPRIGHT if box < 0 else _unit(struct.unpack_from(">5i", data, box + _TKHD_MATRIX))


def _unit(values: tuple[int, ...]) -> Matrix:
    """Take a, b, u, c, d of a display matrix in 16.16 numbers down to quarter turns and mirrors."""
    a, b, c, d = (round(values[i] / 65536) for i in (0, 1, 3, 4))
    if sorted(map(abs, (a, b, c, d))) == [0, 0, 1, 1] and abs(a) == abs(d):
        return a, b, c, d
    return _UPRIGHT


def orient(array: np.ndarray[Any, Any], matrix: Matrix) -> np.ndarray[Any, Any]:
    """Turn and mirror a picture as a display matrix says.

    Args:
        array: of shape (height, width, channels).
        matrix: (a, b, c, d): x goes to a x + c y, and y to b x + d y.
    """
    a, b, c, d = matrix
    if a == 0:
        array, a, d = array.transpose(1, 0, 2), c, b
    return array[:: d or 1, :: a or 1]


def _video_stream(container: Any, media: Media) -> Any:
    """Choose the stream to show: no cover pictures, and one that libav can decode."""
    found = ", ".join(
        f"{s.type} ({getattr(s, 'name', None) or 'unknown codec'})" for s in container.streams
    )
    kind = container.format.name.split(",")[0]
    videos = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not videos:
        found = f"only {found}" if found else "no stream at all"
        move = "leave it out, or look for the file that holds the pictures"
        raise bad(media.name, "no video stream", f"this {kind} file has {found}", move)
    best = container.streams.best("video")
    stream = best if best in videos else videos[0]
    if stream.codec_context is None:
        move = "encode it as H.264: ffmpeg -i FILE -c:v libx264 OUT.mp4"
        raise bad(
            media.name, "unknown codec", f"libav has no decoder for its video ({found})", move
        )
    return stream


def _only(container: Any, stream: Any) -> None:
    for other in container.streams:
        if other.index != stream.index:
            other.discard = Discard.all


def _unopenable(media: Media, error: Exception) -> Exception:
    """Say what a file that libav refuses looks like."""
    if isinstance(error, av.ExitError | TimeoutError):
        media.check_time()
    head = _head(media)
    if head.startswith(b"version https://git-lfs"):
        found, move = "it is a git-lfs pointer, not the video", "run git lfs pull"
        return bad(media.name, "lfs pointer", found, move)
    if head and all(byte in b"\t\n\r\f" or 32 <= byte < 127 for byte in head[:200]):
        start = head[:40].decode("ascii").strip()
        found = f"it is text ({start!r}...), not a video"
        return bad(
            media.name, "text", found, "download it again, an error page may have been saved"
        )
    if head[4:8] == b"ftyp":
        found = f"an mp4 without its index, cut off or never finished ({error.__class__.__name__})"
        return bad(media.name, "truncated", found, "download it again")
    text = getattr(error, "strerror", None) or str(error)
    found = f"no video that libav can read ({text})"
    return bad(media.name, "unreadable", found, "download it again, or encode it with ffmpeg")


def _head(media: Media) -> bytes:
    if isinstance(media.file, str):
        try:
            with open(media.file, "rb") as file:
                return file.read(512)
        except OSError:  # no right to read it, or gone by now: libav's own words say so
            return b""
    media.file.seek(0)
    return media.file.read(512)
