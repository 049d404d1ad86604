"""PNG (ISO/IEC 15948), JPEG (ITU T.81) and GIF89a: chunks, segments and blocks to the mark of the end."""

from __future__ import annotations

import re
import zlib

from assay.core.errors import SubjectError
from assay.subjects.media.walked import Data, Walked, take, text_of

_PNG = {
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"bKGD",
    b"hIST", b"pHYs", b"sPLT", b"tIME", b"acTL", b"fcTL", b"fdAT", b"tEXt", b"iTXt", b"zTXt",
}  # fmt: skip
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
_MAX_INFLATED = 1 << 16
_STEP = 1 << 20


def walk_png(data: Data, start: int, end: int) -> Walked:
    """Walk the chunks up to IEND.

    Raises:
        SubjectError: it is cut short, or a checksum is wrong.
    """
    at, texts, extras, kind = start + 8, list[str](), list[tuple[int, int]](), b""
    while kind != b"IEND":
        head = take(data, at, 8, end)
        size, kind = int.from_bytes(head[:4], "big"), head[4:]
        crc = take(data, at + 8 + size, 4, end) if size < end - at else take(data, at, size, end)
        if _crc(data, at + 4, at + 8 + size) != int.from_bytes(crc, "big"):
            raise SubjectError(f"the checksum of a chunk is wrong (byte {at - start:,})")
        if kind in {b"tEXt", b"iTXt", b"zTXt"}:
            texts.append(_png_text(kind, bytes(data[at + 8 : at + 8 + size])))
        elif kind not in _PNG:
            extras.append((at + 8, at + 8 + size))
        at += size + 12
    return Walked(at, tuple(texts), tuple(extras))


def _crc(data: Data, start: int, end: int) -> int:
    crc = 0
    for at in range(start, end, _STEP):
        crc = zlib.crc32(data[at : min(at + _STEP, end)], crc)
    return crc


def _png_text(kind: bytes, raw: bytes) -> str:
    """The words of a text chunk; "" where they are packed and cannot be unpacked."""
    key, _, value = raw.partition(b"\0")
    if kind == b"tEXt":
        return text_of(value, "latin-1")
    packed = kind == b"zTXt"
    if kind == b"iTXt":
        packed, value = value[:1] == b"\1", value[2:].split(b"\0", 2)[-1]
    else:
        value = value[1:]
    if not packed:
        return text_of(value)
    try:
        return text_of(zlib.decompressobj().decompress(value, _MAX_INFLATED))
    except zlib.error as error:
        raise SubjectError(f"the text {key[:40]!r} cannot be unpacked") from error


def walk_jpeg(data: Data, start: int, end: int) -> Walked:
    """Walk the segments up to EOI; pictures that a multi-picture index announces follow it.

    Raises:
        SubjectError: it is cut short, or what stands where a marker should is none.
    """
    at, texts, extras, several = start + 2, list[str](), list[tuple[int, int]](), False
    while True:
        mark = take(data, at, 2, end)
        if mark == b"\xff\xff":  # fill
            at += 1
        elif mark == b"\xff\xd9":
            at += 2
            if not (several and data[at : at + 3] == b"\xff\xd8\xff"):
                return Walked(at, tuple(texts), tuple(extras))
            at += 2
        elif mark[0] != 0xFF or mark[1] < 0xC0:  # noqa: PLR2004  markers of segments
            raise SubjectError(f"there is no marker at byte {at - start:,}")
        else:
            size = int.from_bytes(take(data, at + 2, 2, end), "big")
            body = take(data, at + 4, size - 2, end)
            several |= body.startswith(b"MPF\0")
            if mark[1] == 0xFE or body.startswith((b"Exif\0", b"http://ns.adobe.com/")):  # noqa: PLR2004  COM
                texts += _words(body)
            if mark[1] >= 0xE0:  # noqa: PLR2004  data of applications
                extras.append((at + 4, at + 2 + size))
            at += 2 + size
            at = _after_scan(data, at, end) if mark[1] == 0xDA else at  # noqa: PLR2004  SOS


def _after_scan(data: Data, at: int, end: int) -> int:
    found = _MARKER.search(data, at, end)
    if found is None:
        raise SubjectError("it is cut short")
    return found.start()


def _words(body: bytes) -> list[str]:
    return [run.decode("ascii") for run in re.findall(rb"[\t\n\r -~]{12,}", body)]


def walk_gif(data: Data, start: int, end: int) -> Walked:
    """Walk the blocks up to the trailer.

    Raises:
        SubjectError: it is cut short, or a block is of no known kind.
    """
    at, texts, extras = start + 13, list[str](), list[tuple[int, int]]()
    at += _colours(take(data, start + 10, 3, end)[0])
    while (kind := take(data, at, 1, end)) != b";":
        if kind == b"!":
            label, first = take(data, at + 1, 1, end), at + 2
            at, content = _sub_blocks(data, first, end)
            if label == b"\xfe":
                texts.append(text_of(content))
            extras.append((first + 1, at))
        elif kind == b",":
            at += 11 + _colours(take(data, at + 9, 1, end)[0])
            at, _ = _sub_blocks(data, at, end)
        else:
            raise SubjectError(f"there is no block at byte {at - start:,}")
    return Walked(at + 1, tuple(texts), tuple(extras))


def _colours(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _sub_blocks(data: Data, at: int, end: int) -> tuple[int, bytes]:
    parts = bytearray()
    while size := take(data, at, 1, end)[0]:
        if len(parts) < _MAX_INFLATED:
            parts += take(data, at + 1, size, end)
        at += 1 + size
    return at + 1, bytes(parts)
