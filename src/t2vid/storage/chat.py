"""A chat model behind an OpenAI-compatible API: one request, bounded patience, an answer or a reason.

>>> ChatEndpoint("judge", "http://127.0.0.1:9/v1", retries=0).ask(b"{}").text is None
True
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from t2vid.errors import InputError
from t2vid.storage.http import JsonClient, RetryPolicy, reason_of, status_of

REFUSED = (400, 413, 422)  # this request is refused, another may pass
CLOSED = (401, 402, 403, 404)  # a wrong key, no credit, a wrong address: none will pass
K = TypeVar("K")

_PATH = "chat/completions"
# What an answer without a text raises while the text is looked for.
_BROKEN = (ValueError, LookupError, TypeError)


class ChatReply(NamedTuple):
    """What came back.

    Attributes:
        text: the model's words, None where there are none.
        why: the last failure.
        tries: requests sent.
        refused: whether only this request was refused.
        closed: whether every other request would be refused, too.
        usage: tokens as the server counted them, by name.
        finish: why the server ended the answer, in its own word, such as `length`.
    """

    text: str | None
    why: str = ""
    tries: int = 1
    refused: bool = False
    usage: dict[str, Any] | None = None
    closed: bool = False
    finish: str = ""


@dataclass(frozen=True)
class ChatEndpoint:
    """An OpenAI-compatible API, such as `vllm serve`.

    Args:
        model: its name there.
        url: of the API, up to `/v1`.
        key_variable: environment variable that holds the API key.
        timeout_s: for one answer.
        retries: further tries after an overloaded, broken or silent server.
        wait_s: before the first of them; doubled each time, or what the server asks for.
    """

    model: str
    url: str
    key_variable: str = "OPENAI_API_KEY"
    timeout_s: float = 120.0
    retries: int = 4
    wait_s: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what no request could be sent to."""
        if not self.url.startswith(("http://", "https://")):
            raise InputError(
                f"url {self.url!r} of {self.model} must begin with http:// or https://"
            )

    def ask(self, body: bytes) -> ChatReply:
        """Send one chat completion until it is answered, refused, or patience ends; nothing raises."""
        return self.ask_all([body])[0]

    def ask_all(self, bodies: Sequence[bytes], *, in_flight: int = 8) -> list[ChatReply]:
        """Send many at once and give their answers in order; one that fails spoils only its own.

        Args:
            bodies: one chat completion each.
            in_flight: requests under way at a time.
        """
        found = dict(self.ask_stream(enumerate(bodies), in_flight=in_flight))
        return [found[place] for place in range(len(bodies))]

    def ask_stream(
        self, bodies: Iterable[tuple[K, bytes]], *, in_flight: int = 8
    ) -> Iterator[tuple[K, ChatReply]]:
        """Send what comes and give each answer when it is there, whatever their order.

        Args:
            bodies: chat completions with a key each; the next one is taken when a place is free.
            in_flight: requests under way at a time.
        """
        # a loop of its own: in a notebook this thread runs one already
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, daemon=True)
        thread.start()
        session = self._client.session(in_flight)
        pending: dict[Future[ChatReply], K] = {}
        try:
            for key, body in bodies:
                future = asyncio.run_coroutine_threadsafe(self._aask(body, session), loop)
                pending[future] = key
                done = wait(pending, None if len(pending) >= in_flight else 0, FIRST_COMPLETED).done
                for one in done:
                    yield pending.pop(one), one.result()
            while pending:
                for one in wait(pending, return_when=FIRST_COMPLETED).done:
                    yield pending.pop(one), one.result()
        finally:
            asyncio.run_coroutine_threadsafe(_closed(session), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    async def _aask(self, body: bytes, session: Any) -> ChatReply:
        tries: list[int] = []

        async def act() -> ChatReply:
            tries.append(1)
            # as a whole: a server that sends a byte now and then never ends otherwise
            async with asyncio.timeout(self.timeout_s):
                return _reply(await self._client.apost(_PATH, body, session), len(tries))

        try:
            return await self._policy.acall(act)
        except TimeoutError:
            return ChatReply(None, f"no answer within {self.timeout_s:g} s", len(tries))
        except Exception as error:
            return _failed(error, len(tries))

    @property
    def _client(self) -> JsonClient:
        return JsonClient(self.url, key_variable=self.key_variable, timeout_s=self.timeout_s)

    @property
    def _policy(self) -> RetryPolicy:
        return RetryPolicy(retries=self.retries, wait_s=self.wait_s, also=_BROKEN)


async def _closed(session: Any) -> None:
    """End what is still under way, so that nothing is left behind when the loop stops."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    await session.aclose()


def _reply(answer: Any, tries: int) -> ChatReply:
    if not answer.get("choices"):  # some gateways send their errors as answers
        raise ValueError(f"no choices, but {answer.get('error') or answer}"[:300])
    choice = answer["choices"][0]
    message = choice["message"]
    text = message.get("content")
    if isinstance(text, list):  # in parts, as some vendors send it
        text = "".join(part["text"] for part in text if part.get("type", "text") == "text")
    said = str(text or message.get("refusal") or "").strip()
    finish = str(choice.get("finish_reason") or "")
    return ChatReply(said, tries=tries, usage=answer.get("usage"), finish=finish)


def _failed(error: Exception, tries: int) -> ChatReply:
    status = status_of(error)
    if status is None:
        return ChatReply(None, f"{type(error).__name__}: {reason_of(error)}", tries)
    said = error.response.text[:300]  # type: ignore[attr-defined]  # status_of found it
    refused, closed = status in REFUSED, status in CLOSED
    return ChatReply(None, f"HTTP {status}: {said}", tries, refused, closed=closed)
