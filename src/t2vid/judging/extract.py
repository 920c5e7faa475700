"""Which option a free-text answer means: ordered rules, each of which may answer, stop, or pass on.

>>> extract_choice("Option C is tempting, but the answer is B.", ["red", "blue", "green"])
Choice(letter='B', rule='cue phrase')
>>> extract_choice("A man is walking.", ["running", "jumping"])
Choice(letter=None, rule='undecided')

`letter` is None where the rules abstain; `rule` always says what decided. The published extractors take any capital
letter for an answer ("A man is walking" becomes A); here a wrong letter is worse than none, because a judge can still
answer what was left open and can never repair what was answered wrongly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from t2vid.errors import InputError
from t2vid.judging.answer import Answer, Choice, Rule, as_text
from t2vid.judging.cleaning import cut, nothing
from t2vid.judging.commitment import uncommitted
from t2vid.judging.containers import contained
from t2vid.judging.paper import paper_choice
from t2vid.judging.plain import plain_words
from t2vid.judging.rewording import reworded_letters, reworded_texts
from t2vid.judging.whole import letter_alone, letter_and_text, option_text
from t2vid.judging.within import cue_phrase, echo, only_letter, text_contained

__all__ = ["RULES", "Answer", "Choice", "extract_choice", "paper_choice"]

Scheme = Literal["t2vid", "paper"]


def extract_choice(
    prediction: object,
    options: Sequence[str] | Mapping[str, str] | None,
    question: str = "",
    *,
    scheme: Scheme = "t2vid",
) -> Choice:
    """Read the chosen option out of a model's answer, or abstain.

    Args:
        prediction: the answer; None, NaN and anything unreadable count as empty.
        options: option texts in order, or by letter; None where only letters A to E are known.
        question: the question, so that its echo is not taken for an answer.
        scheme: `"t2vid"` for the rules of this module, `"paper"` for the decisions of the paper's script.

    Raises:
        InputError: for an unknown scheme or more than 26 options.
    """
    if scheme == "paper":
        return paper_choice(prediction)
    if scheme != "t2vid":
        raise InputError(f"scheme {scheme!r} is unknown; use 't2vid' or 'paper'")
    letters = len(options) if options else 5
    if type(prediction) is str and type(options) is not dict and prediction in _BARE:
        if _BARE[prediction] < letters:
            return _BARE_CHOICES[prediction]
    answer = Answer(as_text(prediction), options, question if isinstance(question, str) else "")
    return _apply(RULES, answer)


def _apply(rules: Iterable[tuple[str, Rule]], answer: Answer) -> Choice:
    for _, rule in rules:
        choice = rule(answer)
        if choice is not None:
            return choice
    return Choice(None, "undecided")


def container(answer: Answer) -> Choice | None:
    r"""Read only the last answer tag, box or JSON value, where there is one.

    >>> container(Answer(r"So A is close, yet \boxed{\text{B}}"))
    Choice(letter='B', rule='container')
    >>> container(Answer('{"why": "A man runs", "answer": "C"}'))
    Choice(letter='C', rule='container')
    >>> container(Answer("<answer>A or B</answer>"))
    Choice(letter=None, rule='two answers')
    >>> container(Answer("The answer is B."))
    """
    inside = contained(answer.text)
    if inside is None:
        return None
    part = Answer(inside, None, answer.question)
    part.options = answer.options
    if not part.text.strip():
        return Choice(None, "empty")
    choice = _apply(RULES[4:], part)
    return Choice(choice.letter, "container") if choice.letter else choice


def undecided(answer: Answer) -> Choice | None:
    """Leave the rest to the judge.

    >>> undecided(Answer("A tram arrives while passengers wait."))
    Choice(letter=None, rule='undecided')
    """
    return Choice(None, "undecided")


RULES: tuple[tuple[str, Rule], ...] = (
    ("empty", nothing),
    ("cut", cut),
    ("plain words", plain_words),
    ("container", container),
    ("letter alone", letter_alone),
    ("option text", option_text),
    ("uncommitted", uncommitted),
    ("letter and text", letter_and_text),
    ("echo", echo),
    ("cue phrase", cue_phrase),
    ("only letter", only_letter),
    ("reworded texts", reworded_texts),
    ("text contained", text_contained),
    ("reworded letters", reworded_letters),
    ("undecided", undecided),
)

_BARE = {chr(65 + i) + end: i for i in range(26) for end in ("", ".", ")")}
_BARE |= {f"({chr(65 + i)})": i for i in range(26)}
_BARE_CHOICES = {text: Choice(chr(65 + i), "letter alone") for text, i in _BARE.items()}
