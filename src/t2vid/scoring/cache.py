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
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

_CHUNK = 500  # SQLite takes at most 999 variables in a statement


def key_of(
    judge: str, prompt_version: str, question: str, options: Sequence[str], answer: str
) -> str:
    """Hash everything a verdict depends on.

    Args:
        judge: identity of the judge: back end, model and settings.
        prompt_version: changes with the wording of the prompt.
        question: the question.
        options: the option texts, in order.
        answer: the answer to judge.

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
        if self.path != ":memory:":
            Path(self.path).parent.mkdir(parents=True, exist_ok=True)
        self._kept = self._open() if self.path == ":memory:" else None

    def get(self, keys: Iterable[str]) -> dict[str, str]:
        """Give the letters of the keys that are known."""
        wanted = list(dict.fromkeys(keys))
        found: dict[str, str] = {}
        for start in range(0, len(wanted), _CHUNK):
            part = wanted[start : start + _CHUNK]
            marks = ",".join("?" * len(part))
            found.update(
                self._run(f"SELECT key, letter FROM verdicts WHERE key IN ({marks})", part)
            )
        return found

    def put(self, letters: Mapping[str, str]) -> None:
        """Keep letters by key."""
        items = list(letters.items())
        for start in range(0, len(items), _CHUNK // 2):
            part = items[start : start + _CHUNK // 2]
            marks = ",".join(["(?, ?)"] * len(part))
            values = [value for item in part for value in item]
            self._run(f"INSERT OR REPLACE INTO verdicts VALUES {marks}", values)

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=30, check_same_thread=False)
        connection.execute(
            "CREATE TABLE IF NOT EXISTS verdicts (key TEXT PRIMARY KEY, letter TEXT)"
        )
        return connection

    def _run(self, statement: str, values: Sequence[str]) -> list[tuple[str, str]]:
        if self._kept is not None:
            return self._kept.execute(statement, values).fetchall()
        # a connection for each act survives fork and leaves no lock behind a killed process
        with closing(self._open()) as connection, connection:
            return connection.execute(statement, values).fetchall()
