"""The hash of a source that a `.pyc` may carry: SipHash-1-3, or SipHash-2-4 before Python 3.11 (PEP 552).

Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF"; CPython, Python/pyhash.c `_Py_KeyedHash`.
"""

from __future__ import annotations

import struct

_MASK = (1 << 64) - 1
_SHORT = (3, 11)  # the first Python with one round for each block


def source_hash(source: bytes, magic: int, version: tuple[int, int]) -> bytes:
    """The eight bytes that a `.pyc` of that magic number and Python version has for `source`."""
    rounds, last = (1, 3) if version >= _SHORT else (2, 4)
    # The key is the magic number with its carriage return and line feed, and zero.
    key = magic | 0x0A0D_0000
    state = (
        key ^ 0x736F6D6570736575,
        0x646F72616E646F6D,
        key ^ 0x6C7967656E657261,
        0x7465646279746573,
    )
    whole = len(source) // 8 * 8
    tail = source[whole:].ljust(7, b"\0") + bytes([len(source) & 0xFF])
    for (block,) in struct.iter_unpack("<Q", source[:whole] + tail):
        a, b, c, d = state
        a, b, c, d = _mix(a, b, c, d ^ block, rounds)
        state = (a ^ block, b, c, d)
    a, b, c, d = state
    a, b, c, d = _mix(a, b, c ^ 0xFF, d, last)
    return struct.pack("<Q", a ^ b ^ c ^ d)


def _mix(a: int, b: int, c: int, d: int, rounds: int) -> tuple[int, int, int, int]:
    for _ in range(rounds):
        a = (a + b) & _MASK
        c = (c + d) & _MASK
        b = ((b << 13 | b >> 51) & _MASK) ^ a
        d = ((d << 16 | d >> 48) & _MASK) ^ c
        a = (a << 32 | a >> 32) & _MASK
        c = (c + b) & _MASK
        a = (a + d) & _MASK
        b = ((b << 17 | b >> 47) & _MASK) ^ c
        d = ((d << 21 | d >> 43) & _MASK) ^ a
        c = (c << 32 | c >> 32) & _MASK
    return a, b, c, d
