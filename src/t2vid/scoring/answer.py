"""What comes out of reading an answer: the letter, the rule that decided, and the characters it decided on.

>>> ParsedAnswer("B", "statement", (14, 15)).letter
'B'
"""

from __future__ import annotations

from typing import NamedTuple


class ParsedAnswer(NamedTuple):
    """What was read from an answer.

    Attributes:
        letter: the option letter, None where the answer is left open.
        rule: the step that decided (one of `t2vid.scoring.extract.RULES`), or why nothing did.
        span: start and end of the characters that decided, in the answer as it was given.
    """

    letter: str | None
    rule: str
    span: tuple[int, int] | None = None


def as_text(prediction: object) -> str:
    """Return the text of whatever stands where an answer should; None, NaN and pandas' NA are empty.

    >>> as_text(float("nan")), as_text(["B"]), as_text(3)
    ('', 'B', '3')
    """
    if isinstance(prediction, str):
        return prediction
    if prediction is None or type(prediction).__name__ in ("NAType", "NaTType"):  # of pandas
        return ""
    if isinstance(prediction, float) and prediction != prediction:
        return ""
    if isinstance(prediction, bytes):
        return prediction.decode("utf-8", "replace")
    if isinstance(prediction, (list, tuple)) and len(prediction) == 1:
        return as_text(prediction[0])
    return str(prediction)
