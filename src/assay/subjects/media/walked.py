"""What walking a file of pictures or sound gives."""

from __future__ import annotations

import mmap
from dataclasses import dataclass

from assay.core.errors import SubjectError

Data = mmap.mmap | bytes
MAX_TEXT = 1 << 16


@dataclass(frozen=True, slots=True)
class Walked:
    """A file that is whole.

    Attributes:
        end: the absolute position behind its last byte.
        texts: comments and titles, each cut at 64 KiB.
        extras: absolute spans of parts that viewers pass over.
    """

    end: int
    texts: tuple[str, ...] = ()
    extras: tuple[tuple[int, int], ...] = ()


def take(data: Data, at: int, count: int, end: int) -> bytes:
    """The `count` bytes at `at`.

    Raises:
        SubjectError: they reach beyond `end`.
    """
    if count < 0 or at + count > end:
        raise SubjectError("it is cut short")
    return bytes(data[at : at + count])


def text_of(raw: bytes, encoding: str = "utf-8") -> str:
    """The beginning of a comment as text."""
    return raw[:MAX_TEXT].decode(encoding, "replace")
