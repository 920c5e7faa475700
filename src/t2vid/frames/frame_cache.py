"""Decoded frames kept on disk from one epoch to the next, bounded, for several workers at once.

>>> cache = FrameCache("frames", limit_gb=1)
>>> cache.key(b"a video", SampleSpec())[:8]
'8b16d7c0'

A kept frame is its pixels, packed by zstd: reading one costs 0.4 ms at 364 px where JPEG of quality
95 costs 0.5 to 0.8, lossless WebP 0.9 to 1.6 and PNG 2.3 (`benchmarks/frame_cache.py`), and what an
epoch shows does not depend on whether the epoch before was kept.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
from PIL import Image

from t2vid.errors import InputError
from t2vid.frames.framelist import FrameList
from t2vid.frames.info import VideoInfo
from t2vid.frames.spec import SampleSpec
from t2vid.schema import FRAME_CACHE_GB
from t2vid.storage.files import is_url, version_at, whole_file

logger = logging.getLogger(__name__)

SUFFIX = ".frames"
_RULES = "1"  # another number where `sample_video` comes to give other frames
_ZSTD = pa.Codec("zstd", compression_level=1)
_CHECK_AT = 0.01  # of the limit: a process that added so much looks at the whole folder again
_KEEP = 0.9  # of the limit is left when the oldest go, so that not every frame after it looks again
_ABANDONED_S = 3600.0  # a file that is still half written by then is of a process that was killed


class FrameCache:
    """Frames of videos by content and spec; those that were read longest ago go first.

    The same video at another place is found again where it came as bytes; a file counts as the same
    while its path, size and time of change are, and a URL while its text is. Processes may share a
    folder: a file appears whole or not at all, and one that vanishes is decoded again. Together
    they pass the limit by at most one hundredth for each of them.

    Args:
        folder: on a local disk.
        limit_gb: its size at most, in 10^9 bytes.

    Raises:
        InputError: for a limit that is not above 0, or a folder that is a URL.
    """

    def __init__(self, folder: str | os.PathLike[str], limit_gb: float = FRAME_CACHE_GB) -> None:
        if isinstance(limit_gb, bool) or not isinstance(limit_gb, int | float) or not limit_gb > 0:
            raise InputError(f"cache_gb ({limit_gb!r}) must be a number > 0")
        if is_url(folder):
            raise InputError(f"cache ({folder!r}) must be a folder of this machine, not a URL")
        self.folder = Path(folder).expanduser()
        self.limit_bytes = int(limit_gb * 1e9)
        self._added: float = self.limit_bytes  # nothing is known of the folder yet

    def key(self, source: dict[str, Any] | str | bytes, spec: SampleSpec) -> str:
        """Give the name under which the frames of a video are kept.

        Raises:
            OSError: for a file that is not there.
        """
        if isinstance(source, dict):
            data, name = source.get("bytes"), str(source.get("path"))
        else:
            data, name = (source, "") if isinstance(source, bytes) else (None, source)
        if data is None:
            archive = name.rpartition("::")[0]
            remote = is_url(archive or name)
            path = name if archive or remote else os.path.abspath(name)
            version = "" if remote else _version(Path(archive or name))
            data = f"{path}\0{version}".encode("utf-8", "surrogatepass")
        digest = hashlib.blake2b(data, digest_size=20)
        digest.update(f"\0{_RULES}\0{spec.to_json()}".encode())
        return digest.hexdigest()

    def get(self, key: str) -> FrameList | None:
        """Give the frames that are kept under a name; None where none are."""
        path = self._path(key)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        try:
            frames = _unpacked(data)
        except (ValueError, KeyError, TypeError, OSError):
            logger.warning("%s is damaged; its video is decoded again", path)
            path.unlink(missing_ok=True)
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # read last
        return frames

    def put(self, key: str, frames: FrameList) -> None:
        """Keep frames; a disk that is full or cannot be written costs a warning and nothing else."""
        data = _packed(frames)
        if len(data) > self.limit_bytes:
            return
        self._added += len(data)
        try:
            if self._added > self.limit_bytes * _CHECK_AT:
                self._added = 0
                self._shrink(len(data))
            with whole_file(self._path(key)) as file:
                file.write(data)
        except OSError as error:
            logger.warning("frames are not kept: %s", error)

    def size_bytes(self) -> int:
        """Give the size of what is kept."""
        return sum(stat.st_size for _, stat in self._files())

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}{SUFFIX}"

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        for path in self.folder.glob("??/*") if self.folder.is_dir() else ():
            with contextlib.suppress(OSError):  # another process took it away
                yield path, path.stat()

    def _shrink(self, coming: int) -> None:
        now, held = time.time(), []
        for path, stat in self._files():
            if path.suffix == SUFFIX:
                held.append((stat.st_mtime_ns, stat.st_size, path))
            elif SUFFIX in path.name and now - stat.st_mtime > _ABANDONED_S:
                path.unlink(missing_ok=True)
        total = sum(size for _, size, _ in held) + coming
        if total <= self.limit_bytes * (1 - _CHECK_AT):
            return
        for _, size, path in sorted(held):
            if total <= self.limit_bytes * _KEEP:
                return
            path.unlink(missing_ok=True)
            total -= size


@lru_cache(maxsize=32)
def frame_cache(folder: str, limit_gb: float) -> FrameCache:
    """Give the cache of a folder; one process has one."""
    return FrameCache(folder, limit_gb)


def _version(path: Path) -> str:
    if path.is_dir():  # numbered images
        with os.scandir(path) as found:
            files = sorted((f.name, f.stat().st_size, f.stat().st_mtime_ns) for f in found)
        return repr(files)
    return version_at(path)


def _packed(frames: FrameList) -> bytes:
    blobs = [_ZSTD.compress(frame.tobytes(), asbytes=True) for frame in frames]
    head = {
        "sizes": [frame.size for frame in frames],
        "lengths": [len(blob) for blob in blobs],
        "timestamps_s": frames.timestamps_s,
        "n_total": frames.n_total,
        "info": frames.info.to_dict() if frames.info else None,
    }
    return b"\n".join([json.dumps(head).encode(), b"".join(blobs)])


def _unpacked(data: bytes) -> FrameList:
    head, _, blobs = data.partition(b"\n")
    kept = json.loads(head)
    if sum(kept["lengths"]) != len(blobs):
        raise ValueError("cut off")
    frames, at, held = [], 0, memoryview(blobs)
    for (width, height), length in zip(kept["sizes"], kept["lengths"], strict=True):
        pixels = _ZSTD.decompress(held[at : at + length], 3 * width * height, asbytes=True)
        frames.append(Image.frombytes("RGB", (width, height), pixels))
        at += length
    info = kept["info"]
    if info is not None:
        info = VideoInfo(**{**info, "indices": tuple(info["indices"])})
    return FrameList(frames, timestamps_s=kept["timestamps_s"], n_total=kept["n_total"], info=info)
