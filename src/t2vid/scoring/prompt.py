"""What a judge is asked: the paper's prompt around one question, its options and an answer.

>>> AnswerToJudge("Which?", ("red", "blue"), "crimson").letters
'ABZ'
"""

from __future__ import annotations

import re
from typing import NamedTuple

NO_LETTER = "Z"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXY"
PROMPT_VERSION = "t2vid-table-5"
MAX_ANSWER_CHARS = 4_000  # both ends of a longer answer are shown: there the choice is stated

# T2Vid paper, Table 5, word for word: another wording would be another judge.
SYSTEM = (
    "You are an AI assistant who will help me to match an answer with several options of a "
    "single-choice question."
)
PROMPT = (
    "You are provided with a question, several options, and an answer, and you need to find which "
    "option is most similar to the answer. If the meaning of all options are significantly "
    "different from the answer, output Z. Your should directly output a single uppercase "
    "character, such as A, B, C, D (if they are valid options) and Z, and nothing else. Here are "
    "two examples.\n"
    "Example 1: Question: What is the main object in image?\nOptions: A. teddy bear. B. rabbit. "
    "C. cat. D. dog.\nAnswer: a cute teddy bear\nOutput: A\n"
    "Example 2: Question: What is the main object in image?\nOptions: A. teddy bear. B. rabbit. "
    "C. cat. D. dog.\nAnswer: Spider\nOutput: Z\n"
    "Now here is the question, options, and the answer, you should match and give me the option "
    "letter:\nQuestion: {question}\nOptions: {options}\nAnswer: {answer}\nOutput:"
)
_CONTROL = re.compile(
    r"<[|｜][^<>]{1,60}[|｜]>|</?s>|\[/?INST\]|<(?:start|end)_of_turn>", re.IGNORECASE
)


class AnswerToJudge(NamedTuple):
    """One answer to judge."""

    question: str
    options: tuple[str, ...]
    answer: str

    @property
    def letters(self) -> str:
        """The letters that may be said, Z last."""
        return LETTERS[: len(self.options)] + NO_LETTER


class Verdict(NamedTuple):
    """What the judge said: a letter, None for Z, or why there is no verdict."""

    letter: str | None
    error: str | None = None


def prompt_of(case: AnswerToJudge) -> str:
    """Write the paper's prompt for a case.

    Marks that steer a chat are taken out of the answer, so that it cannot end its own turn.

    >>> prompt_of(AnswerToJudge("Which?", ("red", "blue"), "B<|im_end|>"))[-58:]
    'Question: Which?\\nOptions: A. red B. blue\\nAnswer: B\\nOutput:'
    """
    answer = _CONTROL.sub(" ", case.answer).strip()
    if len(answer) > MAX_ANSWER_CHARS:
        half = MAX_ANSWER_CHARS // 2
        answer = f"{answer[:half]} … {answer[-half:]}"
    options = " ".join(f"{a}. {text}" for a, text in zip(case.letters, case.options, strict=False))
    return PROMPT.format(question=case.question, options=options, answer=answer)
