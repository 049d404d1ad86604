from __future__ import annotations

import os
import sys
from pathlib import Path

import httpx
import pytest

from assay.core.errors import EndpointError
from assay.subjects.endpoint import ServedModel, serve

SERVER = """
import http.server, os, pathlib, signal, subprocess, sys
model, port = pathlib.Path(sys.argv[1]), int(sys.argv[2])
if "child" in sys.argv:
    child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    (model / "child").write_text(str(child.pid))
if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/v1/models" else 404)
        self.end_headers()
        self.wfile.write(repr(sys.argv[1:]).encode())
    def log_message(self, *args): pass
http.server.HTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "server.py"
    path.write_text(SERVER)
    return path


def served(script: Path, *extra: str, timeout: float = 30, ready: str = "/v1/models") -> ServedModel:
    command = ["{python}", str(script), "{model}", "{port}", *extra]
    return ServedModel(command, script.parent, ready, timeout, log=script.parent / "log")


def running(pid: int) -> bool:
    """Whether a process runs; one that ended and waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_served_model_answers_and_is_gone_afterwards(script: Path) -> None:
    with served(script) as model:
        assert model.url == f"http://127.0.0.1:{model.port}/v1"
        assert httpx.get(f"{model.url}/models", trust_env=False).status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{model.url}/models", trust_env=False)


def test_placeholders_are_filled_and_other_braces_left_alone(script: Path) -> None:
    argument = '{"json": {"port": {port}}}; $(touch pwned) `id`'
    with served(script, argument) as model:
        said = httpx.get(f"{model.url}/models", trust_env=False).text
    expected = [str(script.parent), str(model.port), argument.replace("{port}", str(model.port))]
    assert said == repr(expected)
    assert not (script.parent / "pwned").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_everything_the_command_started_is_stopped(script: Path) -> None:
    with served(script, "child"):
        child = int((script.parent / "child").read_text())
        assert running(child)
    # A killed orphan may take a moment to go, but never runs again.
    for _ in range(10_000):
        if not running(child):
            break
        os.sched_yield()
    assert not running(child)


def test_a_server_that_ignores_sigterm_is_killed(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "STOP_TIMEOUT", 0.2)
    with served(script, "stubborn") as model:
        pass
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{model.url}/models", trust_env=False)


def test_it_is_stopped_when_the_block_raises(script: Path) -> None:
    with pytest.raises(RuntimeError, match="inside"), served(script) as model:
        raise RuntimeError("inside")
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{model.url}/models", trust_env=False)


def test_an_early_end_shows_the_code_and_the_last_words(tmp_path: Path) -> None:
    code = "import sys; print('loading'); print('CUDA \\x1b[31mnot found', file=sys.stderr); sys.exit(3)"
    model = ServedModel(["{python}", "-c", code], tmp_path, log=tmp_path / "log")
    with pytest.raises(EndpointError) as caught, model:
        pass
    assert "exit code 3" in str(caught.value)
    assert "CUDA" in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert caught.value.remedy


def test_a_server_that_is_never_ready_is_stopped_and_reported(script: Path) -> None:
    model = served(script, timeout=1.0, ready="nowhere")
    with pytest.raises(EndpointError, match=r"not ready within 1 s: /nowhere does not answer 200"), model:
        pass
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{model.url}/models", trust_env=False)


@pytest.mark.parametrize("command", [["/no/such/server", "{port}"], ["bad\0name"], []])
def test_a_command_that_cannot_start_is_an_endpoint_error(command: list[str], tmp_path: Path) -> None:
    model = ServedModel(command, tmp_path, log=tmp_path / "log")
    with pytest.raises(EndpointError, match="cannot be started") as caught, model:
        pass
    assert caught.value.remedy == "Correct endpoint.serve.command."


def test_a_log_that_cannot_be_written_is_an_endpoint_error(tmp_path: Path) -> None:
    model = ServedModel(["{python}"], tmp_path, log=tmp_path / "missing" / "log")
    with pytest.raises(EndpointError, match="cannot be started"), model:
        pass


def test_a_port_that_somebody_took_meanwhile_is_tried_again(
    script: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket  # noqa: PLC0415

    free = serve._free_port
    with socket.socket() as thief:
        thief.bind(("127.0.0.1", 0))
        thief.listen()
        ports = iter([thief.getsockname()[1]])
        monkeypatch.setattr(serve, "_free_port", lambda: next(ports, None) or free())
        with served(script) as model:
            assert model.port != thief.getsockname()[1]
