"""What can judge: a function, a language model in this process, one behind an OpenAI-compatible API.

>>> FunctionJudge(lambda question, options, answer: "A").say([AnswerToJudge("Which?", ("x", "y"), "?")])
[Verdict(letter='A', error=None)]
"""

from __future__ import annotations

import difflib
import inspect
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from t2vid.errors import InputError, require
from t2vid.scoring.prompt import LETTERS, NO_LETTER, SYSTEM, AnswerToJudge, Verdict, prompt_of
from t2vid.storage.chat import ChatEndpoint, ChatReply


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
            confidence: 0.1 nats are odds of 1.1 to 1, and neighbouring bfloat16 logits between 16 and 32 are 0.125
            apart. A wider one only ever turns letters into Z. It is part of the identity, so verdicts of two margins
            never mix in a cache.
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
        source, files = checkpoint_of(name)
        torch = require("torch", extra="eval")
        transformers = require("transformers", extra="eval")
        if files:
            require("gguf", extra="eval")
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

    def _best(self, scores: Any, case: AnswerToJudge) -> str:
        ranked = sorted(
            ((max(float(scores[i]) for i in self._tokens[a]), a) for a in case.letters),
            reverse=True,
        )
        (best, letter), (second, _) = ranked[:2]
        return letter if best - second >= self.margin else NO_LETTER

    def _encode(self, case: AnswerToJudge) -> list[int]:
        text = prompt_of(case)
        for token in self.tokenizer.all_special_tokens:
            text = text.replace(token, " ")
        if not self.tokenizer.chat_template:
            return list(self.tokenizer(f"{SYSTEM}\n{text}")["input_ids"])
        turns = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": text}]
        chat = self.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        return list(self.tokenizer(chat, add_special_tokens=False)["input_ids"])

    def _ids(self, letter: str) -> list[int]:
        """Return the tokens that begin an answer with the letter, with and without a blank."""
        forms = (
            self.tokenizer.encode(form, add_special_tokens=False) for form in (letter, f" {letter}")
        )
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
        replies = self.ask_all([self._body(case) for case in cases], in_flight=self.in_flight)
        return [self._verdict(reply) for reply in replies]

    def _body(self, case: AnswerToJudge) -> bytes:
        turns = [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": prompt_of(case)},
        ]
        body = {"model": self.model, "messages": turns, "max_tokens": 1, "temperature": 0}
        return json.dumps(body).encode()

    def _verdict(self, reply: ChatReply) -> Verdict:
        if reply.text is None:
            return Verdict(
                None, f"{self.url} gave no verdict after {reply.tries} tries ({reply.why})"
            )
        return Verdict(reply.text.strip(".()[]*\"'").strip())


def checkpoint_of(name: str) -> tuple[str, dict[str, str]]:
    """Return where a model is loaded from, and the GGUF file in there, if it is one.

    A path that leads nowhere is named at once; the Hub would be asked for minutes and then called unreachable.

    Args:
        name: a folder, a GGUF file, a folder that holds one, or a name on the Hub.

    Raises:
        InputError: for a path at which there is no model.

    >>> checkpoint_of("meta-llama/Llama-3.1-8B-Instruct")
    ('meta-llama/Llama-3.1-8B-Instruct', {})
    """
    path = Path(name).expanduser()
    gguf = path.suffix.lower() == ".gguf"
    if path.is_file() and gguf:
        return str(path.parent), {"gguf_file": path.name}
    if path.is_dir():
        if (path / "config.json").is_file():
            return str(path), {}
        weights = sorted(file.name for file in path.glob("*.gguf"))
        if len(weights) == 1:
            return str(path), {"gguf_file": weights[0]}
        many = f"{len(weights)} GGUF files; name one of {weights[:5]}"
        raise InputError(f"judge {name!r} is a folder with {many if weights else 'no config.json'}")
    if path.is_file():
        raise InputError(f"judge {name!r} is a file, not a folder with a model and not a GGUF file")
    there = [file.name for file in path.parent.iterdir()] if path.parent.is_dir() else []
    if (path.parent != Path(".") and there) or name.count("/") > 1 or name[:1] in "./~" or gguf:
        near = difflib.get_close_matches(path.name, there, n=3)
        hint = f"; near: {', '.join(near)}" if near else ""
        raise InputError(
            f"there is no judge at {name!r}{hint}; give a folder or a name such as org/model"
        )
    return name, {}
