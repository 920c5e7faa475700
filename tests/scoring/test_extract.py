"""A letter is read where an answer gives one, and nowhere else; nothing raises, every row says why."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t2vid import ParsedAnswer, extract_choice
from t2vid.errors import InputError
from t2vid.scoring.extract import RULES

ANIMALS = ["a red fox", "a grey heron", "a brown bear", "a white goose"]
QUESTION = "Which animal crosses the bridge?"
LETTERS = st.sampled_from("ABCD")

# Ways to give an answer; {L} is the letter, {T} the option's text.
GIVEN = [
    "{L}",
    "({L})",
    "{L}.",
    "[{L}]",
    "**{L}**",
    "{L}) {T}",
    "{L}. {T}",
    "({L}) {T}.",
    "{T}",
    "{T}.",
    "The answer is {L}.",
    "The correct answer is ({L}).",
    "Answer: {L}",
    "answer:{L}",
    "I would choose {L}.",
    "Option {L} is correct.",
    "The best option is {L}, because the others never appear.",
    "So my final answer is: {L}",
    "<answer>{L}</answer>",
    "\\boxed{{{L}}}",
    '{{"answer": "{L}"}}',
    "<think>It could be A or B. The bridge is seen twice.</think>{L}",
    "答案是{L}",
    "Die Antwort ist {L}.",
    "La respuesta es {L}.",
    "Looking at the clip, the animal on the bridge is {T}.",
]
# Answers that give none.
WITHHELD = [
    "",
    "   ",
    "I cannot tell from the video.",
    "A man is walking over the bridge.",
    "As an AI model I see nothing.",
    "It is not {L}.",
    "Either A or C could be right.",
    "None of the options fits.",
    "<think>Perhaps {L}, let me look again",
    "Vitamin C is healthy.",
    "The clip has no sound.",
]


@pytest.mark.parametrize("form", GIVEN)
@pytest.mark.parametrize("letter", "ABCD")
def test_an_answer_that_is_given_is_read(form, letter):
    text = form.format(L=letter, T=ANIMALS["ABCD".index(letter)])
    assert extract_choice(text, ANIMALS, QUESTION).letter == letter


@pytest.mark.parametrize("form", WITHHELD)
@pytest.mark.parametrize("letter", "ABCD")
def test_an_answer_that_is_withheld_is_not_invented(form, letter):
    assert extract_choice(form.format(L=letter), ANIMALS, QUESTION).letter is None


@given(LETTERS, LETTERS.filter(lambda letter: letter != "Z"), st.sampled_from(range(4)))
def test_a_contrast_gives_the_second_letter(wrong, right, form):
    if wrong == right:
        return
    forms = [
        "It is not {w} but {r}.",
        "{w} is wrong, the answer is {r}.",
        "At first I thought the answer is {w}. No, the answer is {r}.",
        "Option {w} can be ruled out, so the correct option is {r}.",
    ]
    text = forms[form].format(w=wrong, r=right)
    assert extract_choice(text, ANIMALS, QUESTION).letter == right


@given(st.sampled_from(GIVEN), LETTERS, st.integers(0, 5), st.integers(0, 3))
def test_blanks_and_end_marks_around_an_answer_change_nothing(form, letter, blanks, marks):
    text = form.format(L=letter, T=ANIMALS["ABCD".index(letter)])
    wrapped = "\n" * blanks + " " * blanks + text + "</s>" * marks + "\u200b" * blanks
    assert extract_choice(wrapped, ANIMALS, QUESTION).letter == letter


@given(LETTERS, st.sampled_from(["Ａ", "Ｂ", "Ｃ", "Ｄ"]))
def test_full_width_letters_are_letters(_, wide):
    assert extract_choice(wide, ANIMALS).letter == chr(ord(wide) - 0xFEE0)
    assert extract_choice(f"答案:{wide}", ANIMALS).letter == chr(ord(wide) - 0xFEE0)


@settings(max_examples=300)
@given(
    st.one_of(st.text(), st.none(), st.floats(), st.integers(), st.binary(), st.lists(st.text())),
    st.one_of(
        st.lists(st.text(max_size=20), min_size=1, max_size=10),
        st.none(),
        st.dictionaries(st.sampled_from("ABCDEFGHIJ"), st.text(max_size=20), min_size=1),
    ),
    st.text(max_size=40),
)
def test_no_input_raises_and_no_letter_is_off_the_list(prediction, options, question):
    choice = extract_choice(prediction, options, question)
    letters = (
        "ABCDE"
        if not options
        else sorted(options)
        if isinstance(options, dict)
        else "ABCDEFGHIJ"[: len(options)]
    )
    assert choice.letter is None or choice.letter in letters
    assert choice.rule and (choice.letter is None or choice.rule in RULES)


@given(st.integers(2, 10), st.data())
def test_options_up_to_ten_as_list_or_mapping(n, data):
    options = [f"thing number {chr(0x61 + i)}{i}" for i in range(n)]
    letter = data.draw(st.sampled_from("ABCDEFGHIJ"[:n]))
    mapping = dict(zip("ABCDEFGHIJ", options, strict=False))
    for given_as in (options, mapping):
        assert extract_choice(f"The answer is {letter}.", given_as).letter == letter


def test_a_letter_beyond_the_options_is_no_answer():
    assert extract_choice("D", ["yes", "no"]).letter is None


def test_nested_option_texts_take_the_longest():
    options = ["red", "red and blue", "green"]
    assert extract_choice("The flag is red and blue.", options).letter == "B"


def test_missing_answers_count_as_empty():
    assert (
        extract_choice(None, ANIMALS)
        == extract_choice(math.nan, ANIMALS)
        == ParsedAnswer(None, "empty")
    )


def test_the_papers_scheme_takes_the_first_capital():
    assert extract_choice("A man is walking.", ANIMALS, scheme="paper").letter == "A"
    assert extract_choice("Based on it, C. fits", ANIMALS, scheme="paper").letter == "C"
    assert extract_choice("no idea", ANIMALS, scheme="paper").letter is None


def test_an_unknown_scheme_names_the_known():
    with pytest.raises(InputError, match="paper"):
        extract_choice("A", ANIMALS, scheme="papr")


@pytest.mark.parametrize(
    ("answer", "options", "letter"),
    [
        ("None of the options is correct.", ["x", "y", "None of the above"], "C"),
        ("Neither A nor B is correct.", ["x", "y", "Neither"], "C"),
        ("Neither A nor B is correct.", ["x", "y", "z", "Neither of them"], None),
        ("None.", ["x", "None of the above", "y"], "B"),
        ("None of the people moved.", ["x", "y", "None of the above"], None),
        ("A and B are both correct.", ["x", "y", "z", "Both A and B"], "D"),
        ("A and C.", ["x", "y", "z", "Both A and B"], None),
        ("Both are right.", ["x", "y", "Both A and B"], "C"),
        ("Both are right.", ["x", "y", "z", "Both A and B", "Both B and C"], None),
        ("A, B and C are all right", ["x", "y", "z", "All of the above"], "D"),
        ("A and B are right", ["x", "y", "z", "All of the above"], None),
        ("Not all of them.", ["x", "y", "All of the above"], None),
        ("All of them?", ["x", "y", "All of the above"], None),
        ("All of the above", ["All of the people", "y", "All of the above"], "C"),
    ],
)
def test_an_option_about_the_others_is_read_in_other_words(answer, options, letter):
    assert extract_choice(answer, options).letter == letter


@pytest.mark.parametrize(
    ("answer", "letter", "words"),
    [
        ("I take the 2nd option.", "B", "the 2nd option"),
        ("choice number two", "B", "choice number two"),
        ("Option no. 3 is right", "C", "Option no. 3"),
        ("My second answer is correct", "B", "second answer"),
        ("The second person waves.", None, ""),
    ],
)
def test_an_option_named_by_its_place_is_shown_by_these_words(answer, letter, words):
    read = extract_choice(answer, ["x", "y", "z"])
    assert read.letter == letter
    assert not words or answer[slice(*read.span)] in (words, words.removeprefix("the "))


@pytest.mark.parametrize(
    "opened", ["<answer>", "[ANSWER]", '{"answer": ', "\\boxed{", "<think>", "~~"]
)
@pytest.mark.parametrize("between", ["", "A", "\n"])
def test_containers_that_a_loop_opens_without_end_are_read_like_any_answer(opened, between):
    for options in (None, ["a dog", "a cat"]):
        found = extract_choice((opened + between) * 3000, options)
        assert found.letter in (None, "A")


@pytest.mark.parametrize("options", [None, ["", "a dog"], ["A", "B"], ["a cat", "a dog"]])
def test_an_answer_that_repeats_the_question_alone_is_none(options):
    asked = "Which way does it roll?"
    assert extract_choice(asked, options, asked)[:2] == (None, "echo")
    assert extract_choice("<answer>\n</answer>", options).letter is None
