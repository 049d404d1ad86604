"""PDF (ISO 32000): the names of what acts by itself, in objects and in packed streams of objects."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from assay.core.errors import SubjectError
from assay.subjects.media.walked import Data

MAX_UNPACKED = 64 << 20
MAX_SCANNED = 32 << 20
MAX_DICTIONARY = 4_000
# Long names only: /JS, which never stands without /JavaScript, comes up in packed bytes by chance.
_ACTIVE = re.compile(rb"/(JavaScript|Launch|EmbeddedFiles?|RichMedia)(?![\w.-])")
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
_END = re.compile(rb"%%EOF[\r\n \t\0]*")
_UPDATE = re.compile(rb"\d+ \d+ obj|xref|%")
_PACKED = b"/ObjStm"


@dataclass(frozen=True, slots=True)
class PdfDocument:
    """A document.

    Attributes:
        end: behind the last mark of the end that no update follows; the start where there is none.
        active: names of actions and of embedded files.
        unread: what was not looked into.
    """

    end: int
    active: tuple[str, ...]
    unread: str = ""


def read_pdf(data: Data, start: int, end: int) -> PdfDocument:
    """Look for names that act."""
    stop = _end(data, start, end)
    if stop == start:
        return PdfDocument(start, (), "it has no mark of its end")
    if stop - start > MAX_SCANNED:
        return PdfDocument(stop, (), "it is too long to be searched")
    raw, names, unread = bytes(data[start:stop]), set[str](), ""
    plain = _unescaped(raw)
    if b"/Encrypt" in plain:
        unread = "it is encrypted"
    elif plain.count(_PACKED) != raw.count(_PACKED):
        unread = "it hides streams of objects"
    try:
        for part in (plain, *_packed(raw)):
            names |= {found.decode() for found in _ACTIVE.findall(part)}
    except SubjectError as error:
        names |= {found.decode() for found in _ACTIVE.findall(plain)}
        unread = unread or error.cause
    return PdfDocument(stop, tuple(sorted(names)), unread)


def _end(data: Data, start: int, end: int) -> int:
    stop = start
    for mark in _END.finditer(data, start, end):
        stop = mark.end()
        if not _UPDATE.match(data, stop, min(stop + 32, end)):
            break
    return stop


def _unescaped(raw: bytes) -> bytes:
    return _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), raw)


def _packed(raw: bytes) -> Iterator[bytes]:
    """What streams of objects unpack to.

    Raises:
        SubjectError: one cannot be unpacked to its end.
    """
    at, left = raw.find(_PACKED), MAX_UNPACKED
    while at >= 0:
        first = raw.find(b"stream", at + len(_PACKED), at + MAX_DICTIONARY)
        last = raw.find(b"endstream", first + 6)
        if first < 0 or last < 0:
            raise SubjectError("a stream of objects has no bounds")
        machine = zlib.decompressobj()
        try:
            part = machine.decompress(raw[first + 6 : last].lstrip(b"\r\n"), left)
        except zlib.error as error:
            raise SubjectError("a stream of objects cannot be unpacked") from error
        left -= len(part)
        if left <= 0 or not machine.eof:
            raise SubjectError("a stream of objects was not unpacked to its end")
        yield _unescaped(part)
        at = raw.find(_PACKED, last)
