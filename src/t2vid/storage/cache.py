"""Remembers what is slow to count (tokens, pages, the length of a video) from one run to the next.

>>> cache = Cache(None)
>>> cache.counted("letters", ["ab", "abc"], lambda texts: [len(text) for text in texts])
[2, 3]

A key is a digest of what was counted and how, so nothing goes stale; the file may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

logger = logging.getLogger(__name__)

_BUSY_S = 60.0
_ASK = 500  # SQLite's oldest limit of values in one query is 999


class Cache:
    """Numbers by digest, in one SQLite file that several processes may share.

    Args:
        path: the file; None keeps nothing.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None
        if path is not None:
            try:
                self._open(path)
            except (sqlite3.Error, OSError) as error:
                self._mend(error)

    def _open(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
        self._db.execute("PRAGMA synchronous = OFF")  # what a power cut takes is counted anew
        self._db.execute("CREATE TABLE IF NOT EXISTS n (k BLOB PRIMARY KEY, v INT) WITHOUT ROWID")

    def counted(
        self, kind: str, items: Sequence[str], count: Callable[[list[str]], list[int]]
    ) -> list[int]:
        """Give the number of each item, counting only those that are new, in one call.

        Args:
            kind: how it is counted, with everything that changes the number.
            items: what is counted.
            count: gives one number an item.
        """
        salt = hashlib.blake2b(kind.encode(), digest_size=16).digest()
        keys = [
            hashlib.blake2b(
                item.encode("utf-8", "surrogatepass"), key=salt, digest_size=16
            ).digest()
            for item in items
        ]
        known = self._get(keys)
        new = {key: item for key, item in zip(keys, items, strict=True) if key not in known}
        if new:
            fresh = dict(zip(new, count(list(new.values())), strict=True))
            self._put(fresh)
            known |= fresh
        return [known[key] for key in keys]

    def _get(self, keys: list[bytes]) -> dict[bytes, int]:
        known: dict[bytes, int] = {}
        for i in range(0, len(keys) if self._db else 0, _ASK):
            some = keys[i : i + _ASK]
            marks = ",".join("?" * len(some))
            try:
                known.update(self._db.execute(f"SELECT k, v FROM n WHERE k IN ({marks})", some))  # type: ignore[union-attr]
            except sqlite3.Error as error:
                self._mend(error)
                break
        return known

    def _put(self, fresh: dict[bytes, int]) -> None:
        if self._db is None:
            return
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("INSERT OR IGNORE INTO n VALUES (?, ?)", fresh.items())
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            self._mend(error)

    def _mend(self, error: Exception) -> None:
        """Begin a file that is damaged or gone anew, once; any other costs time and nothing else."""
        path, self._path, self._db = self._path, None, None
        is_damaged = isinstance(error, sqlite3.DatabaseError) and not isinstance(
            error, sqlite3.OperationalError
        )
        if path is not None and (is_damaged or not path.exists()):
            try:
                path.unlink(missing_ok=True)
                self._open(path)
            except (sqlite3.Error, OSError) as again:
                error, self._db = again, None
            else:
                logger.warning("the cache of counts is begun anew (%s): %s", error, path)
                return
        logger.warning("the cache of counts is not used: %s", error)


def default_path() -> Path:
    """Give the file that all runs of a user share, below the Hugging Face cache."""
    from huggingface_hub.constants import HF_HOME

    return Path(HF_HOME) / "t2vid" / "counts.sqlite"
