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
import statistics
import time

from gateway import Served, served

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


async def measure(ports: Served, runs: int, pace: float) -> None:
    rows = {}
    for name, port in (("straight", ports.upstream), ("through", ports.gateway)):
        await asked(port, ports.key)
        rows[name] = [await asked(port, ports.key) for _ in range(runs)]
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
    with served([__file__, "--answers", "--pace", str(options.pace)]) as ports:
        asyncio.run(measure(ports, options.runs, options.pace))


if __name__ == "__main__":
    main()
