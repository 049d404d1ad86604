"""JSON from hostile hands: bounded, no duplicate keys, no NaN, no lone surrogates.

Two parsers that read one signed document differently are an attack of its own (the verifier sees one
value, the consumer another), so what is ambiguous is refused.
"""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn


class MalformedError(Exception):
    """The bytes are not the strict JSON that was asked for; whoever asked makes an `AssayError` of it."""


def parse_object(raw: bytes, *, limit: int, what: str, lone_surrogates: bool = False) -> dict[str, Any]:
    """`raw` as one JSON object.

    Args:
        raw: UTF-8 bytes.
        limit: largest size accepted, in bytes.
        what: what it should be, for the error: `envelope`, `statement`.
        lone_surrogates: take escapes of half a surrogate pair, which no UTF-8 can write.

    Raises:
        MalformedError: too large, too deep, not UTF-8, not JSON, ambiguous, or not an object.
    """
    if len(raw) > limit:
        raise MalformedError(f"the {what} is larger than {limit:,} bytes")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise MalformedError(f"the {what} is not strict JSON: {_brief(error)}") from error
    value = decode(text, what=what, lone_surrogates=lone_surrogates)
    if not isinstance(value, dict):
        raise MalformedError(f"the {what} is not a JSON object")
    return value


def decode(text: str, *, what: str = "text", lone_surrogates: bool = False) -> Any:
    """The one JSON value that `text` holds.

    Args:
        text: JSON.
        what: as for `parse_object`.
        lone_surrogates: as for `parse_object`.

    Raises:
        MalformedError: too deep, not JSON, or ambiguous.
    """
    try:
        value = _DECODER.decode(text)
        if "\\u" in text and not lone_surrogates:
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError as error:
        raise MalformedError(f"the {what} is nested too deeply") from error
    except ValueError as error:
        raise MalformedError(f"the {what} is not strict JSON: {_brief(error)}") from error
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return document


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number is out of range")
    return value


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


def _brief(error: ValueError) -> str:
    if isinstance(error, UnicodeError):
        return "it is not UTF-8"
    return str(error)[:120]


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_finite, parse_constant=_no_constant)
