"""Load a published revision as a stranger would, and compare it with what was meant, row for row.

>>> a, b = pa.table({"n": [1, 2, 3]}), pa.table({"n": [1, 2, 4]})
>>> first_difference(iter([a]), iter([b[:1], b[1:]]))
2
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from t2vid.errors import InputError, PublishError
from t2vid.publishing import card
from t2vid.publishing.materialize import PublishFormat, plain_tables
from t2vid.publishing.remote import Remote
from t2vid.publishing.shards import StagedShard
from t2vid.storage.http import reason_of

if TYPE_CHECKING:
    from datasets import Dataset


def compare(
    remote: Remote,
    dataset: Dataset,
    form: PublishFormat,
    shards: Sequence[StagedShard],
    *,
    config: str,
    split: str,
    revision: str,
) -> None:
    """Load a split back and compare every row.

    Raises:
        PublishError: naming the first row that differs, or why nothing could be loaded.
    """
    # what is cheap to make is made again; drawn and decoded rows come from the prepared files
    mine = _stored(shards) if form.makes_frames else plain_tables(dataset, form)
    where = f"split {split!r} of {remote.repo_id} at {revision[:10]}"
    standing = f"{remote.state}, and nothing new is visible there"
    try:
        row = first_difference(mine, _loaded(remote, config, split, revision))
    except Exception as error:
        raise PublishError(
            f"{where} cannot be loaded back: {reason_of(error)}; {standing}; run the same push again"
        ) from error
    if row is not None:
        raise PublishError(
            f"row {row:,} of {where} is not what was sent; {standing}; the Hub's copy of a file is "
            "broken: delete the repository and push again, so that it is sent anew"
        )


def first_difference(mine: Iterator[pa.Table], theirs: Iterator[pa.Table]) -> int | None:
    """Give the first row in which two sequences of tables differ, however they are cut."""
    done = 0
    a = b = None
    while True:
        a = a if a is not None and len(a) else next((t for t in mine if len(t)), None)
        b = b if b is not None and len(b) else next((t for t in theirs if len(t)), None)
        if a is None or b is None:
            return None if a is b else done
        n = min(len(a), len(b))
        row = _unequal_row(a[:n], b[:n])
        if row is not None:
            return done + row
        a, b, done = a[n:], b[n:], done + n


def _unequal_row(left: pa.Table, right: pa.Table) -> int | None:
    if left.column_names != right.column_names:
        return 0
    if left.equals(right.cast(left.schema)):
        return None
    # NaN differs from itself for Arrow, and not for a reader
    pairs = zip(left.to_pylist(), right.to_pylist(), strict=True)
    return next((i for i, (one, other) in enumerate(pairs) if repr(one) != repr(other)), None)


def _stored(shards: Sequence[StagedShard]) -> Iterator[pa.Table]:
    for shard in shards:
        with pq.ParquetFile(shard.path) as file:
            for group in range(file.num_row_groups):
                yield file.read_row_group(group)


def _loaded(remote: Remote, config: str, split: str, revision: str) -> Iterator[pa.Table]:
    """Read the files that `load_dataset` would: those that the card names for config and split."""
    from datasets import DownloadConfig
    from datasets.data_files import DataFilesDict, sanitize_patterns

    # What load_dataset does with a card; all else that it does and imports costs more than ten rows.
    found = DataFilesDict.from_patterns(
        sanitize_patterns(card.data_files(remote.read("README.md", revision), config)),
        base_path=f"hf://datasets/{remote.repo_id}@{revision}",
        download_config=DownloadConfig(token=remote.token),
    )
    if split not in found:
        raise InputError(f"the card names no files for split {split!r}, but for {list(found)}")
    for url in found[split]:
        yield from remote.row_groups(str(url))
