"""Exact nearest neighbours by cosine, in blocks, so that memory does not grow with the store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
NEAREST = 15  # the largest group that is looked for, and the entries beyond it
_ROWS = 1_024
_COLUMNS = 8_192
_FOLDED = 256  # columns that are left once a block is folded


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The nearest other entries of each entry, nearest first.

    Attributes:
        index: which entries; shape (entries, nearest).
        cosine: how near, -1 to 1; same shape.
    """

    index: Ints
    cosine: Floats

    def __len__(self) -> int:
        return len(self.index)


def unit(vectors: Floats) -> Floats:
    """Vectors brought to length 1; none may be zero."""
    scale = np.abs(vectors).max(axis=1, keepdims=True)  # so that no square overflows
    scaled = vectors / scale
    found: Floats = (scaled / np.linalg.norm(scaled, axis=1, keepdims=True)).astype(np.float32)
    return found


def nearest(points: Floats, tick: Callable[[int], None] = lambda _: None) -> Neighbours:
    """The `NEAREST` nearest of every point, fewer where there are not as many.

    Args:
        points: of length 1; shape (points, width).
        tick: told how many points are done, between blocks; what it raises ends the search.

    Takes time by the square of the points (7.7e12 multiplications for 100,000 of 384 numbers) and 40 MB.
    """
    size = len(points)
    count = min(NEAREST, max(size - 1, 0))
    index = np.empty((size, count), np.int64)
    cosine = np.empty((size, count), np.float32)
    for start in range(0, size, _ROWS):
        stop = min(start + _ROWS, size)
        index[start:stop], cosine[start:stop] = _block(points, start, stop, count)
        tick(stop)
    return Neighbours(index, cosine)


def _block(points: Floats, start: int, stop: int, count: int) -> tuple[Ints, Floats]:
    """The nearest of the points `start:stop`, merged over blocks of columns."""
    index = np.zeros((stop - start, 0), np.int64)
    cosine = np.zeros((stop - start, 0), np.float32)
    for first in range(0, len(points), _COLUMNS):
        last = min(first + _COLUMNS, len(points))
        found = points[start:stop] @ points[first:last].T
        own = np.arange(max(start, first), min(stop, last))
        found[own - start, own - first] = -np.inf  # nobody is a neighbour of its own
        at = _largest(found, count)
        index = np.concatenate([index, at + first], axis=1)
        cosine = np.concatenate([cosine, np.take_along_axis(found, at, 1)], axis=1)
        order = np.argsort(-cosine, axis=1, kind="stable")[:, :count]
        index, cosine = np.take_along_axis(index, order, 1), np.take_along_axis(cosine, order, 1)
    return index, cosine


def _largest(found: Floats, count: int) -> Ints:
    """Columns of the `count` largest numbers of each row, in no order.

    A row is folded to the maxima of 256 sets of columns: the largest numbers lie in the sets with the largest
    maxima, so only those are looked through.
    """
    width = found.shape[1]
    if width <= 2 * _FOLDED or width % _FOLDED:
        return _partition(found, min(count, width))
    sets = found.reshape(len(found), width // _FOLDED, _FOLDED)
    best = sets.max(axis=1)
    chosen = _partition(best, count)
    columns = chosen[:, :, None] + np.arange(0, width, _FOLDED)[None, None, :]
    flat = columns.reshape(len(found), -1)
    inside = _partition(np.take_along_axis(found, flat, 1), count)
    return np.take_along_axis(flat, inside, 1)


def _partition(numbers: Floats, count: int) -> Ints:
    if count >= numbers.shape[1]:
        return np.tile(np.arange(numbers.shape[1]), (len(numbers), 1))
    return np.argpartition(-numbers, count - 1, axis=1)[:, :count].astype(np.int64)
