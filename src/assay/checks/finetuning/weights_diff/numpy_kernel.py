"""The arithmetic of a block in numpy: what runs without extras, and for models of ordinary size.

All sums are taken in float64. Both blocks and their difference lie as rows of one array, so that a call
does the work of two or three: threads wait for each other between calls, not within one. A block that
holds NaN, infinities or numbers too large to square is done again, slowly, without them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from assay.checks.finetuning.weights_diff.sums import Sums
from assay.subjects.weights.decode import HALF_BEYOND, PLAIN, Bytes, Doubles, decode_into, decode_scaled

BLOCK = 262_144  # elements: with fewer, threads wait for each other's calls; a thread's 8 MB stay in cache
ROW = 1_024  # elements that BLAS adds up at a time: with 10,000 and more it starts threads of its own
PREFIX = 512  # bytes
WORD = 8  # bytes
# Squares beyond this may overflow once they are added up; only 64-bit floats reach it.
LARGEST_SQUARE = 1e280
LARGEST = 1e140
INTEGERS = frozenset(name for name in PLAIN if name[0] in "IU")
Mask: TypeAlias = "NDArray[np.bool_]"


class NumpyKernel:
    """Buffers of one thread, and the figures of the block that lies in them.

    Attributes:
        first: bytes of the baseline's block.
        second: bytes of the candidate's block.
    """

    name = "numpy"

    def __init__(self) -> None:
        self._raw = np.zeros((2, BLOCK * WORD), np.uint8)
        self.first, self.second = memoryview(self._raw[0]), memoryview(self._raw[1])
        self._numbers = np.empty((3, BLOCK))  # baseline, candidate, candidate minus baseline
        self._integers = np.empty((2, BLOCK), np.int32)
        self._mask = np.empty(BLOCK, np.bool_)

    def pair(self, count: int, first: str, second: str, sizes: tuple[int, int]) -> Sums:
        """Compare `count` elements of dtype `first` with as many of dtype `second`."""
        if first != second:
            return self._differing(count, first, second, sizes)
        raw = self._raw[:, : count * sizes[0]]
        equal = self._equal(raw)
        rows = slice(1, 2) if equal else slice(0, 2)
        numbers = self._numbers[rows, :count]
        scale = decode_scaled(raw[rows], first, numbers, self._integers[rows, :count])
        sums = _of_equal(numbers) if equal else self._compare(count)
        # Halves must be below the least code that is no number; when the sum of their squares is, all are.
        limit = LARGEST_SQUARE if scale == 1 else (HALF_BEYOND / scale) ** 2
        if not (sums.baseline < limit and sums.candidate < limit):
            return compare_all(*(self._decode(slot, count, first, sizes[0]) for slot in (0, 1)))
        if first in INTEGERS and not equal:
            return replace(sums, changed=_count_changed(raw, first))
        return sums if scale == 1 else sums.scaled(scale)

    def _differing(self, count: int, first: str, second: str, sizes: tuple[int, int]) -> Sums:
        before = self._decode(0, count, first, sizes[0])
        after = self._decode(1, count, second, sizes[1])
        sums = self._compare(count)
        if sums.baseline < LARGEST_SQUARE and sums.candidate < LARGEST_SQUARE:
            return sums
        return compare_all(before, after)

    def single(self, count: int, dtype: str, size: int) -> Sums:
        """Examine `count` elements of the candidate alone."""
        numbers = self._decode(1, count, dtype, size)
        if _squares(numbers[None])[0] <= LARGEST_SQUARE:
            return Sums(count)
        return Sums(count, nan=_count(np.isnan(numbers)), inf=_count(np.abs(numbers) > LARGEST))

    def _compare(self, count: int) -> Sums:
        """Figures of the numbers that were decoded; those of the squares are NaN or infinite if any is."""
        rows = self._numbers[:, :count]
        away, mask = rows[2], self._mask[:count]
        np.subtract(rows[1], rows[0], out=away)
        baseline, candidate, difference = _squares(rows).tolist()
        largest = max(float(away.max()), -float(away.min()))
        changed = _count(np.not_equal(away, 0.0, out=mask))
        return Sums(count, count, difference, baseline, candidate, largest, changed)

    def _equal(self, raw: Bytes) -> bool:
        # A changed block nearly always differs at once; only equal ones pay for all of it.
        size = raw.shape[1]
        whole = size // WORD * WORD
        if self.first[:PREFIX][:size] != self.second[:PREFIX][:size]:
            return False
        words = raw[:, :whole].view(np.uint64)
        differ = np.not_equal(words[0], words[1], out=self._mask[: words.shape[1]])
        return not differ.any() and bool(self.first[whole:size] == self.second[whole:size])

    def _decode(self, slot: int, count: int, dtype: str, size: int) -> Doubles:
        out = self._numbers[slot, :count]
        decode_into(self._raw[slot, : count * size], dtype, out, self._integers[slot, :count])
        return out


def _of_equal(numbers: Doubles) -> Sums:
    square = float(_squares(numbers)[0])
    return Sums(numbers.size, numbers.size, 0.0, square, square)


def compare_all(before: Doubles, after: Doubles) -> Sums:
    """Figures of two blocks that hold NaN, infinities or numbers too large to square."""
    nan, inf = np.isnan(after), np.abs(after) > LARGEST
    finite = ~nan & ~inf & (np.abs(before) <= LARGEST)
    first, second = before[finite], after[finite]
    away = second - first
    return Sums(
        count=after.size,
        compared=after.size,
        difference=_square(away),
        baseline=_square(first),
        candidate=_square(second),
        max_abs=float(np.abs(away).max(initial=0)),
        changed=_count((before != after) & ~(np.isnan(before) & nan)),
        nan=_count(nan),
        inf=_count(inf),
    )


def _count(mask: Mask) -> int:
    return int(np.count_nonzero(mask))


def _count_changed(raw: Bytes, dtype: str) -> int:
    """Differing integers: in float64, neighbours beyond 2^53 would look equal."""
    kind: np.dtype[Any] = PLAIN[dtype]
    first, second = raw.view(kind)
    return _count(first != second)


def _square(numbers: Doubles) -> float:
    return float(_squares(numbers[None])[0])


if hasattr(np, "vecdot"):

    def _squares(rows: Doubles) -> Doubles:
        """The sum of squares of each row."""
        whole = rows.shape[1] // ROW * ROW
        parts = rows[:, :whole].reshape(len(rows), whole // ROW, ROW)
        rest = rows[:, whole:]
        sums: Doubles = np.vecdot(parts, parts).sum(axis=1) + np.einsum("ij,ij->i", rest, rest)
        return sums

else:  # numpy 1

    def _squares(rows: Doubles) -> Doubles:
        sums: Doubles = np.einsum("ij,ij->i", rows, rows)
        return sums
