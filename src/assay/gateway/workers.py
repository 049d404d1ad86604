"""Several processes that serve one address: started by fork, ended and reloaded together."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType

log = logging.getLogger("assay.gateway")


def run_workers(count: int, work: Callable[[], int]) -> int:
    """Run `work` in several processes until SIGTERM or SIGINT; one that dies is replaced.

    Args:
        count: how many.
        work: runs in each, and returns its exit code.

    Returns:
        0, or 1 where workers die as soon as they start.
    """
    return _Workers(count, work).run()


class _Workers:
    def __init__(self, count: int, work: Callable[[], int]) -> None:
        self._count, self._work = count, work
        self._running: set[int] = set()
        self._stopping = False
        self._early = 0  # deaths in a row

    def run(self) -> int:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._forward)
        for _ in range(self._count):
            self._start()
        while self._running:
            process, status = os.wait()
            self._running.discard(process)
            if self._stopping:
                continue
            log.error("worker died", extra={"worker": process, "status": os.waitstatus_to_exitcode(status)})
            self._early += 1
            if self._early > 5 * self._count:
                self._stop(signal.SIGTERM)
            else:
                self._start()
        return 0 if self._early <= 5 * self._count else 1

    def _start(self) -> None:
        sys.stdout.flush()
        process = os.fork()
        if process == 0:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            os._exit(self._work())
        self._running.add(process)

    def _forward(self, number: int, frame: FrameType | None) -> None:
        del frame
        if number == signal.SIGHUP:
            self._send(number)
        else:
            self._stop(signal.SIGTERM)

    def _stop(self, number: int) -> None:
        self._stopping = True
        self._send(number)

    def _send(self, number: int) -> None:
        for process in tuple(self._running):
            try:
                os.kill(process, number)
            except ProcessLookupError:
                continue
