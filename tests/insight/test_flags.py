"""A lopsided set is flagged for what it is, and a pipeline can stop on it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2vid.errors import InputError
from t2vid.insight.flags import failed, flags
from t2vid.schema import messages


def values(pairs) -> dict[str, float]:
    return {flag.name: flag.value for flag in flags(pairs)}


def test_a_shared_opening_is_found_whatever_its_case():
    pairs = [(f"q{n}", f"The video BEGINS with a black screen {n}.") for n in range(3)]
    assert values([*pairs, ("q", "A dog runs.")])["opening_share"] == 0.75


def test_skewed_letters_are_counted_among_letters_alone():
    pairs = [("q", answer) for answer in ("A", "(a)", "A.", "B", "An apple.")]
    assert values(pairs)["letter_share"] == 0.75


def test_answers_of_one_length_and_of_many():
    assert values([("q", "one two three four five")] * 10)["same_length"] == 1
    assert values([("q", "word " * n) for n in range(1, 100)])["same_length"] < 0.3


def test_languages_are_told_by_their_letters():
    pairs = [("Was?", "Nichts."), ("Что?", "Ничего."), ("Why?", "So."), ("何?", "何も。")]
    found = next(flag for flag in flags(pairs) if flag.name == "script_share")
    assert dict(found.examples) == {"Latin": 2, "Cyrillic": 1, "Cjk": 1}


def test_rows_of_a_dataset_are_read():
    row = {"messages": messages([("user", "Why?"), ("assistant", "A")], n_frames=3)}
    assert values([row])["letter_share"] == 1


@given(st.lists(st.tuples(st.text(), st.text()), min_size=1))
def test_every_share_is_a_share_for_any_text(pairs):
    assert all(0 <= value <= 1 for value in values(pairs).values())


def test_conditions_stop_a_pipeline_only_where_they_hold():
    found = flags([("Describe.", "So.")] * 4)
    assert failed(found, ["template_share>0.5", "letter_share>0.9"]) == [
        "template_share>0.5 (it is 1.000)"
    ]


@pytest.mark.parametrize("condition", ["template_share", "templates>0.5", "template_share=1", ""])
def test_a_condition_that_cannot_be_read_names_what_can(condition):
    with pytest.raises(InputError, match="template_share"):
        failed(flags([("a", "b")]), [condition])


def test_no_rows_are_refused():
    with pytest.raises(InputError, match="no rows"):
        flags([])
