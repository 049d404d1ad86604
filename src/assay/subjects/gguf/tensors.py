"""The tensors of a GGUF file: what each claims, and whether together they cover the data once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from assay.core.errors import LimitError, SubjectError
from assay.subjects.gguf.cursor import Cursor
from assay.subjects.gguf.types import MAX_TYPE, TYPES

MAX_TENSORS = 1 << 20
MAX_RANK = 4  # dimensions, as in ggml
READ_RANK = 64  # dimensions that are read before the file is given up
MAX_NAME = 127  # bytes; ggml takes 63, its forks for images 127
MAX_BYTES = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One tensor.

    Attributes:
        name: as written.
        type_id: the number of its type; see `types.TYPES`.
        shape: dimensions, the fastest first.
        start: where its bytes begin, relative to the data.
        size: bytes; None where the type is not known.
    """

    name: str
    type_id: int
    shape: tuple[int, ...]
    start: int
    size: int | None


class Gap(NamedTuple):
    """Bytes that belong to no tensor, relative to the data; `padding`: alignment asks for them."""

    start: int
    end: int
    padding: bool


def read_tensors(cursor: Cursor, count: int, problems: list[str]) -> tuple[TensorInfo, ...]:
    """Read what `count` tensors claim.

    Raises:
        SubjectError: they do not fit the file, or have more dimensions than can be meant.
        LimitError: they are more than will be followed.
    """
    least = 20 if cursor.wide else 16  # name length, rank, type, offset
    if count * least > cursor.left():
        raise SubjectError(f"its header claims {count:,} tensors, but only {cursor.left():,} bytes follow")
    if count > MAX_TENSORS:
        raise LimitError(f"more than {MAX_TENSORS:,} tensors")
    seen: set[str] = set()
    return tuple(_tensor(cursor, seen, problems) for _ in range(count))


def _tensor(cursor: Cursor, seen: set[str], problems: list[str]) -> TensorInfo:
    name = _name(cursor, seen, problems)
    shown = f"tensor {name[:100]!r}"
    rank = cursor.integer("I")
    if rank > READ_RANK:
        raise SubjectError(f"{shown} claims {rank:,} dimensions")
    if rank > MAX_RANK:
        problems.append(f"{shown} has {rank} dimensions; ggml writes past its array of {MAX_RANK}")
    shape = tuple(cursor.length() for _ in range(rank))
    type_id = cursor.integer("I")
    start = cursor.integer("Q")
    return TensorInfo(name, type_id, shape, start, _size(shown, shape, type_id, problems))


def _name(cursor: Cursor, seen: set[str], problems: list[str]) -> str:
    span = cursor.string("the name of a tensor")
    length = span.end - span.start
    name = bytes(cursor.data[span.start : min(span.end, span.start + MAX_NAME)]).decode("utf-8", "replace")
    if length > MAX_NAME:
        problems.append(f"the name of tensor {name[:60]!r} takes {length:,} bytes, more than ggml sets aside")
    if "\0" in name:
        problems.append(f"the name of tensor {name[:100]!r} holds a NUL")
    if name in seen:
        problems.append(f"tensor {name[:100]!r} stands twice")
    seen.add(name)
    return name


def _size(shown: str, shape: tuple[int, ...], type_id: int, problems: list[str]) -> int | None:
    elements = math.prod(shape)
    if max((*shape, elements)) > MAX_BYTES:
        problems.append(f"{shown} has dimensions whose product overflows 63 bits")
        return None
    if type_id not in TYPES:
        if type_id >= MAX_TYPE:
            problems.append(f"{shown} has the type {type_id:,}, an index outside every table of types")
        return None
    block = TYPES[type_id]
    row = shape[0] if shape else 1
    if row % block.elements:
        problems.append(f"{shown} has rows of {row:,}, which blocks of {block.elements} do not fill")
        return None
    size = elements // block.elements * block.size
    if size > MAX_BYTES:
        problems.append(f"{shown} takes more bytes than 63 bits can count")
        return None
    return size


def check_layout(
    tensors: tuple[TensorInfo, ...], available: int, alignment: int, problems: list[str]
) -> tuple[Gap, ...]:
    """Check that tensors lie aligned, inside `available` bytes and side by side; return what lies between."""
    gaps: list[Gap] = []
    position = 0
    for tensor in sorted(tensors, key=lambda one: (one.start, one.size or 0)):
        shown = f"tensor {tensor.name[:100]!r}"
        if tensor.start % alignment:
            problems.append(f"{shown} lies at {tensor.start:,}, which is not aligned to {alignment:,}")
        if tensor.start + (tensor.size or 0) > available:
            message = (
                f"{shown} ends at {tensor.start + (tensor.size or 0):,}, outside the {available:,} bytes"
            )
            problems.append(f"{message} of data")
            continue
        if tensor.size is None:
            return tuple(gaps)  # where it ends, and so what lies behind it, nobody can tell
        if tensor.start < position and tensor.size:
            problems.append(f"{shown} overlaps the one before it")
        gaps += _gap(position, tensor.start, alignment)
        position = max(position, tensor.start + tensor.size)
    return (*gaps, *_gap(position, available, alignment))


def _gap(start: int, end: int, alignment: int) -> list[Gap]:
    padded = min(end, -(-start // alignment) * alignment)
    pieces = [Gap(start, padded, padding=True), Gap(padded, end, padding=False)]
    return [piece for piece in pieces if piece.end > piece.start]
