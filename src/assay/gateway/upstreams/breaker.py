"""A circuit breaker: an upstream that fails again and again is left alone for a while."""

from __future__ import annotations

import time
from collections.abc import Callable


class Breaker:
    """Counts failures in a row. Not to be shared between threads.

    Args:
        failures: after how many it opens.
        rest: for how many seconds it stays open; after that one request tries.
        now: a clock, in seconds.
    """

    def __init__(self, failures: int, rest: float, now: Callable[[], float] = time.monotonic) -> None:
        self._most, self._rest, self._now = failures, rest, now
        self._failures = 0
        self._until = 0.0
        self._trying = False

    @property
    def open(self) -> bool:
        """Whether the upstream is left alone."""
        return self._failures >= self._most and (self._trying or self._now() < self._until)

    def allow(self) -> bool:
        """Whether a request may try; the one that tries after a rest keeps the others away."""
        if self.open:
            return False
        self._trying = self._failures >= self._most
        return True

    def succeeded(self) -> None:
        """A request got an answer."""
        self._failures, self._trying = 0, False

    def failed(self) -> None:
        """A request got none."""
        self._failures += 1
        self._trying = False
        self._until = self._now() + self._rest

    def released(self) -> None:
        """A request ended without telling anything about the upstream."""
        self._trying = False
