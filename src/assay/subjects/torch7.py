"""Torch7's binary files (`.t7`): objects one after the other, read without building any of them.

Format: File.lua, generic/Tensor.c and generic/Storage.c of torch7. A class that writes itself in a way of its
own cannot be followed, for nothing in the file tells how long it is.
"""

from __future__ import annotations

import mmap
import re
import struct
from dataclasses import dataclass, field

from assay.core.errors import LimitError, SubjectError

MAX_OBJECTS = 3_000_000
MAX_TEXTS = 16 << 20  # bytes
_NIL, _NUMBER, _TEXT, _TABLE, _OBJECT, _BOOLEAN = range(6)
_FUNCTIONS = {6, 7, 8}  # with upvalues, and two forms that may refer to themselves
_SIZES = {1: 8, 5: 4}
_CLASS = re.compile(r"[A-Za-z_][\w.]{1,100}\Z")
_NUMBERS = re.compile(r"torch\.(?:Cuda)?(Byte|Char|Short|Int|Long|Float|Double|Half|)(Tensor|Storage)\Z")
_WIDTHS = {"Byte": 1, "Char": 1, "Short": 2, "Half": 2, "Int": 4, "Float": 4, "": 4, "Long": 8, "Double": 8}
# PUC Lua 5.1 to 5.4, and LuaJIT: how byte code begins that `string.dump` writes.
LUA_CODE = re.compile(rb"\x1b(?:Lua[\x51-\x54]|LJ[\x01\x02])")
Data = mmap.mmap | bytes


@dataclass(slots=True)
class Torch7Content:
    """What is in a file.

    Attributes:
        functions: absolute place and bytes of the byte code of each Lua function.
        hidden: absolute places of byte code inside strings and storages.
        texts: strings, up to a bound.
        end: where the object ends.
    """

    functions: list[tuple[int, int]] = field(default_factory=list)
    hidden: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    end: int = 0


def is_torch7(data: Data, start: int, end: int) -> bool:
    """Whether bytes begin as an object of a class, or as a table whose first key is a number or a text."""
    reader = _Reader(data, start, end)
    try:
        kind, index = reader.integer(), reader.integer()
        if kind == _OBJECT:
            return index > 0 and _CLASS.match(reader.class_name()) is not None
        if kind != _TABLE or index < 1 or not 0 < reader.integer() <= MAX_OBJECTS:
            return False
        key = reader.integer()
        return key == _NUMBER or (key == _TEXT and reader.text().decode("utf-8").isprintable())
    except (SubjectError, UnicodeDecodeError):
        return False


def read_torch7(data: Data, start: int, end: int) -> Torch7Content:
    """Read the object in `data[start:end]`.

    Raises:
        SubjectError: a size leads out of it, or something is of no known type.
        LimitError: it has too many objects.
    """
    reader = _Reader(data, start, end)
    reader.objects()
    reader.content.end = reader.at
    return reader.content


class _Reader:
    """Reads forward within bounds; objects inside objects are counted, not called for."""

    def __init__(self, data: Data, start: int, end: int) -> None:
        self._data, self._end = data, end
        self.at = start
        self.content = Torch7Content()
        self._seen: set[int] = set()
        self._room = MAX_TEXTS

    def objects(self) -> None:
        """One object and all that is in it."""
        left = 1
        for _ in range(MAX_OBJECTS):
            if not left:
                return
            left += self._object() - 1
        raise LimitError(f"it has more than {MAX_OBJECTS:,} objects")

    def integer(self) -> int:
        """An int."""
        return int.from_bytes(self._take(4), "little", signed=True)

    def text(self) -> bytes:
        """A string."""
        return self._take(self.integer())

    def class_name(self) -> str:
        """The class of an object, behind its version, which old files do not write."""
        name = self.text()
        return (self.text() if name.startswith(b"V ") else name).decode("utf-8", "replace")

    def _object(self) -> int:
        """Read what an object begins with; how many objects follow inside of it."""
        kind = self.integer()
        if kind in _SIZES:
            self._take(_SIZES[kind])
            return 0
        if kind == _TEXT:
            at = self.at + 4
            self._note(self.text(), at)
            return 0
        if kind == _NIL:
            return 0
        if kind not in {_TABLE, _OBJECT, *_FUNCTIONS}:
            raise SubjectError(f"there is an object of unknown type {kind} at byte {self.at - 4:,}")
        index = self.integer()
        if index in self._seen:
            return 0
        self._seen.add(index)
        if kind in _FUNCTIONS:
            size = self.integer()
            self.content.functions.append((self.at, size))
            self._skip(size)
            return 1
        return self._counted(self.integer(), 2) if kind == _TABLE else self._of_class(self.class_name())

    def _of_class(self, name: str) -> int:
        numbers = _NUMBERS.match(name)
        if numbers is None:
            if name in {"tds.Vec", "tds.Hash"}:
                return 1 + self._counted(self.integer(), 1 if name == "tds.Vec" else 2)
            return 1  # a table of its fields
        if numbers[2] == "Tensor":
            dimensions = self._counted(self.integer(), 1)
            self._skip(8 * (2 * dimensions + 1))
            return 1  # its storage
        width, at = _WIDTHS[numbers[1]], self.at + 8
        (count,) = struct.unpack("<q", self._take(8))
        self._skip(count * width)
        if width == 1 and (found := LUA_CODE.search(self._data, at, self.at)):
            self.content.hidden.append(found.start())
        return 0

    def _note(self, raw: bytes, at: int) -> None:
        if found := LUA_CODE.search(raw):
            self.content.hidden.append(at + found.start())
        self._room -= len(raw)
        if self._room >= 0:
            self.content.texts.append(raw.decode("utf-8", "replace"))

    def _counted(self, count: int, each: int) -> int:
        if not 0 <= count <= MAX_OBJECTS:
            raise SubjectError(f"something has {count:,} parts at byte {self.at - 4:,}")
        return count * each

    def _take(self, count: int) -> bytes:
        at = self.at
        self._skip(count)
        return bytes(self._data[at : self.at])

    def _skip(self, count: int) -> None:
        if not 0 <= count <= self._end - self.at:
            raise SubjectError("it is cut short, or a size makes no sense")
        self.at += count
