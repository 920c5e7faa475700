"""Asks servers that may be busy: bounded retries, growing waits, one client for threads and asyncio.

>>> answers = iter([TimeoutError("busy"), "there"])
>>> def ask():
...     answer = next(answers)
...     if isinstance(answer, Exception):
...         raise answer
...     return answer
>>> RetryPolicy(wait_s=0).call(ask, what="asking")
'there'
"""

from __future__ import annotations

import email.utils
import logging
import os
import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import ssl

    import httpx
    from tenacity import RetryCallState

logger = logging.getLogger(__name__)

# Overloaded, broken or racing servers, which may recover; everything else is an answer.
AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
MAX_ASKED_WAIT_S = 15 * 60.0  # a server that asks for more is one to come back to
# By name: huggingface_hub went from requests to httpx and on, and each has classes of its own.
_TRANSIENT = {"TransportError", "ConnectionError", "TimeoutError"}

T = TypeVar("T")


@dataclass(frozen=True)
class RetryPolicy:
    """How patiently a server is asked.

    Args:
        retries: further tries after the first.
        wait_s: before the first of them, doubled each time; what the server asks for wins.
        max_wait_s: limit of the doubling.
        jitter: share of each wait added at random, so that many clients do not come back at once.
        statuses: HTTP statuses that are worth another try.
        also: further kinds of exceptions that are.
    """

    retries: int = 4
    wait_s: float = 1.0
    max_wait_s: float = 30.0
    jitter: float = 0.25
    statuses: frozenset[int] = AGAIN
    also: tuple[type[Exception], ...] = ()

    def call(self, act: Callable[[], T], *, what: str = "") -> T:
        """Do something, again after a transient failure; the last failure is raised as it is.

        Args:
            act: what to do; doing it twice must be harmless.
            what: what the log calls it.
        """
        from tenacity import Retrying

        return Retrying(**self._settings(what))(act)

    async def acall(self, act: Callable[[], Awaitable[T]], *, what: str = "") -> T:
        """Do the same in an event loop."""
        from tenacity import AsyncRetrying

        return await AsyncRetrying(**self._settings(what))(act)

    def is_transient(self, error: BaseException) -> bool:
        """Tell whether trying again may help."""
        asked_s = asked_wait_s(error)
        if asked_s is not None and asked_s > MAX_ASKED_WAIT_S:
            return False
        status = status_of(error)
        if status is not None:
            return status in self.statuses
        if isinstance(error, self.also):
            return True
        names = {kind.__name__ for link in _chain(error) for kind in type(link).__mro__}
        return bool(names & _TRANSIENT)

    def _settings(self, what: str) -> dict[str, Any]:
        from tenacity import retry_if_exception, stop_after_attempt

        def log(state: RetryCallState) -> None:
            wait_s = state.next_action.sleep if state.next_action else 0.0
            logger.warning("%s: %s; again in %.0f s", what, reason_of(_error_of(state)), wait_s)

        return {
            "stop": stop_after_attempt(self.retries + 1),
            "wait": self._wait_s,
            "retry": retry_if_exception(self.is_transient),
            "before_sleep": log if what else None,
            "reraise": True,
        }

    def _wait_s(self, state: RetryCallState) -> float:
        asked_s = asked_wait_s(_error_of(state))
        if asked_s is not None:
            return asked_s
        grown_s = self.wait_s * 2.0 ** (state.attempt_number - 1)
        # Not seeded: clients with the same seed would come back together, and no result depends on it.
        return min(self.max_wait_s, grown_s) * (1 + self.jitter * random.random())


@dataclass(frozen=True)
class JsonClient:
    """Sends JSON to a server and reads JSON, once; `RetryPolicy` makes it patient.

    Args:
        url: what every path is added to.
        key_variable: environment variable that holds the bearer token; "" sends none.
        timeout_s: for connecting, and for each part of an answer.
    """

    url: str
    key_variable: str = ""
    timeout_s: float = 120.0

    def session(self, in_flight: int) -> httpx.AsyncClient:
        """Open connections that many requests of one event loop share; its user closes them."""
        import httpx

        limits = httpx.Limits(max_connections=in_flight, max_keepalive_connections=in_flight)
        return httpx.AsyncClient(**self._settings, limits=limits)

    async def apost(self, path: str, body: bytes, session: httpx.AsyncClient) -> Any:
        """Send a JSON body through an open session and give the JSON that comes back.

        Raises:
            httpx.HTTPStatusError: when the server refuses it.
            httpx.TransportError: when it cannot be reached.
            ValueError: when its answer is no JSON.
        """
        return _json_of(await session.post(path, content=body))

    @property
    def _settings(self) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"}
        if self.key_variable and os.environ.get(self.key_variable):
            headers["Authorization"] = f"Bearer {os.environ[self.key_variable]}"
        return {
            "base_url": self.url,
            "timeout": self.timeout_s,
            "headers": headers,
            "verify": _certificates() if self.url.lower().startswith("https") else False,
            "follow_redirects": True,
        }


def reason_of(error: BaseException) -> str:
    """Say in one line what went wrong in the first place, with the HTTP status if there is one."""
    first = list(_chain(error))[-1]
    status = status_of(error)
    text = " ".join(str(first).split())[:300] or type(first).__name__
    return text if status is None or str(status) in text else f"{status} {text}"


def status_of(error: BaseException) -> int | None:
    """Give the HTTP status behind an error; None where no server answered."""
    for link in _chain(error):
        response = getattr(link, "response", None)
        if response is not None:
            return int(response.status_code)
    return None


def asked_wait_s(error: BaseException) -> float | None:
    """Give the seconds that the server asks to wait (`Retry-After`); None where it does not say."""
    for link in _chain(error):
        headers = getattr(getattr(link, "response", None), "headers", None) or {}
        value = headers.get("Retry-After")
        if value is None:
            continue
        if value.strip().isdigit():
            return float(value)
        try:
            then = email.utils.parsedate_to_datetime(value)
        except ValueError:
            return None
        return max(0.0, (then - datetime.now(UTC)).total_seconds())
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _error_of(state: RetryCallState) -> BaseException:
    error = state.outcome.exception() if state.outcome else None
    assert error is not None, "tenacity waits after failures only"
    return error


@cache
def _certificates() -> ssl.SSLContext:
    import httpx

    return httpx.create_ssl_context()  # 20 ms, too long for every request


def _json_of(response: httpx.Response) -> Any:
    response.raise_for_status()
    return response.json()
