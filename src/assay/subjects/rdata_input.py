"""The three ways in which R writes numbers and texts: XDR (big-endian), native binary, and lines of text."""

from __future__ import annotations

import mmap
from typing import Literal, Protocol

from assay.core.errors import SubjectError

MAGIC = (b"RDX2\n", b"RDX3\n", b"RDA2\n", b"RDA3\n", b"RDB2\n", b"RDB3\n")
Data = mmap.mmap | bytes
MAX_TEXT = 1 << 30
MAX_LINE = 400  # characters of a number
_LONG = -1  # a length that follows in two numbers


def is_rdata(head: bytes) -> bool:
    """Whether bytes start as a file of R does."""
    rest = head[5:] if head.startswith(MAGIC) else head
    binary = rest[:2] in {b"X\n", b"B\n"} and rest[2:6] in {
        b"\0\0\0\2", b"\0\0\0\3", b"\2\0\0\0", b"\3\0\0\0"
    }  # fmt: skip
    return binary or (rest[:4] in {b"A\n2\n", b"A\n3\n"} and rest[4:5].isdigit())


class Input(Protocol):
    """Reads values one after the other; raises SubjectError at the end of the data."""

    at: int

    def integer(self) -> int:
        """A signed number of 32 bits."""

    def length(self) -> int:
        """A number of elements."""

    def text(self, size: int) -> str:
        """A text of `size` bytes; "" where it is the missing value."""

    def skip_numbers(self, count: int, width: int) -> None:
        """Step over numbers of `width` bytes each."""

    def skip_bytes(self, count: int) -> None:
        """Step over the bytes of a raw vector."""


def _long_length(reader: Input) -> int:
    length = reader.integer()
    if length == _LONG:
        high, low = reader.integer(), reader.integer()
        length = (high << 32) + (low & 0xFFFFFFFF)
    if length < 0:
        raise SubjectError("a length is negative")
    return length


class BinaryInput:
    """Numbers of fixed width in one byte order."""

    def __init__(self, data: Data, at: int, end: int, order: Literal["big", "little"]) -> None:
        self._data, self._end, self._order = data, end, order
        self.at = at

    def integer(self) -> int:
        """As `Input.integer`."""
        return int.from_bytes(self._take(4), self._order, signed=True)

    def length(self) -> int:
        """As `Input.length`."""
        return _long_length(self)

    def text(self, size: int) -> str:
        """As `Input.text`."""
        return "" if size == -1 else self._take(_text_size(size)).decode("utf-8", "replace")

    def skip_numbers(self, count: int, width: int) -> None:
        """As `Input.skip_numbers`."""
        self.skip_bytes(count * width)

    def skip_bytes(self, count: int) -> None:
        """As `Input.skip_bytes`."""
        if count > self._end - self.at:
            raise SubjectError("it is cut short")
        self.at += count

    def _take(self, count: int) -> bytes:
        self.skip_bytes(count)
        return bytes(self._data[self.at - count : self.at])


class AsciiInput:
    """One value to a line; texts with escapes."""

    def __init__(self, data: Data, at: int, end: int) -> None:
        self._data, self._end = data, end
        self.at = at

    def integer(self) -> int:
        """As `Input.integer`."""
        line = self._line(MAX_LINE)
        if line == b"NA":
            return -(1 << 31)
        try:
            value = int(line)
        except ValueError as error:
            raise SubjectError(f"{line[:40]!r} is no number") from error
        if not -(1 << 31) <= value < 1 << 32:
            raise SubjectError(f"{value} has more than 32 bits")
        return value

    def length(self) -> int:
        """As `Input.length`."""
        return _long_length(self)

    def text(self, size: int) -> str:
        """As `Input.text`."""
        if size == -1:
            return ""
        # Every byte is written as itself or as an escape of up to four characters.
        line = self._line(_text_size(size) * 4 + 1)
        return line.decode("ascii", "replace")

    def skip_numbers(self, count: int, width: int) -> None:
        """As `Input.skip_numbers`."""
        for _ in range(count * (2 if width == 16 else 1)):  # noqa: PLR2004  complex numbers take two lines
            self._line(MAX_LINE)

    def skip_bytes(self, count: int) -> None:
        """As `Input.skip_bytes`."""
        for _ in range(count):
            self._line(MAX_LINE)

    def _line(self, most: int) -> bytes:
        stop = self._data.find(b"\n", self.at, min(self._end, self.at + most + 1))
        if stop < 0:
            raise SubjectError("it is cut short")
        line = bytes(self._data[self.at : stop])
        self.at = stop + 1
        return line


def _text_size(size: int) -> int:
    if not 0 <= size <= MAX_TEXT:
        raise SubjectError("a text has no length")
    return size
