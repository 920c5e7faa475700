"""What `answer` promises: one answer a row, in order, whatever shares its batch."""

from __future__ import annotations

import pytest

from t2vid.errors import InputError
from t2vid.evaluation.generate import answer
from t2vid.models.tiny import tiny_idefics3
from training_rows import mixed_rows, texts

ROWS = mixed_rows()


@pytest.fixture(scope="module")
def tiny():
    return tiny_idefics3(texts(ROWS))


def test_answers_do_not_depend_on_the_batch(tiny) -> None:
    alone = answer(*tiny, ROWS, max_new_tokens=6, batch_size=1)
    assert alone == answer(*tiny, ROWS, max_new_tokens=6, batch_size=5)
    assert len(alone) == len(ROWS)


def test_a_question_without_an_answer_is_asked_as_it_is(tiny) -> None:
    open_rows = [dict(r, messages=r["messages"][:-1]) for r in ROWS]
    assert answer(*tiny, open_rows, max_new_tokens=4) == answer(*tiny, ROWS, max_new_tokens=4)


def test_no_rows_no_answers(tiny) -> None:
    assert answer(*tiny, []) == []


def test_limits_are_checked(tiny) -> None:
    with pytest.raises(InputError, match="batch_size"):
        answer(*tiny, ROWS, batch_size=0)
