"""Opens a file for reading, unpacked where it is packed; what it is, is told from its first bytes.

>>> import gzip, tempfile; from pathlib import Path; path = Path(tempfile.mkdtemp(), "named-by-a-hash")
>>> _ = path.write_bytes(gzip.compress(b"text"))
>>> unpacked(path).read()
b'text'
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import tempfile
from functools import cache
from typing import IO, Any

from t2vid.errors import InputError, MissingExtra, RecordError
from t2vid.storage.files import AnyPath, path_of, version_at

_PACKINGS = {
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x1f\x8b": "gzip",
    b"BZh": "bz2",
    b"\xfd7zXZ\x00": "xz",
    b"PK\x03\x04": "zip",
}
_BLOCK_BYTES = 1 << 20


def unpacked(path: AnyPath) -> IO[bytes]:
    """Open a file; a packed one is unpacked to a nameless file once, since rows are read by place.

    Raises:
        MissingExtra: for zstd without zstandard.
        RecordError: when the packing is broken, or a zip holds several files of rows.
    """
    file: IO[bytes] = path.open("rb")
    head = file.read(6)
    file.seek(0)
    packing = next((name for mark, name in _PACKINGS.items() if head.startswith(mark)), None)
    if packing is None:
        with contextlib.suppress(
            AttributeError
        ):  # an archive closes its members when it is forgotten
            file.kept_open_by = path  # type: ignore[attr-defined]
        return file
    file.close()
    return io.BufferedReader(_Nameless(_unpacked(str(path), packing, version_at(path))))


@cache
def _unpacked(path: str, packing: str, _version: str) -> int:
    unpack = {"zstd": _unzstd, "zip": _unzip}.get(packing, _unpack)
    descriptor, name = tempfile.mkstemp()
    os.unlink(name)  # gone with the process, however that ends
    try:
        with path_of(path).open("rb") as file, open(descriptor, "wb", closefd=False) as out:
            unpack(file, out, packing)
    except ModuleNotFoundError as error:
        os.close(descriptor)
        raise MissingExtra(f"{path} is packed with zstd; run: pip install zstandard") from error
    except Exception as error:  # each packing has its own
        os.close(descriptor)
        if isinstance(error, InputError):
            raise RecordError(f"{path} {error}") from None
        raise RecordError(f"{path} is broken {packing} data: {error}") from error
    return descriptor


def _unpack(file: Any, out: IO[bytes], packing: str) -> None:
    from fsspec.compression import compr

    shutil.copyfileobj(compr[packing](file, mode="rb"), out, _BLOCK_BYTES)


def _unzstd(file: Any, out: IO[bytes], _packing: str) -> None:
    # zstandard's own streams give a file that was cut off as a shorter one.
    import zstandard

    unpacker = zstandard.ZstdDecompressor(max_window_size=1 << 31)
    frame, inside = unpacker.decompressobj(), False
    while chunk := file.read(_BLOCK_BYTES):
        while chunk:
            out.write(frame.decompress(chunk))
            inside, chunk = not frame.eof, frame.unused_data
            if not inside:
                frame = unpacker.decompressobj()
    if inside:
        raise EOFError("it ends in the middle")


def _unzip(file: Any, out: IO[bytes], _packing: str) -> None:
    import zipfile

    with zipfile.ZipFile(file) as pack:
        # macOS puts a second, hidden file beside each
        names = [one for one in pack.namelist() if not one.endswith("/") and "__MACOSX" not in one]
        if len(names) != 1:
            raise InputError(
                f"is a zip archive of {len(names):,} files ({', '.join(names[:5])}); name those "
                "that hold rows, as zip://NAME::ARCHIVE.zip, or unpack it"
            )
        with pack.open(names[0]) as member:
            shutil.copyfileobj(member, out, _BLOCK_BYTES)


class _Nameless(io.RawIOBase):
    """A file that many readers share, each with its own position."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._at = descriptor, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        end = os.fstat(self._descriptor).st_size
        self._at = max(
            0, offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: end}[whence]
        )
        return self._at

    def readinto(self, buffer: Any) -> int:
        n = os.preadv(self._descriptor, [buffer], self._at)
        self._at += n
        return n
