"""Prepared files are small pieces, the same every time, and never out of date."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rows import dataset_of, text_rows, video_rows
from t2vid.publishing import shards
from t2vid.publishing.materialize import PublishFormat, picture
from t2vid.publishing.shards import plan_shards, stage


@given(st.integers(1, 10**6), st.integers(0, 10**12))
def test_shards_cover_every_row_once_and_are_even(n_rows: int, n_bytes: int) -> None:
    ranges = plan_shards(n_rows, n_bytes)
    assert ranges[0][0] == 0 and ranges[-1][1] == n_rows
    assert all(a[1] == b[0] for a, b in zip(ranges, ranges[1:], strict=False))
    sizes = [stop - start for start, stop in ranges]
    assert min(sizes) >= 1 and max(sizes) - min(sizes) <= 1
    assert max(sizes) == 1 or n_bytes / len(sizes) <= shards.SHARD_BYTES


def test_a_stream_of_thirty_thousand_rows_feeds_sixteen_workers() -> None:
    assert len(plan_shards(30_000, 100)) == 16


def test_row_groups_stay_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "ROW_GROUP_BYTES", 5_000)
    rows = dataset_of(text_rows(12))
    (shard,) = stage(rows, PublishFormat("png"), tmp_path)
    meta = pq.read_metadata(shard.path)
    sizes = [meta.row_group(i).total_byte_size for i in range(meta.num_row_groups)]
    largest_row = max(
        sum(len(picture(frame, "png")) for frame in images) for images in rows["images"]
    )
    assert len(sizes) > 2 and max(sizes) < 5_000 + 2 * largest_row
    assert meta.num_rows == 12


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    rows = text_rows(20)
    one = stage(dataset_of(rows), PublishFormat(), tmp_path / "one")
    kept = dataset_of([*rows, *text_rows(3, source="x")]).select(range(20))
    two = stage(kept, PublishFormat(), tmp_path / "two")
    assert [s.path.name for s in one] == [s.path.name for s in two]
    assert [s.path.read_bytes() for s in one] == [s.path.read_bytes() for s in two]


def test_processes_write_what_one_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "SHARD_BYTES", 3000)
    rows = dataset_of(text_rows(20))
    one = stage(rows, PublishFormat(), tmp_path / "one")
    two = stage(rows, PublishFormat(), tmp_path / "two", num_proc=2)
    assert len(one) > 2
    assert [(s.path.name, s.start, s.stop) for s in one] == [
        (s.path.name, s.start, s.stop) for s in two
    ]
    assert [s.path.read_bytes() for s in one] == [s.path.read_bytes() for s in two]


def test_a_changed_video_is_decoded_anew(tmp_path: Path) -> None:
    rows = video_rows(tmp_path / "corpus")
    form = PublishFormat(include_media=True, media_root=str(tmp_path / "corpus"))
    (before,) = stage(dataset_of(rows), form, tmp_path / "stage")
    (tmp_path / "corpus" / "a" / "one.mp4").write_bytes(
        (tmp_path / "corpus" / "b" / "two.mp4").read_bytes()
    )
    (after,) = stage(dataset_of(rows), form, tmp_path / "stage")
    assert before.path != after.path
    first, second = pq.read_table(after.path)["images"].to_pylist()
    assert first["bytes"] == second["bytes"]
