"""The superblock of an HDF5 file: where its bytes begin and end.

Format: HDF5 File Format Specification 3.0, section II.A. Versions 0 to 3.
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass

from assay.core.errors import SubjectError

SIGNATURE = b"\x89HDF\r\n\x1a\n"
FIRST_USER_BLOCK = 512
_WIDTHS = frozenset({2, 4, 8})
Data = mmap.mmap | bytes


@dataclass(frozen=True, slots=True)
class Superblock:
    """Where the file lies.

    Attributes:
        version: 0 to 3.
        start: absolute position of its signature; what stands before is the user block.
        end: absolute position after the last byte that belongs to it, as it claims.
    """

    version: int
    start: int
    end: int


def find_signature(data: Data, start: int, end: int) -> int:
    """Where the library finds the signature (at 0 or 512·2ⁿ of `data[start:end]`), absolute, or -1."""
    offset = 0
    while start + offset + len(SIGNATURE) <= end:
        at = start + offset
        if data[at : at + len(SIGNATURE)] == SIGNATURE:
            return at
        offset = offset * 2 or FIRST_USER_BLOCK
    return -1


def read_superblock(data: Data, start: int, end: int) -> Superblock:
    """Read the superblock of the HDF5 file in `data[start:end]`.

    Raises:
        SubjectError: there is none, it is of a version that is not known, or it is cut short.
    """
    at = find_signature(data, start, end)
    if at < 0:
        raise SubjectError("there is no HDF5 signature")
    head = bytes(data[at : min(at + 128, end)])
    version = head[8] if len(head) > 8 else -1  # noqa: PLR2004  it follows the signature
    if version in {0, 1}:
        width_at, bases_at = 13, 24 if version == 0 else 28
    elif version in {2, 3}:
        width_at, bases_at = 9, 12
    else:
        raise SubjectError(f"a superblock of version {version} is not known")
    width = head[width_at] if len(head) > width_at else 0
    if width not in _WIDTHS or len(head) < bases_at + 3 * width:
        raise SubjectError("the superblock is cut short or does not add up")
    # Base address, an address we have no use for, end-of-file address: absolute in every version.
    stated = int.from_bytes(head[bases_at + 2 * width : bases_at + 3 * width], "little")
    return Superblock(version, at, start + stated)
