"""A busy server is asked again and not for ever; a refusal is final; threads and asyncio alike."""

from __future__ import annotations

import asyncio
import json
import types
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
import tenacity.nap
from hypothesis import given
from hypothesis import strategies as st

from loopback import Server
from t2vid.storage import http
from t2vid.storage.chat import ChatEndpoint, ChatReply
from t2vid.storage.http import AGAIN, RetryPolicy, asked_wait_s, reason_of, status_of

Asking = Callable[[ChatEndpoint], ChatReply]


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    noted: list[float] = []
    monkeypatch.setattr(tenacity.nap, "time", types.SimpleNamespace(sleep=noted.append))
    return noted


@pytest.fixture(params=["alone", "in a loop"])
def ask(request: pytest.FixtureRequest) -> Asking:
    body = json.dumps({"messages": []}).encode()
    if request.param == "alone":
        return lambda endpoint: endpoint.ask(body)

    async def notebook(endpoint: ChatEndpoint) -> ChatReply:
        return endpoint.ask(body)

    return lambda endpoint: asyncio.run(notebook(endpoint))


def endpoint(server: Server, **kwargs: Any) -> ChatEndpoint:
    return ChatEndpoint("vlm", server.url, **{"wait_s": 0.001, "timeout_s": 5.0, **kwargs})


def refusal(status: int, **headers: str) -> httpx.HTTPStatusError:
    request = httpx.Request("POST", "http://127.0.0.1/")
    response = httpx.Response(status, headers=headers, request=request)
    return httpx.HTTPStatusError("no", request=request, response=response)


def failing(*errors: Exception) -> Callable[[], str]:
    left = iter(errors)

    def act() -> str:
        for error in left:
            raise error
        return "done"

    return act


@pytest.mark.parametrize("fault", ["429", "500", "503", "malformed", "empty", "cut", "slow"])
def test_a_fault_that_passes_costs_a_try(server: Server, ask: Asking, fault: str) -> None:
    server.faults = [fault]
    reply = ask(endpoint(server, timeout_s=0.3 if fault == "slow" else 5.0))
    assert (reply.text, reply.tries, reply.why) == ("B", 2, "")


@pytest.mark.parametrize("status", ["400", "422"])
def test_a_refused_request_is_not_sent_again(server: Server, ask: Asking, status: str) -> None:
    server.faults = [status]
    assert ask(endpoint(server)) == ChatReply(None, f"HTTP {status}: no", 1, refused=True)
    assert len(server.requests) == 1


def test_a_wrong_key_is_final_and_not_only_this_request(server: Server, ask: Asking) -> None:
    server.faults = ["401"]
    assert ask(endpoint(server)) == ChatReply(None, "HTTP 401: no", 1, refused=False, closed=True)


def test_patience_ends(server: Server, ask: Asking) -> None:
    server.faults = ["500"] * 9
    reply = ask(endpoint(server, retries=2))
    assert (reply.text, reply.tries) == (None, 3) and "500" in reply.why
    assert len(server.requests) == 3


def test_a_server_that_is_not_there_is_a_reason(ask: Asking) -> None:
    reply = ask(ChatEndpoint("vlm", "http://127.0.0.1:9/v1", retries=1, wait_s=0.0))
    assert reply.text is None and reply.tries == 2 and "Connect" in reply.why


def test_the_key_is_sent_and_the_path_is_right(
    server: Server, ask: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_KEY", "secret")
    ask(endpoint(server, key_variable="SOME_KEY"))
    ask(endpoint(server, key_variable="NO_SUCH_KEY"))
    assert [(r["path"], r["key"]) for r in server.requests] == [
        ("/v1/chat/completions", "Bearer secret"),
        ("/v1/chat/completions", None),
    ]


def test_many_requests_are_in_flight_at_once(server: Server) -> None:
    server.faults = ["meet"] * 4  # none is answered before all have arrived
    replies = endpoint(server, timeout_s=20.0).ask_all([b"{}"] * 4, in_flight=4)
    assert [reply.text for reply in replies] == ["B"] * 4


@given(
    status=st.sampled_from([*sorted(AGAIN), 400, 401, 404, 507]),
    retries=st.integers(0, 5),
    n=st.integers(0, 7),
)
def test_only_what_may_pass_is_tried_again_and_never_more_often_than_said(
    status: int, retries: int, n: int
) -> None:
    tries = 0

    def act() -> str:
        nonlocal tries
        tries += 1
        if tries <= n:
            raise refusal(status)
        return "done"

    policy = RetryPolicy(retries=retries, wait_s=0.0)
    allowed = retries + 1 if status in AGAIN else 1
    if n < allowed:
        assert policy.call(act) == "done"
        assert tries == n + 1
    else:
        with pytest.raises(httpx.HTTPStatusError):
            policy.call(act)
        assert tries == allowed


def test_waits_double_up_to_their_limit(waits: list[float]) -> None:
    policy = RetryPolicy(retries=5, wait_s=1.0, max_wait_s=5.0, jitter=0.0)
    with pytest.raises(TimeoutError):
        policy.call(failing(*[TimeoutError()] * 9))
    assert waits == [1, 2, 4, 5, 5]


def test_the_server_says_how_long_to_wait(waits: list[float]) -> None:
    policy = RetryPolicy(wait_s=1.0, max_wait_s=5.0)
    assert policy.call(failing(refusal(429, **{"Retry-After": "37"}))) == "done"
    assert waits == [37]


def test_a_server_that_asks_for_an_hour_is_not_waited_for(waits: list[float]) -> None:
    with pytest.raises(httpx.HTTPStatusError):
        RetryPolicy().call(failing(refusal(503, **{"Retry-After": "3600"})))
    assert waits == []


def test_a_date_to_wait_for_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 11, 28, 12, tzinfo=UTC)
    monkeypatch.setattr(http, "datetime", types.SimpleNamespace(now=lambda zone: now))
    then = format_datetime(now + timedelta(seconds=500), usegmt=True)
    assert asked_wait_s(refusal(503, **{"Retry-After": then})) == 500
    assert asked_wait_s(refusal(503, **{"Retry-After": "soon"})) is None


def test_the_first_cause_is_the_reason() -> None:
    try:
        try:
            raise refusal(507)
        except httpx.HTTPStatusError as error:
            raise RuntimeError("the upload failed") from error
    except RuntimeError as error:
        assert status_of(error) == 507 and reason_of(error) == "507 no"
