"""A confined child process that is spoken to over a socket: jobs with a descriptor, answers in JSON lines.

A child ends when its parent does, however that ends: it holds one end of a pipe whose other end only the
parent has, and the kernel tells it when that is closed (`child.confine.end_with_parent`). Linux's
PR_SET_PDEATHSIG would go by the thread that started the child, not by the process.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from assay.core.errors import SubjectError

_ENDS: dict[int, str] = {
    signal.SIGXCPU: "used up its processor time",
    signal.SIGKILL: "was ended by the system, as for want of memory",
    signal.SIGSYS: "asked the system for what it may not have",
}


class ChildDiedError(Exception):
    """The child came to its end, or took too long, before its answer was whole."""


def start_bound(command: Sequence[str], **options: Any) -> tuple[subprocess.Popen[bytes], int]:
    """Start a process that ends when this one does.

    Args:
        command: what to run. It gets one argument more: the descriptor to give to `end_with_parent`.
        options: of `subprocess.Popen`.

    Returns:
        The process, and our end of the pipe, to be closed once it has ended.

    Raises:
        OSError: it does not start.
    """
    theirs, ours = os.pipe()
    try:
        process = subprocess.Popen([*command, str(theirs)], pass_fds=(theirs,), **options)
    except BaseException:
        os.close(ours)
        raise
    finally:
        os.close(theirs)
    return process, ours


class ChildProcess:
    """One child process. It is started on first use and again after its death.

    Args:
        command: what to run; the socket is its descriptor 0, its first line is `["ready", null, note]`, and
            its last argument the descriptor to give to `end_with_parent`.
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
        self._bond = -1
        self._changing = threading.Lock()
        self._link: socket.socket | None = None
        self._pending = bytearray()
        self._is_ready = False
        self.note = ""

    def launch(self) -> None:
        """Let the child begin to start where none runs, without waiting until it is ready.

        Raises:
            SubjectError: it does not start.
        """
        try:
            with self._changing:
                if self._link is None:
                    self._begin()
        except OSError as error:
            raise self._not_started(error) from error

    def _begin(self) -> None:
        ours, theirs = socket.socketpair()
        self._link, self._pending, self._is_ready = ours, bytearray(), False
        with theirs:
            self._process, self._bond = start_bound(
                self._command,
                env=self._environment,
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
            )

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
            ChildDiedError: the child died or was ended, said too much, or took too long.
        """
        deadline = time.monotonic() + self._seconds + 5
        left, searched = self._most, 0
        while (link := self._link) is not None:
            at = self._pending.find(b"\n", searched)
            if at >= 0:
                line = bytes(self._pending[:at])
                del self._pending[: at + 1]
                searched = 0
                yield line
                continue
            searched = len(self._pending)
            chunk = self._receive(link, deadline)
            left -= len(chunk)
            if not chunk:
                raise ChildDiedError(self._cause())
            if left < 0:
                raise ChildDiedError(f"it answered more than {self._most:,} bytes")
            self._pending += chunk
        raise ChildDiedError("the reading process was ended")

    def _receive(self, link: socket.socket, deadline: float) -> bytes:
        try:
            if select.select([link], [], [], max(0.0, deadline - time.monotonic()))[0]:
                return link.recv(1 << 16)
        except (OSError, ValueError) as error:  # ValueError: it was closed meanwhile
            raise ChildDiedError(f"the reading process died: {error}") from error
        raise ChildDiedError(f"it took more than {self._seconds} s")

    def _cause(self) -> str:
        process = self._process
        if process is None:
            return "the reading process was ended"
        try:
            code = process.wait(1)
        except subprocess.TimeoutExpired:  # it closed its end, and lives on
            return "the reading process stopped answering"
        return f"the reading process {_ENDS.get(-code) or f'died (exit {code})'}"

    def close(self) -> None:
        """End the child process; another thread that waits for its answer sees it die."""
        with self._changing:
            link, process, bond = self._link, self._process, self._bond
            self._link, self._process, self._bond = None, None, -1
        if link is not None:
            link.close()
        if process is not None:
            process.kill()
            process.wait()
            os.close(bond)
