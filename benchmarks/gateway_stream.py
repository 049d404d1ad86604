"""How much later the first text of a stream comes through the gateway.

Usage: `python benchmarks/gateway_stream.py [--runs 10] [--pace 2000]`.

A server streams an answer of 4,000 characters, a word at a time, at a fixed pace in characters a second; a
client asks straight and through the gateway. What is late is told in seconds and in characters of the answer,
which is what the gateway holds back: the guard's rules see that much before any of it leaves.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
from pathlib import Path

import yaml

from gateway import _port, started

WORDS = ("The meeting was about the budget of the next quarter, and nothing at all was decided there. " * 50)[
    :4000
]


def chunk(text: str, end: str | None = None) -> bytes:
    """An event of a chat stream."""
    choice = {"index": 0, "delta": {"content": text} if text else {}, "finish_reason": end}
    event = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "tiny", "choices": [choice]}
    return f"data: {json.dumps(event)}\n\n".encode()


async def serve(pace: float) -> None:
    """A server that streams the words, `pace` characters a second."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(head.partition(b"content-length:")[2].partition(b"\r\n")[0]))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
        begun, sent = time.perf_counter(), 0
        for word in WORDS.split(" "):
            await asyncio.sleep(begun + sent / pace - time.perf_counter())
            sent += len(word) + 1
            writer.write(chunk(word + " "))
        writer.write(chunk("", "stop") + b"data: [DONE]\n\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def asked(port: int, key: str) -> tuple[float, float]:
    """Seconds until the first text, and until the end."""
    import httpx  # noqa: PLC0415  not for the server

    body = {"model": "tiny", "stream": True, "messages": [{"role": "user", "content": "What was said?"}]}
    begun, first = time.perf_counter(), 0.0
    async with (
        httpx.AsyncClient(timeout=60) as client,
        client.stream(
            "POST",
            f"http://127.0.0.1:{port}/v1/chat/completions",
            json=body,
            headers={"authorization": f"Bearer {key}"},
        ) as answer,
    ):
        async for line in answer.aiter_lines():
            if (
                not first
                and '"content"' in line
                and json.loads(line[6:])["choices"][0]["delta"].get("content")
            ):
                first = time.perf_counter() - begun
    return first, time.perf_counter() - begun


async def measure(upstream: int, gateway: int, key: str, runs: int, pace: float) -> None:
    rows = {}
    for name, port in (("straight", upstream), ("through", gateway)):
        await asked(port, key)
        rows[name] = [await asked(port, key) for _ in range(runs)]
        first, end = (statistics.median(one[at] for one in rows[name]) for at in (0, 1))
        print(f"  {name:<10} first text {first:6.3f} s   end {end:6.3f} s")
    late, over = (
        statistics.median(one[at] for one in rows["through"])
        - statistics.median(one[at] for one in rows["straight"])
        for at in (0, 1)
    )
    print(f"  late       first text {late:6.3f} s ({late * pace:.0f} characters)   end {over:6.3f} s")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--pace", type=float, default=2_000, help="characters a second")
    parser.add_argument("--answers", action="store_true", help="only serve answers")
    options = parser.parse_args()
    if options.answers:
        asyncio.run(serve(options.pace))
        return
    environment = dict(os.environ)
    upstream = started([__file__, "--answers", "--pace", str(options.pace)], environment)
    assert upstream.stdout is not None
    port = int(upstream.stdout.readline())
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "gateway.yaml"
        guard = {"layers": {"classify": {"use": "off"}}}
        gateway = {"port": 0, "upstreams": [{"name": "main", "url": f"http://127.0.0.1:{port}/v1"}]}
        file.write_text(yaml.safe_dump({"guard": guard, "gateway": gateway}))
        words = ["-m", "assay", "gateway"]
        made = started([*words, "key", "add", "benchmark", "--config", str(file)], environment)
        key = made.communicate()[0].strip()
        served = started([*words, "--config", str(file)], environment)
        assert served.stdout is not None
        address = served.stdout.readline()
        try:
            asyncio.run(measure(port, _port(address), key, options.runs, options.pace))
        finally:
            served.terminate()
            upstream.terminate()
            served.wait()


if __name__ == "__main__":
    main()
