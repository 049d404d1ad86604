"""ExecuTorch's tensors on their own (`.ptd`): a FlatBuffer that names segments behind it.

Source: extension/flat_tensor/serialize/flat_tensor.fbs and flat_tensor_header.h of pytorch/executorch.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from assay.core.errors import LimitError, SubjectError
from assay.subjects.graphs.flatbuffers import Buffer
from assay.subjects.graphs.protobuf import Data, Span

HEADER_AT = 8
MAGIC = b"FH01"
_HEADER = struct.Struct("<4sIQQQQ")
MAX_SEGMENTS = 1_000_000


@dataclass(frozen=True, slots=True)
class ExecuTorchData:
    """What a judge needs.

    Attributes:
        segments: where the data lie.
        names: of the data.
        gaps: bytes of no segment, padding among them.
        end: where all of it ends.
        problems: what does not fit together, a sentence each.
    """

    segments: tuple[Span, ...]
    names: tuple[str, ...]
    gaps: tuple[Span, ...]
    end: int
    problems: tuple[str, ...]


def is_data(data: Data, start: int, end: int) -> bool:
    """Whether the identifier and the header behind it are those of such a file."""
    at = start + HEADER_AT
    return bytes(data[start + 4 : start + 6]) == b"FT" and bytes(data[at : min(at + 4, end)]) == MAGIC


def read_data(data: Data, start: int, end: int) -> ExecuTorchData:
    """Read the file in `data[start:end]`.

    Raises:
        OutsideError: an offset leads out of the FlatBuffer.
        SubjectError: its header contradicts itself.
        LimitError: it holds more than we are willing to follow.
    """
    at = start + HEADER_AT
    if end - at < _HEADER.size:
        raise SubjectError("its header is cut short")
    _, length, offset, size, base, total = _HEADER.unpack_from(data, at)
    if length < _HEADER.size or offset + size > base or base + total > end - start:
        raise SubjectError("its header contradicts its size")
    # Offsets count from the start of the file: the header lies inside the FlatBuffer.
    root = Buffer(data, start, start + offset + size).root()
    segments, problems = [], []
    for number, segment in enumerate(root.tables(1)):
        if number >= MAX_SEGMENTS:
            raise LimitError(f"more than {MAX_SEGMENTS:,} segments")
        first = segment.number(0, "Q")
        last = first + segment.number(1, "Q")
        if last > total:
            problems.append(f"segment {number} reaches past the end of its data")
        else:
            segments.append((start + base + first, start + base + last))
    names = []
    for named in root.tables(2):
        names.append(named.text(0))
        if named.number(1, "I") >= len(segments) + len(problems):
            problems.append(f"{names[-1][:60]!r} lies in a segment that is not there")
    finish = start + base + total
    gaps = _gaps(segments, start + offset + size, finish)
    return ExecuTorchData(tuple(segments), tuple(names), gaps, finish, tuple(problems[:20]))


def _gaps(segments: list[Span], start: int, end: int) -> tuple[Span, ...]:
    gaps, at = [], start
    for first, last in sorted(segments):
        if first > at:
            gaps.append((at, first))
        at = max(at, last)
    return (*gaps, (at, end)) if at < end else tuple(gaps)
