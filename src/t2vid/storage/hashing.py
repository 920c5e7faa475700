"""Says whether files hold what they held: a hash of each, read once for each version of the file.

>>> import tempfile; from pathlib import Path; root = Path(tempfile.mkdtemp())
>>> _ = (root / "a.mp4").write_bytes(b"clip"), (root / "b.mp4").write_bytes(b"clip")
>>> found = content_hashes(["a.mp4", "b.mp4"], root, Cache(None))
>>> found["a.mp4"] == found["b.mp4"], found["a.mp4"][:5]
(True, 'xxh3 ')
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import xxhash

from t2vid.storage.cache import Cache
from t2vid.storage.files import AnyPath, version_at

_CHUNK_BYTES = 1 << 20


def content_hashes(paths: Iterable[str], root: AnyPath, cache: Cache) -> dict[str, str]:
    """Give a hash of the content of files; a folder has none, nor has what is gone.

    Args:
        paths: relative to the root, or absolute.
        root: a folder, or a URL.
        cache: of earlier hashes, by path, size and times.
    """
    files = {path: root / path for path in paths}
    there = {path: file for path, file in files.items() if file.is_file()}
    keys = {path: f"{file}|{version_at(file)}{_changed_ns(file)}" for path, file in there.items()}
    by_key = {key: there[path] for path, key in keys.items()}
    hashes = cache.counted("xxh3", list(keys.values()), lambda new: [_hash(by_key[k]) for k in new])
    return {path: f"xxh3 {n % (1 << 64):016x}" for path, n in zip(keys, hashes, strict=True)}


def _hash(file: AnyPath) -> int:
    hashed = xxhash.xxh3_64()
    with file.open("rb") as opened:
        for chunk in iter(lambda: opened.read(_CHUNK_BYTES), b""):
            hashed.update(chunk)
    digest = hashed.intdigest()
    return digest - (1 << 64) * (digest >> 63)  # a number that SQLite can hold


def _changed_ns(file: AnyPath) -> str:
    # what sets a file's time back to what it was cannot set this one
    return f" {os.stat(file).st_ctime_ns}" if isinstance(file, Path) else ""
