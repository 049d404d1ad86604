"""What a stream merely holds: pickles in bytes, which no call sees, and the key of what a setting makes."""

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
# The key by which hydra.utils.instantiate makes what a setting names; old protocols may escape its letters.
TARGET = b"_target_"
_ESCAPE = re.compile(rb"\\(?:[uU]0|x[0-9a-fA-F]{2}|[0-7]{2})")
_ESCAPED = re.compile(rb"V[^\n]*\\[uU]0[^\n]*\n|S['\"][^\n]*\\[x0-7][^\n]*\n")
_LONGEST = 90  # the key, each letter by its number
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


def names_target(data: Any, start: int, end: int) -> bool:
    """Whether the key may stand between `start` and `end`, plain or escaped in a text of an old protocol."""
    if data.find(TARGET, start, end) >= 0:
        return True
    view = memoryview(data)[start:end]
    for count, match in enumerate(_ESCAPE.finditer(view)):
        at = match.start()
        if count == MAX_LITERALS or _ESCAPED.search(view[max(0, at - _LONGEST) : at + _LONGEST]):
            return True  # the walk can tell
    return False
