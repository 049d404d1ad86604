"""The steps by which all answers are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from assay.gateway.refusal import Refusal

# What a model says, in a message or in a piece of one.
TEXT_KEYS = ("content", "refusal", "reasoning_content", "reasoning")


def unusable(reason: str) -> Refusal:
    """An upstream's answer that cannot be read, and so not be judged."""
    return Refusal(502, "upstream_error", f"The model server's answer was refused: {reason}.")


def answered(document: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """The objects of a list that an answer must have.

    Raises:
        Refusal: it has none.
    """
    value = document.get(key)
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise unusable(f"it has no '{key}'")
    return value


def objects(value: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a list, each with its place.

    Raises:
        Refusal: something else is in it.
    """
    if not isinstance(value, list | None):
        raise unusable("something else stands where a list belongs")
    for at, item in enumerate(value or []):
        if not isinstance(item, dict):
            raise unusable("a list holds something unknown")
        yield at, item
