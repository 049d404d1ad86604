"""FLAC (RFC 9639): metadata blocks, then frames, of which only the last is followed bit by bit."""

from __future__ import annotations

import re
from dataclasses import dataclass

from assay.core.errors import SubjectError
from assay.subjects.media.walked import Data, Walked, take, text_of

MAGIC = b"fLaC"
_COMMENTS, _SEEK_TABLE, _CUE_SHEET, _FORBIDDEN = 4, 3, 5, 127
_SYNC = re.compile(rb"\xff[\xf8\xf9]")
_SEARCHED = 1 << 24  # bytes in which the next frame has to begin: no frame is longer
_SLACK = 1 << 12  # bytes of a channel besides its samples
_WIDER = {8: (0, 1), 9: (1, 0), 10: (0, 1)}  # bits more of a channel that is the difference of two
_BITS = (0, 8, 12, 0, 16, 20, 24, 32)  # of a sample; 0 as the stream says


@dataclass(frozen=True, slots=True)
class _Frame:
    """A frame's header.

    Attributes:
        body: where what follows the header begins.
        number: of the frame, or of its first sample where sizes vary.
        samples: in each channel.
        channels: code of how channels are stored.
        bits: of a sample; 0 as the stream says.
        varies: whether `number` counts samples.
    """

    body: int
    number: int
    samples: int
    channels: int
    bits: int
    varies: bool

    @property
    def next(self) -> int:
        """The number that the frame after this one has."""
        return self.number + (self.samples if self.varies else 1)


def walk_flac(data: Data, start: int, end: int) -> Walked:
    """Walk the blocks of metadata and the frames.

    Raises:
        SubjectError: it is cut short, or does not add up.
    """
    info = take(data, start + 8, 34, end)
    at, texts, extras = _metadata(data, start, end)
    frame = _frame(data, at, end)
    if frame is None:
        raise SubjectError("no frame follows its metadata")
    samples = frame.samples
    while (following := _following(data, frame, end)) is not None:
        at, frame = following
        samples += frame.samples
    total = int.from_bytes(info[13:18], "big") & 0xFFFFFFFFF
    if total and samples != total:
        raise SubjectError(f"it has {samples:,} of its {total:,} samples")
    bits = frame.bits or ((info[12] & 1) << 4 | info[13] >> 4) + 1
    return Walked(_end(data, frame, bits, end), tuple(texts), tuple(extras))


def _metadata(data: Data, start: int, end: int) -> tuple[int, list[str], list[tuple[int, int]]]:
    """Where the frames begin; texts, and blocks of free content."""
    at, last, texts, extras = start + 4, False, list[str](), list[tuple[int, int]]()
    while not last:
        head = take(data, at, 4, end)
        last, kind, size = bool(head[0] & 0x80), head[0] & 0x7F, int.from_bytes(head[1:], "big")
        if at + 4 + size > end or kind == _FORBIDDEN or (kind == 0) != (at == start + 4):
            raise SubjectError("a block of its metadata makes no sense")
        if kind == _COMMENTS:
            texts.append(text_of(take(data, at + 4, size, end)))
        elif kind not in {0, _SEEK_TABLE, _CUE_SHEET}:
            extras.append((at + 4, at + 4 + size))
        at += 4 + size
    return at, texts, extras


def _frame(data: Data, at: int, end: int) -> _Frame | None:
    """The header of the frame that begins at `at`; None where none does."""
    head = bytes(data[at : min(at + 16, end)])
    if len(head) < 6 or not _SYNC.match(head) or head[3] & 1:  # noqa: PLR2004  no header is shorter
        return None
    size, rate, channels = head[2] >> 4, head[2] & 15, head[3] >> 4
    number, used = _number(head[4:11])
    if not used or not size or rate == 15 or channels > 10:  # noqa: PLR2004  reserved values
        return None
    place = 4 + used
    samples, wide = _samples(size, head[place : place + 2])
    place += wide + {12: 1, 13: 2, 14: 2}.get(rate, 0)
    if place >= len(head) or _crc8(head[:place]) != head[place]:
        return None
    return _Frame(at + place + 1, number, samples, channels, _BITS[head[3] >> 1 & 7], bool(head[1] & 1))


def _samples(code: int, following: bytes) -> tuple[int, int]:
    """Samples of a frame by their code, and the bytes of the header that say so."""
    if code in {6, 7}:
        wide = code - 5
        return int.from_bytes(following[:wide], "big") + 1, wide
    return (192 if code == 1 else 576 << code - 2 if code < 6 else 256 << code - 8), 0  # noqa: PLR2004  RFC 9639, 9.1.1


def _number(raw: bytes) -> tuple[int, int]:
    """A number that is written like a character of UTF-8, and its bytes; 0 bytes where it is none."""
    lead = 8 - (raw[0] ^ 0xFF).bit_length()
    used = lead or 1
    if lead == 1 or lead > 7 or any(byte >> 6 != 2 for byte in raw[1:used]):  # noqa: PLR2004
        return 0, 0
    value = raw[0] & (0x7F >> lead)
    for byte in raw[1:used]:
        value = value << 6 | byte & 0x3F
    return value, used


def _crc8(raw: bytes) -> int:
    value = 0
    for byte in raw:
        value ^= byte
        for _ in range(8):
            value = (value << 1 ^ (0x07 if value & 0x80 else 0)) & 0xFF
    return value


def _following(data: Data, frame: _Frame, end: int) -> tuple[int, _Frame] | None:
    """The next frame and where it begins; None after the last."""
    for found in _SYNC.finditer(data, frame.body, min(frame.body + _SEARCHED, end)):
        other = _frame(data, found.start(), end)
        if other and (other.number, other.varies) == (frame.next, frame.varies):
            return found.start(), other
    return None


def _end(data: Data, frame: _Frame, bits: int, end: int) -> int:
    """Where a frame ends: behind its channels, filled up to a byte, and a checksum of two bytes."""
    wider = _WIDER.get(frame.channels, (0,) * (frame.channels + 1))
    most = 2 * len(wider) * (frame.samples * (bits + 1) // 8 + _SLACK)
    reader = _Bits(bytes(data[frame.body : min(frame.body + most, end)]))
    for more in wider:
        _channel(reader, frame.samples, bits + more)
    after = frame.body + (reader.at + 7) // 8 + 2
    if after > end:
        raise SubjectError("it is cut short")
    return after


class _Bits:
    """Steps over bits, highest first."""

    def __init__(self, raw: bytes) -> None:
        self._text = bin(int.from_bytes(b"\1" + raw, "big"))[3:]
        self.at = 0

    def take(self, count: int) -> int:
        """The number in the next bits."""
        if self.at + count > len(self._text):
            raise SubjectError("it is cut short")
        self.at += count
        return int(self._text[self.at - count : self.at] or "0", 2)

    def skip(self, count: int) -> None:
        """Step over bits."""
        self.at += count

    def unary(self) -> int:
        """Zeros before the next one."""
        found = self._text.find("1", self.at)
        if found < 0:
            raise SubjectError("it is cut short")
        count, self.at = found - self.at, found + 1
        return count


def _channel(reader: _Bits, samples: int, bits: int) -> None:
    """Step over one channel (RFC 9639, section 9.2)."""
    kind = reader.take(7)
    if reader.take(1):
        bits -= reader.unary() + 1
    if kind == 0:
        reader.skip(bits)
    elif kind == 1:
        reader.skip(samples * bits)
    elif 8 <= kind <= 12:  # noqa: PLR2004  fixed predictors, by order
        reader.skip((kind - 8) * bits)
        _residual(reader, samples, kind - 8)
    elif 32 <= kind <= 63:  # noqa: PLR2004  linear predictors, by order
        order = kind - 31
        reader.skip(order * bits)
        precision = reader.take(4) + 1
        reader.skip(5 + order * precision)
        _residual(reader, samples, order)
    else:
        raise SubjectError("a channel is of a reserved kind")


def _residual(reader: _Bits, samples: int, order: int) -> None:
    method, parts = reader.take(2), 1 << reader.take(4)
    if method > 1 or samples % parts or samples // parts < order:
        raise SubjectError("a residual makes no sense")
    wide = 4 + method
    for part in range(parts):
        count = samples // parts - (0 if part else order)
        parameter = reader.take(wide)
        if parameter == (1 << wide) - 1:
            reader.skip(count * reader.take(5))
            continue
        for _ in range(count):
            reader.unary()
            reader.skip(parameter)
