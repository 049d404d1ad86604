"""What a key may use: requests and tokens a minute, requests at a time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from assay.core.gateway_config import LimitSection
from assay.gateway.keys import GatewayKey
from assay.gateway.refusal import Refusal

MINUTE = 60.0


class Bucket:
    """A token bucket that fills within a minute.

    Args:
        capacity: what it holds; 0 is without end.
        now: seconds.
    """

    def __init__(self, capacity: float, now: float) -> None:
        self.capacity = capacity
        self._level, self._at = float(capacity), now

    def take(self, amount: float, now: float) -> float:
        """Take an amount; returns 0, or, where there is too little, the seconds until there is enough."""
        if not self.capacity:
            return 0.0
        self._fill(now)
        # What is more than the bucket holds is let through when it is full, and paid for afterwards.
        needed = min(amount, self.capacity)
        if self._level < needed:
            return (needed - self._level) * MINUTE / self.capacity
        self._level -= amount
        return 0.0

    def correct(self, amount: float) -> None:
        """Take more after all, or, where it is negative, give back."""
        if self.capacity:
            self._level = min(self.capacity, self._level - amount)

    def full(self, now: float) -> bool:
        """Whether nothing was taken for so long that it may be forgotten."""
        self._fill(now)
        return self._level >= self.capacity

    def _fill(self, now: float) -> None:
        self._level = min(self.capacity, self._level + (now - self._at) * self.capacity / MINUTE)
        self._at = now


@dataclass(slots=True)
class _Meter:
    """What one key uses."""

    requests: Bucket
    tokens: Bucket
    running: int = 0


class Lease:
    """A request that was let in; give it back with `release`."""

    def __init__(self, limiter: Limiter, meter: _Meter) -> None:
        self._limiter, self._meter = limiter, meter
        self._reserved = 0
        self._open = True

    def reserve(self, tokens: int) -> None:
        """Reserve tokens for the request and its answer.

        Raises:
            Refusal: the key has used too many.
        """
        wait = self._meter.tokens.take(tokens, self._limiter.now())
        if wait:
            raise _too_many("tokens", wait)
        self._reserved = tokens

    def release(self, used: int) -> None:
        """The request is over, and used so many tokens."""
        if self._open:
            self._open = False
            self._meter.running -= 1
            self._meter.tokens.correct(used - self._reserved)


class Limiter:
    """Counts what keys use, in this process.

    Args:
        usual: limits of keys that have none of their own.
        share: among how many processes the limits are divided.
        now: a clock, in seconds.
    """

    def __init__(
        self, usual: LimitSection, *, share: int = 1, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._usual, self._share, self.now = usual, share, now
        self._meters: dict[str, _Meter] = {}

    def body_bytes(self, key: GatewayKey) -> int:
        """The largest body that it may send."""
        own = key.limits.body_bytes
        return self._usual.body_bytes if own is None else own or (1 << 30)

    def admit(self, key: GatewayKey) -> Lease:
        """Let a request in.

        Raises:
            Refusal: the key has used what it may.
        """
        meter = self._meter(key)
        most = self._limit(key.limits.concurrent, self._usual.concurrent)
        if most and meter.running >= most:
            raise _too_many("requests at a time", 1.0)
        wait = meter.requests.take(1, self.now())
        if wait:
            raise _too_many("requests", wait)
        meter.running += 1
        return Lease(self, meter)

    def inherit(self, other: Limiter) -> None:
        """Go on counting where another stood, for keys whose limits did not change."""
        for identity, meter in other._meters.items():
            self._meters[identity] = meter

    def _meter(self, key: GatewayKey) -> _Meter:
        requests = self._limit(key.limits.requests_per_minute, self._usual.requests_per_minute)
        tokens = self._limit(key.limits.tokens_per_minute, self._usual.tokens_per_minute)
        meter = self._meters.get(key.id)
        if meter is None:
            meter = self._meters[key.id] = _Meter(Bucket(requests, self.now()), Bucket(tokens, self.now()))
        if meter.requests.capacity != requests:
            meter.requests = Bucket(requests, self.now())
        if meter.tokens.capacity != tokens:
            meter.tokens = Bucket(tokens, self.now())
        return meter

    def _limit(self, own: int | None, usual: int) -> int:
        limit = usual if own is None else own
        return max(1, limit // self._share) if limit else 0


def _too_many(what: str, wait: float) -> Refusal:
    seconds = max(1, math.ceil(wait))
    return Refusal(
        429,
        "rate_limit_exceeded",
        f"This key has used all the {what} that it may. Try again in {seconds} s.",
        headers={"retry-after": str(seconds)},
    )
