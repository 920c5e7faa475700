"""Rows come out of a file as they went in, whatever its kind, size and cut."""

from __future__ import annotations

import csv
import gzip
import json
import math
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from t2vid.errors import MissingExtra, MissingFile, RecordError
from t2vid.storage import json_list, records
from t2vid.storage.files import path_of
from t2vid.storage.records import BadRow, Part, picked, read, split, starts

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
record_lists = st.lists(st.dictionaries(st.text(), values, max_size=3), max_size=12)

ROWS = [{"n": n, "text": 'é"\\\n😀' * n} for n in range(25)]


def as_json(path: Path, rows: list[Any], **kwargs: Any) -> str:
    path.write_text(json.dumps(rows, **kwargs), encoding="utf-8")
    return str(path)


def as_jsonl(path: Path, rows: list[Any], **kwargs: Any) -> str:
    path.write_text("".join(json.dumps(row, **kwargs) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def as_parquet(path: Path, rows: list[Any]) -> str:
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=10)
    return str(path)


def rows_of(path: str | Part) -> list[Any]:
    return [value for _, value in read(path)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    rows=record_lists,
    indent=st.none() | st.integers(0, 4),
    ascii_only=st.booleans(),
    chunk=st.integers(1, 40),
)
def test_any_json_list_reads_as_json_reads_it(
    tmp_path: Path, rows: list[Any], indent: int | None, ascii_only: bool, chunk: int
) -> None:
    path = as_json(tmp_path / "x", rows, indent=indent, ensure_ascii=ascii_only)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            json_list, "CHUNK_BYTES", chunk
        )  # so that every cut through a record is tried
        assert rows_of(path) == rows
        parts = split(path, rows_per_part=3)
        assert len(parts) == math.ceil(len(rows) / 3)
        assert [pair for part in parts for pair in read(part)] == list(enumerate(rows))


@pytest.mark.parametrize("write", [as_json, as_jsonl, as_parquet])
def test_parts_cover_every_row_once_in_order(tmp_path: Path, write: Callable[..., str]) -> None:
    path = write(tmp_path / "x", ROWS)
    parts = split(path, rows_per_part=10)
    assert [part.n_rows for part in parts] == [10, 10, 5]
    assert [pair for part in parts for pair in read(part)] == list(enumerate(ROWS))
    assert rows_of(path) == ROWS
    assert rows_of(Part(path, 0, 4)) == ROWS[:4]


def as_csv(path: Path, rows: list[Any]) -> str:
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, ["n", "text"])
        table.writeheader()
        table.writerows(rows)
    return str(path)


@pytest.mark.parametrize("write", [as_json, as_jsonl, as_csv, as_parquet])
@pytest.mark.parametrize("packed", [False, True])
def test_any_rows_are_picked_by_their_place_in_any_order(
    tmp_path: Path, write: Callable[..., str], packed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "x", ROWS)
    if packed:
        (tmp_path / "y").write_bytes(gzip.compress(Path(path).read_bytes()))
        path = str(tmp_path / "y")
    monkeypatch.setattr(records, "_ROW_BYTES", 16)  # rows are longer than what is read at first
    places = list(enumerate(starts(path)))
    whole = rows_of(path)
    assert len(places) == len(whole) == 25
    for order in (places, places[::-1], places[::7], []):
        assert list(picked(path, order)) == [whole[row] for row, _ in order]


@pytest.mark.parametrize("write", [as_json, as_jsonl])
def test_the_name_and_a_byte_order_mark_do_not_matter(
    tmp_path: Path, write: Callable[..., str]
) -> None:
    path = Path(write(tmp_path / "x.bin", ROWS, ensure_ascii=False))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert rows_of(str(path)) == ROWS
    assert [v for part in split(str(path), rows_per_part=7) for v in rows_of(part)] == ROWS


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("rest", [{}, {"version": 2, "licence": ["none"]}])
def test_a_list_may_stand_in_an_object(
    tmp_path: Path, indent: int | None, rest: dict[str, Any]
) -> None:
    path = Path(as_json(tmp_path / "x", {"data": ROWS, **rest}, indent=indent))
    for mark in (b"", b"\xef\xbb\xbf \n"):
        path.write_bytes(mark + path.read_bytes())
        assert rows_of(str(path)) == ROWS
        parts = split(str(path), rows_per_part=10)
        assert [pair for part in parts for pair in read(part)] == list(enumerate(ROWS))


def test_a_line_whose_first_value_is_a_list_is_a_line(tmp_path: Path) -> None:
    rows = [{"conversations": [{"n": n}], "video": "x"} for n in range(3)]
    assert rows_of(as_jsonl(tmp_path / "x", rows)) == rows


def test_lines_that_are_lists_are_lines(tmp_path: Path) -> None:
    rows = [[{"role": "user", "content": "x" * n}] for n in (3, 9000, 3)]
    path = as_jsonl(tmp_path / "x", rows)
    assert rows_of(path) == rows
    assert [value for part in split(path, rows_per_part=1) for value in rows_of(part)] == rows
    nested = [[1, 2], [3]]
    assert rows_of(as_json(tmp_path / "y", nested, indent=1)) == nested
    assert rows_of(as_json(tmp_path / "z", nested)) == nested


def test_a_record_far_larger_than_a_chunk_is_read(tmp_path: Path) -> None:
    big = [{"text": "é" * (3 * json_list.CHUNK_BYTES)}, {"text": "small"}]
    assert rows_of(as_json(tmp_path / "x", big, ensure_ascii=False)) == big


def test_blank_lines_are_no_rows_and_broken_lines_are_bad_rows(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b'\n{"a": 1}\n\n{"a": \n{"a": "\xff"}\n{"a": 2}')
    first, cut, foreign, last = rows_of(str(path))
    assert (first, last) == ({"a": 1}, {"a": 2})
    assert isinstance(cut, BadRow) and isinstance(foreign, BadRow)
    assert "Expecting value" in cut.reason


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"context,question\n", "names the columns .* no row below"),
        (b"q,a,a\none,two,three\n", r"several columns \['a'\]"),
        (b"\x89PNG\r\n", "JSON list, JSONL"),
        (b'[{"a": 1}, {"a": }]', r"row 1 \(byte 11\) is broken"),
        (b'[{"a": 1} {"a": 2}]trailing', "goes on after its list at byte 19"),
        (b'[{"a": 1}', "the list is not closed"),
        (b'[{"a": "never closed', "Unterminated string"),
        (b'[{"a": "\xff\xfe"}]', "not UTF-8"),
        (b"[" * 100_000, "nested too deep"),
        (b"PAR1 and no more", "broken Parquet"),
        (b'{\n "version": 2,\n "data": []\n}', "one JSON object over several lines, starting"),
        (b'{"data": [{"a": 1}', "the list is not closed"),
    ],
)
def test_another_file_is_an_error_that_says_what_was_found(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    for act in (rows_of, split):
        with pytest.raises(RecordError, match=message) as caught:
            act(str(path))
        assert str(path) in str(caught.value)


def test_a_missing_file_and_a_folder_are_errors(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="does not exist; check data_files"):
        rows_of(str(tmp_path / "nowhere"))
    with pytest.raises(RecordError, match="is a folder"):
        split(str(tmp_path))


def test_a_folder_gives_its_public_file_or_all_that_fit(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="holds no file"):
        records.in_folder(str(tmp_path))
    with pytest.raises(MissingFile, match="not a folder"):
        records.in_folder(str(tmp_path / "nowhere"))
    for name in ("b.json", "a.jsonl", "notes.txt"):
        (tmp_path / name).write_text("[]")
    assert records.in_folder(str(tmp_path)) == [str(tmp_path / "a.jsonl"), str(tmp_path / "b.json")]
    assert records.in_folder(str(tmp_path), "b.json") == [str(tmp_path / "b.json")]


def test_a_remote_file_is_read_through_its_url(tmp_path: Path) -> None:
    assert rows_of("file://" + as_json(tmp_path / "x", ROWS)) == ROWS


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_nan_and_its_relatives_are_missing(tmp_path: Path, number: str) -> None:
    line = f'{{"a": {number}, "b": [{number}, "nan"]}}'
    expected = {"a": None, "b": [None, "nan"]}
    for content in (f"[{line}]", line + "\n", f'{{"data": [{line}]}}'):
        (tmp_path / "x").write_text(content)
        assert rows_of(str(tmp_path / "x")) == [expected]
    assert records.read_json(str(tmp_path / "x")) == {"data": [expected]}


def test_nan_in_parquet_is_missing_at_any_depth(tmp_path: Path) -> None:
    rows = [{"a": math.nan, "b": {"c": [1.0, math.inf]}}, {"a": 2.0, "b": None}]
    path = as_parquet(tmp_path / "x", rows)
    assert rows_of(path) == [{"a": None, "b": {"c": [1.0, None]}}, {"a": 2.0, "b": None}]


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=9)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    rows=st.lists(st.tuples(cells, cells), min_size=1, max_size=9),
    delimiter=st.sampled_from(",;\t"),
    bom=st.booleans(),
)
def test_any_table_reads_as_it_was_written(
    tmp_path: Path, rows: list[tuple[str, str]], delimiter: str, bom: bool
) -> None:
    path = tmp_path / "x"
    with path.open("w", encoding="utf-8-sig" if bom else "utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerows([("question", "answer"), *rows])
    expected = [{"question": q or None, "answer": a or None} for q, a in rows]
    assert rows_of(str(path)) == expected
    parts = split(str(path), rows_per_part=2)
    assert [pair for part in parts for pair in read(part)] == list(enumerate(expected))


def test_a_row_with_other_cells_than_the_table_has_columns_is_bad(tmp_path: Path) -> None:
    (tmp_path / "x").write_text('q,a\none,two\nthree\n\n"four, five",six\n')
    first, short, last = rows_of(str(tmp_path / "x"))
    assert first == {"q": "one", "a": "two"} and last == {"q": "four, five", "a": "six"}
    assert isinstance(short, BadRow) and "1 cells under 2 columns" in short.reason


@pytest.mark.parametrize("packing", ["gzip", "bz2", "lzma", "zstandard"])
@pytest.mark.parametrize("write", [as_json, as_jsonl, as_parquet])
def test_a_packed_file_reads_as_the_plain_one(
    tmp_path: Path, write: Callable[..., str], packing: str
) -> None:
    path = Path(write(tmp_path / "x", ROWS))
    path.write_bytes(pytest.importorskip(packing).compress(path.read_bytes()))
    parts = split(str(path), rows_per_part=10)
    assert [pair for part in parts for pair in read(part)] == list(enumerate(ROWS))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(RecordError, match="broken"):
        rows_of(str(path))


def test_zstd_without_its_package_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    (tmp_path / "x").write_bytes(b"\x28\xb5\x2f\xfd and more")
    with pytest.raises(MissingExtra, match="pip install zstandard"):
        rows_of(str(tmp_path / "x"))


def test_a_folder_behind_a_url_gives_its_files(tmp_path: Path) -> None:
    url = f"memory://records{tmp_path}"
    path_of(f"{url}/a.jsonl").write_text('{"n": 1}\n')
    path_of(f"{url}/b.csv.gz").write_bytes(gzip.compress(b"n,m\n2,3\n"))
    found = records.in_folder(url)
    assert [row for path in found for row in rows_of(path)] == [{"n": 1}, {"n": "2", "m": "3"}]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.jsonl", b'{"q": "a\\uD83db"}\n{"q": "\\ud83d\\ude00"}\n'),
        ("a.json", b'[{"q": "a\\udc00b"}, {"q": "\\ud83d\\ude00"}]'),
        ("a.jsonl", b'{"q": "caf\xe9"}\n{"q": "\\ud83d\\ude00"}\n'),
        ("a.csv", b"q,a\n" + b"caf\xe9,x\n" + "😀,\n".encode()),
    ],
)
def test_a_text_that_is_no_unicode_costs_one_row(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    (_, broken), (_, good) = read(str(tmp_path / name))
    assert isinstance(broken, BadRow)
    assert "surrogate" in broken.reason or "UTF-8" in broken.reason
    assert good["q"] == "😀"


@pytest.mark.parametrize(
    "header", [",question,answer", "question,答案,", '"q, or not",a', "q (en);a/b"]
)
def test_a_header_may_hold_what_names_hold(tmp_path: Path, header: str) -> None:
    mark = ";" if ";" in header else ","
    names = next(csv.reader([header], delimiter=mark))
    (tmp_path / "x").write_text(f"{header}\n{mark.join('123'[: len(names)])}\n", encoding="utf-8")
    assert rows_of(str(tmp_path / "x")) == [{k: v for k, v in zip(names, "123", strict=False) if k}]


def test_a_zip_of_one_file_is_read_and_of_several_says_how(tmp_path: Path) -> None:
    path = tmp_path / "rows.zip"
    with zipfile.ZipFile(path, "w") as pack:
        pack.writestr("a/rows.jsonl", '{"n": 1}\n{"n": 2}\n')
        pack.writestr("__MACOSX/._rows.jsonl", b"\0")
    assert rows_of(str(path)) == [{"n": 1}, {"n": 2}]
    with zipfile.ZipFile(path, "a") as pack:
        pack.writestr("b.jsonl", '{"n": 3}\n')
    with pytest.raises(RecordError, match=r"2 files \(a/rows.jsonl, b.jsonl\).*zip://NAME"):
        rows_of(str(path))
    assert rows_of(f"zip://b.jsonl::{path}") == [{"n": 3}]


def test_a_parquet_file_with_two_columns_of_one_name_is_refused(tmp_path: Path) -> None:
    table = pa.table([pa.array(["a"]), pa.array(["b"])], names=["answer", "answer"])
    pq.write_table(table, tmp_path / "x")
    with pytest.raises(RecordError, match="several columns of one name"):
        rows_of(str(tmp_path / "x"))
