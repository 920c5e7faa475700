"""Rows on disk as they will be on the Hub: small row groups, even shards, reused after a cut.

>>> plan_shards(10, 3 * SHARD_BYTES)
[(0, 3), (3, 6), (6, 10)]
"""

from __future__ import annotations

import errno
import hashlib
import multiprocessing
import os
import shutil
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from t2vid import registry
from t2vid.errors import PublishError, pluralize
from t2vid.progress import progress
from t2vid.publishing import materialize
from t2vid.publishing.materialize import PublishFormat, lazy_columns, plain_features, plain_tables

if TYPE_CHECKING:
    from datasets import Dataset

# The viewer reads whole row groups and gives up at about 286 MiB; a random read pays for one.
ROW_GROUP_BYTES = 16 * 2**20
SHARD_BYTES = 128 * 2**20
# A stream is divided by shards: eight ranks with two workers each should all have one.
STREAM_SHARDS = 16
STREAM_ROWS = 1000


@dataclass(frozen=True)
class StagedShard:
    """One staged Parquet file: rows `start` to `stop` of a split, `n_bytes` in memory."""

    path: Path
    start: int
    stop: int
    n_bytes: int


def plan_shards(n_rows: int, n_bytes: int, max_bytes: int | None = None) -> list[tuple[int, int]]:
    """Cut rows into `(start, stop)` ranges of about equal length.

    Args:
        n_rows: number of rows.
        n_bytes: their estimated size in bytes.
        max_bytes: size of a shard at most; None is 128 MB.
    """
    by_size = -(-n_bytes // (max_bytes or SHARD_BYTES))
    count = max(1, min(n_rows, max(by_size, min(STREAM_SHARDS, n_rows // STREAM_ROWS))))
    edges = [n_rows * i // count for i in range(count + 1)]
    return list(zip(edges, edges[1:], strict=False))


def stage(
    dataset: Dataset,
    form: PublishFormat,
    folder: Path,
    *,
    num_proc: int = 1,
    max_bytes: int | None = None,
) -> list[StagedShard]:
    """Write a split as Parquet shards into `folder`, keeping those that are already there.

    A shard's file is named after the hash of the rows it holds, so an interrupted run goes on where
    it was and a changed row is never served from an old file.

    Args:
        dataset: one split.
        form: in which form.
        folder: where the files go.
        num_proc: processes that write shards.
        max_bytes: size of a shard at most; None is 128 MB.

    Raises:
        PublishError: when the disk is full.
        BadVideo: for a video that cannot be decoded, as the column's `on_bad` says.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ranges = plan_shards(len(dataset), _estimate_bytes(dataset, form), max_bytes)
    jobs = [(dataset, form, start, stop, folder) for start, stop in ranges]
    try:
        if num_proc > 1 and len(jobs) > 1:
            context = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(min(num_proc, len(jobs)), mp_context=context) as pool:
                done = pool.map(_write_shard, jobs)
                return list(progress(done, desc="write", total=len(jobs), unit="shard"))
        done = map(_write_shard, jobs)
        return list(progress(done, desc="write", total=len(jobs), unit="shard"))
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise PublishError(
                f"{error.strerror} while writing {pluralize(len(ranges), 'shard')} into {folder}, which has "
                f"{shutil.disk_usage(folder).free / 1e6:,.0f} MB free; nothing was uploaded; make "
                "room or name another folder with stage_dir=, and run the same push again"
            ) from error
        raise


def _write_shard(job: tuple[Dataset, PublishFormat, int, int, Path]) -> StagedShard:
    dataset, form, start, stop, folder = job
    path = folder / f"{_key(dataset, form, start, stop)}.parquet"
    if not path.exists():
        partial = path.with_suffix(f".{os.getpid()}.part")
        try:
            _write_parquet(dataset, form, start, stop, partial)
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)
    meta = pq.read_metadata(path)
    n_bytes = sum(meta.row_group(i).total_byte_size for i in range(meta.num_row_groups))
    return StagedShard(path, start, stop, n_bytes)


def _write_parquet(
    dataset: Dataset, form: PublishFormat, start: int, stop: int, path: Path
) -> None:
    schema = plain_features(dataset.features, form).arrow_schema
    waiting: list[pa.Table] = []
    n_bytes = 0
    with open(path, "wb") as file:
        with pq.ParquetWriter(
            file,
            schema,
            compression="zstd",
            use_content_defined_chunking=True,
            write_page_index=True,
        ) as writer:
            for table in plain_tables(dataset, form, start, stop):
                waiting.append(table)
                n_bytes += table.nbytes
                if n_bytes >= ROW_GROUP_BYTES:
                    writer.write_table(pa.concat_tables(waiting))
                    waiting, n_bytes = [], 0
            if waiting:
                writer.write_table(pa.concat_tables(waiting))
        file.flush()
        os.fsync(file.fileno())


def _key(dataset: Dataset, form: PublishFormat, start: int, stop: int) -> str:
    """Hash what a shard is made from: stored rows, form, this code, stamps of the video files."""
    digest = hashlib.sha256(f"{form}|{dataset.features}|{registry.source_hash()}".encode())
    for module in (__file__, materialize.__file__):
        digest.update(Path(module).read_bytes())
    lazy = lazy_columns(dataset.features)
    rows = dataset.with_format("arrow")
    for first in range(start, stop, 256):
        table: pa.Table = rows[first : min(stop, first + 256)]
        # not Arrow's own bytes: equal rows have other bytes after a select or a rebuild
        digest.update(repr(table.to_pylist()).encode())
        for name in lazy if form.makes_frames else []:
            for path in table[name].combine_chunks().field("path").to_pylist():
                if path and os.path.exists(path):
                    stat = os.stat(path)
                    digest.update(f"{stat.st_size} {stat.st_mtime_ns}".encode())
    return digest.hexdigest()[:40]


def _estimate_bytes(dataset: Dataset, form: PublishFormat) -> int:
    if not len(dataset):
        return 0
    if len(dataset) <= 64 and not form.makes_frames:
        return sum(table.nbytes for table in plain_tables(dataset, form))
    n = min(len(dataset), 8 if form.makes_frames else 64)
    places = [len(dataset) * i // n for i in range(n)]
    size = sum(t.nbytes for i in places for t in plain_tables(dataset, form, i, i + 1))
    return int(size * len(dataset) // n)
