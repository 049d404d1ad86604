"""What goes wrong between us and an MLflow server, and what of us stays behind."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from assay.core.errors import RegistryError, UsageError
from assay.registries import open_registry
from fixtures.refusals import printed_without

pytest.importorskip("mlflow.tracking", reason="mlflow is not installed", exc_type=ImportError)


@contextmanager
def server(status: int, body: bytes) -> Iterator[str]:
    """A server that gives the same answer to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815  the library's name

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"http://user:secret@127.0.0.1:{running.server_address[1]}"
        running.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "body", "cause", "remedy"),
    [
        (401, b"", "MLflow refused", "MLFLOW_TRACKING_USERNAME"),
        (403, b"Permission denied", "MLflow refused", "Ask for the right"),
        (
            400,
            b'{"error_code": "INVALID_PARAMETER_VALUE", "message": "no"}',
            "MLflow refused",
            "server's log",
        ),
        (200, b"<html>not MLflow</html>", "does not answer as one", "Check the URI"),
        (200, b'{"model_versions": 7}', "MLflow", ""),
    ],
)
def test_what_a_server_may_answer(status: int, body: bytes, cause: str, remedy: str) -> None:
    with server(status, body) as url, pytest.raises(RegistryError, match=cause) as caught:
        open_registry("mlflow", url).versions("bot")
    assert remedy in caught.value.remedy
    assert "secret" not in caught.value.diagnostics()


def test_a_server_that_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(RegistryError, match="cannot be reached") as caught:
        open_registry("mlflow", "http://user:secret@127.0.0.1:9").get_alias("bot", "champion")
    assert "Check the URI" in caught.value.remedy
    assert "secret" not in caught.value.diagnostics()


@pytest.mark.parametrize("uri", ["", "file:///x", "ftp://h/x", "databricks", "./mlruns"])
def test_what_is_no_tracking_uri(uri: str) -> None:
    with pytest.raises(UsageError, match="is not an MLflow tracking URI"):
        open_registry("mlflow", uri)


def test_a_database_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "db").write_text("this is no database")
    with pytest.raises(RegistryError):
        open_registry("mlflow", f"sqlite:///{tmp_path}/db").versions("bot")


def test_environment_loggers_and_warnings_are_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.delenv("MLFLOW_HTTP_REQUEST_TIMEOUT", raising=False)
    environment, filters = dict(os.environ), list(warnings.filters)
    level = logging.getLogger("mlflow").level
    with pytest.raises(RegistryError):
        open_registry("mlflow", "http://127.0.0.1:9").versions("bot")
    assert dict(os.environ) == environment
    assert list(warnings.filters) == filters
    assert logging.getLogger("mlflow").level == level


def test_without_mlflow_the_extra_is_named(tmp_path: Path) -> None:
    script = (
        "from assay.core.errors import RegistryError\nfrom assay.registries import open_registry\n"
        "try:\n    open_registry('mlflow', 'http://127.0.0.1:9')\n"
        "except RegistryError as e:\n    print(e.remedy)"
    )
    told = printed_without("mlflow", tmp_path, script)
    assert told == "Install it: pip install 'assay-llm[mlflow]'.\n"


def test_nothing_is_printed(tmp_path: Path) -> None:
    script = (
        "import sys; from assay.registries import open_registry\n"
        "open_registry('mlflow', sys.argv[1]).versions('b')"
    )
    told = subprocess.run(
        [sys.executable, "-c", script, f"sqlite:///{tmp_path}/m.db"],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")},
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert (told.stdout, told.stderr) == ("", "")
    assert [path.name for path in tmp_path.iterdir()] == ["m.db"]
