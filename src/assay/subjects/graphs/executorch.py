"""ExecuTorch programs: operators, delegates, and the segments behind the FlatBuffer.

Source: schema/program.fbs and schema/extended_header.cpp of pytorch/executorch.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from assay.core.errors import LimitError, SubjectError
from assay.subjects.graphs.flatbuffers import Buffer, Table
from assay.subjects.graphs.protobuf import Data, Span

HEADER_AT = 8
MAGIC = b"eh00"
_HEADER = struct.Struct("<4sIQQ")
MAX_NAMES = 100_000
MAX_SEGMENTS = 100_000


@dataclass(frozen=True, slots=True)
class ExecuTorchProgram:
    """What a judge needs of a program.

    Attributes:
        operators: `namespace::name` of every operator it calls.
        delegates: backends that it hands parts of itself to.
        specs: the settings that it gives those, key and value.
        segments: what lies behind the program.
        problems: what does not fit together, a sentence each.
    """

    operators: tuple[str, ...]
    delegates: tuple[str, ...]
    specs: tuple[tuple[str, Span], ...]
    segments: tuple[Span, ...]
    problems: tuple[str, ...]


def read_program(data: Data, start: int, end: int) -> ExecuTorchProgram:
    """Read the program in `data[start:end]`.

    Raises:
        OutsideError: an offset leads out of the file.
        SubjectError: its header contradicts itself.
        LimitError: it holds more than we are willing to follow.
    """
    size, base = _header(data, start, end)
    program = Buffer(data, start, start + size).root()
    problems: list[str] = []
    segments = list(_segments(program, start + base, end, problems)) if base else []
    # Where all constants lie in a `.ptd`, a segment of no bytes is left.
    if not base and any(segment.number(1, "Q") for segment in program.tables(4)):
        problems.append("it has segments, but no header that says where they lie")
    operators: dict[str, None] = {}
    delegates: dict[str, None] = {}
    specs: list[tuple[str, Span]] = []
    for plan in program.tables(1):
        operators |= dict.fromkeys(operator.text(0) for operator in plan.tables(6))
        for delegate in plan.tables(7):
            delegates[delegate.text(0)] = None
            specs += [(s.text(0), span) for s in delegate.tables(2) if (span := s.vector(1, 1))]
        if len(operators) + len(delegates) + len(specs) > MAX_NAMES:
            raise LimitError(f"more than {MAX_NAMES:,} operators and delegates")
    for inline in (*program.tables(2), *program.tables(3)):
        inline.vector(0, 1)
    return ExecuTorchProgram(
        tuple(operators), tuple(delegates), tuple(specs), tuple(segments), tuple(problems[:20])
    )


def _header(data: Data, start: int, end: int) -> tuple[int, int]:
    """How long the program is, and where its segments start."""
    at = start + HEADER_AT
    if bytes(data[at : at + len(MAGIC)]) != MAGIC or end - at < _HEADER.size:
        return end - start, 0
    _, length, size, base = _HEADER.unpack_from(data, at)
    if length < _HEADER.size or size > end - start or base > end - start or (base and base < size):
        raise SubjectError("its header contradicts its size")
    return size, base


def _segments(program: Table, base: int, end: int, problems: list[str]) -> Iterator[Span]:
    for count, segment in enumerate(program.tables(4)):
        if count >= MAX_SEGMENTS:
            raise LimitError(f"more than {MAX_SEGMENTS:,} segments")
        start = base + segment.number(0, "Q")
        span = (start, start + segment.number(1, "Q"))
        if span[1] > end:
            problems.append(f"segment {count} reaches past the end of the file")
        else:
            yield span
