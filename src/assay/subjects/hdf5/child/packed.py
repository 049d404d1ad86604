"""Bytes in arrays of small numbers and in fields of compound types that start as a pickle does.

Programs keep pickles as `numpy.frombuffer(pickle.dumps(thing), "u1")`, or in an opaque field of a table. Only
what starts so is brought back: most such arrays are pictures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from h5py import h5d, h5s, h5t

from assay.subjects.hdf5.child.values import Budget, TextBudgetError, is_text

HEAD = 4096  # bytes that tell how an array starts
WHOLE = 4 << 20  # bytes of an array whose rows are looked at one by one
SHORTEST = 16  # bytes of such a row
MAX_TABLE = 32 << 20  # bytes of a table that is read
MAX_CHUNK = 256 << 20  # bytes that are unpacked to see how an array starts
# Its own start; and without one, a class by GLOBAL, INST or STACK_GLOBAL in what comes first.
_STARTS = re.compile(rb"\x80[\x00-\x05][^\x00]")
_NAMES = re.compile(
    rb"[ci][A-Za-z_][\w.]{0,200}\n[A-Za-z_][\w.]{0,200}\n"
    rb"|\x8c.[A-Za-z_][\w.]{0,200}\x94?\x8c.[A-Za-z_][\w.]{0,200}\x94?\x93",
    re.DOTALL,
)


def starts_as_pickle(value: bytes) -> bool:
    """Whether bytes start as a pickle does, rather than as a picture."""
    return _STARTS.match(value) is not None or _NAMES.search(value[:HEAD]) is not None


def is_numbers(kind: Any) -> bool:
    """Whether items of this HDF5 type are whole numbers of one byte, or rows of them."""
    if kind.get_class() == h5t.ARRAY:
        return is_numbers(kind.get_super())
    return bool(kind.get_class() == h5t.INTEGER and kind.get_size() == 1)


def is_table(kind: Any) -> bool:
    """Whether this is a compound type with a field that can hold bytes."""
    return bool(kind.get_class() == h5t.COMPOUND and any(_holds(member) for member in _members(kind)))


def _members(kind: Any) -> Iterator[Any]:
    return (kind.get_member_type(index) for index in range(kind.get_nmembers()))


def _holds(kind: Any) -> bool:
    if kind.get_class() == h5t.ARRAY:
        return _holds(kind.get_super()) or is_numbers(kind)
    return is_text(kind) or is_table(kind)


def _is_opaque(kind: Any) -> bool:
    """Whether a compound type has a field that is bytes by intent, in contrast to a column of texts."""
    if kind.get_class() == h5t.COMPOUND:
        return any(_is_opaque(member) for member in _members(kind))
    if kind.get_class() == h5t.ARRAY:
        return _is_opaque(kind.get_super())
    return bool(kind.get_class() == h5t.OPAQUE)


def in_numbers(holder: Any, budget: Budget) -> Iterator[bytes]:
    """What starts as a pickle in an array whose type `is_numbers`: the whole, or its rows.

    Raises:
        TextBudgetError: it is more than may be read.
    """
    size = _size(holder)
    if size <= 0:
        return
    if isinstance(holder, h5d.DatasetID):
        _check_chunk(holder)
    if size > WHOLE and isinstance(holder, h5d.DatasetID):
        if not starts_as_pickle(_head(holder)):
            return
        budget.spend(size)
        yield _whole(holder).tobytes().rstrip(b"\0")
        return
    array = _whole(holder)
    whole = array.tobytes().rstrip(b"\0")  # padding
    found = [whole] if starts_as_pickle(whole) else []
    for value in [*found, *_rows(array)]:
        budget.spend(len(value))
        yield value


def _rows(array: Any) -> list[bytes]:
    """The rows of a matrix of bytes that start as a pickle does, without the padding at their ends."""
    if array.ndim < 2 or array.shape[-1] < SHORTEST:  # noqa: PLR2004  rows need a second axis
        return []
    rows = array.reshape(-1, array.shape[-1]).view("u1")
    starts = (rows[:, 0] == 0x80) & (rows[:, 1] <= 5) & (rows[:, 2] != 0)  # noqa: PLR2004  as `_STARTS`
    return [row.tobytes().rstrip(b"\0") for row in rows[starts][1 if starts[0] else 0 :]]


def in_table(holder: Any, budget: Budget) -> Iterator[bytes]:
    """Values in the fields of a compound type that `is_table`, where they start as a pickle does.

    A large table of texts is passed over, as what reads those unpickles none.

    Raises:
        TextBudgetError: it is more than may be read.
    """
    size = _size(holder)
    if size > MAX_TABLE:
        if _is_opaque(holder.get_type()):
            raise TextBudgetError
        return
    if size > 0:
        if isinstance(holder, h5d.DatasetID):
            _check_chunk(holder)
        for value in _fields(_whole(holder)):
            if starts_as_pickle(value):
                budget.spend(len(value))
                yield value


def _fields(array: Any) -> Iterator[bytes]:
    """The bytes of every field, in arrays of any nesting."""
    names = array.dtype.names
    if names:
        for name in names:
            yield from _fields(array[name])
    elif array.dtype.kind in "SV":
        for item in array.reshape(-1):
            yield item if isinstance(item, bytes) else item.tobytes()
    elif array.dtype.kind == "O":
        for item in array.reshape(-1):
            if isinstance(item, np.ndarray | bytes):
                yield bytes(item)
            elif isinstance(item, str):
                yield item.encode("utf-8", "surrogateescape")
    elif array.dtype.kind in "iu" and array.dtype.itemsize == 1 and array.ndim > 1:
        yield from (row.tobytes() for row in array.reshape(-1, array.shape[-1]))


def _size(holder: Any) -> int:
    """Bytes that the whole takes in memory."""
    return int(holder.get_space().get_simple_extent_npoints() * holder.get_type().get_size())


def _whole(holder: Any) -> Any:
    array = np.zeros(holder.get_space().get_simple_extent_dims(), dtype=holder.dtype)
    if isinstance(holder, h5d.DatasetID):
        holder.read(h5s.ALL, h5s.ALL, array, _rows_as_one(holder))
    else:
        holder.read(array, _rows_as_one(holder))
    return array


def _rows_as_one(holder: Any) -> Any:
    """The type to read into where an item is a row, of which numpy makes a further axis."""
    return h5t.py_create(holder.dtype) if holder.dtype.subdtype else None


def _check_chunk(dataset: Any) -> None:
    made = dataset.get_create_plist()
    if made.get_layout() != h5d.CHUNKED:
        return
    if np.prod(made.get_chunk(), dtype=object) * dataset.get_type().get_size() > MAX_CHUNK:
        raise TextBudgetError


def _head(dataset: Any) -> bytes:
    """The first bytes, in the order of its items."""
    space = dataset.get_space()
    dims, left = space.get_simple_extent_dims(), max(1, HEAD // dataset.get_type().get_size())
    count: list[int] = []
    for length in reversed(dims):
        taken = min(length, left)
        count.insert(0, taken)
        left = left // taken if taken == length else 1
    space.select_hyperslab((0,) * len(dims), tuple(count))
    array = np.zeros(tuple(count), dtype=dataset.dtype)
    dataset.read(h5s.create_simple(tuple(count)), space, array, _rows_as_one(dataset))
    return bytes(array.tobytes())
