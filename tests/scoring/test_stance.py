"""An answer that guesses, asks, quotes, imagines or exemplifies commits to nothing; one that turns, does."""

from __future__ import annotations

import pytest

from t2vid import extract_choice

ANIMALS = ["a red fox", "a grey heron", "a brown bear", "a white goose"]
OPEN = {
    "hedge": [
        "There is a chance that it is {L}.",
        "{L} is one candidate.",
        "I have a hunch that it is {L}.",
        "Puede que sea {L}.",
        "Il se peut que ce soit {L}.",
        "也许是{L}",
        "{L}の可能性があります。",
        "Возможно, {L}.",
        "There is a chance it is {t}.",
    ],
    "question": ["Is it {L}?", "Would you like me to pick {L}?", "¿Es la {L}?", "Is it {t}?"],
    "quotation": [
        "My neighbour would pick {L}.",
        "According to my teacher, {L} is correct.",
        "The previous model answered {L}.",
        "Mein Lehrer sagt {L}.",
        "有人会选{L}",
        "Some would say {t}.",
    ],
    "condition": [
        "Had the lamp been on, the answer would be {L}.",
        "In another video the answer would be {L}.",
        "{L} would be right if he had run.",
        "Wenn es regnete, wäre es {L}.",
        "如果下雨的话，答案是{L}",
    ],
    "example": ["For example, {L}.", "Your answer should look like this: {L}"],
    "taken back": [
        "The answer is {L}. No wait, that is wrong.",
        "{L}. Scratch that, I have no idea.",
    ],
}
FIRM = [
    "{W} is a possibility, but {L} is what happens.",
    "Some viewers would say {W}. The correct answer is {L}.",
    "If the light were red it would be {W}, but it is green, so the answer is {L}.",
    "Is it {W}? It is not. The answer: {L}.",
    "I could be wrong, but {L}.",
    "The only possible answer is {L}.",
    "No option except {L} fits.",
    "The answer is {L}, perhaps because he was late.",
    "The answer is {L}. Is there anything else I can help with?",
    "虽然{W}也有可能，但正确答案是{L}",
]


@pytest.mark.parametrize(("rule", "form"), [(r, f) for r, forms in OPEN.items() for f in forms])
@pytest.mark.parametrize("letter", "ABCD")
def test_what_commits_to_nothing_is_left_open_and_says_why(rule, form, letter):
    text = form.format(L=letter, t=ANIMALS["ABCD".index(letter)])
    choice = extract_choice(text, ANIMALS, "Which animal crosses the bridge?")
    assert (choice.letter, choice.rule) == (None, rule)


@pytest.mark.parametrize("form", FIRM)
@pytest.mark.parametrize("pair", ["AB", "BA", "CD", "DC"])
def test_what_is_said_around_an_answer_does_not_undo_it(form, pair):
    choice = extract_choice(form.format(W=pair[0], L=pair[1]), ANIMALS)
    assert choice.letter == pair[1]


@pytest.mark.parametrize("said", ["I...", "Well, I", "Sorry, but I", "I. do not know.", "I, too"])
def test_the_writer_is_no_letter(said):
    assert extract_choice(said, [f"thing {n}" for n in range(10)]).letter is None
    assert extract_choice("The answer is I.", [f"thing {n}" for n in range(10)]).letter == "I"
