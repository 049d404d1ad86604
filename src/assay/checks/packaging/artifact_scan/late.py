"""Judges and inspectors that are imported when the first file of their kind is met: most scans need few."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any


def late(package: str, place: str, *arguments: str) -> Callable[..., None]:
    """A stand-in for the function at `place`, `module:name` below `package`.

    With `arguments` the function at `place` is called with them first, and gives the one that is meant.
    """

    def stand_in(*given: Any) -> None:
        _resolved(package, place, arguments)(*given)

    return stand_in


@lru_cache(maxsize=256)
def _resolved(package: str, place: str, arguments: tuple[str, ...]) -> Callable[..., None]:
    module, name = place.split(":")
    found: Callable[..., Any] = getattr(importlib.import_module(f"{package}.{module}"), name)
    return found(*arguments) if arguments else found
