"""An event loop in a thread, so that a synchronous caller gets true deadlines and cheap concurrency.

A deadline on a blocking socket holds per read: a server that drips one byte at a time outlives it. A
cancelled task does not.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any, TypeVar

T = TypeVar("T")
TICK = 0.1


class BackgroundLoop:
    """Runs coroutines for callers in other threads, also from inside a running event loop."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T], tick: Callable[[], None] | None = None) -> T:
        """Wait for `coroutine`, calling `tick` meanwhile; whatever `tick` raises cancels it."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return _wait(future, tick)
        except BaseException:
            future.cancel()
            raise

    def close(self) -> None:
        """Cancel what still runs and end the thread."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(_cancel_all(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def _wait(future: Future[T], tick: Callable[[], None] | None) -> T:
    while tick:
        tick()
        with contextlib.suppress(FutureTimeoutError):
            return future.result(TICK)
        if future.done():
            break
    return future.result()


async def _cancel_all() -> None:
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()
