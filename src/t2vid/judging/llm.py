"""A judge for what the rules leave open: one forward pass over the option letters and Z.

>>> judge = judge_from(lambda question, options, answer: "A" if "crimson" in answer else None)
>>> judge("Which colour?", ["red", "blue"], "It is crimson."), judge("Which?", ["red", "blue"], "?")
('A', None)

The paper lets a language model write an answer and searches it for a letter. Comparing the scores
of the letters instead costs one pass, needs no search, and cannot leave the list, whatever the
judged answer says.
"""

from __future__ import annotations

import inspect
import json
import logging
import os
import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from t2vid.errors import BackendError, InputError, require
from t2vid.judging.cache import JudgeCache, key_of
from t2vid.judging.served import Endpoint

logger = logging.getLogger(__name__)

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


class Case(NamedTuple):
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


class Backend(Protocol):
    """What can judge a batch of cases."""

    @property
    def identity(self) -> str:
        """What changes when the verdicts might; empty where they must not be kept on disk."""

    def say(self, cases: Sequence[Case]) -> list[Verdict]:
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
        backend: Backend,
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
        self._known: dict[Case, Verdict] = {}

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
        cases = [Case(question, tuple(options), answer) for question, options, answer in rows]
        new = [case for case in dict.fromkeys(cases) if case not in self._known]
        new = self._from_disk(new)
        new.sort(key=lambda case: sum(map(len, case.options)) + len(case.question + case.answer))
        for start in range(0, len(new), self.batch_size):
            self._ask(new[start : start + self.batch_size])
        return [self._known[case] for case in cases]

    def _ask(self, batch: list[Case]) -> None:
        self.asked += len(batch)
        try:
            verdicts = [
                _checked(*pair) for pair in zip(batch, self.backend.say(batch), strict=True)
            ]
        except Exception as error:  # a judge may be anybody's code; its failures are counted
            logger.warning("the judge failed on %d answers: %r", len(batch), error)
            verdicts = [Verdict(None, f"{type(error).__name__}: {error}")] * len(batch)
        self._known.update(zip(batch, verdicts, strict=True))
        if self._disk is not None:  # a failure is not kept: the next run tries again
            kept = {
                self._key(c): v.letter or NO_LETTER
                for c, v in zip(batch, verdicts, strict=True)
                if not v.error
            }
            self._disk.put(kept)

    def _from_disk(self, cases: list[Case]) -> list[Case]:
        if self._disk is None or not cases:
            return cases
        keys = {case: self._key(case) for case in cases}
        found = self._disk.get(keys.values())
        for case, key in keys.items():
            if key in found:
                self._known[case] = Verdict(None if found[key] == NO_LETTER else found[key])
        return [case for case in cases if case not in self._known]

    def _key(self, case: Case) -> str:
        return key_of(self.backend.identity, PROMPT_VERSION, *case)


def _checked(case: Case, verdict: Verdict) -> Verdict:
    if verdict.letter is None or verdict.letter == NO_LETTER:
        return Verdict(None, verdict.error)
    if len(verdict.letter) == 1 and verdict.letter in case.letters:
        return verdict
    return Verdict(None, f"the judge said {verdict.letter[:40]!r}, not one of {case.letters}")


def judge_from(
    judge: Any, *, cache: str | os.PathLike[str] | None = "default", batch_size: int = 16
) -> Judge | None:
    """Give the judge that a user names.

    Args:
        judge: None or `"none"`; `"transformers:NAME"` with a folder or Hub name;
            `"openai:MODEL@URL"`, URL ending in `/v1`; a back end; or a function of
            `(question, options, answer)` that gives a letter or None.
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


def _backend(judge: Any) -> Backend:
    if isinstance(judge, str):
        kind, _, name = judge.partition(":")
        if kind == "transformers" and name:
            return TransformersBackend.load(name)
        model, _, url = name.rpartition("@")
        if kind == "openai" and model and url:
            return OpenAIBackend(model, url)
        raise InputError(
            f"judge ({judge!r}) must be 'none', 'transformers:NAME' or 'openai:MODEL@URL'"
        )
    if hasattr(judge, "say"):
        return judge  # type: ignore[no-any-return]
    if callable(judge):
        return FunctionBackend(judge)
    raise InputError(f"judge ({type(judge).__name__}) must be a name, a back end or a function")


def prompt_of(case: Case) -> str:
    """Write the paper's prompt for a case.

    Marks that steer a chat are taken out of the answer, so that it cannot end its own turn.

    >>> prompt_of(Case("Which?", ("red", "blue"), "B<|im_end|>"))[-58:]
    'Question: Which?\\nOptions: A. red B. blue\\nAnswer: B\\nOutput:'
    """
    answer = _CONTROL.sub(" ", case.answer).strip()
    if len(answer) > MAX_ANSWER_CHARS:
        half = MAX_ANSWER_CHARS // 2
        answer = f"{answer[:half]} … {answer[-half:]}"
    options = " ".join(f"{a}. {text}" for a, text in zip(case.letters, case.options, strict=False))
    return PROMPT.format(question=case.question, options=options, answer=answer)


@dataclass(frozen=True)
class FunctionBackend:
    """Any function of `(question, options, answer)`; its verdicts are remembered, not kept."""

    call: Callable[[str, Sequence[str], str], str | None]
    identity: str = ""

    def say(self, cases: Sequence[Case]) -> list[Verdict]:
        """Call the function for each case; one that raises spoils only its own case."""
        return [self._one(case) for case in cases]

    def _one(self, case: Case) -> Verdict:
        try:
            return Verdict(self.call(case.question, case.options, case.answer))
        except Exception as error:  # anybody's code
            return Verdict(None, f"{type(error).__name__}: {error}")


class TransformersBackend:
    """A causal language model in this process, asked by one forward pass.

    Args:
        model: the model, put into evaluation mode.
        tokenizer: its tokenizer; its chat template is used where it has one.
        margin: Z where the best letter leads the second by less than this, in nats.
        name: what the cache knows it by; by default where it was loaded from.

    Raises:
        InputError: when the tokenizer has no token of its own for a letter.
    """

    def __init__(self, model: Any, tokenizer: Any, *, margin: float = 0.1, name: str = "") -> None:
        self.model, self.tokenizer, self.margin = model.eval(), tokenizer, margin
        self.name = name or str(model.config._name_or_path or type(model).__name__)
        self._tokens = {letter: self._ids(letter) for letter in LETTERS + NO_LETTER}
        self._short = "logits_to_keep" in inspect.signature(model.forward).parameters

    @classmethod
    def load(cls, name: str, **kwargs: Any) -> TransformersBackend:
        """Load a checkpoint, e.g. the paper's `meta-llama/Llama-3.1-8B-Instruct`.

        Args:
            name: a folder or a name on the Hub.
            **kwargs: for `AutoModelForCausalLM.from_pretrained`.
        """
        torch = require("torch", extra="eval")
        transformers = require("transformers", extra="eval")
        model = transformers.AutoModelForCausalLM.from_pretrained(
            name, **{"dtype": "auto", **kwargs}
        )
        if torch.cuda.is_available() and "device_map" not in kwargs:
            model = model.to("cuda")
        return cls(model, transformers.AutoTokenizer.from_pretrained(name), name=name)

    @property
    def identity(self) -> str:
        """The model's name, type of numbers, size and margin."""
        count = sum(weight.numel() for weight in self.model.parameters())
        return f"transformers {self.name} {self.model.dtype} {count} margin {self.margin}"

    def say(self, cases: Sequence[Case]) -> list[Verdict]:
        """Compare the scores of the letters at the place where the answer would start."""
        torch = require("torch", extra="eval")
        rows = [self._encode(case) for case in cases]
        longest = max(map(len, rows))
        pad = self.tokenizer.pad_token_id or 0
        # left padding: every prompt ends in the last column, where the next token is scored
        ids = torch.tensor([[pad] * (longest - len(row)) + row for row in rows])
        mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows])
        kwargs = {"logits_to_keep": 1} if self._short else {}
        with torch.inference_mode():
            logits = self.model(
                input_ids=ids.to(self.model.device),
                attention_mask=mask.to(self.model.device),
                position_ids=(mask.cumsum(-1) - 1).clamp(min=0).to(self.model.device),
                **kwargs,
            ).logits[:, -1]
        scores = torch.log_softmax(logits.float(), dim=-1).cpu()
        return [Verdict(self._best(row, case)) for row, case in zip(scores, cases, strict=True)]

    def _best(self, scores: Any, case: Case) -> str:
        ranked = sorted(
            ((max(float(scores[i]) for i in self._tokens[a]), a) for a in case.letters),
            reverse=True,
        )
        (best, letter), (second, _) = ranked[:2]
        return letter if best - second >= self.margin else NO_LETTER

    def _encode(self, case: Case) -> list[int]:
        text = prompt_of(case)
        for token in self.tokenizer.all_special_tokens:
            text = text.replace(token, " ")
        if not self.tokenizer.chat_template:
            return list(self.tokenizer(f"{SYSTEM}\n{text}")["input_ids"])
        turns = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": text}]
        chat = self.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        return list(self.tokenizer(chat, add_special_tokens=False)["input_ids"])

    def _ids(self, letter: str) -> list[int]:
        """Give the tokens that begin an answer with the letter, with and without a blank."""
        forms = (
            self.tokenizer.encode(form, add_special_tokens=False) for form in (letter, f" {letter}")
        )
        ids = sorted({form[0] for form in forms if len(form) == 1})
        if not ids:
            raise InputError(f"the tokenizer of {self.name} has no single token for {letter!r}")
        return ids


@dataclass(frozen=True)
class OpenAIBackend(Endpoint):
    """A judge behind an OpenAI-compatible API.

    Args:
        model: its name there.
        url: of the API, up to `/v1`.
        key_variable: environment variable that holds the API key.
        timeout_s: for one verdict.
        retries: further tries after an overloaded, broken or silent server.
        wait_s: before the first of them; doubled each time, or what the server asks for.
        workers: requests at a time.
    """

    timeout_s: float = 60.0
    workers: int = 8

    @property
    def identity(self) -> str:
        """The model's name; a server tells no more."""
        return f"openai {self.model}"

    def say(self, cases: Sequence[Case]) -> list[Verdict]:
        """Send one request a case; one that keeps failing spoils only its own case."""
        with ThreadPoolExecutor(self.workers) as pool:
            return list(pool.map(self._one, cases))

    def _one(self, case: Case) -> Verdict:
        turns = [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": prompt_of(case)},
        ]
        body = {"model": self.model, "messages": turns, "max_tokens": 1, "temperature": 0}
        reply = self.ask(json.dumps(body).encode())
        if reply.text is None:
            return Verdict(
                None, f"{self.url} gave no verdict after {reply.tries} tries ({reply.why})"
            )
        return Verdict(reply.text.strip(".()[]*\"'").strip())
