"""Protocol Buffers on the wire, read strictly, bounded, and without a copy of what fields hold.

Source: https://protobuf.dev/programming-guides/encoding. A message carries no magic and no types: a `Schema`
says what the numbers of its fields mean. Where a real parser would merge, step over or guess, this one either
shows every occurrence or refuses, so that nothing in a message goes unseen.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from assay.core.errors import LimitError, SubjectError

Data: TypeAlias = mmap.mmap | bytes
Span: TypeAlias = tuple[int, int]
Schema: TypeAlias = Mapping[str, Mapping[int, str]]

MAX_FIELDS = 6_000_000  # of one file; the graph of a large language model has a few hundred thousand
MAX_DEPTH = 200  # messages in messages; the reference parsers refuse more than 100
MAX_TAG = 1 << 32
MAX_UNKNOWN = 20
_WIDTHS = {1: 8, 5: 4}
_WIRES = {"v": (0,), "V": (0, 2), "q": (1,), "Q": (1, 2), "d": (5,), "D": (5, 2)}
_PACKED = {"V": 1, "Q": 8, "D": 4}


@dataclass(frozen=True, slots=True)
class Message:
    """One message, its own fields only.

    Attributes:
        data: what it lies in.
        kind: its name in the schema.
        start, end: where it lies in `data`.
        numbers: by field, the varints in order; packed ones are a span.
        spans: by field, where the values with a length lie.
        depth: messages above it.
    """

    data: Data
    kind: str
    start: int
    end: int
    numbers: Mapping[int, list[int]]
    spans: Mapping[int, list[Span]]
    depth: int = 0

    def number(self, number: int, default: int = 0) -> int:
        """A singular integer, unsigned; the last one counts, as for every parser."""
        return self.numbers.get(number, (default,))[-1]

    def text(self, number: int, most: int = 1 << 16) -> str:
        """A singular text, its first `most` bytes; the last one counts."""
        spans = self.spans.get(number)
        return cut(self.data, spans[-1], most).decode("utf-8", "replace") if spans else ""

    def texts(self, number: int, most: int = 1 << 16) -> Iterator[str]:
        """Every text of a repeated field, the first `most` bytes of each."""
        for span in self.spans.get(number, ()):
            yield cut(self.data, span, most).decode("utf-8", "replace")


def cut(data: Data, span: Span, most: int) -> bytes:
    """The first `most` bytes of a span."""
    return bytes(data[span[0] : min(span[1], span[0] + most)])


@dataclass(slots=True)
class Reader:
    """Reads messages of one file, within one budget.

    Attributes:
        data: the file.
        schema: what its messages look like.
        left: fields that may still be read.
        unknown: `Message field N` for each field that the schema does not have.
        lenient: step over fields of a wrong wire type, as the reference parsers do, instead of refusing them.
    """

    data: Data
    schema: Schema
    left: int = MAX_FIELDS
    unknown: dict[str, None] = field(default_factory=dict)
    lenient: bool = False

    def walk(self, kind: str, start: int, end: int) -> Iterator[Message]:
        """The message there and, depth first, every message in it; all of it is read to its last byte.

        Raises:
            SubjectError: something in it is no valid message.
            LimitError: it has too many fields, or too many messages in each other.
        """
        pending = [iter([(kind, start, end, 0)])]
        while pending:
            found = next(pending[-1], None)
            if found is None:
                pending.pop()
                continue
            message = self.read(*found)
            yield message
            pending.append(self._below(message))

    def children(self, message: Message, number: int) -> Iterator[Message]:
        """The messages in one field of a message."""
        kind = self.schema[message.kind][number]
        for start, end in message.spans.get(number, ()):
            yield self.read(kind, start, end, message.depth + 1)

    def child(self, message: Message, number: int) -> Message | None:
        """The last message in one field of a message."""
        spans = message.spans.get(number)
        return self.read(self.schema[message.kind][number], *spans[-1], message.depth + 1) if spans else None

    def _below(self, message: Message) -> Iterator[tuple[str, int, int, int]]:
        fields = self.schema[message.kind]
        for number, spans in message.spans.items():
            kind = fields[number]
            if len(kind) > 1:
                for start, end in spans:
                    yield kind, start, end, message.depth + 1

    def read(self, kind: str, start: int, end: int, depth: int = 0) -> Message:
        """One message, its own fields only.

        Raises:
            SubjectError, LimitError: as `walk`.
        """
        if depth > MAX_DEPTH:
            raise LimitError(f"messages lie more than {MAX_DEPTH} deep in each other")
        data, fields = self.data, self.schema[kind]
        numbers: dict[int, list[int]] = {}
        spans: dict[int, list[Span]] = {}
        at = start
        while at < end:
            self.left -= 1
            tag, at = varint(data, at, end)
            number, wire = tag >> 3, tag & 7
            if wire == 2:  # noqa: PLR2004  a length and so many bytes
                size, at = varint(data, at, end)
                after = at + size
            elif wire == 0:
                value, after = varint(data, at, end)
            else:
                after = at + _WIDTHS.get(wire, MAX_TAG << 32)
            if after > end or not 0 < number < MAX_TAG >> 3 or self.left < 0:
                raise self._refused(kind, tag, at)
            expected = fields.get(number)
            if expected is None or wire not in _WIRES.get(expected, (2,)):
                self._step_over(kind, number, at, known=expected is not None)
            elif wire == 0:
                numbers.setdefault(number, []).append(value)
            elif wire == 2:  # noqa: PLR2004  as above
                if (after - at) % _PACKED.get(expected, 1):
                    raise SubjectError(f"field {number} of {kind} at byte {at:,} is packed wrongly")
                spans.setdefault(number, []).append((at, after))
            at = after
        return Message(data, kind, start, end, numbers, spans, depth)

    def _step_over(self, kind: str, number: int, at: int, *, known: bool) -> None:
        if known and not self.lenient:
            raise SubjectError(f"field {number} of {kind} at byte {at:,} has the wrong wire type")
        if len(self.unknown) < MAX_UNKNOWN:
            self.unknown[f"{kind} field {number}"] = None

    def _refused(self, kind: str, tag: int, at: int) -> SubjectError:
        if self.left < 0:
            return LimitError(f"it has more than {MAX_FIELDS:,} fields")
        if tag & 7 in (3, 4, 6, 7):
            return SubjectError(f"{kind} has a field of wire type {tag & 7} at byte {at:,}")
        return SubjectError(f"a field of {kind} at byte {at:,} reaches past its end")


def varint(data: Data, at: int, end: int) -> tuple[int, int]:
    """An unsigned base-128 number of at most ten bytes, and where it ends.

    Raises:
        SubjectError: it does not end before `end`, or is larger than 64 bits.
    """
    value = shift = 0
    while at < end:
        byte = data[at]
        at += 1
        if byte < 0x80:  # noqa: PLR2004  the last byte has no continuation bit
            value |= byte << shift
            if value >> 64:
                break
            return value, at
        value |= (byte & 0x7F) << shift
        shift += 7
        if shift > 63:  # noqa: PLR2004  64 bits are ten groups of seven
            break
    raise SubjectError(f"a number at byte {at:,} has no end")


def packed_varints(data: Data, span: Span, most: int) -> list[int]:
    """At most `most` numbers of a packed field.

    Raises:
        SubjectError: there are more, or one has no end.
    """
    at, end = span
    values = []
    while at < end:
        value, at = varint(data, at, end)
        values.append(value)
        if len(values) > most:
            raise LimitError(f"a packed field has more than {most:,} numbers")
    return values
