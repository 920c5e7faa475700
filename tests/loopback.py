"""A chat server on loopback that says one thing, after the faults that a test asks for."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Server(ThreadingHTTPServer):
    """Says `reply`, after the faults that a test puts into `faults`; keeps what it was sent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.faults: list[str] = []
        self.requests: list[dict[str, Any]] = []
        self.reply = "B"
        self.say: Callable[[dict[str, Any]], Any] = lambda request: self.reply
        self.usage: Any = None
        self.under_way = self.most = 0
        self.lock = threading.Lock()
        self.meeting = threading.Barrier(4)
        self.url = f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        sent = {"path": self.path, "key": self.headers["Authorization"]} | body
        with self.server.lock:
            self.server.requests.append(sent)
            fault = self.server.faults.pop(0) if self.server.faults else ""
            self.server.under_way += 1
            self.server.most = max(self.server.most, self.server.under_way)
        try:
            self.answer(sent, fault)
        finally:
            with self.server.lock:
                self.server.under_way -= 1

    def answer(self, sent: dict[str, Any], fault: str) -> None:
        said = self.server.say(sent)
        if isinstance(said, dict):  # a whole answer
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(said).encode())
            return
        if fault == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            return
        content = said if isinstance(said, list) else f" {said}\n"
        message = {"role": "assistant", "content": content}
        answer = {"choices": [{"message": message}], "usage": self.server.usage}
        reply = json.dumps(answer)
        if fault == "slow":
            time.sleep(0.6)
        if fault == "meet":
            self.server.meeting.wait(timeout=10)
        if fault.isdigit():
            self.send_response(int(fault))
            self.send_header("Retry-After", "0")
            self.end_headers()
            self.wfile.write(b"no")
            return
        reply = {"malformed": reply[:-9], "empty": '{"choices": []}'}.get(fault, reply)
        self.send_response(200)
        self.send_header("Content-Length", str(len(reply) + 50 * (fault == "cut")))
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # the client may have lost its patience
            for byte in reply.encode() if fault == "trickle" else ():
                self.wfile.write(bytes([byte]))
                time.sleep(0.05)
            if fault != "trickle":
                self.wfile.write(reply.encode())

    def log_message(self, *args: Any) -> None:
        pass


def serving() -> Iterator[Server]:
    """Run a server until the caller is done."""
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()
