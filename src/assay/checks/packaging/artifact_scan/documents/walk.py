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
        named = isinstance(value, dict)
        children: Any = value.items() if named else value if isinstance(value, list) else ()
        for child in children:
            name, item = (str(child[0]), child[1]) if named else (key, child)
            if isinstance(item, dict | list):
                pending.append((name, item))
            else:
                yield name, item  # vocabularies hold a million of them
