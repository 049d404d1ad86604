"""Part of a mapped file, read by offsets from its start."""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Region:
    """The bytes `data[start:end]`."""

    data: mmap.mmap | bytes
    start: int
    end: int

    def read(self, offset: int, size: int) -> bytes:
        """At most `size` bytes from `offset` on; fewer, or none, past the end."""
        if offset < 0 or size < 0:
            return b""
        first = self.start + offset
        return bytes(self.data[min(first, self.end) : min(first + size, self.end)])

    def unpack(self, form: str, offset: int) -> tuple[Any, ...]:
        """Numbers at `offset`.

        Raises:
            struct.error: they lie past the end.
        """
        return struct.unpack(form, self.read(offset, struct.calcsize(form)))
