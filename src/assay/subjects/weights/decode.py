"""Stored numbers to float64, a block at a time, into memory that is used again."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Bytes: TypeAlias = "NDArray[np.uint8]"
Doubles: TypeAlias = "NDArray[np.float64]"

PLAIN: dict[str, np.dtype[Any]] = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "I64": np.dtype("<i8"),
    "U64": np.dtype("<u8"),
    "I32": np.dtype("<i4"),
    "U32": np.dtype("<u4"),
    "I16": np.dtype("<i2"),
    "U16": np.dtype("<u2"),
    "I8": np.dtype("i1"),
    "U8": np.dtype("u1"),
    "BOOL": np.dtype("u1"),
}
HALF_BITS = np.int32(-0x70002000)  # sign, exponent and mantissa once shifted into a float32: 0x8FFFE000
HALF_SCALE = 2.0**112  # what the smaller exponent bias of a half leaves to multiply by
HALF_BEYOND = (
    65536.0  # what the least infinity or NaN of a half decodes to when its bits are taken as a number
)


def decode_into(raw: Bytes, dtype: str, out: Doubles, scratch: NDArray[np.int32]) -> None:
    """Write the numbers in `raw` to `out`.

    Args:
        raw: the stored bytes, little-endian; one row, or several.
        dtype: a name in `DTYPES`.
        out: as many elements in as many rows as `raw` holds.
        scratch: as `out`.

    Signalling NaN make numpy warn; callers that read hostile bytes say `np.errstate(all="ignore")`.
    """
    if dtype != "F16":
        decode_scaled(raw, dtype, out, scratch)
        return
    scale = decode_scaled(raw, dtype, out, scratch)
    np.multiply(out, scale, out=out)
    if max(float(out.max(initial=0)), -float(out.min(initial=0))) >= HALF_BEYOND:
        np.copyto(out, raw.view("<f2"))


def decode_scaled(raw: Bytes, dtype: str, out: Doubles, scratch: NDArray[np.int32]) -> float:
    """Write the numbers in `raw`, divided by the power of two that is returned, to `out`.

    Arguments are those of `decode_into`. Only F16 has another factor than 1, which spares two passes.
    Infinities and NaN of F16 become numbers of at least `HALF_BEYOND` once multiplied: whoever meets one so
    large calls `decode_into`.
    """
    if dtype == "BF16":
        bits = scratch.view(np.uint32)
        np.copyto(bits, raw.view("<u2"))  # shifting while converting is slower
        np.left_shift(bits, 16, out=bits)
        np.copyto(out, scratch.view(np.float32))
    elif dtype == "F16":
        # Integer shifts are several times faster than numpy's conversion of halves; they are exact for all
        # but infinities and NaN, whose exponent becomes an ordinary one.
        np.copyto(scratch, raw.view("<i2"))
        np.left_shift(scratch, 13, out=scratch)
        np.bitwise_and(scratch, HALF_BITS, out=scratch)
        np.copyto(out, scratch.view(np.float32))
        return HALF_SCALE
    elif dtype in ("F8_E4M3", "F8_E5M2"):
        np.take(_table(dtype), raw, out=out, mode="clip")
    else:
        np.copyto(out, raw.view(PLAIN[dtype]), casting="unsafe")
    return 1.0


def decode(raw: bytes, dtype: str) -> Doubles:
    """The numbers in `raw` as a new float64 array; for small tensors and tests."""
    stored = np.frombuffer(raw, np.uint8)
    sizes = {"BF16": 2, "F16": 2, "F8_E4M3": 1, "F8_E5M2": 1}
    count = len(raw) // (sizes.get(dtype) or PLAIN[dtype].itemsize)
    out = np.empty(count)
    with np.errstate(all="ignore"):  # signalling NaN
        decode_into(stored, dtype, out, np.empty(count, np.int32))
    return out


@cache
def _table(dtype: str) -> Doubles:
    """The 256 values of an 8-bit float (OCP 8-bit floating point specification, 2023)."""
    codes = np.arange(256, dtype=np.uint8)
    if dtype == "F8_E5M2":
        return (codes.astype(np.uint16) << 8).view(np.float16).astype(np.float64)
    exponent = (codes >> 3 & 15).astype(np.int32)
    mantissa = (codes & 7).astype(np.float64)
    normal = np.ldexp(1 + mantissa / 8, exponent - 7)
    values = np.where(exponent > 0, normal, np.ldexp(mantissa / 8, -6))
    values[codes & 0x7F == 0x7F] = np.nan  # noqa: PLR2004  this format has no infinities and this one NaN
    return np.where(codes & 0x80, -values, values)
