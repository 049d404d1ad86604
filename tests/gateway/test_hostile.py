"""Clients and upstreams that break rules: refused in the API's own form or cut off, and nothing passes."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from starlette.responses import Response

from fixtures.gateways import GatewayServer
from fixtures.openai_server import OpenAIServer, Stream, chat, chat_chunk, chat_stream, echo, event, in_pieces

TOKEN = "ghp_zQWBuTSOoRi4A9sp" + "HcVY5ncnsDkxkJ0mLq17"
HELLO: dict[str, Any] = {"model": "tiny", "messages": [{"role": "user", "content": "Hello"}]}


@pytest.fixture(scope="module")
def upstream() -> Iterator[OpenAIServer]:
    with OpenAIServer() as server:
        yield server


@pytest.fixture(scope="module")
def gateway(upstream: OpenAIServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayServer]:
    with GatewayServer(tmp_path_factory.mktemp("gateway"), upstream.url) as server:
        yield server


@pytest.fixture
def fresh(upstream: OpenAIServer) -> OpenAIServer:
    upstream.script = echo
    upstream.requests.clear()
    return upstream


def post(gateway: GatewayServer, body: bytes, **headers: str) -> httpx.Response:
    sent = {"authorization": f"Bearer {gateway.key}", "content-type": "application/json", **headers}
    with httpx.Client(timeout=30) as http:
        return http.post(f"{gateway.url}/chat/completions", content=body, headers=sent)


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


TWICE = b'{"model": "tiny", "messages": [{"role": "user", "content": "Hello", "content": "Bye"}]}'
DEEP = b'{"model": "tiny", "messages": [], "x": ' + b"[" * 500 + b"]" * 500 + b"}"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", (400, "invalid_json")),
        (b"{", (400, "invalid_json")),
        (b"[1]", (400, "invalid_json")),
        (b'{"model": "tiny", "messages": NaN}', (400, "invalid_json")),
        (TWICE, (400, "invalid_json")),
        (b'{"model": "\xff"}', (400, "invalid_json")),
        (json.dumps(HELLO).encode("utf-16"), (400, "invalid_json")),
        (b'{"model": "tiny", "messages": [{"role": "user", "content": "\\ud800"}]}', (400, "invalid_json")),
        (DEEP, (400, "too_deep")),
        (b'{"x": ' + b"[" * 100_000, (400, "invalid_json")),
        (b'{"messages": []}', (400, "invalid_type")),
        (b'{"model": "tiny"}', (400, "invalid_type")),
        (b'{"model": "tiny", "messages": 5}', (400, "invalid_type")),
        (b'{"model": "tiny", "messages": [5]}', (400, "invalid_type")),
        (b'{"model": "tiny", "messages": [{"role": "root", "content": "x"}]}', (400, "invalid_value")),
        (b'{"model": "tiny", "messages": [{"role": ["user"]}]}', (400, "invalid_value")),
        (b'{"model": "tiny", "messages": [{"role": "user", "content": 5}]}', (400, "invalid_type")),
        (b'{"model": "tiny", "messages": [{"role": "user", "tool_calls": 5}]}', (400, "invalid_type")),
        (b'{"model": "tiny", "messages": [], "stream": "yes"}', (400, "invalid_type")),
        (b'{"model": "tiny", "messages": [], "tools": 5}', (400, "invalid_type")),
        (b'{"model": "tiny", "messages": [], "modalities": 5}', (400, "invalid_type")),
        (b'{"model": "ti\\nny", "messages": []}', (400, "invalid_type")),
    ],
)
def test_bodies_that_are_no_requests_are_refused(
    gateway: GatewayServer, fresh: OpenAIServer, body: bytes, expected: tuple[int, str]
) -> None:
    assert code(post(gateway, body)) == expected
    assert fresh.requests == []


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"content-type": "text/plain"}, (415, "unsupported_media_type")),
        ({"content-type": "application/json; charset=utf-7"}, (415, "unsupported_charset")),
        ({"content-type": "application/json; charset=utf-16le"}, (415, "unsupported_charset")),
        ({"content-encoding": "gzip"}, (415, "unsupported_encoding")),
        ({"authorization": "Bearer sk-assay-000000000000-x"}, (401, "invalid_api_key")),
        ({"authorization": "Basic eDp5"}, (401, "invalid_api_key")),
        ({"authorization": ""}, (401, "invalid_api_key")),
    ],
)
def test_heads_that_do_not_fit_are_refused(
    gateway: GatewayServer, fresh: OpenAIServer, headers: dict[str, str], expected: tuple[int, str]
) -> None:
    assert code(post(gateway, json.dumps(HELLO).encode(), **headers)) == expected
    assert fresh.requests == []


def test_the_usual_head_is_taken(gateway: GatewayServer, fresh: OpenAIServer) -> None:
    answer = post(
        gateway, json.dumps(HELLO).encode(), **{"content-type": 'application/json; charset="UTF-8"'}
    )
    assert answer.status_code == 200
    assert len(fresh.requests) == 1


def test_a_body_of_ten_megabytes_is_refused(gateway: GatewayServer, fresh: OpenAIServer) -> None:
    large = json.dumps({**HELLO, "user": "x" * 10_000_000}).encode()
    assert code(post(gateway, large)) == (413, "request_too_large")

    def chunks() -> Iterator[bytes]:
        for at in range(0, len(large), 65_536):
            yield large[at : at + 65_536]

    with httpx.Client(timeout=30) as http:
        headers = {"authorization": f"Bearer {gateway.key}", "content-type": "application/json"}
        answer = http.post(f"{gateway.url}/chat/completions", content=chunks(), headers=headers)
    assert code(answer) == (413, "request_too_large")
    assert fresh.requests == []


def test_what_is_forwarded_is_written_anew(gateway: GatewayServer, fresh: OpenAIServer) -> None:
    sent = b'{"model":"tiny",  "messages":[{"role":"user","content":"H\\u0065llo"}]}'
    assert (
        post(gateway, sent, **{"x-custom": "1", "cookie": "a=b", "openai-organization": "o"}).status_code
        == 200
    )
    assert fresh.requests[-1] == ("chat/completions", HELLO)
    assert not {"x-custom", "cookie", "openai-organization"} & set(fresh.headers[-1])
    assert "authorization" not in fresh.headers[-1], "the client's key stays here"


def test_only_known_headers_of_an_answer_leave(gateway: GatewayServer, fresh: OpenAIServer) -> None:
    headers = {"set-cookie": "a=b", "x-secret": TOKEN, "connection": "close", "server": "inner"}
    fresh.script = lambda *_: Response(
        json.dumps(chat("fine")), media_type="application/json", headers=headers
    )
    answer = post(gateway, json.dumps(HELLO).encode())
    assert answer.status_code == 200
    assert set(answer.headers) == {
        "content-type", "content-length", "x-request-id", "x-content-type-options", "date"
    }  # fmt: skip


def raw(gateway: GatewayServer, *, declared: int | None = None, body: bytes = b"") -> bytes:
    length = len(body) if declared is None else declared
    return (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {gateway.key}\r\n"
        f"content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    ).encode() + body


def received(connection: socket.socket) -> bytes:
    pieces = []
    while piece := connection.recv(65_536):
        pieces.append(piece)
    return b"".join(pieces)


@pytest.mark.parametrize("sent", ["nothing", "half a head", "half a body"])
def test_a_client_that_never_finishes_is_cut_off(upstream: OpenAIServer, tmp_path: Path, sent: str) -> None:
    server = {"head_seconds": 0.3, "body_seconds": 0.3}
    with GatewayServer(tmp_path, upstream.url, server=server) as gateway:
        head = raw(gateway, declared=50)
        data = {"nothing": b"", "half a head": head[:40], "half a body": head + b'{"model"'}[sent]
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as connection:
            connection.sendall(data)
            answer = received(connection)
        assert answer == b"" if sent != "half a body" else answer.startswith(b"HTTP/1.1 408")


def test_a_client_that_leaves_ends_its_request_upstream(gateway: GatewayServer, fresh: OpenAIServer) -> None:
    gate = threading.Event()
    fresh.script = lambda *_: Stream(chat_stream(in_pieces("word " * 900, 5)), gate=gate).response()
    body = json.dumps({**HELLO, "stream": True}).encode()
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as connection:
        connection.sendall(raw(gateway, body=body))
        assert b"200" in connection.recv(4096)
    record = gateway.records()[-1]
    gate.set()
    assert (record["outcome"], record["code"], record["status"]) == ("failed", "client_gone", 499)


def test_a_client_that_closes_one_half_gets_no_more(gateway: GatewayServer, fresh: OpenAIServer) -> None:
    del fresh
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as connection:
        connection.sendall(raw(gateway, declared=500) + b'{"model": "tiny"')
        connection.shutdown(socket.SHUT_WR)
        assert received(connection) == b""
    assert gateway.records()[-1]["code"] == "client_gone"


def test_a_client_that_reads_nothing_is_cut_off(upstream: OpenAIServer, tmp_path: Path) -> None:
    upstream.script = lambda *_: Stream(chat_stream(["word " * 2000] * 100)).response()
    with (
        GatewayServer(tmp_path, upstream.url, server={"write_seconds": 0.3}) as gateway,
        socket.socket() as connection,
    ):
        gateway.listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(30)
        connection.connect(("127.0.0.1", gateway.port))
        connection.sendall(raw(gateway, body=json.dumps({**HELLO, "stream": True}).encode()))
        connection.recv(1, socket.MSG_PEEK)
        assert gateway.records()[-1]["code"] == "client_gone"


@pytest.mark.parametrize(
    "text", ["All is well. " * 100, f"The token is {TOKEN[:25]}"], ids=["harmless", "secret"]
)
def test_an_upstream_killed_in_a_stream_leaks_nothing(
    gateway: GatewayServer, fresh: OpenAIServer, text: str
) -> None:
    fresh.script = lambda *_: Stream(chat_stream(in_pieces(text))[:-2], breaks=True).response()
    body = json.dumps({**HELLO, "stream": True}).encode()
    answer = post(gateway, body)
    lines = [line for line in answer.text.splitlines() if line.startswith("data: ")]
    assert json.loads(lines[-1].removeprefix("data: "))["error"]["code"] == "upstream_error"
    assert TOKEN[:8] not in answer.text
    assert "[DONE]" not in answer.text
    record = gateway.records()[-1]
    assert (record["outcome"], record["output"]["incomplete"]) == ("failed", 1)
    assert "did not come to its end" in record["output"]["texts"][0]["gaps"][0]


def test_the_client_hears_of_a_stream_that_breaks_off(gateway: GatewayServer, fresh: OpenAIServer) -> None:
    fresh.script = lambda *_: Stream(chat_stream(in_pieces("word " * 500))[:-2], breaks=True).response()
    with gateway.client() as client, pytest.raises(openai.APIError) as caught:
        for _ in client.chat.completions.create(model="tiny", messages=HELLO["messages"], stream=True):
            pass
    assert "broke off" in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        Response(b"{", media_type="application/json"),
        Response(b"<html>", media_type="text/html"),
        Response(b'{"choices": 5}', media_type="application/json"),
        Response(b'{"choices": [{"message": {"content": 7}}]}', media_type="application/json"),
        Response(b'{"a": 1, "a": 2}', media_type="application/json"),
        Response(json.dumps(chat("x")).encode("utf-16"), media_type="application/json"),
        Response(b"", 302, {"location": "http://127.0.0.1:1/"}),
        Response(b"", 204),
        Response(b"x", media_type="application/json", headers={"content-encoding": "br"}),
        Response(b"x", media_type="application/json", headers={"content-encoding": "gzip"}),
        Response(
            gzip.compress(bytes(64 << 20)),
            media_type="application/json",
            headers={"content-encoding": "gzip"},
        ),
    ],
    ids=[
        "half",
        "html",
        "choices",
        "content",
        "twice",
        "utf-16",
        "redirect",
        "empty",
        "brotli",
        "no gzip",
        "bomb",
    ],
)
def test_answers_that_cannot_be_judged_do_not_leave(
    gateway: GatewayServer, fresh: OpenAIServer, answer: Response
) -> None:
    fresh.script = lambda *_: answer
    assert code(post(gateway, json.dumps(HELLO).encode())) == (502, "upstream_error")


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_compressed_answers_are_opened(
    gateway: GatewayServer, fresh: OpenAIServer, encoding: str, pack: Any
) -> None:
    body = pack(json.dumps(chat(f"It is {TOKEN}.")).encode())
    fresh.script = lambda *_: Response(
        body, media_type="application/json", headers={"content-encoding": encoding}
    )
    answer = post(gateway, json.dumps(HELLO).encode())
    assert "content-encoding" not in answer.headers
    said = answer.json()["choices"][0]["message"]["content"]
    assert said.startswith("It is [")
    assert TOKEN not in said


@pytest.mark.parametrize(
    ("status", "expected"),
    [(400, 400), (404, 404), (429, 429), (401, 502), (403, 502), (500, 502), (503, 503)],
)
def test_an_upstream_s_errors_are_judged(
    gateway: GatewayServer, fresh: OpenAIServer, status: int, expected: int
) -> None:
    error = {"error": {"message": f"wrong key {TOKEN}", "type": "x", "code": "y"}}
    fresh.script = lambda *_: Response(json.dumps(error), status, media_type="application/json")
    answer = post(gateway, json.dumps(HELLO).encode())
    assert answer.status_code == expected
    assert answer.json()["error"]["message"].startswith("wrong key [")
    assert TOKEN not in answer.text


@pytest.mark.parametrize(
    "pieces",
    [
        [b"data: {\n\n"],
        [b"data: \xff\n\n"],
        [b"data: [1]\n\n"],
        [event({"error": {"message": f"out of memory {TOKEN}"}})],
        [event(chat_chunk({"content": "x"}))],
        [event({"choices": [{"index": "one", "delta": {"content": TOKEN}}]})],
        [b": only a comment\n\n"],
        [b"data: " + b"x" * (9 << 20)],
    ],
    ids=["half", "bytes", "list", "error", "no end", "index", "comment", "endless"],
)
def test_streams_that_cannot_be_judged_end_with_an_error(
    gateway: GatewayServer, fresh: OpenAIServer, pieces: list[bytes]
) -> None:
    fresh.script = lambda *_: Stream(pieces).response()
    answer = post(gateway, json.dumps({**HELLO, "stream": True}).encode())
    assert TOKEN[:10] not in answer.text
    last = answer.text.strip().splitlines()[-1].removeprefix("data: ")
    assert json.loads(last)["error"]["code"] == "upstream_error"


def test_a_stream_that_nobody_asked_for_does_not_leave(gateway: GatewayServer, fresh: OpenAIServer) -> None:
    fresh.script = lambda *_: Stream(chat_stream([TOKEN])).response()
    assert code(post(gateway, json.dumps(HELLO).encode())) == (502, "upstream_error")
