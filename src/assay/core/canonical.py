"""Canonical JSON (RFC 8785): the one byte form that is hashed and signed."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence

from typing_extensions import TypeAliasType

# A named alias: pydantic follows its recursion, which it cannot for a plain one.
JSON = TypeAliasType("JSON", "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None")


MAX_INTEGER = 1 << 53


def canonical_bytes(value: JSON) -> bytes:
    """Serialise `value` by RFC 8785.

    Raises:
        ValueError: the value holds NaN, an infinity, or an integer beyond 2^53,
            none of which JSON can carry exactly. Write such numbers as text.
    """
    import rfc8785  # noqa: PLC0415  start-up: only what hashes pays for it

    return bytes(rfc8785.dumps(value))


def canonical_digest(value: JSON) -> str:
    """SHA-256, in lower-case hex, of the canonical bytes of `value`."""
    return hashlib.sha256(canonical_bytes(value)).hexdigest()


def carriable(value: JSON) -> JSON:
    """`value` with what canonical JSON cannot carry written as text: surrogates, NaN, integers beyond 2^53.

    For values that quote hostile input; what is signed should say what was seen rather than fail on it.
    """
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) < MAX_INTEGER else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(carriable(key)): carriable(item) for key, item in value.items()}
    return [carriable(item) for item in value]
