"""Pickles in bytes that a stream merely holds: no call sees them, whoever takes them out may load them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

# PROTO and an opcode that may begin a value.
PROTO = re.compile(rb"\x80[\x00-\x05][(\])}cXNKMJGISVUTCBLFP\x80\x82-\x84\x88-\x8f\x95-\x97]")
_WIDTHS = (
    (0x43, 1),
    (0x42, 4),
    (0x8E, 8),
    (0x96, 8),
)  # opcodes of bytes, and of the length that follows them
MAX_LITERALS = 20_000
LEAST = 4


def literals(data: Any, view: memoryview, start: int, end: int) -> Iterator[memoryview]:
    """The bytes objects between `start` and `end` that begin as a pickle does, and some chance ones."""
    found = 0
    for match in PROTO.finditer(view[start:end]):
        at = start + match.start()
        for opcode, width in _WIDTHS:
            head = at - width - 1
            if head < start or data[head] != opcode:
                continue
            size = int.from_bytes(view[head + 1 : at], "little")
            if LEAST <= size <= end - at and found < MAX_LITERALS:
                found += 1
                yield view[at : at + size]
