"""FlatBuffers: tables, vectors and texts, each offset checked before it is followed.

Source: https://flatbuffers.dev/internals. A table starts with how far back its list of fields lies; a field
is an offset into the table, and whatever is not inline is an offset forward from where that offset stands.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from assay.core.errors import LimitError, SubjectError
from assay.subjects.graphs.protobuf import Data, Span

MAX_ITEMS = 5_000_000  # of all vectors of tables in one file
MAX_TEXT = 1 << 16


class OutsideError(SubjectError):
    """An offset leads out of the buffer."""


@dataclass(slots=True)
class Buffer:
    """One buffer: where it lies, and how many more items of vectors may be read."""

    data: Data
    start: int
    end: int
    left: int = MAX_ITEMS

    def root(self) -> Table:
        """The outermost table."""
        return self.table(self.start + self.number("I", self.start))

    def number(self, form: str, at: int) -> int:
        """The integer of a `struct` form at an absolute position."""
        layout = struct.Struct("<" + form)
        if not self.start <= at <= self.end - layout.size:
            raise OutsideError(f"an offset leads to byte {at - self.start:,}, out of the buffer")
        return int(layout.unpack_from(self.data, at)[0])

    def table(self, at: int) -> Table:
        """The table at an absolute position."""
        fields = at - self.number("i", at)
        size = self.number("H", fields)
        self.number("B", fields + max(size, 1) - 1)
        return Table(self, at, fields, size)


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes:
        buffer: what it lies in.
        at: its position.
        fields, size: the list of its fields: where it lies, and its bytes.
    """

    buffer: Buffer
    at: int
    fields: int
    size: int

    def _field(self, slot: int) -> int:
        """Where the field's value lies; 0 where it is left out."""
        entry = 4 + 2 * slot
        if entry + 2 > self.size:
            return 0
        offset = self.buffer.number("H", self.fields + entry)
        return self.at + offset if offset else 0

    def number(self, slot: int, form: str, default: int = 0) -> int:
        """An integer field of a `struct` form."""
        at = self._field(slot)
        return self.buffer.number(form, at) if at else default

    def table(self, slot: int) -> Table | None:
        """A field that is a table."""
        at = self._field(slot)
        return self.buffer.table(at + self.buffer.number("I", at)) if at else None

    def vector(self, slot: int, width: int) -> Span | None:
        """Where the items of a vector lie, each `width` bytes long."""
        at = self._field(slot)
        if not at:
            return None
        at += self.buffer.number("I", at)
        count = self.buffer.number("I", at)
        start, end = at + 4, at + 4 + count * width
        if end > self.buffer.end:
            raise OutsideError(f"a vector of {count:,} items reaches out of the buffer")
        return start, end

    def numbers(self, slot: int, form: str) -> list[int]:
        """The integers of a vector."""
        layout = struct.Struct("<" + form)
        span = self.vector(slot, layout.size)
        if span is None:
            return []
        self._spend((span[1] - span[0]) // layout.size)
        return [int(value) for (value,) in layout.iter_unpack(self.buffer.data[span[0] : span[1]])]

    def text(self, slot: int) -> str:
        """A text, its first bytes."""
        span = self.vector(slot, 1)
        if span is None:
            return ""
        return bytes(self.buffer.data[span[0] : min(span[1], span[0] + MAX_TEXT)]).decode("utf-8", "replace")

    def tables(self, slot: int) -> Iterator[Table]:
        """The tables of a vector."""
        span = self.vector(slot, 4)
        if span is None:
            return
        self._spend((span[1] - span[0]) // 4)
        for at in range(*span, 4):
            yield self.buffer.table(at + self.buffer.number("I", at))

    def _spend(self, count: int) -> None:
        self.buffer.left -= count
        if self.buffer.left < 0:
            raise LimitError(f"its vectors have more than {MAX_ITEMS:,} items")
