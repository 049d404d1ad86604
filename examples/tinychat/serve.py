"""Serve a tinychat model behind an OpenAI-compatible endpoint.

Usage: ``python serve.py --model models/base [--host 127.0.0.1] [--port 8080] [--name NAME]``.
Prints ``listening on http://HOST:PORT/v1`` when ready; port 0 picks a free one. SIGTERM and
Ctrl-C end it with exit code 0; a model that is not safetensors is refused with exit code 2.
For demonstrations on one machine: there is no authentication and no TLS.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from typing import Any

from runtime import Answer, Bot, ModelRefusedError, PromptTooLongError
from wire import ChatRequest, Envelope, RequestRefusedError, parse_chat

MAX_BODY = 1_000_000
DRAIN_LIMIT = 16_000_000
"""Bytes of an oversized body that are read and dropped, so that the client sees the 413."""


class ChatServer(ThreadingHTTPServer):
    """One thread a connection; the bot is shared."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], bot: Bot, name: str) -> None:
        self.bot, self.name, self.started = bot, name, int(time.time())
        super().__init__(address, Handler)

    def server_bind(self) -> None:
        """Bind without the reverse name look-up of ``HTTPServer``, which can take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[0:2]  # type: ignore[assignment]

    def card(self) -> dict[str, Any]:
        """The model's entry in ``/v1/models``; the digest says which bytes are running."""
        return {
            "id": self.name,
            "object": "model",
            "created": self.started,
            "owned_by": "tinychat",
            "sha256": self.bot.sha256,
        }


class Handler(BaseHTTPRequestHandler):
    """Routes one connection's requests."""

    protocol_version = "HTTP/1.1"
    server_version = "tinychat"
    sys_version = ""
    timeout = 60
    disable_nagle_algorithm = True
    wbufsize = -1  # buffered: one packet for head and body
    server: ChatServer

    def do_GET(self) -> None:
        """Answer ``/health``, ``/v1/models`` and ``/v1/models/NAME``."""
        self._answer(self._get)

    def do_POST(self) -> None:
        """Answer ``/v1/chat/completions``."""
        self._answer(self._post)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
        """Stay quiet: prompts may be private, and the demo reads stdout."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Shape the base class's own refusals (bad request line, unknown method) as OpenAI's."""
        self.close_connection = True
        self._json(code, RequestRefusedError(code, message or explain or "bad request").body())

    def _answer(self, route: Callable[[], None]) -> None:
        try:
            route()
        except RequestRefusedError as refusal:
            self._json(refusal.status, refusal.body())
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            self.close_connection = True

    def _path(self) -> str:
        return self.path.split("?", 1)[0].rstrip("/")

    def _get(self) -> None:
        self._body()
        path, card = self._path(), self.server.card()
        if path == "/health":
            self._json(200, {"status": "ok", "model": card["id"], "sha256": card["sha256"]})
        elif path == "/v1/models":
            self._json(200, {"object": "list", "data": [card]})
        elif path == f"/v1/models/{self.server.name}":
            self._json(200, card)
        elif path == "/v1/chat/completions":
            raise RequestRefusedError(405, "use POST")
        else:
            raise RequestRefusedError(404, f"there is nothing at {path or '/'}", code="not_found")

    def _post(self) -> None:
        body, path = self._body(), self._path()
        if path in {"/health", "/v1/models"}:
            raise RequestRefusedError(405, "use GET")
        if path != "/v1/chat/completions":
            raise RequestRefusedError(404, f"there is nothing at {path or '/'}", code="not_found")
        self._chat(parse_chat(body))

    def _body(self) -> bytes:
        """Read the request's body, whole, or refuse it and close the connection."""
        if self.headers.get("Transfer-Encoding"):
            self.close_connection = True
            raise RequestRefusedError(411, "send a Content-Length instead of a chunked body")
        given = self.headers.get("Content-Length") or "0"
        if not (given.isascii() and given.isdigit() and len(given) < 19):
            self.close_connection = True
            raise RequestRefusedError(400, "Content-Length is not a number")
        length = int(given)
        if length > MAX_BODY:
            self.close_connection = True
            self._drain(length)
            raise RequestRefusedError(413, f"the body is larger than {MAX_BODY} bytes")
        return self.rfile.read(length)

    def _drain(self, length: int) -> None:
        left = min(length, DRAIN_LIMIT)
        while left > 0 and (piece := self.rfile.read(min(left, 65_536))):
            left -= len(piece)

    def _chat(self, request: ChatRequest) -> None:
        if request.model not in {None, self.server.name}:
            message = f"this server runs {self.server.name}, not {request.model}"
            raise RequestRefusedError(404, message, param="model", code="model_not_found")
        bot, answer = self.server.bot, Answer()
        try:
            pieces = bot.generate(request.messages, request.sampling, answer)
        except PromptTooLongError as error:
            raise RequestRefusedError(
                400, str(error), param="messages", code="context_length_exceeded"
            ) from error
        envelope = Envelope(f"chatcmpl-{uuid.uuid4().hex}", self.server.name, f"sha256:{bot.sha256}")
        if request.stream:
            self._stream(_events(envelope, pieces, answer, include_usage=request.include_usage))
        else:
            self._json(200, envelope.completion("".join(pieces), answer))

    def _json(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _stream(self, events: Iterator[str]) -> None:
        """Send server-sent events in HTTP chunks, each as soon as it exists."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-cache")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for event in events:
            data = f"data: {event}\n\n".encode()
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()


def _events(
    envelope: Envelope, pieces: Iterator[str], answer: Answer, *, include_usage: bool
) -> Iterator[str]:
    """The events of a stream, ending in ``[DONE]``."""
    yield json.dumps(envelope.chunk({"role": "assistant", "content": ""}))
    for piece in pieces:
        yield json.dumps(envelope.chunk({"content": piece}))
    yield json.dumps(envelope.chunk({}, answer.finish_reason))
    if include_usage:
        yield json.dumps(envelope.usage_chunk(answer))
    yield "[DONE]"


def serve(bot: Bot, name: str, host: str, port: int) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    with ChatServer((host, port), bot, name) as server:

        def stop(_signal: int, _frame: object) -> None:
            # shutdown() waits for the loop that this handler interrupts, so it needs a thread
            threading.Thread(target=server.shutdown, daemon=True).start()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        print(f"listening on http://{host}:{server.server_port}/v1", flush=True)
        server.serve_forever(poll_interval=0.1)


def main() -> int:
    """Command line of the server."""
    parser = argparse.ArgumentParser(description="Serve a tinychat model, OpenAI-compatible.")
    parser.add_argument("--model", type=Path, required=True, help="model folder or .safetensors")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080, help="0 picks a free port")
    parser.add_argument("--name", help="model id to serve under; default: the folder's name")
    options = parser.parse_args()
    try:
        bot = Bot(options.model)
    except ModelRefusedError as refusal:
        print(f"error: {refusal}", file=sys.stderr)
        return 2
    try:
        serve(bot, options.name or bot.name, options.host, options.port)
    except OSError as error:
        message = f"cannot listen on {options.host}:{options.port}: {error.strerror or error}"
        print(f"error: {message}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
