"""What the rules pass along: an answer with its options and question, and the choice they end in.

>>> Answer("It isn't B.", ["red", "blue"]).mentions()[0].kind
'no'
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from t2vid.judging.mentions import Mention, find_mentions
from t2vid.judging.options import Options, read_options


class Choice(NamedTuple):
    """What was extracted.

    Attributes:
        letter: the option letter, None where the rules abstain.
        rule: the rule that decided or stopped, one of the names in `RULES`, or why nothing did.
    """

    letter: str | None
    rule: str


class Answer:
    """An answer on its way through the rules; the preparing rules shorten `text`.

    Args:
        text: the model's words.
        options: the options, as `extract_choice` takes them; None means the letters A to E without texts.
        question: the question, whose echo is no answer.
    """

    def __init__(self, text: str, options: Any = None, question: str = "") -> None:
        self.text = text
        self.options: Options = read_options(options)
        self.question = question
        self._mentions: tuple[str, list[Mention]] | None = None

    def mentions(self) -> list[Mention]:
        """Give the option letters in the current text, each with the way it is used."""
        if self._mentions is None or self._mentions[0] != self.text:
            found = find_mentions(
                self.text, self.options.letters, self.question, self.options.by_letter
            )
            self._mentions = (self.text, found)
        return self._mentions[1]


Rule = Callable[[Answer], Choice | None]


def as_text(prediction: object) -> str:
    """Give the text of whatever stands where an answer should; None and NaN are empty.

    >>> as_text(float("nan")), as_text(["B"]), as_text(3)
    ('', 'B', '3')
    """
    if prediction is None or prediction != prediction:  # NaN is the one value unequal to itself
        return ""
    if isinstance(prediction, bytes):
        return prediction.decode("utf-8", "replace")
    if isinstance(prediction, (list, tuple)) and len(prediction) == 1:
        return as_text(prediction[0])
    return prediction if isinstance(prediction, str) else str(prediction)
