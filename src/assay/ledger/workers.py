"""Audits of ranges, in order, by as many processes as there are cores.

The library that checks signatures holds Python's global lock, so threads gain nothing. The workers are plain
subprocesses and not `multiprocessing`, which would import the caller's main module a second time.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator

from assay.ledger.audit import RangeAudit, audit_range, worker_order
from assay.ledger.keyring import Keyring
from assay.ledger.store import Store

RANGE = 1_000
MAX_WORKERS = 16
# Below this, starting a worker (an interpreter and SQLAlchemy) takes longer than it saves.
ALONE = 8_000
AHEAD = 8


def audits(
    store: Store, keyring: Keyring | None, size: int, workers: int | None = None
) -> Iterator[RangeAudit]:
    """The audits of entries 0 to `size`, in order.

    Args:
        store: the ledger.
        keyring: whose signatures count; None leaves them out.
        size: how many entries.
        workers: processes besides this one; None decides by cores and size.
    """
    ranges = [(start, min(start + RANGE, size)) for start in range(0, size, RANGE)]
    count = _worker_count(size) if workers is None else workers
    if count < 1:
        for start, stop in ranges:
            yield _here(store, keyring, start, stop)
        return
    yield from _Crew(store, keyring, count).in_order(ranges)


def _worker_count(size: int) -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if size < ALONE or cores < 2 or not sys.executable:  # noqa: PLR2004  one core is no crew
        return 0
    return min(cores - 1, MAX_WORKERS)


def _here(store: Store, keyring: Keyring | None, start: int, stop: int) -> RangeAudit:
    with store.reading() as connection:
        return audit_range(connection, keyring, start, stop)


class _Crew:
    """Worker processes, each driven by a thread of ours, and the calling thread, which works along."""

    def __init__(self, store: Store, keyring: Keyring | None, count: int) -> None:
        self._store = store
        self._keyring = keyring
        self._count = count
        order = worker_order(store, keyring)
        self._workers = [_Worker(order) for _ in range(count)]
        self._changed = threading.Condition()
        self._waiting: deque[tuple[int, int]] = deque()
        self._done: dict[int, RangeAudit] = {}
        self._next = 0

    def in_order(self, ranges: list[tuple[int, int]]) -> Iterator[RangeAudit]:
        """Audits in the order of `ranges`."""
        self._waiting.extend(ranges)
        threads = [threading.Thread(target=self._drive, args=(worker,)) for worker in self._workers]
        for thread in threads:
            thread.start()
        try:
            for start, _stop in ranges:
                yield self._audit_of(start)
        finally:
            with self._changed:
                self._waiting.clear()
                self._changed.notify_all()
            for worker in self._workers:
                worker.close()
            for thread in threads:
                thread.join()

    def _audit_of(self, start: int) -> RangeAudit:
        while True:
            with self._changed:
                self._next = start
                self._changed.notify_all()
                if start in self._done:
                    return self._done.pop(start)
                mine = self._waiting.popleft() if self._waiting else None
                if mine is None:
                    self._changed.wait()
            if mine:
                self._finish(_here(self._store, self._keyring, *mine))

    def _drive(self, worker: _Worker) -> None:
        while mine := self._take():
            found = None
            try:
                found = worker.audit(*mine)
            finally:
                # A worker that died or answered nonsense must not leave its range unverified.
                if found is None:
                    self._give_back(mine)
            if found is None:
                return
            self._finish(found)

    def _take(self) -> tuple[int, int] | None:
        """The next range for a worker; waits while the audits not yet asked for are too many to keep."""
        ahead = AHEAD * (self._count + 1) * RANGE
        with self._changed:
            while self._waiting and self._waiting[0][0] > self._next + ahead:
                self._changed.wait()
            return self._waiting.popleft() if self._waiting else None

    def _give_back(self, mine: tuple[int, int]) -> None:
        with self._changed:
            self._waiting.appendleft(mine)
            self._changed.notify_all()

    def _finish(self, found: RangeAudit) -> None:
        with self._changed:
            self._done[found.start] = found
            self._changed.notify_all()


class _Worker:
    def __init__(self, order: str) -> None:
        # -P: the working folder must not be able to lend the worker its modules.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "assay.ledger.audit"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        self._say(order)

    def audit(self, start: int, stop: int) -> RangeAudit | None:
        """The worker's audit of a range, or None when it gave none."""
        source = self._process.stdout
        if source is None or not self._say(f"{start} {stop}\n"):
            return None
        try:
            found = RangeAudit.from_line(source.readline())
        except (ValueError, KeyError, TypeError, OSError):
            self._process.kill()
            return None
        complete = (found.start, found.stop, len(found.leaves)) == (start, stop, stop - start)
        return found if complete else None

    def close(self) -> None:
        """End the process; whatever it was doing is no longer wanted."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def _say(self, text: str) -> bool:
        sink = self._process.stdin
        try:
            if sink is None:
                return False
            sink.write(text)
            sink.flush()
        except (OSError, ValueError):
            return False
        return True
