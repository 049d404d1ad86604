"""Lines of JSON to the parent: a row with its vectors in base64, what was skipped and why, the end."""

from __future__ import annotations

import base64
import json
import os
import struct
from collections.abc import Iterable, Mapping
from typing import Any

MAX_LABEL = 2_000  # characters of what is told beside rows
_MAX_DEPTH = 6


def send(kind: str, *what: object) -> None:
    """Send one line on descriptor 0."""
    left = memoryview((json.dumps([kind, None, *what]) + "\n").encode("ascii"))
    while left:
        left = left[os.write(0, left) :]


def row(fields: Mapping[str, object], vectors: Mapping[str, str]) -> None:
    """Send one row; vectors come as `packed` gives them."""
    send("row", {str(name): plain(value) for name, value in fields.items()}, dict(vectors))


def skip(what: object, reason: object) -> None:
    """Say that something was not read."""
    send("skip", str(what)[:MAX_LABEL], str(reason)[:MAX_LABEL])


def packed(numbers: Iterable[Any]) -> str:
    """Numbers as base64 of little-endian float32; one NaN, which is refused later, where they are too large.

    Raises:
        ValueError, TypeError: something in it is no number.
    """
    floats = [float(value) for value in numbers]
    try:
        raw = struct.pack(f"<{len(floats)}f", *floats)
    except OverflowError:
        raw = struct.pack("<f", float("nan"))
    return base64.b64encode(raw).decode()


def plain(value: object, depth: int = _MAX_DEPTH) -> object:
    """A value as JSON can carry it; what is none of its types is left out."""
    kind = type(value)
    if kind is float:
        return value if abs(value) < float("inf") else None  # type: ignore[arg-type]
    if kind in (str, bool, type(None)):
        return value
    if kind is int:
        return value if value.bit_length() < 64 else None  # type: ignore[attr-defined]  # noqa: PLR2004
    if depth and kind is dict:
        return {str(key)[:MAX_LABEL]: plain(one, depth - 1) for key, one in value.items()}  # type: ignore[attr-defined]
    if depth and kind in (list, tuple):
        return [plain(one, depth - 1) for one in value]  # type: ignore[attr-defined]
    return None
