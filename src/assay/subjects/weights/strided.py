"""Copies a tensor whose elements lie apart, a tile at a time: memory does not grow with the tensor.

A tile is a box of indices that is long both where the file has its elements side by side and where the copy
has them, so that neither reading nor writing comes down to single elements.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import product
from math import isqrt, prod
from typing import TYPE_CHECKING, Any, TypeAlias

from assay.subjects.weights.tensor import Tensor

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Cells: TypeAlias = "NDArray[np.unsignedinteger[Any]]"

TILE = 8 << 20  # bytes of a tile, and of what is read at once for it
FAR = 4096  # bytes between two elements from which on each is read on its own


def copy_strided(tensor: Tensor, descriptor: int, start: int, *, tile: int = TILE) -> Iterator[int]:
    """Write the elements of `tensor` in C order from byte `start` of an open file; yields bytes done so far.

    Args:
        tensor: with strides, none of them negative, and an element at least.
        descriptor: the file that is written.
        start: its byte for the first element.
        tile: bytes to hold at once.

    Raises:
        SubjectError: the tensor's file ends before, or cannot be read.
        OSError: the copy cannot be written.
    """
    copy = _Copy(tensor, descriptor, start, tile)
    done = 0
    for origin, extent in boxes(tensor.shape, tensor.stride, max(1, tile // tensor.itemsize)):
        copy.box(origin, extent)
        done += prod(extent) * tensor.itemsize
        yield done


def boxes(
    shape: tuple[int, ...], stride: tuple[int, ...], most: int
) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Boxes of at most `most` indices that make up `shape`: first index and extent of each."""
    extent = _extent(shape, stride, most)
    for origin in product(*(range(0, size, step) for size, step in zip(shape, extent, strict=True))):
        yield origin, tuple(min(e, n - o) for e, n, o in zip(extent, shape, origin, strict=True))


def _extent(shape: tuple[int, ...], stride: tuple[int, ...], most: int) -> tuple[int, ...]:
    """How far a box reaches: first along the copy's innermost dimensions, then along the file's."""
    extent = [1] * len(shape)
    written = list(reversed(range(len(shape))))
    read = sorted(written, key=lambda dimension: stride[dimension])
    for order, share in ((written, max(1, isqrt(most))), (read, most), (written, most)):
        for dimension in order:
            room = share // (prod(extent) // extent[dimension])
            extent[dimension] = max(extent[dimension], min(shape[dimension], room))
    return tuple(extent)


class _Copy:
    """Reads boxes of one tensor and writes them to their places."""

    def __init__(self, tensor: Tensor, descriptor: int, start: int, tile: int) -> None:
        import numpy as np  # noqa: PLC0415  start-up

        self._np = np
        self._tensor, self._descriptor, self._start = tensor, descriptor, start
        self._size = tensor.itemsize
        self._tile = max(tile, self._size)
        self._cell = np.dtype(f"u{self._size}")
        self._steps = tuple(prod(tensor.shape[index + 1 :]) for index in range(len(tensor.shape)))

    def box(self, origin: tuple[int, ...], extent: tuple[int, ...]) -> None:
        """Copy one box."""
        cells = self._np.empty(extent, self._cell)
        stride = self._tensor.stride
        self._read(cells, sum(o * s for o, s in zip(origin, stride, strict=True)), stride)
        self._write(cells, sum(o * s for o, s in zip(origin, self._steps, strict=True)), self._steps)

    def _read(self, cells: Cells, at: int, stride: tuple[int, ...]) -> None:
        """Fill `cells` with elements from element `at` of the tensor's storage."""
        reach = [(count - 1) * step for count, step in zip(cells.shape, stride, strict=True)]
        if (1 + sum(reach)) * self._size <= self._tile:
            cells[...] = self._span(at, 1 + sum(reach), cells.shape, stride)
            return
        widest = max(range(len(reach)), key=reach.__getitem__)
        count, step = cells.shape[widest], stride[widest]
        if step * self._size >= FAR:
            rest = stride[:widest] + stride[widest + 1 :]
            for index in range(count):
                self._read(self._along(cells, widest, index), at + index * step, rest)
            return
        half = count // 2
        self._read(self._along(cells, widest, slice(0, half)), at, stride)
        self._read(self._along(cells, widest, slice(half, count)), at + half * step, stride)

    @staticmethod
    def _along(cells: Cells, dimension: int, chosen: int | slice) -> Cells:
        index: tuple[Any, ...] = (slice(None),) * dimension + (chosen,)
        part: Cells = cells[(*index, ...)]
        return part

    def _span(self, at: int, count: int, shape: tuple[int, ...], stride: tuple[int, ...]) -> Cells:
        raw = bytearray(count * self._size)
        self._tensor.file.read_into(self._tensor.offset + at * self._size, memoryview(raw))
        flat = self._np.frombuffer(raw, self._cell)
        steps = tuple(self._size * step for step in stride)
        spread: Cells = self._np.lib.stride_tricks.as_strided(flat, shape, steps)
        return spread

    def _write(self, cells: Cells, at: int, steps: tuple[int, ...]) -> None:
        """Write `cells` from element `at` of the copy, in as few pieces as it lies there."""
        packed = tuple(prod(cells.shape[index + 1 :]) for index in range(cells.ndim))
        wide = (index for index in range(cells.ndim) if cells.shape[index] > 1)
        if all(steps[index] == packed[index] for index in wide):
            write_at(self._descriptor, memoryview(cells.tobytes()), self._start + at * self._size)
            return
        for index in range(cells.shape[0]):
            self._write(cells[index], at + index * steps[0], steps[1:])


def write_at(descriptor: int, view: memoryview, offset: int) -> None:
    """Write all of `view` from byte `offset` of an open file.

    Raises:
        OSError: it cannot be written.
    """
    while view:
        count = os.pwrite(descriptor, view, offset)
        view, offset = view[count:], offset + count
