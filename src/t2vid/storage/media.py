"""Where a video comes from: a path, bytes, a file object, a URL, or a member of an archive.

>>> with opened(b"1234") as media:
...     media.name, media.size
('<4 bytes>', 4)

Nothing is unpacked and nothing is downloaded whole: a URL is read by ranges, a stored archive
member is a window onto its archive.
"""

from __future__ import annotations

import base64
import io
import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO
from urllib.parse import unquote_to_bytes

from t2vid.errors import InputError, MissingFile, kind_of
from t2vid.storage.archives import list_members, open_member
from t2vid.storage.files import is_url, require_scheme
from t2vid.storage.guard import Guarded, spool, timed_out
from t2vid.storage.guard import Limits as Limits
from t2vid.storage.guard import bad as bad

Source = str | os.PathLike[str] | bytes | BinaryIO | dict[str, Any]
# fsspec's own 5 MB blocks fetch most of a film for 24 frames; 256 KB fetched 14.6 of 125 MB.
BLOCK_BYTES = 256 * 1024
_MAX_NAME = 4096  # PATH_MAX on Linux
_DATA_URL = re.compile(r"data:[^,]{0,200},", re.IGNORECASE)


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


def describe(source: object) -> str:
    """Name a source for a message."""
    if isinstance(source, dict):
        return describe(source.get("path") or source.get("bytes"))
    if isinstance(source, bytes):
        return f"<{len(source):,} bytes>"
    if isinstance(source, str | os.PathLike):
        name = os.fspath(source)
        if data := _DATA_URL.match(name):  # it holds the whole video
            return f"{data[0]}… ({len(name):,} characters)"
        return name if len(name) <= _MAX_NAME else f"{name[:_MAX_NAME]}… ({len(name):,} characters)"
    return str(getattr(source, "name", None) or f"<{type(source).__name__}>")


@contextmanager
def opened(source: Source, limits: Limits = Limits()) -> Iterator[Media]:  # noqa: B008
    """Open a source for reading, as often as one likes, until the block ends.

    Args:
        source: path; URL that fsspec knows (`https://`, `hf://`, ...), or a `data:` URL with the
            video in it; `archive.zip::member` or `archive.tar::member`, or fsspec's
            `zip://member::archive.zip`, where the archive may again be a URL; bytes; binary file
            object; `{path, bytes}` as `datasets.Video` stores.
        limits: how much it may cost.

    Raises:
        BadVideo: when there is something, and it cannot be a video.
        MissingFile: when there is nothing.
        MissingExtra: when the package behind the scheme of a URL is not installed.
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
            if _DATA_URL.match(path) and not os.path.exists(path):
                source = _inline(path, name)
        if isinstance(source, str | os.PathLike):
            path = os.fspath(source)
            archive, member = _split(path)
            if not member and not is_url(path):
                path = path.removeprefix("file://")
                size = local_size(path, name)
                # libav would take "a:b.mp4" for a protocol, and "concat:b.mp4" for another file
                yield Media(name, os.path.abspath(path), size, False, deadline)
                return
            remote = is_url(archive)
            file = _open_path(archive, limits, stack)
            if member:
                file = open_member(file, archive, member, limits, stack)
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
            file = spool(Guarded(file, name, deadline), name, limits, deadline)
        size = file.seek(0, os.SEEK_END) if end is None else end
        if size == 0:
            raise bad(name, "empty", "it has 0 bytes", "download it again")
        yield Media(name, Guarded(file, name, deadline), size, remote, deadline)


def members_of(archive: str, limits: Limits = Limits()) -> dict[str, int]:  # noqa: B008
    """Give the size of each member of a zip or tar archive, a path or a URL, by its path inside.

    Raises:
        BadVideo: when it is broken.
        MissingFile: when there is none.
    """
    with ExitStack() as stack:
        return list_members(_open_path(archive, limits, stack), archive, limits)


def member_bytes(path: str | None) -> bytes | None:
    """Read a member of an archive whole; None for a path that names none.

    Raises:
        BadVideo: when the archive is broken.
        MissingFile: when there is no such archive or member.
    """
    if path is None or not _split(path)[1]:
        return None
    with opened(path) as media:
        assert isinstance(media.file, Guarded)
        media.file.seek(0)
        return media.file.read()


def _inline(url: str, name: str) -> bytes:
    """Read a `data:` URL."""
    head, _, data = url.partition(",")
    try:
        if head.lower().endswith(";base64"):
            return base64.b64decode(unquote_to_bytes(data), validate=True)
        return unquote_to_bytes(data)
    except ValueError as error:  # binascii.Error is one
        raise bad(name, "unreadable", f"it is no base64 ({error})", "encode it again") from None


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
    if not is_url(path):
        path = path.removeprefix("file://")
        local_size(path, path)
        return stack.enter_context(open(path, "rb"))
    try:
        require_scheme(path)
    except InputError as error:  # an address that no package opens is the fault of this one video
        found = f"it cannot be opened ({error})"
        raise bad(path, "unreachable", found, "check the address") from None
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
