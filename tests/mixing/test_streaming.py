"""`t2vid.stream` gives every row once, from disk, the Hub or a recipe, whoever reads."""

from __future__ import annotations

import functools
import re
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import Dataset
from torch.utils.data import DataLoader

import t2vid
from t2vid.errors import InputError, MissingFile
from t2vid.mixing import parquet_rows

N = 230


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Three files of eight groups of ten rows, the last of fewer."""
    paths = []
    for part, at in enumerate(range(0, N, 80)):
        rows = range(at, min(at + 80, N))
        data = Dataset.from_dict({"n": list(rows), "source": ["ab"[n % 5 == 0] for n in rows]})
        paths.append(str(tmp_path / f"{part}.parquet"))
        table = data.with_format("arrow")[:]
        pq.write_table(table, paths[-1], row_group_size=10)
    return paths


def numbers(stream: object) -> list[int]:
    return [row["n"] for row in stream]  # type: ignore[attr-defined]


def test_the_order_is_shuffled_and_hangs_on_seed_and_epoch_alone(files: list[str]) -> None:
    first = numbers(t2vid.stream(files, seed=1))
    assert sorted(first) == list(range(N)) != first
    assert first == numbers(t2vid.stream(str(Path(files[0]).parent / "*.parquet"), seed=1))
    assert first != numbers(t2vid.stream(files, seed=2))
    other = t2vid.stream(files, seed=1, epoch=1)
    assert first != numbers(other)
    other.set_epoch(0)
    assert first == numbers(other)
    assert len({n // 10 for n in first[:10]}) > 5  # rows of many groups


class Ranges(SimpleHTTPRequestHandler):
    """Gives ranges of files, and counts what it gives."""

    sent: ClassVar[dict[str, int]] = {}

    def do_GET(self) -> None:
        data = Path(self.directory, self.path[1:]).read_bytes()
        first, last = 0, len(data) - 1
        if asked := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            first, last = int(asked[1]), min(int(asked[2] or last), last)
        self.send_response(206 if asked else 200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(last + 1 - first))
        self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        self.end_headers()
        self.sent[self.command] = self.sent.get(self.command, 0) + 1
        if self.command == "GET":
            self.sent["bytes"] = self.sent.get("bytes", 0) + last + 1 - first
            self.wfile.write(data[first : last + 1])

    do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        pass


def test_over_http_hardly_more_than_the_files_is_fetched(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).bytes(400_000).hex()
    table = pa.table({"n": range(40), "text": [noise[at * 20_000 :][:20_000] for at in range(40)]})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=4)
    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Ranges, directory=str(tmp_path))
    )
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    Ranges.sent.clear()
    url = f"http://127.0.0.1:{server.server_port}/a.parquet"
    assert sorted(numbers(t2vid.stream(url, seed=1, cache=False))) == list(range(40))
    server.shutdown()
    server.server_close()
    size = (tmp_path / "a.parquet").stat().st_size
    assert size <= Ranges.sent["bytes"] < 2.2 * size  # the footer comes with what is before it
    assert Ranges.sent["HEAD"] <= 3


def test_ranks_and_workers_share_the_rows(files: list[str]) -> None:
    seen = []
    for rank in range(2):
        stream = t2vid.stream(files, seed=1, batch_size=8, rank=rank, world_size=2)
        loader = DataLoader(stream, batch_size=8, num_workers=2)
        seen += [n for batch in loader for n in batch["n"].tolist()]
    assert sorted(seen) == list(range(N))


def test_what_is_read_is_bounded_and_each_group_is_read_once(
    files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    real = parquet_rows.ParquetRows._read
    monkeypatch.setattr(
        parquet_rows.ParquetRows,
        "_read",
        lambda self, group, columns=None: read.append(group) or real(self, group, columns),
    )
    stream = t2vid.stream(files, window=3)
    most = 0
    for _ in stream:
        most = max(most, len(stream.dataset._held))
    assert sorted(read) == list(range(23)) and most <= 7


def test_batches_hold_the_sources_in_their_shares(files: list[str]) -> None:
    stream = t2vid.stream(files, batch_size=10, stratify="mixed")
    loader = DataLoader(stream, batch_size=10, collate_fn=list)
    assert {sum(row["source"] == "b" for row in batch) for batch in loader} == {2}


def test_a_recipe_and_a_dataset_stream_too(files: list[str]) -> None:
    ids = [row["id"] for row in t2vid.stream("sample", columns=["id"])]
    assert len(set(ids)) == len(ids) == 46
    rows = Dataset.from_parquet(files)
    assert sorted(numbers(t2vid.stream(rows, columns=["n"]))) == list(range(N))


def test_a_built_mix_finds_its_videos(tmp_path: Path) -> None:
    t2vid.Recipe.from_yaml("sample").build(out=tmp_path / "mix")
    stream = t2vid.stream(tmp_path / "mix", seed=3)
    row = next(row for row in stream if row["source"] == "clips")
    assert len(row["images"]) == row["n_frames"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"columns": ["m"]}, "columns \\['m'\\] are not in the files"),
        ({"stratify": "even"}, "must be one of"),
        ({"window": 0}, "must be > 0 row groups"),
        ({"batch_size": 0}, "must be > 0"),
        ({"rank": 2, "world_size": 2}, "rank"),
    ],
)
def test_bad_arguments_name_value_and_limit(files: list[str], given: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        t2vid.stream(files, **given)


def test_files_that_are_none_are_named(files: list[str], tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="gone.parquet is not there"):
        t2vid.stream([str(tmp_path / "gone.parquet")])
    (tmp_path / "bad.parquet").write_text("not one")
    with pytest.raises(InputError, match="bad.parquet is no Parquet file"):
        t2vid.stream([str(tmp_path / "bad.parquet")])
    Dataset.from_dict({"x": [1]}).to_parquet(tmp_path / "other.parquet")
    with pytest.raises(InputError, match="other.parquet has other columns"):
        t2vid.stream([*files, str(tmp_path / "other.parquet")])


def test_numbers_of_rows_are_checked(files: list[str]) -> None:
    rows = parquet_rows.ParquetRows(files)
    assert rows[N - 1]["n"] == N - 1 and np.all(np.array(rows.column("n")) == np.arange(N))
    with pytest.raises(IndexError):
        rows[N]
