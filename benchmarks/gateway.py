"""How much later an answer comes through the gateway, and how its memory grows.

Usage: `python benchmarks/gateway.py [--rate 200] [--seconds 30] [--requests 100000]`.

Three processes share this machine's cores: a server of fixed answers, the gateway with the guard's rules, and
this client, which asks at fixed times whether or not earlier answers have come (an open loop), once straight
and once through the gateway. Added latency is the difference of the percentiles.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml

PROMPT = (
    "Please summarise the minutes of the meeting for the people who were not there. The budget of the next "
    "quarter was discussed at length; marketing asks for ten per cent more, operations would rather not. "
) * 5
ANSWER = "The meeting was about the budget of the next quarter, and nothing was decided. " * 6


def request(port: int, key: str) -> bytes:
    """A chat request of about 1 KB."""
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": PROMPT[:1024]}]
    body = json.dumps({"model": "tiny", "messages": messages}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nauthorization: Bearer {key}\r\n"
    return f"{head}content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


class Client:
    """A few connections that are kept, each with one request at a time."""

    def __init__(self, port: int, key: str) -> None:
        self._port, self._request = port, request(port, key)
        self.failed = 0
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(self) -> None:
        """Ask, and read the answer."""
        reader, writer = (
            self._free.pop() if self._free else await asyncio.open_connection("127.0.0.1", self._port)
        )
        writer.write(self._request)
        head = await reader.readuntil(b"\r\n\r\n")
        self.failed += not head.startswith(b"HTTP/1.1 200")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        self._free.append((reader, writer))

    async def timed(self, at: float) -> float:
        """Ask at a time; returns the seconds until the answer was there."""
        await asyncio.sleep(max(0.0, at - time.perf_counter()))
        await self.ask()
        return time.perf_counter() - at


async def open_loop(client: Client, rate: float, seconds: float) -> np.ndarray:
    """Latencies in milliseconds at a fixed rate; the first second does not count."""
    begun = time.perf_counter() + 0.2
    times = [begun + number / rate for number in range(int(rate * (seconds + 1)))]
    found = await asyncio.gather(*(client.timed(at) for at in times))
    return np.array(found[int(rate) :]) * 1000


async def closed_loop(client: Client, requests: int, at_once: int) -> float:
    """Ask as fast as it goes; returns requests a second."""
    left = iter(range(requests))

    async def work() -> None:
        for _ in left:
            await client.ask()

    begun = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(at_once)))
    return requests / (time.perf_counter() - begun)


async def serve_answers() -> None:
    """A server of fixed answers, as cheap as can be."""
    choice = {"index": 0, "message": {"role": "assistant", "content": ANSWER}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 200, "completion_tokens": 90, "total_tokens": 290}
    answer = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "tiny",
        "choices": [choice],
    }
    body = json.dumps({**answer, "usage": usage}).encode()
    reply = (
        f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode()
        + body
    )

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                await reader.readexactly(int(head.partition(b"content-length:")[2].partition(b"\r\n")[0]))
                writer.write(reply)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def resident(process: int) -> float:
    """Resident memory in MB."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def percentiles(found: np.ndarray) -> str:
    return "  ".join(f"p{share} {np.percentile(found, share):6.2f}" for share in (50, 95, 99))


def started(command: Sequence[str], environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True, env=environment)


class Served(NamedTuple):
    """A server of answers, and a gateway in front of it."""

    upstream: int
    gateway: int
    key: str
    process: int


@contextmanager
def served(answers: Sequence[str], **section: Any) -> Iterator[Served]:
    """Both, as long as the block runs.

    Args:
        answers: the program that serves answers and first says its port, with its arguments.
        section: of `gateway` in the configuration, besides port and upstream.
    """
    environment = dict(os.environ)
    upstream = started(answers, environment)
    assert upstream.stdout is not None
    port = int(upstream.stdout.readline())
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "gateway.yaml"
        guard = {"layers": {"classify": {"use": "off"}}}
        gateway = {
            "port": 0,
            "upstreams": [{"name": "main", "url": f"http://127.0.0.1:{port}/v1"}],
            **section,
        }
        file.write_text(yaml.safe_dump({"guard": guard, "gateway": gateway}))
        words = ["-m", "assay", "gateway"]
        made = started([*words, "key", "add", "benchmark", "--config", str(file)], environment)
        key = made.communicate()[0].strip()
        process = started([*words, "--config", str(file)], environment)
        assert process.stdout is not None
        address = process.stdout.readline().strip().removesuffix("/v1")
        try:
            yield Served(port, int(address.rpartition(":")[2]), key, process.pid)
        finally:
            process.terminate()
            upstream.terminate()
            process.wait()


async def measure(options: argparse.Namespace, ports: Served) -> None:
    direct, through = Client(ports.upstream, ports.key), Client(ports.gateway, ports.key)
    await closed_loop(through, 500, 4)
    straight = await open_loop(direct, options.rate, options.seconds)
    passed = await open_loop(through, options.rate, options.seconds)
    print(f"{options.rate:g} requests/s for {options.seconds:g} s, milliseconds")
    print(f"  straight     {percentiles(straight)}")
    print(f"  through      {percentiles(passed)}")
    added = [np.percentile(passed, share) - np.percentile(straight, share) for share in (50, 95, 99)]
    print(
        "  added        "
        + "  ".join(f"p{share} {ms:6.2f}" for share, ms in zip((50, 95, 99), added, strict=True))
    )
    done = 0
    while done < options.requests:
        count = min(10_000, options.requests - done)
        speed = await closed_loop(through, count, 8)
        done += count
        print(
            f"  after {done:7,} requests {resident(ports.process):7.1f} MB, {speed:6.0f} requests/s",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--answers", action="store_true", help="only serve fixed answers")
    options = parser.parse_args()
    if options.answers:
        asyncio.run(serve_answers())
        return
    limits = {"requests_per_minute": 0, "concurrent": 0}
    with served(
        [__file__, "--answers"], limits=limits, server={"in_flight": 10_000}, guarding={"queue": 10_000}
    ) as ports:
        asyncio.run(measure(options, ports))


if __name__ == "__main__":
    main()
