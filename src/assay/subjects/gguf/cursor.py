"""Reads numbers and strings from a region, never past its end."""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from assay.core.errors import LimitError, SubjectError

Bytes: TypeAlias = mmap.mmap | bytes
MAX_STRINGS = 1 << 24  # in one file: the largest vocabularies have a million


class Span(NamedTuple):
    """Where the bytes of a string lie."""

    start: int
    end: int


@dataclass(slots=True)
class Cursor:
    """A position in `data`, which must stay before `end`.

    Attributes:
        data: the bytes.
        at, end: the position, and where the region ends.
        order: `<` or `>`, as `struct` writes it.
        wide: whether counts and lengths take eight bytes; four in version 1.
        strings: how many more strings will be followed.
    """

    data: Bytes
    at: int
    end: int
    order: str = "<"
    wide: bool = True
    strings: int = MAX_STRINGS

    def left(self) -> int:
        """Bytes until the end."""
        return self.end - self.at

    def number(self, code: str) -> int | float:
        """The next number, by its `struct` code.

        Raises:
            SubjectError: the region ends inside it.
        """
        size = struct.calcsize(self.order + code)
        if size > self.left():
            raise SubjectError("it ends inside its header")
        found: tuple[int | float, ...] = struct.unpack_from(self.order + code, self.data, self.at)
        self.at += size
        return found[0]

    def integer(self, code: str) -> int:
        """The next integer, by its `struct` code."""
        return int(self.number(code))

    def length(self) -> int:
        """The next count or length."""
        return self.integer("Q" if self.wide else "I")

    def skip(self, count: int, what: str) -> None:
        """Pass over `count` bytes.

        Raises:
            SubjectError: there are not so many.
        """
        if count > self.left():
            raise SubjectError(f"{what} claims {count:,} bytes, but only {self.left():,} follow")
        self.at += count

    def string(self, what: str) -> Span:
        """The next string, by where it lies."""
        length = self.length()
        start = self.at
        self.skip(length, what)
        return Span(start, self.at)

    def pass_strings(self, count: int, what: str) -> None:
        """Pass over `count` strings.

        Raises:
            SubjectError: they do not fit the region.
            LimitError: they are more than will be followed.
        """
        shape = self.length_struct()
        prefix, unpack = shape.size, shape.unpack_from
        if count * prefix > self.left():
            raise SubjectError(f"{what} claims {count:,} strings, but only {self.left():,} bytes follow")
        self.strings -= count
        if self.strings < 0:
            raise LimitError(f"more than {MAX_STRINGS:,} strings")
        at, last, data = self.at, self.end - prefix, self.data
        for _ in range(count):
            if at > last:
                raise SubjectError(f"the strings of {what} reach past the end")
            at += prefix + unpack(data, at)[0]
        if at > self.end:
            raise SubjectError(f"the last string of {what} reaches past the end")
        self.at = at

    def length_struct(self) -> struct.Struct:
        """How the length before a string is written."""
        return struct.Struct(self.order + ("Q" if self.wide else "I"))
