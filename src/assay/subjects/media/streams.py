"""RIFF (WAV, WebP), Ogg (RFC 3533), MP4 boxes (ISO/IEC 14496-12) and MP3 frames (ISO/IEC 11172-3)."""

from __future__ import annotations

from assay.core.errors import SubjectError
from assay.subjects.media.walked import Data, Walked, take

_RIFF = {
    b"fmt ", b"data", b"fact", b"cue ", b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP",
}  # fmt: skip
_BOXES = {
    b"ftyp", b"moov", b"mdat", b"moof", b"mfra", b"meta", b"sidx", b"ssix", b"styp", b"pdin", b"prft",
    b"emsg", b"free", b"skip", b"wide", b"uuid",
}  # fmt: skip
_PASSED_OVER = {b"free", b"skip", b"wide", b"uuid"}
_RATES = {
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_HERTZ = (44_100, 48_000, 32_000)


def walk_riff(data: Data, start: int, end: int) -> Walked:
    """Walk the chunks that the size of the whole covers.

    Raises:
        SubjectError: it is cut short, or a chunk leaves the whole.
    """
    stop = start + 8 + int.from_bytes(take(data, start + 4, 4, end), "little")
    if stop > end:
        raise SubjectError("it is cut short")
    at, extras, count = start + 12, list[tuple[int, int]](), 0
    while at < stop:
        head = take(data, at, 8, stop)
        size = int.from_bytes(head[4:], "little")
        if at + 8 + size > stop:
            raise SubjectError("a chunk is longer than the whole")
        if head[:4] not in _RIFF:
            extras.append((at + 8, at + 8 + size))
        at += 8 + size + (size & 1)
        count += 1
    if not count:
        raise SubjectError("it has no chunks")
    return Walked(min(max(at, stop), end), extras=tuple(extras))


def walk_ogg(data: Data, start: int, end: int) -> Walked:
    """Walk the pages.

    Raises:
        SubjectError: a page is cut short, or no page says that it is the last.
    """
    at, last = start, 0
    while data[at : min(at + 4, end)] == b"OggS":
        head = take(data, at, 27, end)
        sizes = take(data, at + 27, head[26], end)
        at += 27 + len(sizes) + sum(sizes)
        last = head[5] & 4
        if at > end:
            raise SubjectError("it is cut short")
    if not last:
        raise SubjectError("its last page is missing")
    return Walked(at)


def walk_mp4(data: Data, start: int, end: int) -> Walked:
    """Walk the outermost boxes; the first of no known type ends the file.

    Raises:
        SubjectError: a box is cut short, or there is none of the tracks or of what is in them.
    """
    at, extras, seen = start, list[tuple[int, int]](), set[bytes]()
    while at < end:
        head = bytes(data[at : min(at + 16, end)])
        kind, size, header = head[4:8], int.from_bytes(head[:4], "big"), 8
        if kind not in _BOXES:
            break
        if size == 1:
            size, header = int.from_bytes(head[8:16], "big"), 16
        size = size or end - at  # 0 reaches to the end
        if size < header or at + size > end:
            raise SubjectError("it is cut short")
        if kind in _PASSED_OVER:
            extras.append((at + header, at + size))
        seen.add(kind)
        at += size
    if not seen & {b"moov", b"moof", b"meta"} or b"mdat" not in seen:
        raise SubjectError("it has no tracks, or nothing in them")
    return Walked(at, extras=tuple(extras))


def walk_mp3(data: Data, start: int, end: int) -> Walked:
    """Walk tags and frames.

    Raises:
        SubjectError: it is cut short, or has no frame.
    """
    at, extras, frames = start, list[tuple[int, int]](), 0
    if data[at : at + 3] == b"ID3":
        head = take(data, at, 10, end)
        size = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
        take(data, at + 10 + size, 0, end)
        extras.append((at + 10, at + 10 + size))
        at += 10 + size
    while size := frame_size(bytes(data[at : min(at + 4, end)])):
        frames, at = frames + 1, at + size
        if at > end:
            raise SubjectError("it is cut short")
    if not frames:
        raise SubjectError("it has no frames")
    if data[at : min(at + 3, end)] == b"TAG" and at + 128 <= end:
        at += 128
    return Walked(at, extras=tuple(extras))


def frame_size(head: bytes) -> int:
    """Bytes of the layer III frame that starts with these four; 0 where none does."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:  # noqa: PLR2004  sync and layer
        return 0
    version, rate, hertz = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or not 0 < rate < 15 or hertz == 3:  # noqa: PLR2004  reserved values
        return 0
    first = version == 3  # noqa: PLR2004  MPEG 1
    frequency = _HERTZ[hertz] >> {3: 0, 2: 1, 0: 2}[version]
    return (144 if first else 72) * _RATES[first][rate] * 1000 // frequency + (head[2] >> 1 & 1)
