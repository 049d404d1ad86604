"""How long each layer takes, as histograms that callers export."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from threading import Lock

# Upper bounds of the buckets, in seconds.
BOUNDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A histogram at one moment.

    Attributes:
        bounds: upper bounds of the buckets, in seconds; one more bucket holds what took longer.
        counts: how many fell into each, not cumulated.
        total: the sum of all durations, in seconds.
    """

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    total: float

    @property
    def count(self) -> int:
        """How many durations there were."""
        return sum(self.counts)


class Histogram:
    """Durations; threads may share it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts = [0] * (len(BOUNDS) + 1)
        self._total = 0.0

    def add(self, seconds: float) -> None:
        """Count a duration."""
        with self._lock:
            self._counts[bisect_left(BOUNDS, seconds)] += 1
            self._total += seconds

    def snapshot(self) -> Snapshot:
        """What was counted so far."""
        with self._lock:
            return Snapshot(BOUNDS, tuple(self._counts), self._total)
