"""A server started for one model, for as long as it is asked."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from assay.core.errors import EndpointError

HOST = "127.0.0.1"
PORT_ATTEMPTS = 3
STOP_TIMEOUT = 5.0
POLL = 0.05
TAIL_BYTES = 4_096
TAIL_LINES = 8
_REMEDY = "Try endpoint.serve.command by hand, with {model} and {port} filled in, to see all that it prints."


class _ExitedError(EndpointError):
    """The command ended before it was ready."""


class ServedModel:
    """Starts the user's server command for a model, and stops it again: a context manager.

    The command runs without a shell, in a session of its own, so that everything it starts can be
    stopped with it. `{model}`, `{port}` and `{python}` in its arguments are filled in.

    Args:
        command: the program and its arguments.
        model_path: the model's file or folder.
        ready: path below the server's root that answers 200 once the model can be asked.
        start_timeout: seconds it may take until then.
        log: where the command's output goes; errors quote its end.
        cwd: the working folder of the command, by default this process's.

    Raises:
        EndpointError: on entry, where the command cannot be started, ends early or is not ready in time.
    """

    def __init__(
        self,
        command: Sequence[str],
        model_path: Path,
        ready: str = "/v1/models",
        start_timeout: float = 60.0,
        *,
        log: Path,
        cwd: Path | None = None,
    ) -> None:
        self._command = list(command)
        self._model = model_path
        self._ready = "/" + ready.lstrip("/")
        self._timeout = start_timeout
        self._log = log
        self._cwd = cwd
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def root(self) -> str:
        """The server's root URL."""
        return f"http://{HOST}:{self.port}"

    @property
    def url(self) -> str:
        """The base URL of its OpenAI-compatible API."""
        return f"{self.root}/v1"

    def __enter__(self) -> Self:
        for attempt in range(1, PORT_ATTEMPTS + 1):
            self.port = _free_port()
            try:
                self._start()
                self._await_ready()
            except _ExitedError:
                self.stop()
                # Somebody else may have taken the port between our look and the server's bind.
                if attempt == PORT_ATTEMPTS or _is_free(self.port):
                    raise
            except BaseException:
                self.stop()
                raise
            else:
                return self
        raise AssertionError  # the last attempt returned or raised

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """SIGTERM, then SIGKILL, to the whole process group; returns when the command is gone."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            _signal_group(process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_TIMEOUT)
        _signal_group(process.pid, signal.SIGKILL)
        process.wait()

    def _start(self) -> None:
        filled = [self._fill(argument) for argument in self._command]
        try:
            with self._log.open("wb") as output:
                self._process = subprocess.Popen(
                    filled,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd=self._cwd,
                    start_new_session=True,
                )
        except (OSError, ValueError, IndexError) as error:  # an empty command is an IndexError
            reason = getattr(error, "strerror", None) or error
            raise EndpointError(
                f"the server cannot be started: {reason}",
                subject=str(filled[0] if filled else self._model),
                remedy="Correct endpoint.serve.command.",
            ) from error

    def _fill(self, argument: str) -> str:
        # Not str.format: braces in other arguments, JSON for example, are the user's own.
        for name, value in (("model", self._model), ("port", self.port), ("python", sys.executable)):
            argument = argument.replace(f"{{{name}}}", str(value))
        return argument

    def _await_ready(self) -> None:
        deadline = time.monotonic() + self._timeout
        with httpx.Client(trust_env=False, timeout=2.0) as client:
            while time.monotonic() < deadline:
                self._require_running()
                if self._answers(client):
                    self._require_running()
                    return
                time.sleep(POLL)
        raise EndpointError(
            f"the server was not ready within {self._timeout:g} s: {self._ready} does not answer 200"
            + self._tail(),
            subject=self._command[0],
            remedy="Raise endpoint.serve.start_timeout, or correct endpoint.serve.ready. " + _REMEDY,
        )

    def _answers(self, client: httpx.Client) -> bool:
        try:
            # Only the status is wanted: a body may be endless.
            with client.stream("GET", self.root + self._ready) as response:
                return response.status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def _require_running(self) -> None:
        code = self._process.poll() if self._process else 0
        if code is None:
            return
        how = f"exit code {code}" if code >= 0 else f"signal {-code}"
        raise _ExitedError(
            f"the server ended before it was ready ({how})" + self._tail(),
            subject=self._command[0],
            remedy=_REMEDY,
        )

    def _tail(self) -> str:
        """The end of the command's output, for an error message."""
        try:
            with self._log.open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - TAIL_BYTES))
                text = log.read(TAIL_BYTES).decode("utf-8", "replace")
        except OSError:
            return ""
        clean = "".join(c if c.isprintable() or c == "\n" else " " for c in text)
        lines = [line.rstrip() for line in clean.splitlines() if line.strip()][-TAIL_LINES:]
        return "; it wrote nothing" if not lines else "\n  | " + "\n  | ".join(lines)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
