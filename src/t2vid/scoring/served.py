"""A chat model behind an OpenAI-compatible API: one request, bounded patience, an answer or a reason.

>>> Endpoint("judge", "http://127.0.0.1:9/v1", retries=0).ask(b"{}").text is None
True
"""

from __future__ import annotations

import http.client
import json
import os
import random
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import NamedTuple

AGAIN = (408, 409, 425, 429, 500, 502, 503, 504)  # an overloaded or broken server may recover
REFUSED = (400, 413, 422)  # this request is refused, another may pass
MAX_WAIT_S = 30.0


class Reply(NamedTuple):
    """What came back.

    Attributes:
        text: the model's words, None where there are none.
        why: the last failure.
        tries: requests sent.
        refused: whether only this request was refused.
    """

    text: str | None
    why: str = ""
    tries: int = 1
    refused: bool = False


@dataclass(frozen=True)
class Endpoint:
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
    _random: random.Random = field(default_factory=lambda: random.Random(0), repr=False)

    def ask(self, body: bytes) -> Reply:
        """Send one chat completion until it is answered, refused, or patience ends; nothing raises."""
        why = ""
        for attempt in range(self.retries + 1):
            wait_s = self.wait_s * 2**attempt * (1 + self._random.random() / 4)
            try:
                return Reply(self._post(body), tries=attempt + 1)
            except urllib.error.HTTPError as error:
                with error:
                    why = f"HTTP {error.code}: {error.read(300).decode(errors='replace')}"
                if error.code not in AGAIN:
                    return Reply(None, why, attempt + 1, error.code in REFUSED)
                wait_s = _asked_wait(error.headers.get("Retry-After"), wait_s)
            except (
                OSError,
                http.client.HTTPException,
                ValueError,
                LookupError,
                TypeError,
            ) as error:
                why = f"{type(error).__name__}: {error}"
            if attempt < self.retries:
                time.sleep(min(wait_s, MAX_WAIT_S))
        return Reply(None, why, self.retries + 1)

    def _post(self, body: bytes) -> str:
        headers = {"Content-Type": "application/json"}
        if os.environ.get(self.key_variable):
            headers["Authorization"] = f"Bearer {os.environ[self.key_variable]}"
        address = self.url.rstrip("/") + "/chat/completions"
        request = urllib.request.Request(address, body, headers)
        with urllib.request.urlopen(request, timeout=self.timeout_s) as reply:
            text = json.load(reply)["choices"][0]["message"]["content"]
        return str(text or "").strip()


def _asked_wait(header: str | None, default_s: float) -> float:
    try:
        return max(0.0, float(header)) if header else default_s
    except ValueError:  # a date
        return default_s
