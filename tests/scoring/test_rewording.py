"""Contrasts, exceptions, corrections and typing errors name an option; lots, hearsay and stubs name none."""

from __future__ import annotations

import pytest

from t2vid import extract_choice

ANIMALS = ["a red fox", "a grey heron", "a brown bear", "a white goose"]
PLACES = ["first", "second", "third", "fourth"]
GIVEN = [
    "{W} and {V} both fail; only {L} survives.",
    "Nothing matches except {L}.",
    "Everything is wrong apart from {L}.",
    "The answer is {W}. Hmm, I have to change that to {L}.",
    "While {W} is a common guess, {L} is what the clip shows.",
    "The {p} option is the right one.",
    "Optoin {L}",
    '"{w}" is wrong; "{t}" is right.',
    '<choice letter="{L}"/>',
    "<response><option>{L}</option></response>",
    "({L}) Please tell me if I misread the question.",
]
OPEN = [
    "{L} fits, and so does {W}.",
    "This is a coin flip: {L}.",
    '"It is {L}!" shouts somebody off camera.',
    "The subtitle reads 'the answer is {L}'.",
    "First, let me consider {L}. Then",
    "https://example.org/watch?v={L}",
    "Either the first or the second option.",
]


def fill(form: str, letter: str) -> str:
    place = "ABCD".index(letter)
    other, third = "BCDA"[place], "CDAB"[place]
    texts = {"t": ANIMALS[place], "w": ANIMALS["ABCD".index(other)], "p": PLACES[place]}
    return form.format(L=letter, W=other, V=third, **texts)


@pytest.mark.parametrize("form", GIVEN)
@pytest.mark.parametrize("letter", "ABCD")
def test_a_turn_of_phrase_or_a_typing_error_hides_no_answer(form, letter):
    assert extract_choice(fill(form, letter), ANIMALS).letter == letter


@pytest.mark.parametrize("form", OPEN)
@pytest.mark.parametrize("letter", "ABCD")
def test_a_letter_that_nobody_stands_by_is_no_answer(form, letter):
    assert extract_choice(fill(form, letter), ANIMALS).letter is None
