"""What answers: a model in this process, a served one (vLLM, any OpenAI-compatible API), a function.

>>> backend = FunctionBackend(lambda ask: "B", name="always-b")
>>> backend.identity
'function always-b'
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from t2vid.errors import BackendError, BudgetError, InputError, require
from t2vid.evaluation.asking import Ask, check_strategy
from t2vid.evaluation.config import EvalConfig
from t2vid.storage.chat import ChatEndpoint


class Answer(NamedTuple):
    """An answer, or why there is none."""

    text: str
    error: str | None = None


class Backend(Protocol):
    """What can answer a batch of questions."""

    @property
    def name(self) -> str:
        """What tables call it."""

    @property
    def identity(self) -> str:
        """What changes when the answers might."""

    def prepare(self, ask: Ask) -> Any:
        """Do what needs no model, in a thread ahead of the batch; a `BudgetError` is an answer."""

    def length(self, prepared: Any) -> int:
        """Say how long a prepared question is, for batches of equal length."""

    def answer(self, prepared: Sequence[Any], protocol: EvalConfig) -> list[Answer]:
        """Answer a batch, in order."""


class TransformersBackend:
    """A vision-language model of a known family in this process.

    Args:
        model: the model, put into evaluation mode.
        processor: its processor; set to one patch a frame.
        name: what tables call it; by default where it was loaded from.
        max_length: limit of tokens of a prompt; by default what the model's positions allow.
    """

    def __init__(
        self, model: Any, processor: Any, *, name: str = "", max_length: int | None = None
    ) -> None:
        from t2vid.models.families import family_of, match_tokens, one_patch
        from t2vid.models.rows import RowEncoder

        self.model, self.processor = model.eval(), one_patch(processor)
        self.name = name or str(model.config._name_or_path or type(model).__name__)
        self.family = family_of(model)
        self.encode = RowEncoder(
            self.processor, family=self.family, max_length=max_length or max_positions(model)
        )
        match_tokens(self.model, self.processor)
        self._identity = ""

    @classmethod
    def load(cls, name: str, **kwargs: Any) -> TransformersBackend:
        """Load a checkpoint and its processor.

        Args:
            name: a folder or a name on the Hub.
            **kwargs: for `AutoModelForImageTextToText.from_pretrained`.
        """
        from t2vid.models.families import load_model, load_processor

        kwargs = {"dtype": "auto", "device_map": None, **kwargs}
        model = load_model(name, **kwargs)
        torch = require("torch", extra="eval")
        if torch.cuda.is_available() and kwargs["device_map"] is None:
            model = model.to("cuda")
        return cls(model, load_processor(name), name=name)

    @property
    def identity(self) -> str:
        """Class, type of numbers, and a hash of the first values of every weight."""
        if not self._identity:
            digest = hashlib.sha256()
            for name, weight in self.model.state_dict().items():
                digest.update(f"{name} {tuple(weight.shape)}".encode())
                digest.update(str(weight.flatten()[:8].tolist()).encode())
            kind = f"{type(self.model).__name__} {self.model.dtype}"
            self._identity = f"{kind} {digest.hexdigest()[:16]}"
        return self._identity

    def fit(self, frame: Any) -> Any:
        """Resize a frame to what the model sees, as encoding it would."""
        from t2vid.models.families import seen_px

        size = seen_px(self.processor, frame.size) if self.encode.direct else frame.size
        # A frame whose resized self would be resized again is left to the encoder.
        if frame.size == size or seen_px(self.processor, size) != size:
            return frame
        return frame.resize(size, self.processor.image_processor.resample)

    def prepare(self, ask: Ask) -> Any:
        """Encode a question: token ids and pixels."""
        row = self.encode(ask.row, prompt_only=True)
        if ask.prefill:
            more = self.processor.tokenizer(ask.prefill, add_special_tokens=False)["input_ids"]
            row.ids = np.concatenate([row.ids, np.asarray(more, dtype=row.ids.dtype)])
        return row

    def length(self, prepared: Any) -> int:
        """Give the number of tokens of the prompt."""
        return len(prepared.ids)

    def answer(self, prepared: Sequence[Any], protocol: EvalConfig) -> list[Answer]:
        """Generate greedily."""
        from t2vid.evaluation.generate import generate

        texts = generate(
            self.model,
            self.processor,
            self.encode,
            prepared,
            max_new_tokens=protocol.max_new_tokens,
        )
        return [Answer(text) for text in texts]


@dataclass(frozen=True)
class OpenAIBackend(ChatEndpoint):
    """A model behind an OpenAI-compatible API, such as `vllm serve`; see `Endpoint` for its fields."""

    @property
    def name(self) -> str:
        """What tables call it."""
        return self.model

    @property
    def identity(self) -> str:
        """The model's name; a server tells no more, and the same model may move."""
        return f"served {self.model}"

    def prepare(self, ask: Ask) -> bytes:
        """Write the request, frames as PNG, so that nothing is lost on the way."""
        content: list[dict[str, Any]] = [
            {"type": "image_url", "image_url": {"url": _data_url(frame)}} for frame in ask.frames
        ]
        content.append({"type": "text", "text": ask.prompt})
        turns: list[dict[str, Any]] = [{"role": "user", "content": content}]
        if ask.system:
            turns.insert(0, {"role": "system", "content": ask.system})
        body: dict[str, Any] = {"model": self.model, "messages": turns}
        if ask.prefill:  # vLLM and SGLang go on with a turn that was begun
            turns.append({"role": "assistant", "content": ask.prefill})
            body |= {"add_generation_prompt": False, "continue_final_message": True}
        return json.dumps(body).encode()

    def length(self, prepared: bytes) -> int:
        """Give the size of the request."""
        return len(prepared)

    def answer(self, prepared: Sequence[bytes], protocol: EvalConfig) -> list[Answer]:
        """Send the batch at once.

        Raises:
            BackendError: when the server cannot be reached or keeps failing.
        """
        limits = {"max_tokens": protocol.max_new_tokens, "temperature": 0, "seed": 0}
        tail = json.dumps(limits)[1:].encode()
        with ThreadPoolExecutor(max(1, len(prepared))) as pool:
            return list(pool.map(lambda body: self._send(body[:-1] + b", " + tail), prepared))

    def _send(self, body: bytes) -> Answer:
        reply = self.ask(body)
        if reply.text is not None or reply.refused:
            return Answer(reply.text or "", reply.why or None)
        raise BackendError(
            f"{self.url} did not answer for {self.model!r} after {reply.tries} tries ({reply.why}); "
            "the answers so far are kept: start the server and run the same command again"
        )


@dataclass(frozen=True)
class FunctionBackend:
    """Any function of an `Ask` that gives a text."""

    call: Callable[[Ask], str]
    name: str = "function"

    @property
    def identity(self) -> str:
        """The name; a function cannot be told apart further."""
        return f"function {self.name}"

    def prepare(self, ask: Ask) -> Ask:
        """Leave the question as it is."""
        return ask

    def length(self, prepared: Ask) -> int:
        """Give the length of the prompt."""
        return len(prepared.prompt)

    def answer(self, prepared: Sequence[Ask], protocol: EvalConfig) -> list[Answer]:
        """Call the function for each."""
        return [Answer(self.call(ask)) for ask in prepared]


def backend_of(model: Any, processor: Any = None) -> Backend:
    """Give the back end of what a user names.

    Args:
        model: a back end; a model with its `processor`; a function of an `Ask`; a folder or Hub
            name of a checkpoint; `openai:MODEL@URL` for a served one.
        processor: of a model in this process.

    Raises:
        InputError: for a model without its processor, or a served one without its address.
    """
    if hasattr(model, "prepare") and hasattr(model, "identity"):
        return model  # type: ignore[no-any-return]
    if isinstance(model, str | os.PathLike):
        name = os.fspath(model)
        if name.startswith("openai:"):
            served, _, url = name.removeprefix("openai:").rpartition("@")
            if not served:
                raise InputError(f"model {name!r} must be openai:MODEL@URL, URL ending in /v1")
            return OpenAIBackend(served, url)
        return TransformersBackend.load(name)
    if hasattr(model, "generate"):
        if processor is None:
            raise InputError("a model needs its processor: evaluate(model, …, processor=processor)")
        return TransformersBackend(model, processor)
    if callable(model):
        return FunctionBackend(model, name=getattr(model, "__name__", "function"))
    raise InputError(f"model ({type(model).__name__}) must be a model, a name or a function")


def check(backend: Backend, protocol: EvalConfig) -> None:
    """Refuse a protocol that the back end cannot follow."""
    if isinstance(backend, TransformersBackend):
        check_strategy(protocol, backend.family.pixels)


def max_positions(model: Any) -> int | None:
    """Give the longest sequence a model was built for; None where it does not say."""
    config = getattr(model.config, "text_config", None) or model.config
    limit = getattr(config, "max_position_embeddings", None)
    return None if limit is None else int(limit)


def prepared_or_error(backend: Backend, ask: Ask) -> Any:
    """Prepare a question; one that is too long is an answer with an error."""
    try:
        return backend.prepare(ask)
    except BudgetError as error:
        return Answer("", str(error))


def _data_url(frame: Any) -> str:
    buffer = io.BytesIO()
    (frame if frame.mode in ("RGB", "L") else frame.convert("RGB")).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
