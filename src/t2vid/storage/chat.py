"""A chat model behind an OpenAI-compatible API: one request, bounded patience, an answer or a reason.

>>> ChatEndpoint("judge", "http://127.0.0.1:9/v1", retries=0).ask(b"{}").text is None
True
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

from t2vid.storage.http import JsonClient, RetryPolicy, reason_of, status_of

REFUSED = (400, 413, 422)  # this request is refused, another may pass
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
        usage: tokens as the server counted them, by name.
    """

    text: str | None
    why: str = ""
    tries: int = 1
    refused: bool = False
    usage: dict[str, Any] | None = None


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

    def ask(self, body: bytes) -> ChatReply:
        """Send one chat completion until it is answered, refused, or patience ends; nothing raises."""
        tries: list[int] = []

        def act() -> ChatReply:
            tries.append(1)
            return _reply(self._client.post(_PATH, body), len(tries))

        try:
            return self._policy.call(act)
        except Exception as error:
            return _failed(error, len(tries))

    async def aask(self, body: bytes) -> ChatReply:
        """Do the same in an event loop."""
        tries: list[int] = []

        async def act() -> ChatReply:
            tries.append(1)
            return _reply(await self._client.apost(_PATH, body), len(tries))

        try:
            return await self._policy.acall(act)
        except Exception as error:
            return _failed(error, len(tries))

    def ask_all(self, bodies: Sequence[bytes], *, in_flight: int = 8) -> list[ChatReply]:
        """Send many at once and give their answers in order; one that fails spoils only its own.

        Args:
            bodies: one chat completion each.
            in_flight: requests under way at a time.
        """
        if len(bodies) < 2:
            return [self.ask(body) for body in bodies]
        # a thread of its own: in a notebook this one has a running loop already
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(asyncio.run, self._aask_all(bodies, in_flight)).result()

    async def _aask_all(self, bodies: Sequence[bytes], in_flight: int) -> list[ChatReply]:
        places = asyncio.Semaphore(in_flight)

        async def one(body: bytes) -> ChatReply:
            async with places:
                return await self.aask(body)

        return list(await asyncio.gather(*map(one, bodies)))

    @property
    def _client(self) -> JsonClient:
        return JsonClient(self.url, key_variable=self.key_variable, timeout_s=self.timeout_s)

    @property
    def _policy(self) -> RetryPolicy:
        return RetryPolicy(retries=self.retries, wait_s=self.wait_s, also=_BROKEN)


def _reply(answer: Any, tries: int) -> ChatReply:
    text = answer["choices"][0]["message"]["content"]
    return ChatReply(str(text or "").strip(), tries=tries, usage=answer.get("usage"))


def _failed(error: Exception, tries: int) -> ChatReply:
    status = status_of(error)
    if status is None:
        return ChatReply(None, f"{type(error).__name__}: {reason_of(error)}", tries)
    said = error.response.text[:300]  # type: ignore[attr-defined]  # status_of found it
    return ChatReply(None, f"HTTP {status}: {said}", tries, status in REFUSED)
