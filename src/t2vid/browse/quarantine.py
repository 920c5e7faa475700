"""The rows that were put aside: a JSON-lines file that several datasets share.

>>> aside = Quarantine(None, dataset="mix")
>>> aside.toggle(3, {"id": "a", "source": "texts"}, flags=["twin"])
True
>>> aside.to_json_lines()
'{"dataset": "mix", "row": 3, "id": "a", "source": "texts", "flags": ["twin"]}\\n'
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from t2vid.errors import InputError
from t2vid.storage.files import write_atomically


class Quarantine:
    """Rows of a dataset that are put aside, and the file that lists them.

    Args:
        path: JSON-lines file; what it lists of this dataset is put aside already, lines of other
            datasets stay in it. None keeps the list in memory.
        dataset: name of the dataset.

    Raises:
        InputError: for a file that is no such list.
    """

    def __init__(self, path: str | Path | None, *, dataset: str) -> None:
        self.path = None if path is None else Path(path)
        self.dataset = dataset
        self._marked: dict[str, dict[str, Any]] = {}
        self._others: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._read()

    def __len__(self) -> int:
        return len(self._marked)

    def holds(self, position: int, row: Mapping[str, Any]) -> bool:
        """Tell whether a row is put aside."""
        return _key(position, row) in self._marked

    def toggle(self, position: int, row: Mapping[str, Any], *, flags: Sequence[str] = ()) -> bool:
        """Put a row aside, or back; the file is written at once.

        Returns:
            True when the row is put aside now.
        """
        key = _key(position, row)
        with self._lock:
            if self._marked.pop(key, None) is None:
                self._marked[key] = {
                    "dataset": self.dataset,
                    "row": position,
                    "id": row.get("id"),
                    "source": row.get("source"),
                    "flags": list(flags),
                }
            if self.path is not None:
                write_atomically(self.path, _json_lines([*self._others, *self._marked.values()]))
            return key in self._marked

    def to_json_lines(self) -> str:
        """Give the rows put aside: `dataset`, `row`, `id`, `source`, `flags`."""
        return _json_lines(self._marked.values())

    def _read(self) -> None:
        if self.path is None or not self.path.is_file():
            return
        for number, line in enumerate(self.path.read_text(encoding="utf-8").splitlines(), 1):
            try:
                mark = json.loads(line)
                key, mine = _key(mark["row"], mark), mark["dataset"] == self.dataset
            except (ValueError, KeyError, TypeError, AttributeError):
                raise InputError(
                    f"{self.path} line {number} is no row that was put aside; name another file "
                    "with --quarantine"
                ) from None
            if mine:
                self._marked[key] = mark
            else:
                self._others.append(mark)


def _key(position: int, row: Mapping[str, Any]) -> str:
    return json.dumps([row.get("source"), row["id"]] if row.get("id") else position)


def _json_lines(values: Iterable[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values)
