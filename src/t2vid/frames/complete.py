"""Is a file all there? What its index or header promises, beside what is in it.

>>> _seconds("00:01:02.500000000")
Fraction(125, 2)
"""

from __future__ import annotations

import re
from fractions import Fraction
from math import floor
from typing import Any

from t2vid.frames.container import head_of, opened_container
from t2vid.frames.decoding import Reader
from t2vid.storage.media import Media, bad

# Containers whose header says how long they are; of others libav reckons it from what is there.
_DECLARING = ("avi", "flv", "live_flv", "asf", "mxf", "ivf", "rm", "swf", "wtv", "gxf")
_CLOCK = re.compile(r"(\d{1,6}):(\d\d):(\d\d(?:\.\d{1,9})?)")
_HEAD_BYTES = 4096
_SAME_END_S = Fraction(1, 4)  # only the tables behind the last frame are lost
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_SEGMENT = b"\x18\x53\x80\x67"  # Matroska's element that holds all others, RFC 9559


def check_complete(reader: Reader, media: Media, end: int | None, until_s: float | None) -> None:
    """Refuse a file that was cut off before what is asked for.

    Args:
        reader: of the file.
        media: the file.
        end: tick, from the start of the file, at which the last frame found ends; None if unknown.
        until_s: second at which the part asked for ends; None for the end of the file.
    """
    lost = _missing_after(reader, media)
    if lost is None and end is not None and _falls_short(reader, media, end):
        lost = end * reader.tick
    if lost is None or (until_s is not None and until_s <= lost):
        return
    found = f"cut off: its data ends at {float(lost):.1f} s, before its index says"
    move, last = "download it again", floor(10 * lost) / 10
    if last:
        move += f", or ask for end_s={last:g} at most"
    raise bad(media.name, "truncated", found, move)


def _missing_after(reader: Reader, media: Media) -> Fraction | None:
    """Say from which second on the data is not in the file any more, going by an mp4's index."""
    entries = reader.stream.index_entries
    if not reader.format.startswith("mov") or not len(entries) or media.size is None:
        return None
    if entries[-1].pos + entries[-1].size <= media.size:
        return None
    lost: int = next(e.timestamp for e in entries if e.pos + e.size > media.size)
    return max(Fraction(0), Fraction((lost - reader.origin) * reader.tick))


def _falls_short(reader: Reader, media: Media, end: int) -> bool:
    """Say whether a file ends clearly before its header says."""
    seen = (end + max(0, reader.origin)) * reader.tick
    cut = _is_cut(media)
    if reader.format.startswith("matroska"):
        # ffmpeg and mkvmerge write "00:01:02.345000000" beside each stream.
        declared = _seconds(reader.stream.metadata.get("DURATION") or "")
        if cut:
            declared = declared or reader.duration_s
            return declared is None or declared - seen > _SAME_END_S
        return cut is None and _is_short(declared, seen)
    if reader.format not in _DECLARING or cut is not None:
        return bool(cut)
    stream = reader.stream.duration
    declared = reader.duration_s if stream is None else stream * reader.tick
    # Most tell how long the longest stream is, which may be the sound.
    return _is_short(declared, seen) and _is_short(declared, max(seen, _heard_s(media)))


def _is_short(declared: Fraction | None, seen: Fraction) -> bool:
    return declared is not None and declared - seen > max(Fraction(1), declared / 20)


def _seconds(text: str) -> Fraction | None:
    found = _CLOCK.fullmatch(text)
    if found is None:
        return None
    hours, minutes, seconds = map(Fraction, found.groups())
    return hours * 3600 + minutes * 60 + seconds


def _is_cut(media: Media) -> bool | None:
    """Say whether a file is shorter, in bytes, than its outermost box says; None where none says."""
    head = head_of(media, _HEAD_BYTES)
    ends = _segment_end(head), _riff_end(head), _asf_end(head)
    end = next((end for end in ends if end is not None), None)
    return None if end is None or media.size is None else end > media.size


def _segment_end(head: bytes) -> int | None:
    """Give the byte at which Matroska's outermost element ends."""
    at = head.find(_SEGMENT) + 4
    if not head.startswith(b"\x1a\x45\xdf\xa3") or at < 4 or len(head) < at + 8:
        return None
    length = 9 - head[at].bit_length()  # RFC 8794, 4: a size tells its own length by leading zeros
    if length > 8:
        return None
    unknown = (1 << 7 * length) - 1  # of a live stream
    size = int.from_bytes(head[at : at + length], "big") & unknown
    return None if size == unknown else at + length + size


def _riff_end(head: bytes) -> int | None:
    """Give the byte at which the first RIFF chunk of an AVI ends."""
    size = int.from_bytes(head[4:8], "little")
    known = head.startswith(b"RIFF") and head[8:12] == b"AVI " and 0 < size < 0x7FFFFFFF
    return size + 8 if known else None


def _asf_end(head: bytes) -> int | None:
    """Give the size that the file properties of an ASF (WMV) state; ASF specification, 3.2."""
    at = head.find(_ASF_PROPERTIES)
    if at < 0 or len(head) < at + 92 or head[at + 88] & 1:  # a broadcast does not know
        return None
    return int.from_bytes(head[at + 40 : at + 48], "little") or None


def _heard_s(media: Media) -> Fraction:
    """Give the second at which the last packet of any stream ends."""
    last = Fraction(0)
    with opened_container(media) as container:
        for packet in container.demux():
            stamp: Any = packet.pts if packet.pts is not None else packet.dts
            if packet.size and stamp is not None:
                last = max(last, (stamp + (packet.duration or 0)) * packet.time_base)
    return last
