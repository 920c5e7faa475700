"""A judge for what the rules leave open: one forward pass over the option letters and Z.

>>> judge = judge_from(lambda question, options, answer: "A" if "crimson" in answer else None)
>>> judge("Which colour?", ["red", "blue"], "It is crimson."), judge("Which?", ["red", "blue"], "?")
('A', None)

The paper lets a language model write an answer and searches it for a letter. Comparing the scores
of the letters instead costs one pass, needs no search, and cannot leave the list, whatever the
judged answer says.
"""

from __future__ import annotations

import logging
import os
import pkgutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

from t2vid import catalog
from t2vid.errors import BackendError, InputError
from t2vid.scoring.backends import FunctionJudge
from t2vid.scoring.cache import JudgeCache, key_of
from t2vid.scoring.prompt import NO_LETTER, PROMPT_VERSION, AnswerToJudge, Verdict

logger = logging.getLogger(__name__)


class JudgeBackend(Protocol):
    """What can judge a batch of cases."""

    @property
    def identity(self) -> str:
        """What changes when the verdicts might; empty where they must not be kept on disk."""

    def say(self, cases: Sequence[AnswerToJudge]) -> list[Verdict]:
        """Judge a batch, in order."""


class Judge:
    """A back end with batches, deduplication and a memory.

    Args:
        backend: what judges.
        cache: file of verdicts given before, or None.
        batch_size: cases for one call of the back end.
    """

    def __init__(
        self,
        backend: JudgeBackend,
        *,
        cache: str | os.PathLike[str] | None = None,
        batch_size: int = 16,
    ) -> None:
        if batch_size < 1:
            raise InputError(f"batch_size ({batch_size}) must be > 0")
        self.backend = backend
        self.batch_size = batch_size
        self.asked = 0
        self._disk = JudgeCache(cache) if cache is not None and backend.identity else None
        self._known: dict[AnswerToJudge, Verdict] = {}

    def __call__(self, question: str, options: Sequence[str], prediction: str) -> str | None:
        """Judge one answer.

        Raises:
            BackendError: when the back end gives no verdict; the caller counts it.
        """
        verdict = self.decide([(question, options, prediction)])[0]
        if verdict.error:
            raise BackendError(verdict.error)
        return verdict.letter

    def decide(self, rows: Iterable[tuple[str, Sequence[str], str]]) -> list[Verdict]:
        """Judge `(question, options, answer)` rows, each distinct one once; nothing raises.

        >>> judge = judge_from(lambda question, options, answer: 1 / 0)
        >>> judge.decide([("q", ["x", "y"], "?")])[0].error
        'ZeroDivisionError: division by zero'
        """
        cases = [AnswerToJudge(question, tuple(options), said) for question, options, said in rows]
        new = self._unknown([case for case in dict.fromkeys(cases) if case not in self._known])
        new.sort(key=lambda case: sum(map(len, case.options)) + len(case.question + case.answer))
        for start in range(0, len(new), self.batch_size):
            self._ask(new[start : start + self.batch_size])
        return [self._known[case] for case in cases]

    def _ask(self, batch: list[AnswerToJudge]) -> None:
        self.asked += len(batch)
        try:
            verdicts = list(map(_checked, batch, self.backend.say(batch)))
            said = dict(zip(batch, verdicts, strict=True))
        except Exception as error:  # a judge may be anybody's code; its failures are counted
            logger.warning("the judge failed on %d answers: %r", len(batch), error)
            said = dict.fromkeys(batch, Verdict(None, f"{type(error).__name__}: {error}"))
        self._known.update(said)
        if self._disk is not None:  # a failure is not kept: the next run tries again
            self._disk.put(
                {self._key(c): v.letter or NO_LETTER for c, v in said.items() if not v.error}
            )

    def _unknown(self, cases: list[AnswerToJudge]) -> list[AnswerToJudge]:
        """Take what is known from the disk, and return the other cases."""
        keys = {case: self._key(case) for case in cases} if self._disk else {}
        found = self._disk.get(keys.values()) if self._disk else {}
        for case, key in keys.items():
            if key in found:
                self._known[case] = Verdict(None if found[key] == NO_LETTER else found[key])
        return [case for case in cases if case not in self._known]

    def _key(self, case: AnswerToJudge) -> str:
        return key_of(self.backend.identity, PROMPT_VERSION, *case)


def _checked(case: AnswerToJudge, verdict: Verdict) -> Verdict:
    if verdict.letter is None or verdict.letter == NO_LETTER:
        return Verdict(None, verdict.error)
    letter = str(verdict.letter).strip(" .()").upper()
    if len(letter) == 1 and letter in case.letters:
        return Verdict(None if letter == NO_LETTER else letter, verdict.error)
    return Verdict(None, f"the judge said {verdict.letter[:40]!r}, not one of {case.letters}")


def judge_from(
    judge: Any, *, cache: str | os.PathLike[str] | None = "default", batch_size: int = 16
) -> Judge | None:
    """Give the judge that a user names.

    Args:
        judge: None or `"none"`; a name of the catalogue, such as `"transformers:NAME"` with a folder or Hub
            name, or `"openai:MODEL@URL"`, URL ending in `/v1`; a folder or GGUF file; a back end; or a function
            of `(question, options, answer)` that gives a letter or None.
        cache: file of verdicts; `"default"` is one file in the Hugging Face home; None keeps none.
        batch_size: cases for one forward pass, or requests at a time.

    Raises:
        InputError: for anything else.
    """
    if judge is None or judge == "none":
        return None
    if isinstance(judge, Judge):
        return judge
    if cache == "default":
        from huggingface_hub.constants import HF_HOME

        cache = Path(HF_HOME) / "t2vid" / "judge.sqlite"
    return Judge(_backend(judge), cache=cache, batch_size=batch_size)


def _backend(judge: Any) -> JudgeBackend:
    if isinstance(judge, str):
        kind, _, argument = judge.partition(":")
        if judge.endswith(".gguf") or Path(judge).is_dir():
            kind, argument = "transformers", judge
        entry = catalog.match(catalog.JUDGES, kind)
        if entry is None or bool(argument) != bool(entry.takes):
            known = " or ".join(repr(one) for one in ["none", *(j.written for j in catalog.JUDGES)])
            raise InputError(f"judge ({judge!r}) must be {known}, a folder or a GGUF file")
        load = pkgutil.resolve_name(entry.load)
        backend: JudgeBackend = load(argument) if entry.takes else load()
        return backend
    if hasattr(judge, "say"):
        return judge  # type: ignore[no-any-return]
    if callable(judge):
        return FunctionJudge(judge)
    raise InputError(f"judge ({type(judge).__name__}) must be a name, a back end or a function")
