"""The header of an npy array (NEP 1), and how many bytes its numbers take.

Only dtypes whose elements are certainly numbers, texts or plain records of them have a size here. numpy takes
many other spellings (`object`, `object_`, an alias, a record with such a field) for objects, and unpickles.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

MAGIC = b"\x93NUMPY"
MAX_HEADER = 1 << 20
MAX_DEPTH = 16
_PREFIXES = {1: 2, 2: 4, 3: 4}  # version to bytes of the header's length
_KEYS = {"descr", "fortran_order", "shape"}
_NUMBER = re.compile(r"[<>|=]?([?biufcmMSUVa])(\d{0,9})(\[[0-9a-zA-Z/]{1,20}\])?\Z")
_LONG = re.compile(r"(\d)L\b")  # as Python 2 wrote shapes


@dataclass(frozen=True, slots=True)
class NpyHeader:
    """What the header says.

    Attributes:
        start: where the array's bytes begin, counted from the magic.
        size: how many bytes its numbers take; None where numpy reads a pickle, or where that is not certain.
    """

    start: int
    size: int | None


def read_npy_header(head: bytes) -> NpyHeader:
    """Read the header at the start of `head`, which need not hold more than the header.

    Raises:
        ValueError: it is none that numpy reads.
    """
    width = _PREFIXES.get(head[6]) if head.startswith(MAGIC) and len(head) > len(MAGIC) + 1 else None
    if width is None:
        raise ValueError("it is of no version that is known")
    start = 8 + width
    length = int.from_bytes(head[8:start], "little")
    if length > MAX_HEADER:
        raise ValueError("its header is too long")
    raw = head[start : start + length]
    if len(raw) < length:
        raise ValueError("its header is cut off")
    document = _literal(raw.decode("latin-1" if width == 2 else "utf-8").strip())  # noqa: PLR2004  version 1
    if not isinstance(document, dict) or set(document) != _KEYS:
        raise ValueError("its header has other keys than numpy writes")
    return NpyHeader(start + length, _bytes_of(document["descr"], document["shape"]))


def _literal(text: str) -> object:
    try:
        return ast.literal_eval(_LONG.sub(r"\1", text))
    except (SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise ValueError(f"its header is no literal: {type(error).__name__}") from error


def _bytes_of(descr: object, shape: object) -> int | None:
    if not isinstance(shape, tuple) or not all(type(side) is int and side >= 0 for side in shape):
        raise ValueError("its shape is none")
    width = _width(descr, 0)
    if width is None:
        return None
    for side in shape[:64]:
        width *= side
    return width


def _width(descr: object, depth: int) -> int | None:
    """Bytes of one element; None for anything that is not certainly plain."""
    if isinstance(descr, str):
        return _scalar(descr)
    if not isinstance(descr, list) or depth > MAX_DEPTH:
        return None
    total = 0
    for field in descr:
        width = _field(field, depth)
        if width is None:
            return None
        total += width
    return total


def _field(field: object, depth: int) -> int | None:
    """Bytes of one field: (name, descr) or (name, descr, shape)."""
    if not isinstance(field, tuple) or len(field) not in {2, 3}:
        return None
    width = _width(field[1], depth + 1)
    shape = field[2] if len(field) == 3 else ()  # noqa: PLR2004  with a shape
    sides = shape if isinstance(shape, tuple) else (shape,)
    if width is None or not all(type(side) is int and side >= 0 for side in sides):
        return None
    for side in sides:
        width *= side
    return width


def _scalar(descr: str) -> int | None:
    found = _NUMBER.match(descr)
    if found is None or (found.group(3) and found.group(1) not in "mM"):
        return None
    kind, digits = found.group(1), found.group(2)
    if not digits:
        return 1 if kind == "?" else None
    return int(digits) * (4 if kind == "U" else 1)
