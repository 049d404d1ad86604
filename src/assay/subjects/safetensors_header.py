"""The header of a safetensors file, read strictly and without trusting a number in it.

Format: https://github.com/huggingface/safetensors#format. Eight bytes little-endian N, N bytes of JSON, then
the data. The reference reader refuses headers over 100 MB, overlaps and holes; so do we, and duplicate keys
besides, where two readers may see two different files.
"""

from __future__ import annotations

import json
import math
import mmap
import os
import struct
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.core.errors import LimitError, SubjectError

MAX_HEADER = 100_000_000  # bytes, as in the reference implementation
MAX_TENSORS = 1_000_000
MAX_PROBLEMS = 100
MAX_RANK = 64
MAX_METADATA = 10_000
PREFIX = 8
# Bits per element of every dtype known to safetensors 0.8.
BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
    "U16": 16, "I16": 16, "F16": 16, "BF16": 16,
    "U32": 32, "I32": 32, "F32": 32,
    "U64": 64, "I64": 64, "F64": 64, "C64": 64,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TensorEntry:
    """One tensor of the header.

    Attributes:
        name: as written.
        dtype: as written, e.g. `BF16`.
        shape: dimensions.
        start, end: byte range relative to the start of the data.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class SafetensorsHeader:
    """What a header says, and what is wrong with it.

    Attributes:
        tensors: in the order of the data.
        metadata: the `__metadata__` map.
        data_start: where the data begin in the file.
        problems: defects that leave the tensors readable, one sentence each (capped at 100).
    """

    tensors: tuple[TensorEntry, ...]
    metadata: Mapping[str, str]
    data_start: int
    problems: tuple[str, ...]


def read_header(path: Path) -> SafetensorsHeader:
    """Read and check the header of `path`.

    Raises:
        SubjectError: it is not a safetensors file, is truncated, or names bytes that are not there.
        LimitError: the header is larger than 100 MB or holds more than a million tensors.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            length = _header_length(file.read(PREFIX), size, path)
            raw = file.read(length)
    except OSError as error:
        reason = (error.strerror or "failed").lower()
        raise _refused(path, f"cannot be read: {reason}") from error
    if len(raw) != length:
        raise _refused(path, "the file ends inside its header")
    return _parse(raw, size - PREFIX - length, PREFIX + length, path)


def read_header_within(data: mmap.mmap | bytes, start: int, end: int, name: str) -> SafetensorsHeader:
    """Read and check the header of the safetensors file that lies in `data[start:end]`, called `name`.

    Raises:
        SubjectError, LimitError: as `read_header`.
    """
    path, size = Path(name), end - start
    length = _header_length(bytes(data[start : min(start + PREFIX, end)]), size, path)
    raw = bytes(data[start + PREFIX : start + PREFIX + length])
    return _parse(raw, size - PREFIX - length, PREFIX + length, path)


def _header_length(prefix: bytes, size: int, path: Path) -> int:
    if len(prefix) < PREFIX:
        raise _refused(path, f"is {len(prefix)} bytes long, too short for a header")
    (length,) = struct.unpack("<Q", prefix)
    if length > MAX_HEADER:
        raise LimitError(
            f"its header claims {length:,} bytes; more than {MAX_HEADER:,} is not followed",
            subject=str(path),
            remedy="Get the file again from its source; do not load this one.",
        )
    if length > size - PREFIX:
        raise _refused(path, f"its header claims {length:,} bytes, but only {size - PREFIX:,} follow")
    return int(length)


def _parse(raw: bytes, available: int, data_start: int, path: Path) -> SafetensorsHeader:
    problems: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) != len(items):
            counted = Counter(name for name, _ in items)
            twice = next(name for name, count in counted.items() if count > 1)
            problems.append(f"key {twice[:100]!r} stands twice in the header")
        return found

    try:
        document = json.loads(raw.decode("utf-8"), object_pairs_hook=pairs)
    except (ValueError, RecursionError) as error:
        raise _refused(path, "its header is not JSON") from error
    if not isinstance(document, dict):
        raise _refused(path, "its header is not a JSON object")
    if not raw.startswith(b"{"):
        problems.append("the header does not start with a brace")
    metadata = _metadata(document.pop("__metadata__", {}), problems)
    if len(document) > MAX_TENSORS:
        raise LimitError(f"more than {MAX_TENSORS:,} tensors", subject=str(path))
    entries = [_entry(name, item, available, path) for name, item in document.items()]
    entries.sort(key=lambda entry: (entry.start, entry.end))
    _check_layout(entries, available, problems)
    return SafetensorsHeader(tuple(entries), metadata, data_start, tuple(problems[:MAX_PROBLEMS]))


def _metadata(found: object, problems: list[str]) -> dict[str, str]:
    if not isinstance(found, dict):
        problems.append("`__metadata__` is not an object")
        return {}
    kept = {key: value for key, value in list(found.items())[:MAX_METADATA] if isinstance(value, str)}
    if len(kept) != len(found):
        problems.append("`__metadata__` holds values that are not text")
    return kept


def _entry(name: str, item: object, available: int, path: Path) -> TensorEntry:
    shown = repr(name[:100])
    if not isinstance(item, dict) or set(item) != {"dtype", "shape", "data_offsets"}:
        raise _refused(path, f"tensor {shown} does not have dtype, shape and data_offsets")
    dtype, shape, offsets = item["dtype"], item["shape"], item["data_offsets"]
    if not isinstance(dtype, str) or not _naturals(shape) or len(shape) > MAX_RANK:
        raise _refused(path, f"tensor {shown} has an impossible dtype or shape")
    if not _naturals(offsets) or len(offsets) != 2:  # noqa: PLR2004  start and end
        raise _refused(path, f"tensor {shown} has impossible offsets")
    start, end = offsets
    if not start <= end <= available:
        raise _refused(
            path, f"tensor {shown} lies at {start:,} to {end:,}, outside the {available:,} bytes of data"
        )
    bits = BITS.get(dtype)
    if bits is not None and bits * math.prod(shape) != 8 * (end - start):
        raise _refused(path, f"tensor {shown} has {end - start:,} bytes, which its shape does not take")
    return TensorEntry(name, dtype, tuple(shape), start, end)


def _check_layout(entries: list[TensorEntry], available: int, problems: list[str]) -> None:
    position = 0
    for entry in entries:
        if len(problems) >= MAX_PROBLEMS:
            return
        if entry.dtype not in BITS:
            problems.append(f"tensor {entry.name[:100]!r} has the unknown dtype {entry.dtype[:20]!r}")
        if entry.start < position:
            problems.append(f"tensor {entry.name[:100]!r} overlaps the one before it")
        elif entry.start > position:
            problems.append(
                f"{entry.start - position:,} bytes before {entry.name[:100]!r} belong to no tensor"
            )
        position = max(position, entry.end)
    if position < available:
        problems.append(f"{available - position:,} bytes after the last tensor belong to no tensor")


def _naturals(value: object) -> bool:
    return isinstance(value, list) and all(type(item) is int and 0 <= item < 1 << 63 for item in value)


def _refused(path: Path, cause: str) -> SubjectError:
    return SubjectError(cause, subject=str(path), remedy="Get the file again from its source.")
