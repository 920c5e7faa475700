"""Where a video comes from: a path, bytes, a file object, a URL, or a member of an archive.

>>> with opened(b"1234") as media:
...     media.name, media.size
('<4 bytes>', 4)

Nothing is unpacked and nothing is downloaded whole: a URL is read by ranges, a stored archive
member is a window onto its archive.
"""

from __future__ import annotations

import difflib
import io
import lzma
import os
import re
import stat
import struct
import tarfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple, cast

from t2vid.errors import BadVideo, InputError, MissingFile, kind_of

Source = str | os.PathLike[str] | bytes | BinaryIO | dict[str, Any]
# fsspec's own 5 MB blocks fetch most of a film for 24 frames; 256 KB fetched 14.6 of 125 MB.
BLOCK_BYTES = 256 * 1024
_DAMAGE = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, struct.error)
_MAX_NAME = 4096  # PATH_MAX on Linux
_URL = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)


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


@dataclass(frozen=True)
class Media:
    """An opened source.

    Attributes:
        name: what messages call it.
        file: a path that libav opens itself, or a seekable file object.
        size: in bytes; None where it is unknown.
        remote: whether reading costs a network request.
        deadline: `time.monotonic()` value after which reading is given up.
    """

    name: str
    file: str | Guarded
    size: int | None
    remote: bool
    deadline: float

    @property
    def remaining_s(self) -> float:
        """Seconds until the deadline."""
        return self.deadline - time.monotonic()

    def check_time(self) -> None:
        """Raise when the deadline has passed."""
        if time.monotonic() > self.deadline:
            raise timed_out(self.name)


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


class _Place(NamedTuple):
    start: int | None  # first byte of the data; None where only the header's place is known
    header: int
    size: int
    plain: bool  # neither compressed nor encrypted


_listed: dict[tuple[str, int, float], dict[str, _Place]] = {}


def describe(source: object) -> str:
    """Name a source for a message."""
    if isinstance(source, dict):
        return describe(source.get("path") or source.get("bytes"))
    if isinstance(source, bytes):
        return f"<{len(source):,} bytes>"
    if isinstance(source, str | os.PathLike):
        name = os.fspath(source)  # a data: URL may hold the whole video
        return name if len(name) <= _MAX_NAME else f"{name[:_MAX_NAME]}… ({len(name):,} characters)"
    return str(getattr(source, "name", None) or f"<{type(source).__name__}>")


def bad(name: str, reason: str, found: str, move: str) -> BadVideo:
    """Build the one form every message about a video has: who, what was found, the next move."""
    return BadVideo(f"{name}: {found}; {move}", reason=reason)


def timed_out(name: str) -> BadVideo:
    """Build the error of a video that took too long."""
    move = "leave it out, or give Limits(timeout_s=...) more"
    return bad(name, "timeout", "not done within the time limit", move)


@contextmanager
def opened(source: Source, limits: Limits = Limits()) -> Iterator[Media]:  # noqa: B008
    """Open a source for reading, as often as one likes, until the block ends.

    Args:
        source: path; URL that fsspec knows (`https://`, `hf://`, ...); `archive.zip::member` or
            `archive.tar::member`, or fsspec's `zip://member::archive.zip`, where the archive may
            again be a URL; bytes; binary file object; `{path, bytes}` as `datasets.Video` stores.
        limits: how much it may cost.

    Raises:
        BadVideo: when there is something, and it cannot be a video.
        MissingFile: when there is nothing.
    """
    deadline = time.monotonic() + limits.timeout_s
    name = describe(source)
    if isinstance(source, dict):
        source = source["path"] if source.get("bytes") is None else source["bytes"]
    file: Any = source
    with ExitStack() as stack:
        remote = False
        if isinstance(source, str | os.PathLike):
            path = os.fspath(source)
            archive, member = _split(path)
            if not member and not _URL.match(path):
                size = local_size(path, name)
                # libav would take "a:b.mp4" for a protocol, and "concat:b.mp4" for another file
                yield Media(name, os.path.abspath(path), size, False, deadline)
                return
            remote = bool(_URL.match(archive))
            file = _open_path(archive, limits, stack)
            if member:
                file = _open_member(file, archive, member, limits, stack)
        elif isinstance(source, bytes):
            file = io.BytesIO(source)
        elif isinstance(source, io.TextIOBase):
            raise InputError(f'{name} is open as text; open it with mode "rb"')
        elif hasattr(source, "read"):
            pass
        else:
            raise InputError(f"{kind_of(source)} is no video; give a path, bytes or a file")
        if getattr(file, "closed", False):
            raise InputError(f"{name} is a closed file; give an open file, or its path")
        end = _end_of(file)
        if end is None:
            file = _spool(Guarded(file, name, deadline), name, limits, deadline)
        size = file.seek(0, os.SEEK_END) if end is None else end
        if size == 0:
            raise bad(name, "empty", "it has 0 bytes", "download it again")
        yield Media(name, Guarded(file, name, deadline), size, remote, deadline)


def _end_of(file: Any) -> int | None:
    """Give the size of a file object, None where it cannot be sought."""
    if not getattr(file, "seekable", lambda: True)():
        return None
    try:
        return int(file.seek(0, os.SEEK_END))
    except ValueError:  # fsspec's stream from a server that tells no size says it can be sought
        return None


def _split(path: str) -> tuple[str, str]:
    """Separate an archive from its member, in either of two notations."""
    if "::" not in path or os.path.exists(path):
        return path, ""
    left, right = path.split("::", 1)
    for scheme in ("zip://", "tar://"):
        if left.startswith(scheme):
            return right, left.removeprefix(scheme)
    archive, member = path.rsplit("::", 1)
    return archive, member


def local_size(path: str, name: str) -> int:
    """Give the bytes of a local file.

    Raises:
        MissingFile: when there is none.
        BadVideo: when it is empty, or no regular file.
    """
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        raise MissingFile(
            f"{name or repr(name)}: no such file; check the path and data_dir"
        ) from None
    if not stat.S_ISREG(status.st_mode):
        # A pipe or a device may have no end, and opening one may block for ever.
        raise bad(name, "no file", "it is no regular file", "save it as a file first")
    if status.st_size == 0:
        raise bad(name, "empty", "it has 0 bytes", "download it again")
    return status.st_size


def _open_path(path: str, limits: Limits, stack: ExitStack) -> BinaryIO:
    if not _URL.match(path):
        local_size(path, path)
        return stack.enter_context(open(path, "rb"))
    from fsspec.core import url_to_fs

    options: dict[str, Any] = {}
    if path.lower().startswith(("http://", "https://")):
        import aiohttp

        options["client_kwargs"] = {"timeout": aiohttp.ClientTimeout(total=limits.timeout_s)}
    try:
        fs, inner = url_to_fs(path, **options)
        file = fs.open(inner, "rb", block_size=BLOCK_BYTES, cache_type="readahead")
        if getattr(file, "size", None) is None or not file.seekable():
            file.close()
            file = fs.open(inner, "rb", block_size=0)  # no ranges there: a plain stream
    except Exception as error:  # each back end of fsspec has its own
        cause = error.__cause__
        answer = getattr(cause, "response", cause)  # huggingface_hub's errors hold the answer
        status = getattr(answer, "status_code", getattr(answer, "status", None))
        # fsspec also calls a file missing whose server does not answer.
        silent = isinstance(cause, OSError) and not isinstance(cause, FileNotFoundError)
        if isinstance(error, FileNotFoundError) and status in (None, 404, 410):
            if status is not None or not silent:
                message = f"{path}: the server has no such file; check the address"
                raise MissingFile(message) from None
        move = "check the address, or log in" if status in (401, 403) else "try again"
        raise bad(path, "unreachable", f"it cannot be opened ({error})", move) from error
    return stack.enter_context(file)  # type: ignore[no-any-return]


def _spool(file: Any, name: str, limits: Limits, deadline: float) -> BinaryIO:
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


def _open_member(
    file: BinaryIO, archive: str, member: str, limits: Limits, stack: ExitStack
) -> BinaryIO:
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


def _members(path: str, file: Guarded) -> dict[str, _Place]:
    """List an archive once, however many of its members are opened afterwards."""
    key = path, file.seek(0, os.SEEK_END), 0.0 if _URL.match(path) else os.stat(path).st_mtime
    if key not in _listed:
        if len(_listed) >= 4:
            _listed.clear()
        _listed[key] = _list_zip(file) if _is_zip(file) else _list_tar(file)
    return _listed[key]


def _is_zip(file: BinaryIO | Guarded) -> bool:
    file.seek(0)
    return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")


def _list_zip(file: Guarded) -> dict[str, _Place]:
    with zipfile.ZipFile(cast(BinaryIO, file)) as pack:
        infos = [info for info in pack.infolist() if not info.is_dir()]
    stored = zipfile.ZIP_STORED
    return {
        i.filename: _Place(
            None, i.header_offset, i.file_size, i.compress_type == stored and not i.flag_bits & 1
        )
        for i in infos
    }


def _list_tar(file: Guarded) -> dict[str, _Place]:
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
                places[m.name] = _Place(m.offset_data, 0, m.size, plain and not m.issparse())
    return places


def _unpacked(file: BinaryIO, name: str, member: str, limits: Limits, stack: ExitStack) -> BinaryIO:
    """Read a compressed member into memory; compressed data cannot be sought."""
    deadline = time.monotonic() + limits.timeout_s
    with _named(name):
        if _is_zip(file):
            pack = stack.enter_context(zipfile.ZipFile(file))
            return _spool(stack.enter_context(pack.open(member)), name, limits, deadline)
        file.seek(0)
        tar = stack.enter_context(tarfile.open(fileobj=file, mode="r:*"))
        return _spool(tar.extractfile(member), name, limits, deadline)


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
