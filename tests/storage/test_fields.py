"""A row that does not parse is counted with its reason; a file of another format is an error."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from t2vid.corpora import long_alpaca, long_qlora, triplets
from t2vid.errors import RecordError
from t2vid.schema import Counts
from t2vid.storage.fields import PATIENCE, lines, needed, parsed, text
from t2vid.storage.records import BadRow

GOOD = {"context": "c", "question": "q", "answer": "a"}


def convert(*records: Any, first: int = 0, **kwargs: Any) -> tuple[list[triplets.Triplet], Counts]:
    counts = Counts()
    return list(triplets.convert(enumerate(records, first), counts, **kwargs)), counts


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({**GOOD, "context": " \n"}, "no context"),
        ({**GOOD, "context": None}, "no context"),
        ({**GOOD, "question": ""}, "no question"),
        ({**GOOD, "answer": ""}, "no answer"),
        ({**GOOD, "answer": ["a"]}, "answer is a list, not text"),
        ({**GOOD, "answer": True}, "answer is a bool, not text"),
        (
            {**GOOD, "context": "half \ud83d"},
            "context is not valid Unicode (half a surrogate pair)",
        ),
        (BadRow("Expecting value"), "not JSON"),
        ([1], "a list, not an object"),
        ({"text": "?"}, "missing keys ['context', 'question', 'answer'] (it has ['text'])"),
    ],
)
def test_a_bad_row_is_counted_and_the_next_one_still_comes(bad: Any, reason: str) -> None:
    found, counts = convert(GOOD, bad, GOOD)
    assert [triplet.id for triplet in found] == ["triplets/00000", "triplets/00002"]
    assert dict(counts.dropped) == {reason: 1}
    assert counts.examples[reason][0].startswith("row 1: ")


def test_a_number_is_text() -> None:
    found, _ = convert({**GOOD, "answer": 42})
    assert found[0].answer == "42"


def test_bad_rows_at_the_start_do_not_condemn_a_file() -> None:
    found, counts = convert(*[{}] * (PATIENCE - 1), GOOD)
    assert len(found) == 1 and sum(counts.dropped.values()) == PATIENCE - 1
    # rows of the right format that are merely unusable never do
    found, counts = convert(*[{**GOOD, "answer": ""}] * 100)
    assert not found and counts.dropped["no answer"] == 100


@pytest.mark.parametrize("module", [triplets, long_alpaca, long_qlora])
@pytest.mark.parametrize("n", [1, 3, 1000])
def test_a_file_of_another_format_is_an_error_that_shows_a_record(module: Any, n: int) -> None:
    rows = iter([(row, {"text": "Once upon a time"}) for row in range(n)])
    with pytest.raises(RecordError, match=r"missing keys .*the first is \{'text': 'Once upon"):
        list(module.convert(rows, Counts()))
    assert len(list(rows)) == max(0, n - PATIENCE)  # it did not read on


def test_a_later_part_without_any_fitting_row_is_counted_not_refused() -> None:
    found, counts = convert(*[{}] * 50, first=500)
    assert not found and sum(counts.dropped.values()) == 50


def test_columns_may_have_other_names() -> None:
    found, _ = convert(
        {"document": "c", "question": "q", "answer": "a"}, columns={"context": "document"}
    )
    assert found[0].context == "c"


@pytest.mark.parametrize(
    "nothing",
    [None, float("nan"), float("inf"), np.float32("nan"), np.float64("-inf"), pd.NA, pd.NaT],
)
def test_what_stands_for_nothing_is_missing_and_never_its_word(nothing: object) -> None:
    assert text({"answer": nothing}, "answer") == ""
    with pytest.raises(RecordError, match="^no answer$"):
        needed({"answer": nothing}, "answer")


@pytest.mark.parametrize("value", ["nan", "NaN", "inf", 0, -1.5, 10**400])
def test_what_says_something_is_there(value: object) -> None:
    assert needed({"answer": value}, "answer") == str(value)


def test_a_byte_order_mark_is_no_part_of_a_text() -> None:
    assert text({"a": "\ufeff Below is a paper.\n"}, "a") == "Below is a paper."


def test_a_reader_that_fails_without_meaning_to_names_the_row() -> None:
    rows = [(0, {"talk": ["a"]}), (1, {"talk": None})]
    with pytest.raises(RecordError, match="row 1 of 'mine' made its reader fail.*{'talk': None}"):
        list(parsed(rows, lambda r: "".join(r["talk"]), source="mine", counts=Counts()))


@pytest.mark.parametrize(
    ("value", "reason"),
    [(None, "no talk"), ([], "no talk"), (["", None], "no talk"), ([{"a": 1}], "not text")],
)
def test_a_list_of_texts_is_one_text_or_counted(value: object, reason: str) -> None:
    with pytest.raises(RecordError, match=reason):
        lines({"talk": value}, "talk")
    assert lines({"talk": "one"}, "talk") == "one"
