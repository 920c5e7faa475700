"""Members of zip and tar archives as files: a stored one is a window onto its archive, none is unpacked.

>>> import zipfile; pack = io.BytesIO()
>>> with zipfile.ZipFile(pack, "w") as out:
...     out.writestr("a/b.txt", "inside")
>>> with ExitStack() as stack:
...     open_member(pack, "s3://x/pack.zip", "a/b.txt", Limits(), stack).read()
b'inside'
"""

from __future__ import annotations

import difflib
import io
import lzma
import os
import struct
import tarfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import BinaryIO, NamedTuple, cast

from t2vid.errors import BadVideo, MissingFile
from t2vid.storage.files import is_url
from t2vid.storage.guard import Guarded, Limits, bad, spool

_DAMAGE = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, struct.error)


class Window(io.RawIOBase):
    """A stretch of a file as a file of its own.

    Args:
        file: seekable binary file.
        start: first byte.
        size: number of bytes.
    """

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self._file, self._start, self._size, self._at = file, start, size, 0

    def seekable(self) -> bool:
        """Say yes."""
        return True

    def readable(self) -> bool:
        """Say yes."""
        return True

    def tell(self) -> int:
        """Give the position in the window."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move inside the window."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def read(self, n: int = -1) -> bytes:
        """Read at most `n` bytes, never past the window."""
        room = max(0, self._size - self._at)
        n = room if n < 0 else min(n, room)
        self._file.seek(self._start + self._at)
        data = self._file.read(n)
        self._at += len(data)
        return data


class MemberLocation(NamedTuple):
    """Where the bytes of a member are in its archive."""

    start: int | None  # first byte of the data; None where only the header's place is known
    header: int
    size: int
    plain: bool  # neither compressed nor encrypted


_listed: dict[tuple[str, int, float], dict[str, MemberLocation]] = {}


def open_member(
    file: BinaryIO, archive: str, member: str, limits: Limits, stack: ExitStack
) -> BinaryIO:
    """Open one member.

    Args:
        file: the opened archive.
        archive: its path or URL, under which its table is remembered.
        member: path inside it.
        limits: how much it may cost.
        stack: closes what is opened.

    Raises:
        MissingFile: when there is no such member, naming the nearest.
        BadVideo: when the archive is broken.
    """
    name = f"{archive}::{member}"
    with _named(name):
        members = _members(archive, Guarded(file, archive, time.monotonic() + limits.timeout_s))
    if member not in members:
        near = difflib.get_close_matches(member, list(members)[:10_000], n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise MissingFile(f"{name}: not among the {len(members):,} members{hint}")
    place = members[member]
    if not place.plain:
        return _unpacked(file, name, member, limits, stack)
    start = place.start
    if start is None:  # a zip's table does not tell how long the member's own header is
        with _named(name):  # a table may say that it begins before the archive does
            file.seek(place.header)
        head = file.read(30)
        start = place.header + 30 + sum(int.from_bytes(head[i : i + 2], "little") for i in (26, 28))
    return Window(file, start, place.size)  # type: ignore[return-value]


def list_members(file: BinaryIO, archive: str, limits: Limits) -> dict[str, int]:
    """Give the size of each member of an archive, by its path inside.

    Args:
        file: the opened archive.
        archive: its path or URL, under which its table is remembered.
        limits: how much it may cost.

    Raises:
        BadVideo: when the archive is broken.
    """
    with _named(archive):
        found = _members(archive, Guarded(file, archive, time.monotonic() + limits.timeout_s))
    return {name: place.size for name, place in found.items()}


def _members(path: str, file: Guarded) -> dict[str, MemberLocation]:
    """List an archive once, however many of its members are opened afterwards."""
    key = path, file.seek(0, os.SEEK_END), 0.0 if is_url(path) else os.stat(path).st_mtime
    if key not in _listed:
        if len(_listed) >= 4:
            _listed.clear()
        _listed[key] = _list_zip(file) if _is_zip(file) else _list_tar(file)
    return _listed[key]


def _is_zip(file: BinaryIO | Guarded) -> bool:
    file.seek(0)
    return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")


def _list_zip(file: Guarded) -> dict[str, MemberLocation]:
    with zipfile.ZipFile(cast(BinaryIO, file)) as pack:
        infos = [info for info in pack.infolist() if not info.is_dir()]
    stored = zipfile.ZIP_STORED
    return {
        i.filename: MemberLocation(
            None, i.header_offset, i.file_size, i.compress_type == stored and not i.flag_bits & 1
        )
        for i in infos
    }


def _list_tar(file: Guarded) -> dict[str, MemberLocation]:
    file.seek(0)
    plain = file.read(2) not in (b"\x1f\x8b", b"BZ", b"\xfd7", b"(\xb5")
    file.seek(0)
    places, last = {}, -1
    with tarfile.open(fileobj=cast(BinaryIO, file), mode="r:*") as pack:
        for m in pack:
            if m.offset <= last:  # a negative size leads back, round and round
                raise tarfile.ReadError(f"{m.name!r} lies before the member that it follows")
            last = m.offset
            if m.isfile():
                places[m.name] = MemberLocation(
                    m.offset_data, 0, m.size, plain and not m.issparse()
                )
    return places


def _unpacked(file: BinaryIO, name: str, member: str, limits: Limits, stack: ExitStack) -> BinaryIO:
    """Read a compressed member into memory; compressed data cannot be sought."""
    deadline = time.monotonic() + limits.timeout_s
    with _named(name):
        if _is_zip(file):
            pack = stack.enter_context(zipfile.ZipFile(file))
            return spool(stack.enter_context(pack.open(member)), name, limits, deadline)
        file.seek(0)
        tar = stack.enter_context(tarfile.open(fileobj=file, mode="r:*"))
        return spool(tar.extractfile(member), name, limits, deadline)


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Name the archive in whatever the readers of zip and tar files make of damage."""
    try:
        yield
    except BadVideo:
        raise
    except (*_DAMAGE, OSError, RuntimeError, ValueError) as error:
        found = f"the archive is broken, or of a kind that Python does not read ({_first(error)})"
        raise bad(name, "archive", found, "fetch it again, or repack it") from None


def _first(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(":")
