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
import math
import mimetypes
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeVar

import numpy as np

from t2vid.errors import BackendError, BudgetError, InputError, require
from t2vid.evaluation.answers import Answer, as_answer, failed
from t2vid.evaluation.asking import Ask
from t2vid.evaluation.config import EvalConfig
from t2vid.evaluation.showing import SMALL_FRAMES, check_strategy
from t2vid.storage.chat import ChatEndpoint, ChatReply
from t2vid.storage.files import path_of

if TYPE_CHECKING:
    from t2vid.models.pixels import EncodedRow

K = TypeVar("K")
_PNG = "t2vid: as a data URL"


class Prompt(NamedTuple):
    """A question that a model in this process can answer.

    Attributes:
        row: token ids and pixels.
        choices: what the answer may be, where it is chosen by one forward pass.
    """

    row: EncodedRow
    choices: tuple[str, ...] = ()


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
        """Answer a batch, in order.

        A back end that has `stream(prepared, protocol, in_flight=…)` is given everything at once,
        as `(key, prepared)`, and gives `(key, answer)` as they come. One that has `frame_edge` says
        how wide in pixels it sees every frame; `sends_files` says that it needs none.
        """


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
            # under torchrun every process has a card of its own
            model = model.to(f"cuda:{os.environ.get('LOCAL_RANK', '0')}")
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

    @property
    def frame_edge(self) -> int | None:
        """Longer edge in pixels to which every frame is brought; None where sizes are kept."""
        from t2vid.models.families import frame_px

        edge = max(frame_px(self.processor))
        half = (edge // 2, edge // 2)
        # what a smaller frame costs decides, not the family's name
        cost = None if self.encode.direct else len(self.encode.frame_ids(half))
        return edge if cost in (None, len(self.encode.frame_ids((edge, edge)))) else None

    def fit(self, frame: Any) -> Any:
        """Resize a frame to what the model sees, as encoding it would."""
        from t2vid.models.families import seen_px

        size = seen_px(self.processor, frame.size) if self.encode.direct else frame.size
        # A frame whose resized self would be resized again is left to the encoder.
        if frame.size == size or seen_px(self.processor, size) != size:
            return frame
        return frame.resize(size, self.processor.image_processor.resample)

    def prepare(self, ask: Ask) -> Prompt:
        """Encode a question: token ids and pixels."""
        row = self.encode(ask.row, prompt_only=True)
        if ask.prefill:
            more = self.processor.tokenizer(ask.prefill, add_special_tokens=False)["input_ids"]
            row.ids = np.concatenate([row.ids, np.asarray(more, dtype=row.ids.dtype)])
        return Prompt(row, ask.choices)

    def length(self, prepared: Prompt) -> int:
        """Give the number of tokens of the prompt; those answered in one pass come together."""
        return len(prepared.row.ids)

    def answer(self, prepared: Sequence[Prompt], protocol: EvalConfig) -> list[Answer]:
        """Generate greedily, or choose by one forward pass where the protocol says so."""
        from t2vid.evaluation.generate import choose, generate

        parts = (self.model, self.processor, self.encode)
        said: dict[int, str] = {}
        for chosen in (False, True):
            places = [i for i, one in enumerate(prepared) if bool(one.choices) == chosen]
            rows = [prepared[i].row for i in places]
            if not rows:
                continue
            texts = (
                choose(*parts, rows, [prepared[i].choices for i in places])
                if chosen
                else generate(*parts, rows, max_new_tokens=protocol.max_new_tokens)
            )
            said.update(zip(places, texts, strict=True))
        return [
            Answer(said[i], None, {"prompt_tokens": len(one.row.ids)})
            for i, one in enumerate(prepared)
        ]


@dataclass(frozen=True)
class OpenAIBackend(ChatEndpoint):
    """A model behind an OpenAI-compatible API, such as `vllm serve`; see `ChatEndpoint` for its fields.

    Args:
        send: `frames` sends the sampled frames as PNG, so that nothing is lost on the way; `file`
            sends the video itself (`video_url`, as vLLM and SGLang take it), and the server samples.
        usd_per_million: price of a million tokens of prompts and of answers, for the costs.
    """

    send: Literal["frames", "file"] = "frames"
    usd_per_million: tuple[float, float] | None = None

    @property
    def name(self) -> str:
        """What tables call it."""
        return self.model

    @property
    def identity(self) -> str:
        """The model's name; a server tells no more, and the same model may move."""
        return f"served {self.model}" + ", whole files" * self.sends_files

    @property
    def sends_files(self) -> bool:
        """Whether the server reads the videos itself, so that no frame is decoded here."""
        return self.send == "file"

    def prepare(self, ask: Ask) -> bytes:
        """Write the request."""
        content: list[dict[str, Any]] = []
        if self.sends_files and ask.video is not None:
            if ask.bounds is not None:
                raise InputError(
                    f"{ask.key[0]} asks about {ask.bounds[0] or 0:g} to {ask.bounds[1] or math.inf:g} "
                    "s of its video and a file shows all of it; send frames, or set bounds=False"
                )
            content.append({"type": "video_url", "video_url": {"url": _file_url(ask.video)}})
            content.append(_part(ask.prompt))
        else:
            content += [_part(one) for one in ask.content]
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
        """Send a batch at once and give the answers in order."""
        pairs = enumerate(prepared)
        found = dict(self.stream(pairs, protocol, in_flight=max(1, len(prepared))))
        return [found[place] for place in range(len(prepared))]

    def stream(
        self, prepared: Iterable[tuple[K, bytes]], protocol: EvalConfig, *, in_flight: int
    ) -> Iterator[tuple[K, Answer]]:
        """Give answers as they come, with `in_flight` requests under way at a time.

        A request that keeps failing is an answer with a `cause`; a key that the server does not take
        is a `PermissionError`, which no other request would pass.
        """
        limits = {"max_tokens": protocol.max_new_tokens, "temperature": 0, "seed": 0}
        tail = b", " + json.dumps(limits)[1:].encode()
        bodies = ((key, body[:-1] + tail) for key, body in prepared)
        for key, reply in self.ask_stream(bodies, in_flight=in_flight):
            if reply.text is None and not reply.refused:
                kind = PermissionError if reply.closed else BackendError
                yield key, failed(kind(f"{self.url}: {reply.why} after {reply.tries} tries"))
            else:
                finish = "" if reply.finish == "stop" else reply.finish
                yield key, Answer(reply.text or "", reply.why or None, _usage(reply), finish=finish)


@dataclass(frozen=True)
class FunctionBackend:
    """Any function of an `Ask` that gives a text."""

    call: Callable[[Ask], str | Answer]
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
        """Call the function for each; one on which it fails is counted, the others go on."""
        return [self._answer(ask) for ask in prepared]

    def _answer(self, ask: Ask) -> Answer:
        try:
            return as_answer(self.call(ask), f"the function {self.name}")
        except Exception as error:
            return failed(error)


def backend_of(model: Any, processor: Any = None) -> Backend:
    """Give the back end of what a user names.

    Args:
        model: a back end; a model with its `processor`; a function of an `Ask`; a folder or Hub
            name of a checkpoint; `openai:MODEL@URL` for a served one, `openai-file:MODEL@URL` to
            send it whole videos.
        processor: of a model in this process.

    Raises:
        InputError: for a model without its processor, or a served one without its address.
    """
    if hasattr(model, "prepare") and hasattr(model, "identity"):
        return model  # type: ignore[no-any-return]
    if isinstance(model, str | os.PathLike):
        name = os.fspath(model)
        kind, _, rest = name.partition(":")
        if kind in ("openai", "openai-file"):
            served, _, url = rest.rpartition("@")
            if not served:
                raise InputError(f"model {name!r} must be {kind}:MODEL@URL, URL ending in /v1")
            return OpenAIBackend(served, url, send="file" if kind == "openai-file" else "frames")
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
    check_strategy(protocol, edge_of(backend, protocol))
    if protocol.answering == "letters" and not isinstance(backend, TransformersBackend):
        raise InputError("answering='letters' needs a model in this process; use 'generate'")
    plain = protocol.strategy == "frames" and protocol.control in ("none", "blind")
    if getattr(backend, "sends_files", False) and not plain:
        raise InputError(
            f"strategy {protocol.strategy!r} with control {protocol.control!r} changes the frames, "
            "and this back end sends the file as it is; send frames"
        )


def edge_of(backend: Backend, protocol: EvalConfig) -> int | None:
    """Give the longer edge in pixels to which a back end brings frames, where small ones are shown."""
    small = protocol.strategy in SMALL_FRAMES and protocol.fast_frames
    return getattr(backend, "frame_edge", None) if small else None


def max_positions(model: Any) -> int | None:
    """Give the longest sequence a model was built for; None where it does not say."""
    config = getattr(model.config, "text_config", None) or model.config
    limit = getattr(config, "max_position_embeddings", None)
    return None if limit is None else int(limit)


def prepared_or_error(backend: Backend, ask: Ask) -> Any:
    """Prepare a question; one that is too long, or cannot be prepared, is an answer with an error.

    Raises:
        InputError: for what no question of the run would pass.
    """
    try:
        return backend.prepare(ask)
    except BudgetError as error:
        return Answer("", str(error))
    except InputError:
        raise
    except Exception as error:
        return failed(error)


def _part(one: Any) -> dict[str, Any]:
    if isinstance(one, str):
        return {"type": "text", "text": one}
    return {"type": "image_url", "image_url": {"url": _data_url(one)}}


def _data_url(frame: Any) -> str:
    # kept with the frame, which the questions about one video share
    if _PNG not in frame.info:
        buffer = io.BytesIO()
        plain = frame if frame.mode in ("RGB", "L") else frame.convert("RGB")
        plain.save(buffer, "PNG", compress_level=1)  # as lossless as any, several times faster
        frame.info[_PNG] = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    return str(frame.info[_PNG])


def _file_url(source: str) -> str:
    """Give a video as its server can read it: a web address as it is, a file with its bytes."""
    if source.startswith(("http://", "https://", "data:")):
        return source
    kind = mimetypes.guess_type(source)[0] or "video/mp4"
    return f"data:{kind};base64,{base64.b64encode(path_of(source).read_bytes()).decode()}"


def _usage(reply: ChatReply) -> dict[str, int] | None:
    """Give the counts of tokens that a server sent; what is no number is left out."""
    counts = {
        name: int(value)
        for name, value in (reply.usage or {}).items()
        if name in ("prompt_tokens", "completion_tokens") and isinstance(value, int | float)
    }
    return counts or None
