"""Kinds of answers that real models give: each was read wrongly once, and stands for its brothers."""

from __future__ import annotations

import pytest

from t2vid import extract_choice

LAMPS = ["It glows", "It flickers", "It goes out", "It changes from red to green"]
MOVES = ["swimming", "jumping", "climbing", "rowing"]
FLASKS = ["neither; both are alike", "Flask A", "Flask B"]
SHARED = ["a kite", "a drum", "Both A and B", "None of the above"]


@pytest.mark.parametrize(
    ("said", "options", "letter"),
    [
        # options that contain letters
        ("(B) Flask A", FLASKS, "B"),
        ("Flask A holds more than Flask B.", FLASKS, "B"),
        ("The answer is Flask B.", FLASKS, "C"),
        # mathematics, code, and a number on the way to another one
        ("det(A) = -7 and tr(B) = 3, so the product", ["-7", "3", "21", "4"], None),
        ("We get E(X) = 40 and then", ["40", "50"], None),
        ("There are C(n, 2) ways to", ["2", "3"], None),
        ("Since AC = 8, we find", ["8", "9"], None),
        ("def f(a, b):\n    return A + B", ["1", "2"], None),
        # what is denied, excluded or only compared with
        ("There is no jumping or climbing. He is rowing.", MOVES, "D"),
        ("He stopped swimming.", MOVES, None),
        ("He is rowing, as opposed to swimming.", MOVES, "D"),
        ("Neither A nor B describes it.", MOVES, None),
        # a model that loops
        ("B\n\nQuestion: What is he doing?\nAnswer: C", MOVES, "B"),
        ("The answer is B.\n\nQuestion: And the dog?\nThe answer is D.", MOVES, "B"),
        ("The answer is (B).\n\nThe answer is (D).\n\nThe answer is (A).", MOVES, "B"),
        # the last explicit statement wins, wherever it stands
        (r"\boxed{5} is not on the list. The correct answer is D.", MOVES, "D"),
        (r"The answer is A. Checking again: \boxed{C}", MOVES, "C"),
        ("<answer>A</answer> No: the answer is B.", MOVES, "B"),
        # words of a language that hedges
        ("Possivelmente B.", MOVES, None),
        ("Bilmiyorum: B", MOVES, None),
        ("Nescio, B fortasse", MOVES, None),
        # options that stand for others
        ("Both A and B", SHARED, "C"),
        ("The answer is both A and B.", SHARED, "C"),
        ("None of the above.", SHARED, "D"),
        # places, tables and verdicts one by one
        ("Option 2", MOVES, "B"),
        ("The third option is right.", MOVES, "C"),
        ("| A | ✗ |\n| B | ✓ |\n| C | ✗ |", MOVES, "B"),
        ("A: incorrect\nB: incorrect\nC: correct\nD: incorrect", MOVES, "C"),
        ("- [ ] A. swimming\n- [x] B. jumping\n- [ ] C. climbing", MOVES, "B"),
        # broken off
        ("The best option is (", MOVES, None),
        ("Let me go through them. First, swimming means that he", MOVES, None),
    ],
)
def test_kinds(said: str, options: list[str], letter: str | None):
    assert extract_choice(said, options, "What is he doing?").letter == letter


def test_options_may_come_as_one_lettered_text():
    assert extract_choice("It flickers.", "A. It glows\nB. It flickers").letter == "B"


@pytest.mark.parametrize(
    ("said", "decided"),
    [
        ("So the answer is **B**.", "B"),
        ("ASSISTANT: <think>A?</think> It is jumping.", "jumping"),
        ("(B) jumping", "B"),
        ("答案是Ｂ。", "Ｂ"),
        (r"Hence \boxed{\text{B}}.", "B"),
        ("\u200bAnswer:\u200b B", "B"),
    ],
)
def test_the_span_holds_the_characters_that_decided(said: str, decided: str):
    found = extract_choice(said, MOVES)
    assert found.letter == "B" and found.span is not None
    assert said[slice(*found.span)].strip() == decided


def test_time_is_linear_in_the_length_of_an_answer(count_calls):
    looked_at = [
        count_calls("The point A lies on BC, and F = ma. " * n) for n in (50, 100, 200, 400)
    ]
    assert looked_at[3] <= 2.5 * looked_at[2] <= 6.5 * looked_at[1]


@pytest.fixture
def count_calls():
    """Count the function calls that reading an answer takes, which no load changes."""
    import sys

    def counted(text: str) -> int:
        calls = 0

        def trace(frame, event, arg):
            nonlocal calls
            calls += event == "call"

        extract_choice("warm up: the answer is B.", MOVES)
        sys.setprofile(trace)
        try:
            extract_choice(text, MOVES)
        finally:
            sys.setprofile(None)
        return calls

    return counted
