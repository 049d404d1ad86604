"""Strings out of attributes and datasets, within a budget of bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from h5py import h5t

MAX_ITEMS = 1_000_000
_POINTER = 16  # bytes that an item of variable length takes in the file
_BYTES = frozenset({h5t.STRING, h5t.OPAQUE})


class TextBudgetError(Exception):
    """The file has more text than is listened to."""


class Budget:
    """Bytes of text that may still be sent.

    Attributes:
        left: how many.
    """

    def __init__(self, left: int) -> None:
        self.left = left

    def spend(self, count: int) -> None:
        """Take `count` bytes.

        Raises:
            TextBudgetError: they are not there.
        """
        self.left -= count
        if self.left < 0:
            raise TextBudgetError


def is_text(kind: Any) -> bool:
    """Whether items of this HDF5 type are bytes: strings, opaque values, rows of bytes of any length."""
    if kind.get_class() in _BYTES:
        return True
    return bool(kind.get_class() == h5t.VLEN and kind.get_super().get_size() == 1)


def is_prose(kind: Any) -> bool:
    """Whether items of this type are strings, rather than bytes of any kind."""
    return bool(kind.get_class() == h5t.STRING)


def names_of(kind: Any) -> list[bytes]:
    """The names of the fields of a compound type, those of an enumeration; none for others."""
    if kind.get_class() in {h5t.COMPOUND, h5t.ENUM}:
        return [kind.get_member_name(index) for index in range(min(kind.get_nmembers(), MAX_ITEMS))]
    return []


def items(holder: Any, budget: Budget) -> Iterator[bytes]:
    """The items of an attribute or dataset whose type `is_text`.

    Raises:
        TextBudgetError: there are more, or longer ones, than may be read.
    """
    count = holder.get_space().get_simple_extent_npoints()
    if count <= 0:
        return
    # A fixed length is claimed by the file and set aside before anything is read.
    if count > MAX_ITEMS or count * holder.get_type().get_size() > max(budget.left, MAX_ITEMS * _POINTER):
        raise TextBudgetError
    array = np.zeros(holder.get_space().get_simple_extent_dims(), dtype=holder.dtype)
    _fill(holder, array)
    for item in array.reshape(-1):
        value = _value(item)
        budget.spend(len(value))
        yield value


def _fill(holder: Any, array: Any) -> None:
    if hasattr(holder, "get_create_plist"):
        from h5py import h5s  # noqa: PLC0415  only datasets need it

        holder.read(h5s.ALL, h5s.ALL, array)
    else:
        holder.read(array)


def _value(item: Any) -> bytes:
    if isinstance(item, bytes):
        return item
    if isinstance(item, str):
        return item.encode("utf-8", "surrogateescape")
    if isinstance(item, np.ndarray):
        return item.tobytes()
    if isinstance(item, np.void):
        return bytes(item.tobytes())
    return b""
