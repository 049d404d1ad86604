"""Paddle's saved parameters: one tensor after the other, each with its type and shape before its numbers.

Source: paddle/phi/core/framework/dense_tensor_serialize.cc. There is no magic: a file is one only where the
tensors follow each other without a gap to its very last byte.
"""

from __future__ import annotations

import math
import struct

from assay.core.errors import SubjectError
from assay.subjects.graphs.protobuf import Data, Reader, packed_varints
from assay.subjects.graphs.schemas import schema

MAX_TENSORS = 1_000_000
MAX_LEVELS = 16
MAX_DESCRIPTION = 4096
MAX_RANK = 64
# Bytes of one element by VarType.Type.
WIDTHS = {
    0: 1, 1: 2, 2: 4, 3: 8, 4: 2, 5: 4, 6: 8, 19: 8, 20: 1, 21: 1, 22: 2, 23: 8, 24: 16, 32: 1, 33: 1,
}  # fmt: skip


def is_tensors(data: Data, start: int, end: int) -> bool:
    """Whether a region is nothing but tensors."""
    try:
        for _ in range(MAX_TENSORS):
            start = _after(data, start, end)
            if start == end:
                return True
    except (SubjectError, struct.error):
        pass
    return False


def _after(data: Data, at: int, end: int) -> int:
    """Where the tensor at `at` ends."""
    version, levels = struct.unpack_from("<IQ", data, at)
    at += 12
    if version or levels > MAX_LEVELS:
        raise SubjectError("no tensor starts here")
    for _ in range(levels):
        (size,) = struct.unpack_from("<Q", data, at)
        at += 8 + size
    version, size = struct.unpack_from("<Ii", data, at)
    at += 8
    if version or not 0 < size <= MAX_DESCRIPTION or at + size > end:
        raise SubjectError("no tensor starts here")
    after = int(at + size + _bytes(data, at, at + size))
    if after > end:
        raise SubjectError("a tensor reaches past the end")
    return after


def _bytes(data: Data, start: int, end: int) -> int:
    reader = Reader(data, schema("paddle"))
    description = reader.read("VarType_TensorDesc", start, end)
    dims = list(description.numbers.get(2, []))
    for span in description.spans.get(2, ()):
        dims += packed_varints(data, span, MAX_RANK)
    width = WIDTHS.get(description.number(1, -1))
    if width is None or reader.unknown or len(dims) > MAX_RANK or any(dim >> 48 for dim in dims):
        raise SubjectError("no tensor has such a type or shape")
    return width * math.prod(dims)
