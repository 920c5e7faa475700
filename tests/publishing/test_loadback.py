"""Two sequences of tables are equal when their rows are, however they are cut."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from t2vid.publishing.loadback import first_difference

values = st.lists(st.one_of(st.none(), st.floats(), st.just(float("nan"))), max_size=30)


def cut(rows: list[float | None], edges: list[int]) -> Iterator[pa.Table]:
    table = pa.table({"x": pa.array(rows, pa.float64())})
    marks = sorted({0, len(rows), *(edge % (len(rows) + 1) for edge in edges)})
    for start, stop in zip(marks, marks[1:], strict=False):
        yield table[start:stop]


@given(values, st.lists(st.integers(0, 30)), st.lists(st.integers(0, 30)))
def test_equal_rows_are_equal_however_they_are_cut(
    rows: list[float | None], a: list[int], b: list[int]
) -> None:
    assert first_difference(cut(rows, a), cut(rows, b)) is None


@given(values.filter(len), st.lists(st.integers(0, 30)), st.data())
def test_the_first_row_that_differs_is_named(
    rows: list[float | None], edges: list[int], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(rows) - 1))
    other = [*rows]
    other[place] = 1.5 if rows[place] != 1.5 else None
    assert first_difference(cut(rows, edges), cut(other, [])) == place


@given(values.filter(len), st.lists(st.integers(0, 30)), st.data())
def test_missing_and_surplus_rows_are_seen(
    rows: list[float | None], edges: list[int], data: st.DataObject
) -> None:
    n = data.draw(st.integers(0, len(rows) - 1))
    assert first_difference(cut(rows, edges), cut(rows[:n], [])) == n
    assert first_difference(cut(rows[:n], []), cut(rows, edges)) == n


def test_other_columns_are_a_difference() -> None:
    a, b = pa.table({"x": [1]}), pa.table({"y": [1]})
    assert first_difference(iter([a]), iter([b])) == 0
