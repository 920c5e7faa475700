"""The page on the loopback: a server that ends with its block, behind a gate.

with Server(application) as server:
    print(server.url)
    server.wait()

>>> refusal({"path": "/gradio_api/file=/etc/passwd", "headers": [(b"host", b"localhost:7860")]})
'not served'
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from typing import Any, Self
from urllib.parse import urlsplit

from t2vid.errors import InputError, require

HOST = "127.0.0.1"
PORT = 7860
# What the page itself asks for; whatever else gradio serves (files, proxies, uploads) is refused.
_ROUTES = (
    "/assets/ /static/ /svelte/ /config /theme.css /favicon.ico /manifest.json /robots.txt "
    "/gradio_api/queue/ /gradio_api/heartbeat/ /gradio_api/startup-events /gradio_api/info "
    "/gradio_api/app_id /gradio_api/reset /gradio_api/cancel"
).split()
_POLICY = (
    "default-src 'self'; img-src 'self' data:; font-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "worker-src 'self' blob:; frame-ancestors 'none'; form-action 'none'; base-uri 'self'"
)


class Server:
    """A page that is being served; leaving the block, or `close`, ends it.

    Args:
        app: the ASGI application.
        port: 0 is any free one, None `PORT` or any free one.
        host: address of this machine to answer at.
    """

    def __init__(self, app: Any, *, port: int | None = None, host: str = HOST) -> None:
        uvicorn = require("uvicorn", extra="browse")
        self._socket = _bound(port, host)
        self.port = int(self._socket.getsockname()[1])
        self.url = f"http://{host}:{self.port}/"
        config = uvicorn.Config(
            app, log_level="error", lifespan="on", timeout_graceful_shutdown=1, ws="none"
        )
        self._server = uvicorn.Server(config)
        run = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)
        run.start()
        self._thread = run

    def wait(self) -> None:
        """Wait for the end: `close` from another thread, or Ctrl-C, which is raised here."""
        while self._thread.is_alive():
            self._thread.join(0.2)

    def close(self) -> None:
        """Stop serving."""
        self._server.should_exit = True
        self._thread.join(5)
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class Gate:
    """Lets through what the page needs, from this machine's own browser, and nothing else.

    Args:
        app: the application behind it.
        public: let through what names another machine, too.
    """

    def __init__(self, app: Any, *, public: bool = False) -> None:
        self._app, self._public = app, public

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer or refuse a request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        reason = refusal(scope, public=self._public)
        if reason:
            body = reason.encode()
            await send({"type": "http.response.start", "status": 403, "headers": _headers([])})
            await send({"type": "http.response.body", "body": body})
            return

        async def guarded(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": _headers(message["headers"])}
            await send(message)

        await self._app(scope, receive, guarded)


def is_loopback(host: str) -> bool:
    """Tell whether an address is reached from this machine alone.

    >>> is_loopback("127.0.0.1"), is_loopback("0.0.0.0")
    (True, False)
    """
    return host in ("localhost", "::1") or host.startswith("127.")


def refusal(scope: Any, *, public: bool = False) -> str:
    """Say why a request is refused; "" lets it through.

    Args:
        scope: of the request, as ASGI gives it.
        public: whether another name than this machine's loopback is answered.
    """
    headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
    # A name that a stranger's server points at 127.0.0.1 would give it this page's contents.
    asked = urlsplit(f"//{headers.get(b'host', '')}").hostname
    if not public and asked not in (HOST, "localhost"):
        return "this page answers to 127.0.0.1 alone"
    origin = headers.get(b"origin")
    if origin is not None and urlsplit(origin).netloc != headers.get(b"host"):
        return "another page may not ask this one"
    path = scope["path"]
    if ".." in path or "\\" in path or not (path == "/" or path.startswith(tuple(_ROUTES))):
        return "not served"
    return ""


def _headers(given: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    ours = {
        b"content-security-policy": _POLICY.encode(),
        b"referrer-policy": b"no-referrer",
        b"x-content-type-options": b"nosniff",
    }
    return [pair for pair in given if pair[0].lower() not in ours] + list(ours.items())


def _bound(port: int | None, host: str) -> socket.socket:
    """Give a socket that listens."""
    for tried in (PORT, 0) if port is None else (port,):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, tried))
            listener.listen()  # so that nobody is turned away before the server's thread runs
            return listener
        except (OSError, OverflowError) as error:
            listener.close()
            reason = error
    raise InputError(f"port ({port}) of {host} cannot be used: {reason}; give another one, or 0")
