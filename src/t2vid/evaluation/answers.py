"""What comes back from a model: answers, and failures that are counted and bounded.

>>> failures = Failures("mine")
>>> failures.note(failed(ValueError("no such token")))
>>> failures.failed, failures.stop
(1, False)

A question on which a model fails is a question without an answer: it is written down with the error,
counted as wrong, and asked again by the next run. Where nothing works, the run stops instead.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from t2vid.errors import BackendError, InputError

logger = logging.getLogger(__name__)

FAILURES_AT_FIRST = 5  # in a row, before anything was answered: nothing works
FAILURES_LATER = 50  # in a row: it broke on the way
FAILURES_OF_A_SERVER = 5  # each of them after all its tries


class Answer(NamedTuple):
    """An answer, or why there is none.

    Attributes:
        text: what was said.
        error: why there is no answer.
        usage: tokens of prompt and answer, `{"prompt_tokens": …, "completion_tokens": …}`.
        cause: what the model failed with, where another try may help.
        finish: why a server ended the answer, where it was not that the answer was whole.
    """

    text: str
    error: str | None = None
    usage: dict[str, int] | None = None
    cause: Exception | None = None
    finish: str = ""


def failed(error: Exception) -> Answer:
    """Give the answer of a model that failed on a question.

    >>> failed(KeyError("x")).error
    "KeyError: 'x'"
    """
    return Answer("", f"{type(error).__name__}: {error}"[:500], cause=error)


def as_answer(said: Any, name: str) -> Answer:
    """Take what a function or a back end gave for a question.

    >>> as_answer(None, "mine").error
    'TypeError: mine gave None (NoneType), which is no text'
    """
    if isinstance(said, Answer):
        return said
    if isinstance(said, str):
        return Answer(said)
    kind = type(said).__name__
    return failed(TypeError(f"{name} gave {str(said)[:60]} ({kind}), which is no text"))


def answers_of(backend: Any, prepared: Sequence[Any], protocol: Any) -> list[Answer]:
    """Let a back end answer a batch; where that fails, ask one by one, so that each fails alone.

    Raises:
        InputError: where the back end refuses the protocol, or gives too few or too many answers.
    """
    try:
        found = list(backend.answer(prepared, protocol))
    except InputError:
        raise
    except Exception as error:
        logger.debug("%s failed on %d questions", backend.name, len(prepared), exc_info=True)
        if len(prepared) == 1:
            return [failed(error)]
        return [answer for one in prepared for answer in answers_of(backend, [one], protocol)]
    if len(found) != len(prepared):
        raise InputError(
            f"{backend.name} gave {len(found)} answers to {len(prepared)} questions; a back end gives "
            "one for each, in order"
        )
    return [as_answer(one, backend.name) for one in found]


@dataclass
class Failures:
    """Counts the questions on which a model fails, and says when it is of no use to go on.

    Args:
        name: of the model.
        served: whether each failure already stands for many tries.
        stop: whether so many failed in a row that the next would fail, too.
    """

    name: str
    served: bool = False
    answered: int = 0
    failed: int = 0
    in_a_row: int = 0
    last: Exception | None = None
    stop: bool = False

    def note(self, answer: Answer) -> None:
        """Count an answer; a video that cannot be read says nothing about the model."""
        if answer.cause is not None:
            self.failed, self.in_a_row, self.last = self.failed + 1, self.in_a_row + 1, answer.cause
            if self.served:
                closed = isinstance(self.last, PermissionError)
                most = 1 if closed else FAILURES_OF_A_SERVER
            else:
                most = FAILURES_LATER if self.answered else FAILURES_AT_FIRST
            self.stop = self.stop or self.in_a_row >= most  # whatever is still under way
        elif answer.error is None and not self.stop:
            self.answered, self.in_a_row = self.answered + 1, 0

    def error(self) -> BackendError:
        """Give the error with which a run stops."""
        plain = isinstance(self.last, BackendError | PermissionError)
        why = str(self.last) if plain else f"{type(self.last).__name__}: {self.last}"
        times = f"on {self.in_a_row:,} questions in a row" if self.in_a_row > 1 else "on a question"
        return BackendError(
            f"{self.name} failed {times} ({why}); the answers so far are kept: mend it and run the "
            "same command again, which asks these once more"
        )
