"""The arithmetic of a block as one fused pass, compiled by numba (extra `fast`).

Its start costs about a second (import and loading compiled code), so it repays itself only on models of
several gigabytes; `engine` decides. Results equal the numpy kernel's but for the order of additions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from assay.checks.finetuning.weights_diff.numpy_kernel import BLOCK, LARGEST_SQUARE, NumpyKernel
from assay.checks.finetuning.weights_diff.sums import Sums

# Additions may change their order, which lets the compiler use vectors; NaN and infinities keep their
# meaning, since a sum that is not finite is how their presence is seen.
FAST = {"reassoc", "nsz", "contract"}
HALF_SCALE = 2.0**112
INFINITE_HALF = 0x7C00
STORED: dict[str, np.dtype[Any]] = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<u2"),
    "BF16": np.dtype("<u2"),
}
# Parts of a half, as 32-bit constants: with wider ones the loop does not vectorise.
ABS, SIGN, SHIFT, WORD = np.uint32(0x7FFF), np.uint32(0x8000), np.uint32(13), np.uint32(16)
POSITIVE = np.int64(0x7FFF_FFFF_FFFF_FFFF)

_compiled: Callable[..., Any] = numba.njit(nogil=True, cache=True, fastmath=FAST)
# What a pass returns: sums of squares of change, baseline and candidate, the bits of the largest
# absolute difference (as integers these are ordered as the numbers are, and vectorise), elements that
# differ, and the largest exponent-and-mantissa of a half (0 for other formats).


@_compiled
def _plain(first, second):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202  compiled per dtype
    away = base = cand = 0.0
    largest = np.int64(0)
    changed = np.int64(0)
    for i in range(first.size):
        x = np.float64(first[i])
        y = np.float64(second[i])
        d = y - x
        away += d * d
        base += x * x
        cand += y * y
        largest = max(largest, np.float64(d).view(np.int64) & POSITIVE)
        changed += d != 0.0
    return away, base, cand, np.int64(largest).view(np.float64), changed, 0


@_compiled
def _brain(first, second):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    away = base = cand = 0.0
    largest = np.int64(0)
    changed = np.int64(0)
    for i in range(first.size):
        x = np.float64(np.uint32(np.uint32(first[i]) << WORD).view(np.float32))
        y = np.float64(np.uint32(np.uint32(second[i]) << WORD).view(np.float32))
        d = y - x
        away += d * d
        base += x * x
        cand += y * y
        largest = max(largest, np.float64(d).view(np.int64) & POSITIVE)
        changed += d != 0.0
    return away, base, cand, np.int64(largest).view(np.float64), changed, 0


@_compiled
def _half(first, second):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    away = base = cand = 0.0
    largest = np.int64(0)
    changed = np.int64(0)
    code = np.uint32(0)
    for i in range(first.size):
        u = np.uint32(first[i])
        v = np.uint32(second[i])
        x = np.float64(np.uint32(((u & ABS) << SHIFT) | ((u & SIGN) << WORD)).view(np.float32))
        y = np.float64(np.uint32(((v & ABS) << SHIFT) | ((v & SIGN) << WORD)).view(np.float32))
        d = y - x
        away += d * d
        base += x * x
        cand += y * y
        largest = max(largest, np.float64(d).view(np.int64) & POSITIVE)
        changed += d != 0.0
        code = max(code, np.uint32(u & ABS))
        code = max(code, np.uint32(v & ABS))
    return away, base, cand, np.int64(largest).view(np.float64), changed, code


class NumbaKernel(NumpyKernel):
    """The numpy kernel with its comparison replaced by a fused pass."""

    name = "numba"

    def pair(self, count: int, first: str, second: str, sizes: tuple[int, int]) -> Sums:
        """Compare `count` elements of dtype `first` with as many of dtype `second`."""
        if first != second or first not in STORED:
            return super().pair(count, first, second, sizes)
        kind = STORED[first]
        before = np.frombuffer(self.first, kind, count)
        after = np.frombuffer(self.second, kind, count)
        run = {"F16": _half, "BF16": _brain}.get(first, _plain)
        scale = HALF_SCALE if first == "F16" else 1.0
        away, base, cand, largest, changed, code = run(before, after)
        if code >= INFINITE_HALF or not (base <= LARGEST_SQUARE and cand <= LARGEST_SQUARE):
            return super().pair(count, first, second, sizes)
        square = scale * scale
        return Sums(count, count, away * square, base * square, cand * square, largest * scale, int(changed))


def warm(dtypes: set[str]) -> None:
    """Load or compile what `dtypes` need, so that threads do not wait for each other."""
    kernel = NumbaKernel()
    for dtype in dtypes & STORED.keys():
        size = STORED[dtype].itemsize
        kernel.pair(min(BLOCK, 16), dtype, dtype, (size, size))
