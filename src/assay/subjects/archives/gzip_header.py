"""The header of a gzip member (RFC 1952): what it says about the data, next to them."""

from __future__ import annotations

import mmap
from dataclasses import dataclass

from assay.core.errors import SubjectError

_EXTRA, _NAME, _COMMENT = 4, 8, 16
_FIXED = 10
MAX_TEXT = 1 << 16


@dataclass(frozen=True, slots=True)
class GzipHeader:
    """What a gzip header holds.

    Attributes:
        name: the original file's, or "".
        comment: for people, or "".
        extra: ids of extra fields, two bytes each.
    """

    name: str = ""
    comment: str = ""
    extra: tuple[bytes, ...] = ()


def read_gzip_header(data: mmap.mmap | bytes, start: int, end: int) -> GzipHeader:
    """Read the header of the gzip member at `start`.

    Raises:
        SubjectError: it reaches past the end, or a text in it is longer than 64 KiB.
    """
    if end - start < _FIXED:
        raise SubjectError("it is cut short")
    flags = data[start + 3]
    at = start + _FIXED
    extra: tuple[bytes, ...] = ()
    if flags & _EXTRA:
        length = int.from_bytes(data[at : min(at + 2, end)], "little")
        if at + 2 + length > end:
            raise SubjectError("its extra field is cut short")
        extra = _extra(bytes(data[at + 2 : at + 2 + length]))
        at += 2 + length
    texts = {}
    for flag in (_NAME, _COMMENT):
        if flags & flag:
            stop = data.find(b"\0", at, min(end, at + MAX_TEXT))
            if stop < 0:
                raise SubjectError("a text in it has no end")
            texts[flag] = bytes(data[at:stop]).decode("latin-1")
            at = stop + 1
    return GzipHeader(texts.get(_NAME, ""), texts.get(_COMMENT, ""), extra)


def _extra(raw: bytes) -> tuple[bytes, ...]:
    found, at = [], 0
    while at + 4 <= len(raw):
        found.append(raw[at : at + 2])
        at += 4 + int.from_bytes(raw[at + 2 : at + 4], "little")
    return tuple(found) if at == len(raw) else (*found, b"??")
