"""The rows of a dataset, fetched as they are looked at: of a stream only a window stays in memory.

>>> rows = BrowseRows([{"id": "a", "messages": []}, {"id": "b", "messages": []}])
>>> rows.get(1)["id"], rows.get(2)
('b', None)
"""

from __future__ import annotations

import dataclasses
import json
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from t2vid.browse.words import may_be, may_hold
from t2vid.corpora.layouts import detect
from t2vid.errors import InputError, MissingFile, T2VidError
from t2vid.frames.feature import Frames
from t2vid.targets import ROWS, find

WINDOW_ROWS = 256  # rows of a stream that stay in memory, and
WINDOW_BYTES = 64 * 2**20  # at most so much of what they store
CHUNK_ROWS = 5_000  # rows of a dataset that are looked at at once while filtering
READ_ROWS = 500  # of these, that are read at once


class BrowseRows:
    """Numbered rows of a dataset or a stream; of a stream only a window is kept.

    Args:
        dataset: a `Dataset`, an `IterableDataset` or a list of rows.
        root: folder that all files named by rows must lie in; None allows no file.
        remote: follow the URLs that rows name.
        name: what the dataset is called.
    """

    def __init__(
        self, dataset: Any, *, root: str | Path | None = None, remote: bool = False, name: str = ""
    ) -> None:
        from datasets import IterableDataset

        self.root = None if root is None else Path(root).absolute()
        self.remote, self.name = remote, name
        self.column, self._dataset = _undecoded(dataset)
        self._streams = isinstance(dataset, IterableDataset)
        self.total: int | None = None if self._streams else len(dataset)
        self._words: Any = None  # the columns that filters read, and
        self._table: Any = None  # the same in Arrow's form
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, tuple[Mapping[str, Any], int]] = OrderedDict()
        self._n_bytes = self._next = 0
        self._iterator: Iterator[Mapping[str, Any]] | None = None

    def get(self, number: int) -> Mapping[str, Any] | None:
        """Give a row as it is stored, no frame made; None behind the last one."""
        if number < 0 or (self.total is not None and number >= self.total):
            return None
        with self._lock:
            return self._streamed(number) if self._streams else self._dataset[number]

    @property
    def random_access(self) -> bool:
        """Whether any row is at hand, as in a stream it is not."""
        return not self._streams

    def chunk(
        self,
        start: int,
        words: Sequence[str] = (),
        *,
        source: str = "",
        least: int = 0,
        most: int | None = None,
    ) -> tuple[int, Iterator[tuple[int, Mapping[str, Any]]]]:
        """Look at some rows from a number on, without what their frames are made from.

        Filters look at many rows: of a dataset they are seen together, of a stream one by one.

        Args:
            start: number of the first row.
            words: rows that cannot hold all of these are passed over,
            source: and those of another source, where one is named,
            least: with fewer frames,
            most: or with more.

        Returns:
            How many rows were looked at, 0 at the end, and each that is left with its number.
        """
        if self._streams or isinstance(self._dataset, list):
            row = self.get(start)
            return (0, iter(())) if row is None else (1, iter([(start, row)]))
        if self._words is None:
            names = self._dataset.column_names
            self._words = self._dataset.select_columns([n for n in names if n != "images"])
            self._table = self._words.with_format("arrow")
        with self._lock:
            table = self._table[start : start + CHUNK_ROWS]
        left = may_be(table, source=source, least=least, most=most)
        if words and left.any():
            left &= may_hold(table, words)
        return table.num_rows, self._read((start + np.flatnonzero(left)).tolist())

    def _read(self, numbers: list[int]) -> Iterator[tuple[int, Mapping[str, Any]]]:
        for start in range(0, len(numbers), READ_ROWS):
            some = numbers[start : start + READ_ROWS]
            with self._lock:
                columns = self._words[some]
            for number, row in zip(some, zip(*columns.values(), strict=True), strict=True):
                yield number, dict(zip(columns, row, strict=True))

    def kept(self) -> int:
        """Count the rows of a stream that are in memory."""
        return len(self._kept)

    def _streamed(self, number: int) -> Mapping[str, Any] | None:
        if number in self._kept:
            return self._kept[number][0]
        if self._iterator is None or number < self._next:
            self._iterator, self._next = iter(self._dataset.skip(number)), number
        while self._next <= number:
            try:
                row = next(self._iterator, None)
            except BaseException:
                self._iterator = None  # a generator that raised is over; the next call starts anew
                raise
            if row is None:
                self.total = self._next
                return None
            self._keep(self._next, row)
            self._next += 1
        return self._kept[number][0]

    def _keep(self, number: int, row: Mapping[str, Any]) -> None:
        size = _size(row)
        self._n_bytes += size - self._kept.pop(number, (None, 0))[1]
        self._kept[number] = (row, size)
        while len(self._kept) > 1 and (
            len(self._kept) > WINDOW_ROWS or self._n_bytes > WINDOW_BYTES
        ):
            self._n_bytes -= self._kept.popitem(last=False)[1][1]


def open_rows(
    target: str | Path,
    *,
    config: str | None = None,
    split: str | None = None,
    data_dir: str | Path | None = None,
    remote: bool = False,
) -> BrowseRows:
    """Open what is to be browsed.

    Args:
        target: folder that `t2vid build` or `save_to_disk` wrote, a Parquet, JSON or JSON-lines file of
            rows, the folder of a run, or a name for `load_dataset`, which is then streamed.
        config: config of a named dataset.
        split: its split; the first one by default.
        data_dir: folder of the videos (and of the annotation files, for `t2vid/…` names); no file
            outside it is read for a row.
        remote: follow the URLs that rows name.

    Raises:
        MissingFile: for a folder without rows, or a `data_dir` that is none.
        InputError: for a dataset that has no conversations.
    """
    if data_dir is not None and not Path(data_dir).is_dir():
        raise MissingFile(f"data_dir={os.fspath(data_dir)!r} is no folder")
    name = " ".join(part for part in (str(target), config, split) if part)
    try:
        root, dataset = _opened(str(target), config, split, data_dir)
        rows = BrowseRows(dataset, root=root, remote=remote, name=name)
        first = rows.get(0)
    except T2VidError:
        raise
    except ValueError as error:  # of datasets and Arrow: an unknown config, a file that is no JSON
        raise InputError(f"{target} cannot be opened: {error}") from error
    if first is None:
        raise InputError(f"{target} has no rows; there is nothing to look at")
    detect(first)  # a layout of rows, or an error that says what is expected
    return rows


def _opened(
    target: str, config: str | None, split: str | None, data_dir: str | Path | None
) -> tuple[str | Path | None, Any]:
    from datasets import load_dataset

    from t2vid.mixing.opening import open_rows as load_rows

    found = find(target, (*ROWS, "run"), by="browse")
    if found.kind == "run":
        from t2vid.browse.answers import answer_rows

        return data_dir, answer_rows(found.folder, data_dir=data_dir)
    if found.kind == "mix":
        from t2vid.mixing.shards import BuildPlan

        path = found.folder
        names = json.loads((path / "manifest.json").read_text("utf-8"))["shards"]
        shards = [str(path / shard["path"]) for shard in names]
        root = data_dir or BuildPlan.load(path).data
        return root, load_dataset("parquet", data_files=shards, split="train")
    streaming = found.kind not in ("saved", "recipe")
    rows = load_rows(found, config=config, split=split, data=data_dir, streaming=streaming)
    if data_dir is None and (found.kind == "recipe" or found.name.startswith("t2vid/")):
        from t2vid import samples

        data_dir = samples.ROOT
    if data_dir is None and found.kind == "rows" and found.folder.is_file():
        data_dir = found.folder.parent  # where the media of its rows are looked for
    return data_dir, rows


def _undecoded(dataset: Any) -> tuple[Frames, Any]:
    """Give the reader of the frames column, and the dataset with that column as it is stored."""
    from datasets import Image as Picture
    from datasets import List

    features = getattr(dataset, "features", None) or {}
    column = features.get("images")
    if isinstance(column, Frames):
        return column, dataset.cast_column("images", dataclasses.replace(column, decode=False))
    if isinstance(getattr(column, "feature", None), Picture):
        return Frames(), dataset.cast_column("images", List(Picture(decode=False)))
    return Frames(), dataset


def _size(value: Any) -> int:
    """Estimate the bytes that a row holds."""
    if isinstance(value, str | bytes):
        return 50 + len(value)
    if isinstance(value, Mapping):
        return 100 + sum(map(_size, value.values()))
    if isinstance(value, list):
        return 60 + sum(map(_size, value))
    return 30
