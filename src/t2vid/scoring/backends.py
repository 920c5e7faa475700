"""What can judge: a function, a language model in this process, one behind an OpenAI-compatible API.

>>> FunctionJudge(lambda question, options, answer: "A").say([AnswerToJudge("Which?", ("x", "y"), "?")])
[Verdict(letter='A', error=None)]
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from t2vid.errors import InputError, require
from t2vid.scoring.prompt import LETTERS, NO_LETTER, SYSTEM, AnswerToJudge, Verdict, prompt_of
from t2vid.storage.chat import ChatEndpoint, ChatReply
from t2vid.targets import checkpoint_of, loading


@dataclass(frozen=True)
class FunctionJudge:
    """Any function of `(question, options, answer)`; its verdicts are remembered, not kept."""

    call: Callable[[str, Sequence[str], str], str | None]
    identity: str = ""

    def say(self, cases: Sequence[AnswerToJudge]) -> list[Verdict]:
        """Call the function for each case; one that raises spoils only its own case."""
        return [self._one(case) for case in cases]

    def _one(self, case: AnswerToJudge) -> Verdict:
        try:
            return Verdict(self.call(case.question, case.options, case.answer))
        except Exception as error:  # anybody's code
            return Verdict(None, f"{type(error).__name__}: {error}")


class TransformersJudge:
    """A causal language model in this process, asked by one forward pass.

    Args:
        model: the model, put into evaluation mode.
        tokenizer: its tokenizer; its chat template is used where it has one.
        margin: Z where the best letter leads the second by less than this, in nats. It settles ties and is no
            confidence: neighbouring bfloat16 logits between 16 and 32 are 0.125 apart.
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
    def load(cls, name: str, **kwargs: Any) -> TransformersJudge:
        """Load a checkpoint, e.g. the paper's `meta-llama/Llama-3.1-8B-Instruct`.

        Args:
            name: a folder, a GGUF file, a folder that holds one, or a name on the Hub.
            **kwargs: for `AutoModelForCausalLM.from_pretrained`.

        Raises:
            InputError: for a path at which there is no model.
        """
        source, files = checkpoint_of(name, "judge")
        torch = require("torch", extra="eval")
        transformers = require("transformers", extra="eval")
        if files:
            require("gguf", extra="eval")
        with loading(name, "judge"):
            model = transformers.AutoModelForCausalLM.from_pretrained(
                source, **{"dtype": "auto", **files, **kwargs}
            )
        if torch.cuda.is_available() and "device_map" not in kwargs:
            model = model.to("cuda")
        tokenizer = transformers.AutoTokenizer.from_pretrained(source, **files)
        return cls(model, tokenizer, name=name)

    @property
    def identity(self) -> str:
        """The model's name, type of numbers, size and margin."""
        count = sum(weight.numel() for weight in self.model.parameters())
        return f"transformers {self.name} {self.model.dtype} {count} margin {self.margin}"

    def say(self, cases: Sequence[AnswerToJudge]) -> list[Verdict]:
        """Compare the scores of the letters at the place where the answer would start."""
        torch = require("torch", extra="eval")
        rows = [self._encode(case) for case in cases]
        longest, pad = max(map(len, rows)), self.tokenizer.pad_token_id or 0
        # left padding: every prompt ends in the last column, where the next token is scored
        padding = [longest - len(row) for row in rows]
        ids = torch.tensor([[pad] * n + row for n, row in zip(padding, rows, strict=True)])
        mask = torch.tensor([[0] * n + [1] * (longest - n) for n in padding])
        places = (mask.cumsum(-1) - 1).clamp(min=0)
        inputs = {"input_ids": ids, "attention_mask": mask, "position_ids": places}
        kwargs = {"logits_to_keep": 1} if self._short else {}
        with torch.inference_mode():
            inputs = {name: value.to(self.model.device) for name, value in inputs.items()}
            logits = self.model(**inputs, **kwargs).logits[:, -1]
        scores = torch.log_softmax(logits.float(), dim=-1).cpu()
        return [Verdict(self._best(row, case)) for row, case in zip(scores, cases, strict=True)]

    def _best(self, scores: Any, case: AnswerToJudge) -> str:
        found = {a: max(float(scores[i]) for i in self._tokens[a]) for a in case.letters}
        best, second = sorted(found, key=found.__getitem__, reverse=True)[:2]
        return best if found[best] - found[second] >= self.margin else NO_LETTER

    def _encode(self, case: AnswerToJudge) -> list[int]:
        text = prompt_of(case)
        for token in self.tokenizer.all_special_tokens:
            text = text.replace(token, " ")
        if not self.tokenizer.chat_template:
            return list(self.tokenizer(f"{SYSTEM}\n{text}")["input_ids"])
        chat = self.tokenizer.apply_chat_template(
            _turns(text), tokenize=False, add_generation_prompt=True
        )
        return list(self.tokenizer(chat, add_special_tokens=False)["input_ids"])

    def _ids(self, letter: str) -> list[int]:
        """Return the tokens that begin an answer with the letter, with and without a blank."""
        encode = self.tokenizer.encode
        forms = [encode(form, add_special_tokens=False) for form in (letter, f" {letter}")]
        ids = sorted({form[0] for form in forms if len(form) == 1})
        if not ids:
            raise InputError(f"the tokenizer of {self.name} has no single token for {letter!r}")
        return ids


@dataclass(frozen=True)
class OpenAIJudge(ChatEndpoint):
    """A judge behind an OpenAI-compatible API.

    Args:
        model: its name there.
        url: of the API, up to `/v1`.
        key_variable: environment variable that holds the API key.
        timeout_s: for one verdict.
        retries: further tries after an overloaded, broken or silent server.
        wait_s: before the first of them; doubled each time, or what the server asks for.
        in_flight: requests at a time.
    """

    timeout_s: float = 60.0
    in_flight: int = 16

    @classmethod
    def load(cls, name: str) -> OpenAIJudge:
        """Give the judge `MODEL@URL`.

        Raises:
            InputError: where one of the two is missing.
        """
        model, _, url = name.rpartition("@")
        if not model or not url:
            raise InputError(f"judge ('openai:{name}') must be 'openai:MODEL@URL', URL up to /v1")
        return cls(model, url)

    @property
    def identity(self) -> str:
        """The model's name; a server tells no more."""
        return f"openai {self.model}"

    def say(self, cases: Sequence[AnswerToJudge]) -> list[Verdict]:
        """Send one request a case; one that keeps failing spoils only its own case."""
        asked = {"model": self.model, "max_tokens": 1, "temperature": 0}
        bodies = [json.dumps({**asked, "messages": _turns(prompt_of(case))}) for case in cases]
        replies = self.ask_all([body.encode() for body in bodies], in_flight=self.in_flight)
        return [self._verdict(reply) for reply in replies]

    def _verdict(self, reply: ChatReply) -> Verdict:
        if reply.text is None:
            why = f"{self.url} gave no verdict after {reply.tries} tries ({reply.why})"
            return Verdict(None, why)
        return Verdict(reply.text.strip(".()[]*\"'").strip())


def _turns(text: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": text}]
