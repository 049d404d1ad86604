"""When a request is tried again, how long to wait before, and when to stop asking."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

RETRIED_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504, 529})
MAX_HEADER = 64


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Bounded exponential backoff.

    Attributes:
        retries: attempts after the first.
        base: seconds before the first retry; each further wait is twice as long.
        longest: the longest wait in seconds, whatever `Retry-After` asks for.
        give_up_after: prompts that fail in a row before the rest of a batch is not asked any more.
    """

    retries: int = 2
    base: float = 0.25
    longest: float = 20.0
    give_up_after: int = 8

    def wait(self, attempt: int, retry_after: str | None) -> float:
        """Seconds to wait after failed attempt number `attempt` (from 0)."""
        asked = _retry_after(retry_after)
        return min(self.longest, self.base * 2.0**attempt if asked is None else max(0.0, asked))


def _retry_after(header: str | None) -> float | None:
    """Seconds of a `Retry-After` header (RFC 9110, 10.2.3): a number or a date; None if neither."""
    if header is None or len(header) > MAX_HEADER:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - datetime.now(UTC)).total_seconds()


class RequestBudget:
    """How many requests may still be sent, shared between endpoints. Thread-safe.

    Args:
        limit: the most requests, retries included.
    """

    __slots__ = ("_lock", "limit", "used")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Whether one more request may be sent; if so it is counted."""
        with self._lock:
            if self.used >= self.limit:
                return False
            self.used += 1
            return True

    @property
    def left(self) -> int:
        """Requests that may still be sent."""
        return self.limit - self.used


class Pace:
    """How fast requests may be sent, shared between endpoints: evenly spread, none saved up. Thread-safe.

    Args:
        per_minute: the most requests in a minute, at least 1.
    """

    __slots__ = ("_free", "_lock", "_step")

    def __init__(self, per_minute: int) -> None:
        self._step = 60.0 / per_minute
        self._free = 0.0
        self._lock = threading.Lock()

    def wait(self, now: float) -> float:
        """Take the next place in line; seconds from `now` (a monotonic clock) until it is there."""
        with self._lock:
            place = max(now, self._free)
            self._free = place + self._step
            return place - now
