"""Threads in which texts are judged, so that the event loop goes on meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from assay.gateway.refusal import Refusal

P = ParamSpec("P")
T = TypeVar("T")


class GuardPool:
    """A few threads with a bounded queue.

    Args:
        threads: how many.
        queue: how many jobs may wait.
    """

    def __init__(self, threads: int, queue: int) -> None:
        self._executor = ThreadPoolExecutor(threads, "assay-guard")
        self._most = threads + queue
        self.waiting = 0  # jobs that wait or run

    async def admit(self, job: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a job of a new request.

        Raises:
            Refusal: too many wait already.
        """
        if self.waiting >= self._most:
            raise Refusal(
                503,
                "overloaded",
                "The gateway has too much to judge at the moment.",
                headers={"retry-after": "1"},
            )
        return await self.run(job, *args, **kwargs)

    async def run(self, job: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a job of a request that was admitted: it waits for its turn."""
        self.waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._executor, lambda: job(*args, **kwargs))
        finally:
            self.waiting -= 1

    def close(self) -> None:
        """End the threads once they are idle."""
        self._executor.shutdown(wait=False, cancel_futures=True)
