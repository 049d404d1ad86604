"""A confined child process that is spoken to over a socket: jobs with a descriptor, answers in JSON lines."""

from __future__ import annotations

import json
import select
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence

from assay.core.errors import SubjectError


class ChildDiedError(Exception):
    """The child came to its end, or took too long, before its answer was whole."""


class ChildProcess:
    """One child process. It is started on first use and again after its death.

    Args:
        command: what to run; the socket is its descriptor 0, and its first line is `["ready", null, note]`.
        environment: all of its environment.
        seconds: wall time that one answer may take.
        most: bytes that one answer may have.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], *, seconds: int, most: int
    ) -> None:
        self._command = list(command)
        self._environment = dict(environment)
        self._seconds = seconds
        self._most = most
        self._process: subprocess.Popen[bytes] | None = None
        self._link: socket.socket | None = None
        self._pending = bytearray()
        self._is_ready = False
        self.note = ""

    def launch(self) -> None:
        """Let the child begin to start where none runs, without waiting until it is ready.

        Raises:
            SubjectError: it does not start.
        """
        if self._link is not None:
            return
        ours, theirs = socket.socketpair()
        self._link, self._pending, self._is_ready = ours, bytearray(), False
        try:
            with theirs:
                self._process = subprocess.Popen(
                    self._command,
                    env=self._environment,
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    cwd="/",
                )
        except OSError as error:
            raise self._not_started(error) from error

    def start(self) -> None:
        """Wait until the child is ready, started where none runs; `note` says what it is not confined by.

        Raises:
            SubjectError: it does not start.
        """
        self.launch()
        if self._is_ready:
            return
        try:
            self.note = str(json.loads(next(self.lines()))[2])
        except (ChildDiedError, ValueError, LookupError) as error:
            raise self._not_started(error) from error
        self._is_ready = True

    def _not_started(self, error: Exception) -> SubjectError:
        self.close()
        remedy = "Free memory or processes, then run it again."
        return SubjectError(f"no process to read it in can be started: {error}", remedy=remedy)

    def send(self, job: str, fd: int) -> None:
        """Give the child a job and an open file.

        Raises:
            ChildDiedError: it is not there to take it.
        """
        if self._link is None:
            raise ChildDiedError("the reading process was not started")
        try:
            socket.send_fds(self._link, [job.encode()], [fd])
        except OSError as error:
            raise ChildDiedError(f"the reading process died: {error}") from error

    def lines(self) -> Iterator[bytes]:
        """The lines of the answer, without end: the last one is told by what it says.

        Raises:
            ChildDiedError: the child died, or said too much, or took too long.
        """
        deadline = time.monotonic() + self._seconds + 5
        left, searched = self._most, 0
        while self._link is not None:
            at = self._pending.find(b"\n", searched)
            if at >= 0:
                line = bytes(self._pending[:at])
                del self._pending[: at + 1]
                searched = 0
                yield line
                continue
            searched = len(self._pending)
            if not select.select([self._link], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise ChildDiedError(f"it took more than {self._seconds} s")
            chunk = self._receive(self._link)
            left -= len(chunk)
            if not chunk or left < 0:
                raise ChildDiedError(self._cause())
            self._pending += chunk

    @staticmethod
    def _receive(link: socket.socket) -> bytes:
        try:
            return link.recv(1 << 16)
        except OSError as error:
            raise ChildDiedError(f"the reading process died: {error}") from error

    def _cause(self) -> str:
        if self._process is None:
            return "the reading process died"
        self._process.kill()
        return f"the reading process died (exit {self._process.wait()})"

    def close(self) -> None:
        """End the child process."""
        if self._link is not None:
            self._link.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._link = self._process = None
        self._pending = bytearray()
