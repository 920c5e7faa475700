"""Rows of Parquet files by number, from disk or over a network: row groups, read ahead, kept on disk.

    rows = ParquetRows(["hf://datasets/me/mix@main/data/train-00000-of-00001.parquet"])
    len(rows), rows[7]["images"]

A row group is read once while its rows are asked for near each other, as a `GroupPlan` does.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import os
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from t2vid.errors import InputError, MissingFile
from t2vid.frames.feature import FIELDS, Frames
from t2vid.mixing.build import rooted
from t2vid.mixing.groups import WINDOW
from t2vid.storage.files import is_url, path_of, scheme_of, version_at, whole_file
from t2vid.storage.http import RetryPolicy, reason_of

logger = logging.getLogger(__name__)

READERS = 4  # row groups that are read at a time


class ParquetRows:
    """The rows of Parquet files.

    Args:
        files: paths or URLs, in order.
        columns: columns to read; None is all.
        frames: make the column of a published mix, a struct of text, path, bytes and spec, a `Frames`.
        media_root: folder that paths of videos in it are relative to.
        cache: folder that keeps what came over a network; None keeps nothing.
        token: for `hf://`.
        window: row groups that are held in memory, and as many are read ahead.

    Raises:
        MissingFile: when a file is not there.
        InputError: for files that are no Parquet, or of different columns.
    """

    def __init__(
        self,
        files: Sequence[str],
        *,
        columns: Sequence[str] | None = None,
        frames: bool = True,
        media_root: str | None = None,
        cache: Path | None = None,
        token: str | None = None,
        window: int = WINDOW,
    ) -> None:
        from datasets import Features
        from datasets.features.features import require_decoding

        if not files:
            raise MissingFile("there is no Parquet file to stream")
        self.files, self.token, self.cache, self.window = list(files), token, cache, window
        self.media_root = media_root
        self._hub: Any = None
        with ThreadPoolExecutor(READERS) as pool:
            footers = list(pool.map(self._footer, self.files))
        self.metadata = [metadata for metadata, _, _ in footers]
        self.versions = [version for _, version, _ in footers]
        self.bytes = [size for _, _, size in footers]
        schema = self.metadata[0].schema.to_arrow_schema()
        for file, metadata in zip(self.files, self.metadata, strict=True):
            if not metadata.schema.to_arrow_schema().equals(schema):
                raise InputError(f"{file} has other columns than {self.files[0]}")
        if unknown := sorted(set(columns or ()) - set(schema.names)):
            raise InputError(f"columns {unknown} are not in the files; they have {schema.names}")
        self.columns = [name for name in schema.names if columns is None or name in columns]
        self.places = [
            (file, group)
            for file, metadata in enumerate(self.metadata)
            for group in range(metadata.num_row_groups)
        ]
        self.sizes = [self.metadata[f].row_group(g).num_rows for f, g in self.places]
        self.first = np.concatenate([[0], np.cumsum(self.sizes)])
        known = Features.from_arrow_schema(schema)
        self.features = Features({name: known[name] for name in self.columns})
        self.lazy = [
            name
            for name, feature in self.features.items()
            if isinstance(feature, dict) and {*feature} == {*FIELDS}
        ]
        if frames:
            self.features = Features({**self.features, **{name: Frames() for name in self.lazy}})
        # of plain columns nothing has to be made
        self.decoded = Features({n: f for n, f in self.features.items() if require_decoding(f)})
        self._forget()

    def __len__(self) -> int:
        return int(self.first[-1])

    def __getitem__(self, row: int) -> dict[str, Any]:
        if not 0 <= row < len(self):
            raise IndexError(f"row {row} of {len(self)}")
        group = int(np.searchsorted(self.first, row, "right")) - 1
        value = dict(self._asked(group).result()[row - int(self.first[group])])
        if self.media_root is not None:
            for name in self.lazy:
                value[name] = value[name] and rooted(value[name], self.media_root)
        if self.decoded:
            value |= self.decoded.decode_example({name: value[name] for name in self.decoded})
        return value

    def prefetch(self, upcoming: Callable[[int], NDArray[np.int64]]) -> None:
        """Begin to read the row groups that come soon.

        Args:
            upcoming: gives the next so many rows.
        """
        rows = upcoming(self.window * max(1, len(self) // len(self.sizes)))
        for group in dict.fromkeys((np.searchsorted(self.first, rows, "right") - 1).tolist()):
            if len(self._held) < 2 * self.window:
                self._asked(group)

    def column(self, name: str) -> list[Any]:
        """Give one column of all rows."""
        with ThreadPoolExecutor(READERS) as pool:
            parts = pool.map(functools.partial(self._read, columns=[name]), range(len(self.sizes)))
            return [value for part in parts for value in part[name].to_pylist()]

    def __getstate__(self) -> dict[str, Any]:
        kept = ("_held", "_pool", "_pid", "_hub")
        return {name: value for name, value in vars(self).items() if name not in kept}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._forget()

    def _forget(self) -> None:
        self._held: OrderedDict[int, Future[list[dict[str, Any]]]] = OrderedDict()
        self._pool: ThreadPoolExecutor | None = None
        self._hub = None
        self._pid = os.getpid()

    def _asked(self, group: int) -> Future[list[dict[str, Any]]]:
        if self._pid != os.getpid():  # a forked worker has none of the threads
            self._forget()
        if self._pool is None:
            self._pool = ThreadPoolExecutor(READERS)
        if group not in self._held:
            self._held[group] = self._pool.submit(lambda: self._kept(group).to_pylist())
            while len(self._held) > 2 * self.window + 1:
                self._held.popitem(last=False)
        self._held.move_to_end(group)
        return self._held[group]

    def _kept(self, group: int) -> pa.Table:
        file = self.places[group][0]
        if self.cache is None or not is_url(self.files[file]):
            return self._read(group)
        name = f"{self.files[file]} {self.versions[file]} {self.columns}"
        path = self.cache / hashlib.sha256(name.encode()).hexdigest()[:32] / f"{group}.arrow"
        if not path.is_file():
            table = self._read(group)
            path.parent.mkdir(parents=True, exist_ok=True)
            options = pa.ipc.IpcWriteOptions(compression="zstd")
            with (
                whole_file(path) as out,
                pa.ipc.new_file(out, table.schema, options=options) as file_,
            ):
                file_.write_table(table)
            return table
        with pa.memory_map(str(path)) as source:
            return pa.ipc.open_file(source).read_all()

    def _read(self, group: int, columns: Sequence[str] | None = None) -> pa.Table:
        number, inside = self.places[group]
        wanted = list(columns or self.columns)

        def act() -> pa.Table:
            with self._open(self.files[number], size=self.bytes[number]) as file:
                reader = pq.ParquetFile(file, metadata=self.metadata[number], pre_buffer=True)
                return reader.read_row_group(inside, columns=wanted)

        return RetryPolicy().call(act, what=self.files[number])

    def _footer(self, file: str) -> tuple[Any, str, int]:
        def act() -> tuple[Any, str, int]:
            with self._open(file) as opened:
                version = "" if scheme_of(file) in ("", "file", "hf") else version_at(path_of(file))
                return pq.read_metadata(opened), version, opened.seek(0, os.SEEK_END)

        try:
            return RetryPolicy().call(act, what=file)
        except FileNotFoundError as error:
            raise MissingFile(f"{file} is not there") from error
        except pa.ArrowInvalid as error:
            raise InputError(f"{file} is no Parquet file: {reason_of(error)}") from error

    def _open(self, file: str, *, size: int | None = None) -> IO[bytes]:
        """Open a file; of a remote one whose size is known, only what is read is fetched.

        Otherwise fsspec fetches 5 MB with every row group, and asks for the size each time.
        """
        exactly: dict[str, Any] = {} if size is None else {"cache_type": "none"}
        scheme = scheme_of(file)
        if scheme == "hf":
            from huggingface_hub import HfFileSystem

            # a stream's own listing: one that is shared goes stale when the branch moves
            if self._hub is None:
                self._hub = HfFileSystem(token=self.token, skip_instance_cache=True)
            opened: IO[bytes] = self._hub.open(file, **exactly)
            return opened
        if scheme in ("http", "https") and size is not None:
            exactly["size"] = size
        plain: IO[bytes] = path_of(file).open("rb", **(exactly if is_url(file) else {}))
        return plain
