"""What a judge has said before, on disk, so that no answer is paid for twice.

>>> cache = JudgeCache(":memory:")
>>> cache.put({"k": "B"}); cache.get(["k", "other"])
{'k': 'B'}
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path


def key_of(
    judge: str, prompt_version: str, question: str, options: Sequence[str], answer: str
) -> str:
    """Hash everything a verdict depends on: the back end with its model and settings, the prompt's wording, the case.

    >>> key_of("j", "1", "q", ["a", "b"], "c") == key_of("j", "1", "q", ["a b"], "c")
    False
    """
    # JSON, so that no text can run over into its neighbour
    record = json.dumps([judge, prompt_version, question, list(options), answer])
    return hashlib.sha256(record.encode()).hexdigest()


class JudgeCache:
    """Letters by key in one SQLite file, which several processes may share.

    Args:
        path: the file, made where it is missing; `":memory:"` forgets when the object goes.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        memory = self.path == ":memory:"
        self._kept = sqlite3.connect(self.path, check_same_thread=False) if memory else None
        if not memory:
            Path(self.path).parent.mkdir(parents=True, exist_ok=True)

    def get(self, keys: Iterable[str]) -> dict[str, str]:
        """Give the letters of the keys that are known."""
        find = "SELECT key, letter FROM verdicts WHERE key = ?"
        with self._opened() as connection:
            return dict(row for key in keys for row in connection.execute(find, [key]))

    def put(self, letters: Mapping[str, str]) -> None:
        """Keep letters by key."""
        with self._opened() as connection, connection:
            connection.executemany("INSERT OR REPLACE INTO verdicts VALUES (?, ?)", letters.items())

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        # a connection for each act survives fork and leaves no lock behind a killed process
        connection = self._kept or sqlite3.connect(self.path, timeout=30)
        try:
            columns = "(key TEXT PRIMARY KEY, letter TEXT)"
            connection.execute(f"CREATE TABLE IF NOT EXISTS verdicts {columns}")
            yield connection
        finally:
            if connection is not self._kept:
                connection.close()
