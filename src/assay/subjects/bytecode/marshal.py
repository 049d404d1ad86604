"""Marshalled code objects, read by a walk of our own: `marshal.loads` trusts its input.

Source: CPython, Python/marshal.c and Objects/codeobject.c, 2.7 to 3.14. Values are read for their texts;
numbers are stepped over. Every length is held against the bytes that follow, nesting is bounded, and what is
referred to a second time is not read a second time.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

from assay.core.errors import LimitError, SubjectError
from assay.subjects.graphs.protobuf import Data

MAX_DEPTH = 150
MAX_SIZE = 16 << 20  # bytes
MAX_BYTES = 1 << 16  # of a constant that is kept
_WIDTHS = {"N": 0, "F": 0, "T": 0, "S": 0, ".": 0, "0": 0, "i": 4, "I": 8, "g": 8, "y": 16}
_SHORT_TEXTS, _TEXTS = "zZ", "aAut"
_MANY = {"(": 4, ")": 1, "[": 4, "<": 4, ">": 4}
# Numbers in front of a code object's fields, and the fields behind those, by the first version that has them.
_LAYOUTS: tuple[tuple[tuple[int, int], int, tuple[str, ...]], ...] = (
    ((3, 11), 5, ("code", "consts", "names", "locals", "kinds", "filename", "name", "qualname", "#", "lines",
                  "exceptions")),
    ((3, 8), 6, ("code", "consts", "names", "locals", "free", "cell", "filename", "name", "#", "lines")),
    ((3, 0), 5, ("code", "consts", "names", "locals", "free", "cell", "filename", "name", "#", "lines")),
    ((2, 0), 4, ("code", "consts", "names", "locals", "free", "cell", "filename", "name", "#", "lines")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Code:
    """One code object, without those nested in it.

    Attributes:
        name: as Python calls it.
        filename: of the source it was compiled from, as it says.
        names: of globals, attributes and imports.
        variables: of its own and of the functions around it.
        texts: constants that are texts, those inside tuples too.
        data: constants that are bytes.
    """

    name: str
    filename: str
    names: tuple[str, ...]
    variables: tuple[str, ...]
    texts: tuple[str, ...]
    data: tuple[bytes, ...]


def read_code(data: Data, start: int, end: int, version: tuple[int, int] | None) -> tuple[list[Code], int]:
    """All code objects in `data[start:end]`, which holds one of a module, and where it ends.

    Raises:
        SubjectError: it is no marshalled code object of that version, or the version is not known.
        LimitError: it is larger or deeper than is followed.
    """
    if version is None:
        raise SubjectError("no Python that is known has its magic number")
    if end - start > MAX_SIZE:
        raise LimitError(f"more than {MAX_SIZE:,} bytes of byte code")
    reader = _Reader(data, start, end, version)
    reader.value(0)
    if not reader.found:
        raise SubjectError("it holds no code")
    return reader.found, reader.at


@dataclass(slots=True)
class _Reader:
    data: Data
    at: int
    end: int
    version: tuple[int, int]
    found: list[Code] = field(default_factory=list)
    _references: list[Any] = field(default_factory=list)
    _interned: list[str] = field(default_factory=list)

    def value(self, depth: int) -> Any:
        """The next value: a text, bytes, a tuple of those, or None for all that is neither."""
        if depth > MAX_DEPTH:
            raise LimitError(f"nested more than {MAX_DEPTH} deep")
        mark = self._take(1)[0]
        kind, kept = chr(mark & 0x7F), bool(mark & 0x80)
        place = len(self._references)
        if kept:
            self._references.append(None)
        value = self._of(kind, depth)
        if kept:
            self._references[place] = value
        return value

    def _of(self, kind: str, depth: int) -> Any:
        if kind in _WIDTHS:
            self._take(_WIDTHS[kind])
            return None
        if kind in _SHORT_TEXTS:
            return self._take(self._take(1)[0]).decode("latin-1")
        if kind in _TEXTS:
            return self._text(kind)
        if kind == "s":
            return self._take(self._length())
        if kind in _MANY:
            count = self._take(1)[0] if _MANY[kind] == 1 else self._length()
            return tuple(self.value(depth + 1) for _ in range(count))
        if kind == "c":
            return self._code(depth)
        return self._rare(kind, depth)

    def _rare(self, kind: str, depth: int) -> Any:
        if kind == "r":
            return self._referred(self._references)
        if kind == "R":  # Python 2: a text met before
            return self._referred(self._interned)
        if kind == "l":
            self._take(2 * abs(struct.unpack("<i", self._take(4))[0]))
        elif kind == "f":
            self._take(self._take(1)[0])
        elif kind == "x":
            self._take(self._take(1)[0])
            self._take(self._take(1)[0])
        elif kind == ":":  # a slice, 3.14
            return tuple(self.value(depth + 1) for _ in range(3))
        elif kind == "{":
            return self._mapping(depth)
        else:
            raise SubjectError(f"a value of the unknown kind {kind!r}")
        return None

    def _mapping(self, depth: int) -> tuple[Any, ...]:
        values = []
        while self._peek() != b"0":
            values += [self.value(depth + 1), self.value(depth + 1)]
        self._take(1)
        return tuple(values)

    def _text(self, kind: str) -> str:
        raw = self._take(self._length())
        text = raw.decode("latin-1" if kind in "aA" else "utf-8", "replace")
        if kind == "t" and self.version < (3, 0):
            self._interned.append(text)
        return text

    def _referred(self, known: list[Any]) -> Any:
        index = struct.unpack("<I", self._take(4))[0]
        if index >= len(known):
            raise SubjectError("it refers to a value that is not there")
        return known[index]

    def _code(self, depth: int) -> None:
        numbers, layout = next((n, fields) for first, n, fields in _LAYOUTS if self.version >= first)
        self._take(4 * numbers)
        fields: dict[str, Any] = {}
        for name in layout:
            fields[name] = self._take(4) if name == "#" else self.value(depth + 1)
        variables = [one for part in ("locals", "free", "cell") for one in _texts(fields.get(part))]
        constants = list(_flat(fields["consts"]))
        self.found.append(
            Code(
                _name(fields.get("qualname")) or _name(fields["name"]),
                _name(fields["filename"]),
                tuple(_texts(fields["names"])),
                tuple(variables),
                tuple(one for one in constants if isinstance(one, str)),
                tuple(one[:MAX_BYTES] for one in constants if isinstance(one, bytes)),
            )
        )

    def _length(self) -> int:
        size: int = struct.unpack("<i", self._take(4))[0]
        if not 0 <= size <= self.end - self.at:
            raise SubjectError("a length reaches past its end")
        return size

    def _peek(self) -> bytes:
        return bytes(self.data[self.at : min(self.at + 1, self.end)])

    def _take(self, count: int) -> bytes:
        if count > self.end - self.at:
            raise SubjectError("it ends too early")
        self.at += count
        return bytes(self.data[self.at - count : self.at])


def _name(value: Any) -> str:
    if isinstance(value, bytes):  # Python 2
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else ""


def _texts(value: Any) -> list[str]:
    return [_name(one) for one in value if isinstance(one, str | bytes)] if isinstance(value, tuple) else []


def _flat(value: Any) -> list[Any]:
    """Texts and bytes in nested tuples; a tuple that is met again is looked at once."""
    found, pending, met = [], [value], set[int]()
    while pending:
        one = pending.pop()
        if isinstance(one, tuple):
            if id(one) not in met:
                met.add(id(one))
                pending += one
        elif one is not None:
            found.append(one)
    return found
