"""Core ML's weight files (`weight.bin` of an ML program): numbers behind headers, to the last byte.

Source: mlmodel/src/MILBlob/Blob/StorageFormat.hpp of apple/coremltools, format version 2.
"""

from __future__ import annotations

import struct

from assay.subjects.graphs.protobuf import Data

_FILE = struct.Struct("<II56s")
_BLOB = struct.Struct("<IIQQQ32s")
SENTINEL = 0xDEADBEEF
VERSION = 2
ALIGNMENT = 64
MAX_BLOBS = 1_000_000


def is_weights(data: Data, start: int, end: int) -> bool:
    """Whether a region is nothing but blobs of numbers, each behind the last."""
    if end - start < _FILE.size:
        return False
    count, version, reserved = _FILE.unpack_from(data, start)
    if version != VERSION or reserved.strip(b"\0") or not 0 < count <= MAX_BLOBS:
        return False
    at = start + _FILE.size
    for _ in range(count):
        if at + _BLOB.size > end:
            return False
        sentinel, _, size, offset, _, reserved = _BLOB.unpack_from(data, at)
        begin = at + _BLOB.size
        if sentinel != SENTINEL or start + offset != begin or begin + size > end or reserved.strip(b"\0"):
            return False
        at = start + -(-(begin + size - start) // ALIGNMENT) * ALIGNMENT
        if bytes(data[begin + size : min(at, end)]).strip(b"\0"):
            return False
    return at >= end
