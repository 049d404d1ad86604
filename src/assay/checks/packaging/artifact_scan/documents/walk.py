"""Walks JSON documents without recursion: a hostile one is deep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def values(document: Any) -> Iterator[tuple[str, Any]]:
    """Every value with the key it stands under; items of a list stand under the list's key."""
    pending: list[tuple[str, Any]] = [("", document)]
    while pending:
        key, value = pending.pop()
        yield key, value
        if isinstance(value, dict):
            pending += [(str(name), item) for name, item in value.items()]
        elif isinstance(value, list):
            pending += [(key, item) for item in value]
