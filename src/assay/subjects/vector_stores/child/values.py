"""Plain values out of a pickle, by CPython's own machine, in which every global is inert or refused.

A store's own classes (`qdrant_client…PointStruct`) become `Record`, which keeps what it is given and does
nothing. Any other global ends the reading: nothing is imported.
"""

from __future__ import annotations

import io
from _pickle import Unpickler
from typing import Any


class ForeignGlobalError(Exception):
    """The pickle names something that is no part of a store: its name is the argument."""


class Record:
    """Stands for an object of a store's own class.

    Attributes:
        fields: its attributes.
    """

    def __init__(self, *_args: object, **_kwargs: object) -> None:
        self.fields: dict[str, Any] = {}

    def __setstate__(self, state: object) -> None:
        """Keep the attributes; pydantic's models have them under `__dict__`."""
        inner = state.get("__dict__", state) if type(state) is dict else None
        if type(inner) is dict:
            self.fields = inner


class _Plain(Unpickler):
    def __init__(self, raw: bytes, owner: str) -> None:
        super().__init__(io.BytesIO(raw))
        self._owner = owner

    def find_class(self, module: str, name: str) -> Any:
        if module == self._owner or module.startswith(self._owner + "."):
            return Record
        raise ForeignGlobalError(f"{module}.{name}"[:400])

    def persistent_load(self, pid: object) -> Any:
        del pid
        raise ForeignGlobalError("a persistent id")


def values(raw: bytes, owner: str) -> Any:
    """The value that a pickle holds.

    Args:
        raw: the pickle.
        owner: the package whose classes may occur.

    Raises:
        ForeignGlobalError: it names something else.
        Exception: whatever the machine raises on broken bytes.
    """
    return _Plain(raw, owner).load()
