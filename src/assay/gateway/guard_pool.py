"""Threads in which texts are judged, so that the event loop goes on meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from assay.gateway.refusal import Refusal

T = TypeVar("T")
AT_ONCE = 0.005  # seconds; as long as the interpreter lets one thread keep the others waiting
_FORGETTING = 0.95  # how much of an estimate is kept where a job was faster than that


class GuardPool:
    """A few threads with a bounded queue.

    A job that is expected to take less than `AT_ONCE` runs at once, in the event loop. A thread that computes
    keeps the loop from the interpreter for that long whenever the loop waits for a socket, so many small jobs
    in threads hold it up far longer than they take. How long a job takes is learned, a byte, in processor
    time; one that took long counts more than those that did not.

    Args:
        threads: how many.
        queue: how many jobs may wait.
    """

    def __init__(self, threads: int, queue: int) -> None:
        self._executor = ThreadPoolExecutor(threads, "assay-guard")
        self._most = threads + queue
        self._pace: dict[str, float] = {}  # seconds a byte, by kind of job
        self.waiting = 0  # jobs that wait or run

    def check(self) -> None:
        """Refuse a new request where too many wait already.

        Raises:
            Refusal: they do.
        """
        if self.waiting >= self._most:
            raise Refusal(
                503,
                "overloaded",
                "The gateway has too much to judge at the moment.",
                headers={"retry-after": "1"},
            )

    async def run(self, kind: str, size: int, job: Callable[[], T]) -> T:
        """Run a job.

        Args:
            kind: jobs of a kind take about as long.
            size: of what it judges, in bytes.
            job: the job.
        """
        if self._pace.get(kind, AT_ONCE) * size < AT_ONCE:
            return self._timed(kind, size, job)
        self.waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._executor, self._timed, kind, size, job
            )
        finally:
            self.waiting -= 1

    def close(self) -> None:
        """End the threads once they are idle."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _timed(self, kind: str, size: int, job: Callable[[], T]) -> T:
        started = time.thread_time()
        try:
            return job()
        finally:
            pace = (time.thread_time() - started) / (size + 256)
            self._pace[kind] = max(pace, self._pace.get(kind, 0.0) * _FORGETTING)
