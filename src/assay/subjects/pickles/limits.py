"""How much one reading of pickles may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one job: bytes of memory, seconds of processor and wall time, events."""

    memory: int = 4 << 30
    seconds: int = 120
    events: int = 50_000
