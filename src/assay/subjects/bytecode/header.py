"""The head of a `.pyc`: which Python wrote it, and of which source (PEP 3147, PEP 552).

Source of the numbers: CPython, Lib/importlib/_bootstrap_external.py, "Known values".
"""

from __future__ import annotations

from dataclasses import dataclass

from assay.core.errors import SubjectError

# The first magic number of each version whose code objects differ from those before.
_VERSIONS = (
    (3600, (3, 14)), (3550, (3, 13)), (3500, (3, 12)), (3450, (3, 11)), (3430, (3, 10)), (3420, (3, 9)),
    (3400, (3, 8)), (3390, (3, 7)), (3370, (3, 6)), (3320, (3, 5)), (3250, (3, 4)), (3190, (3, 3)),
    (3170, (3, 2)), (3140, (3, 1)), (3000, (3, 0)),
)  # fmt: skip
NEWEST = 3700  # no release has written this or a higher number yet
_PYTHON_2_7 = range(62_171, 62_212)
_FLAGS = 3392  # PEP 552: flags, then a hash or a time and a size
_SIZE = 3190  # PEP 3147's follow-up in 3.3: the size of the source beside its time


@dataclass(frozen=True, slots=True)
class BytecodeHeader:
    """What a `.pyc` says of itself.

    Attributes:
        magic: the number of the format.
        version: the Python whose format it is; None where that is not known.
        by_hash, checked: whether it names its source by hash, and whether Python compares it when it imports.
        digest: that hash, 8 bytes; empty where it goes by time.
        time: seconds since 1970 of the source's last change, in 32 bits; None where it goes by hash.
        size: bytes of the source, in 32 bits; None where it is not told.
        start: where the marshalled code starts.
    """

    magic: int
    version: tuple[int, int] | None
    by_hash: bool
    checked: bool
    digest: bytes
    time: int | None
    size: int | None
    start: int


def read_header(head: bytes) -> BytecodeHeader:
    """Read the first sixteen bytes.

    Raises:
        SubjectError: they are cut short.
    """
    magic = int.from_bytes(head[:2], "little")
    start = 16 if _FLAGS <= magic < NEWEST else 12 if _SIZE <= magic < _FLAGS else 8
    if len(head) < start:
        raise SubjectError("its header is cut short")
    flags = int.from_bytes(head[4:8], "little") if start == 16 else 0  # noqa: PLR2004  the head of PEP 552
    fields = [int.from_bytes(head[at : at + 4], "little") for at in range(start - 8, start, 4)]
    if start == 8:  # noqa: PLR2004  time alone
        fields = [fields[1], -1]
    by_hash = bool(flags & 1)
    return BytecodeHeader(
        magic,
        _version(magic),
        by_hash,
        checked=bool(flags & 2) or not by_hash,
        digest=head[8:16] if by_hash else b"",
        time=None if by_hash else fields[0],
        size=None if by_hash or fields[1] < 0 else fields[1],
        start=start,
    )


def _version(magic: int) -> tuple[int, int] | None:
    if magic in _PYTHON_2_7:
        return 2, 7
    if magic >= NEWEST:
        return None
    return next((version for first, version in _VERSIONS if magic >= first), None)
