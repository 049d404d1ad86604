"""A gateway as a process: it starts, reloads, drains, speaks TLS, and shares an address among workers."""

from __future__ import annotations

import json
import os
import queue
import re
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
import yaml

from assay.core.errors import ConfigError
from assay.gateway.settings import load_settings
from fixtures.gateways import GatewayServer
from fixtures.openai_server import OpenAIServer, Stream, chat_stream, in_pieces, says
from fixtures.tls_files import write_certificate

MAIL = "bob.smith@example.com"
HELLO: Any = [{"role": "user", "content": "Hello"}]
OFF = {"layers": {"classify": {"use": "off"}}}


@pytest.fixture
def upstream() -> Iterator[OpenAIServer]:
    with OpenAIServer() as server:
        yield server


class Program:
    """`assay gateway` as a process of its own.

    Attributes:
        url: where it listens.
        key: a key for it.
    """

    def __init__(self, folder: Path, **gateway: Any) -> None:
        self.file = folder / "gateway.yaml"
        self.gateway: dict[str, Any] = {"port": 0, **gateway}
        self.write(OFF)
        self.key = self.run("key", "add", "tests").stdout.strip()
        command = [sys.executable, "-m", "assay", "gateway", "--config", str(self.file)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self._logs: queue.Queue[dict[str, Any] | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), line + str(self.process.communicate(timeout=30))
        self.url = line.removeprefix("listening on ").strip()

    def write(self, guard: dict[str, Any]) -> None:
        self.file.write_text(yaml.safe_dump({"version": 1, "guard": guard, "gateway": self.gateway}))

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "assay", "gateway", *words, "--config", str(self.file)]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)

    def wait_for(self, event: str) -> dict[str, Any]:
        """The next line of the log that tells of an event."""
        while (line := self._logs.get(timeout=60)) is not None:
            if line["event"] == event:
                return line
        raise AssertionError(f"it ended without {event!r}")

    def client(self) -> openai.OpenAI:
        return openai.OpenAI(base_url=self.url, api_key=self.key, max_retries=0)

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._logs.put(json.loads(line))
        self._logs.put(None)


@contextmanager
def program(folder: Path, upstream: OpenAIServer, **gateway: Any) -> Iterator[Program]:
    made = Program(folder, upstreams=[{"name": "main", "url": upstream.url}], **gateway)
    try:
        yield made
    finally:
        made.process.kill()
        made.process.communicate(timeout=30)


def ask(client: openai.OpenAI, **options: Any) -> Any:
    return client.chat.completions.create(model="tiny", messages=HELLO, **options)


def test_it_serves_and_ends_with_zero(upstream: OpenAIServer, tmp_path: Path) -> None:
    with program(tmp_path, upstream) as gateway, gateway.client() as client:
        assert ask(client).choices[0].message.content == "Hello"
        gateway.process.send_signal(signal.SIGTERM)
        gateway.wait_for("stop")
        assert gateway.process.wait(30) == 0
        records = (tmp_path / ".assay/gateway/audit.jsonl").read_text().splitlines()
        assert len(records) == 1


def test_it_drains(upstream: OpenAIServer, tmp_path: Path) -> None:
    gate = threading.Event()
    text = "word " * 400
    upstream.script = lambda *_: Stream(chat_stream(in_pieces(text, 400)), gate=gate).response()
    with program(tmp_path, upstream) as gateway, gateway.client() as client:
        stream = iter(ask(client, stream=True))
        first = next(stream)
        gateway.process.send_signal(signal.SIGTERM)
        refused(gateway.url)
        gate.set()
        said = [first, *stream]
        assert "".join(chunk.choices[0].delta.content or "" for chunk in said) == text
        assert said[-1].choices[0].finish_reason == "stop"
        assert gateway.process.wait(30) == 0


def refused(url: str) -> None:
    """Ask until nobody listens any more; the kernel holds the address until the process closes it."""
    for _ in range(10_000):
        try:
            httpx.get(url.removesuffix("/v1") + "/health", timeout=30)
        except httpx.TransportError:
            return
    raise AssertionError("it still listens")


@pytest.mark.parametrize("by", ["signal", "file"])
def test_a_new_policy_comes_in_force(upstream: OpenAIServer, tmp_path: Path, by: str) -> None:
    upstream.script = says(f"Write to {MAIL}.")
    with program(tmp_path, upstream) as gateway, gateway.client() as client:
        assert ask(client).choices[0].message.content == "Write to [EMAIL]."
        gateway.write({**OFF, "actions": [{"action": "block", "rule": "pii/*"}]})
        if by == "signal":
            gateway.wait_for("start")
            gateway.process.send_signal(signal.SIGHUP)
        gateway.wait_for("reload")
        assert ask(client).choices[0].finish_reason == "content_filter"


def test_a_broken_policy_changes_nothing_and_says_so(upstream: OpenAIServer, tmp_path: Path) -> None:
    upstream.script = says(f"Write to {MAIL}.")
    with program(tmp_path, upstream) as gateway, gateway.client() as client:
        gateway.file.write_text("guard: {actions: [{action: explode}]}\n")
        gateway.wait_for("start")
        gateway.process.send_signal(signal.SIGHUP)
        assert "guard.actions.0.action" in gateway.wait_for("reload refused")["reason"]
        assert ask(client).choices[0].message.content == "Write to [EMAIL]."
        health = httpx.get(gateway.url.removesuffix("/v1") + "/health").json()
        assert "guard.actions.0.action" in health["problem"]
        gateway.write(OFF)
        gateway.process.send_signal(signal.SIGHUP)
        gateway.wait_for("reload")
        assert httpx.get(gateway.url.removesuffix("/v1") + "/health").json()["problem"] == ""


def test_requests_go_on_while_another_policy_comes_in_force(upstream: OpenAIServer, tmp_path: Path) -> None:
    gate = threading.Event()
    text = f"Write to {MAIL}. " * 60
    upstream.script = lambda *_: Stream(chat_stream(in_pieces(text, 300)), gate=gate).response()
    with GatewayServer(tmp_path, upstream.url) as gateway, gateway.client() as client:
        stream = iter(ask(client, stream=True))
        first = next(stream)
        gateway.guard = {**OFF, "actions": [{"action": "block", "rule": "pii/*"}]}
        gateway.options["port"] = 1
        gateway.write()
        assert gateway.call(gateway.gateway.reloading.reload())
        assert gateway.gateway.problem == "only a new start changes port"
        gate.set()
        said = "".join(chunk.choices[0].delta.content or "" for chunk in [first, *stream])
        assert said == "Write to [EMAIL]. " * 60
        assert ask(client, stream=True).response.status_code == 200
        assert gateway.records()[0]["policy"] == gateway.settings.digest


def test_limits_are_not_forgotten_by_a_reload(upstream: OpenAIServer, tmp_path: Path) -> None:
    limits = {"requests_per_minute": 1}
    with GatewayServer(tmp_path, upstream.url, limits=limits) as gateway, gateway.client() as client:
        ask(client)
        assert gateway.call(gateway.gateway.reloading.reload())
        with pytest.raises(openai.RateLimitError):
            ask(client)


def test_tls(upstream: OpenAIServer, tmp_path: Path) -> None:
    write_certificate(tmp_path / "cert.pem", tmp_path / "key.pem")
    tls = {"certificate": "cert.pem", "key": "key.pem"}
    with GatewayServer(tmp_path, upstream.url, tls=tls) as gateway:
        trusting = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
        with httpx.Client(verify=trusting) as http:
            answer = http.post(
                f"{gateway.url}/chat/completions",
                json={"model": "tiny", "messages": HELLO},
                headers={"authorization": f"Bearer {gateway.key}"},
            )
        assert answer.status_code == 200
        old = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        old.minimum_version = ssl.TLSVersion.TLSv1_2
        with httpx.Client(verify=old) as http:
            assert http.get(gateway.url.removesuffix("/v1") + "/health").status_code == 200


def test_files_that_are_no_certificate_are_refused(upstream: OpenAIServer, tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("no certificate")
    (tmp_path / "key.pem").write_text("no key")
    with pytest.raises(ConfigError, match=r"gateway\.tls"):
        GatewayServer(tmp_path, upstream.url, tls={"certificate": "cert.pem", "key": "key.pem"})


def test_several_workers_share_an_address_and_count_together(upstream: OpenAIServer, tmp_path: Path) -> None:
    with program(tmp_path, upstream, workers=2, metrics="open") as gateway:
        workers = {gateway.wait_for("start")["process"] for _ in range(2)}
        assert len(workers) == 2
        for _ in range(12):
            with gateway.client() as client:
                ask(client)
        root = gateway.url.removesuffix("/v1")
        found = re.search(r"assay_gateway_requests_total\{.*\} (\S+)", httpx.get(f"{root}/metrics").text)
        assert found is not None
        assert float(found[1]) == 12

        os.kill(min(workers), signal.SIGKILL)
        gateway.wait_for("worker died")
        gateway.wait_for("start")
        gateway.process.send_signal(signal.SIGHUP)
        gateway.wait_for("reload")
        gateway.wait_for("reload")
        gateway.process.send_signal(signal.SIGTERM)
        assert gateway.process.wait(30) == 0


Broken = Callable[[dict[str, Any]], None]


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"upstreams": []}, "gateway.upstreams"),
        ({"upstreams": [{"name": "a", "url": "x"}, {"name": "a", "url": "y"}]}, "same name"),
        ({"prot": 1}, "unknown key 'gateway.prot'"),
        ({"guarding": {"hold_back": 10}}, "gateway.guarding.hold_back"),
        ({"unscanned": {"media": "maybe"}}, "gateway.unscanned.media"),
    ],
)
def test_a_wrong_configuration_is_refused_by_name(tmp_path: Path, section: dict[str, Any], said: str) -> None:
    document = {"gateway": {"upstreams": [{"name": "main", "url": "http://127.0.0.1:9/v1"}], **section}}
    (tmp_path / "gateway.yaml").write_text(yaml.safe_dump(document))
    with pytest.raises(ConfigError) as caught:
        load_settings(tmp_path / "gateway.yaml")
    assert said in str(caught.value)


def test_a_project_may_hold_the_gateway(tmp_path: Path) -> None:
    document = {
        "model": {"name": "tiny", "path": "model"},
        "guard": {"certain": "flag"},
        "gateway": {"upstreams": [{"name": "main", "url": "http://127.0.0.1:9/v1"}]},
    }
    (tmp_path / "assay.yaml").write_text(yaml.safe_dump(document))
    settings = load_settings(tmp_path / "assay.yaml")
    assert settings.policy.default.certain == "flag"
    assert settings.state == tmp_path / ".assay/gateway"
    del document["gateway"]
    (tmp_path / "assay.yaml").write_text(yaml.safe_dump(document))
    with pytest.raises(ConfigError, match="no section 'gateway'"):
        load_settings(tmp_path / "assay.yaml")
