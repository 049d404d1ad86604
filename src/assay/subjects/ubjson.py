"""Universal Binary JSON, as XGBoost writes its models: walked to its end, its texts kept, nothing built.

Format: ubjson.org, specification draft 12, with the strongly typed containers (`$` type, `#` count).
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass

from assay.core.errors import LimitError, SubjectError

Data = mmap.mmap | bytes
MAX_ITEMS = 20_000_000
MAX_DEPTH = 200
MAX_TEXTS = 1_000
MAX_TEXT = 1 << 20
_WIDTHS = {b"i": 1, b"U": 1, b"I": 2, b"l": 4, b"L": 8, b"d": 4, b"D": 8, b"C": 1, b"Z": 0, b"T": 0, b"F": 0}
_INTEGERS = {b"i", b"U", b"I", b"l", b"L"}


@dataclass(frozen=True, slots=True)
class UbjsonDocument:
    """A document.

    Attributes:
        texts: values that are texts, as far as they are kept.
        keys: keys of the outermost object.
        end: where it ends in the data.
    """

    texts: tuple[str, ...]
    keys: tuple[str, ...]
    end: int


@dataclass(slots=True)
class _Open:
    """A container that is read: what closes it, or how many items are left, all of one type if it has one."""

    is_object: bool
    left: int | None = None
    kind: bytes = b""


def read_ubjson(data: Data, start: int, end: int) -> UbjsonDocument:
    """Walk the document that starts at `start`.

    Raises:
        SubjectError: it is damaged or cut short.
        LimitError: it is deeper, or has more items, than are followed.
    """
    return _Walk(data, start, end).run()


class _Walk:
    def __init__(self, data: Data, start: int, end: int) -> None:
        self._data, self._at, self._end = data, start, end
        self._open: list[_Open] = []
        self._texts: list[str] = []
        self._keys: list[str] = []

    def run(self) -> UbjsonDocument:
        self._value(self._marker())
        for count in range(MAX_ITEMS + 1):
            if not self._open:
                return UbjsonDocument(tuple(self._texts), tuple(self._keys), self._at)
            if count == MAX_ITEMS:
                break
            self._next(self._open[-1])
        raise LimitError(f"it has more than {MAX_ITEMS:,} items")

    def _next(self, top: _Open) -> None:
        """Read the next item of the innermost container, or close it."""
        if top.left == 0:
            self._open.pop()
            return
        if top.left is None and self._peek() == (b"}" if top.is_object else b"]"):
            self._at += 1
            self._open.pop()
            return
        if top.left is not None:
            top.left -= 1
        if top.is_object:
            key = self._text(self._length())
            if len(self._open) == 1 and len(self._keys) < MAX_TEXTS:
                self._keys.append(key)
        self._value(top.kind or self._marker())

    def _value(self, kind: bytes) -> None:
        if kind in _WIDTHS:
            self._skip(_WIDTHS[kind])
        elif kind in {b"S", b"H"}:
            text = self._text(self._length())
            if len(self._texts) < MAX_TEXTS:
                self._texts.append(text)
        elif kind in {b"{", b"["}:
            self._enter(is_object=kind == b"{")
        else:
            raise SubjectError(f"there is no value of type {kind!r} (byte {self._at - 1:,})")

    def _enter(self, *, is_object: bool) -> None:
        kind = b""
        if self._peek() == b"$":
            self._at += 1
            kind = self._marker()
        left = None
        if self._peek() == b"#":
            self._at += 1
            left = self._length()
        elif kind:
            raise SubjectError("a container has a type and no count")
        if not is_object and left is not None and kind in _WIDTHS:
            self._skip(left * _WIDTHS[kind])
            return
        if len(self._open) >= MAX_DEPTH:
            raise LimitError(f"it is nested more than {MAX_DEPTH} levels deep")
        self._open.append(_Open(is_object, left, kind))

    def _length(self) -> int:
        kind = self._marker()
        if kind not in _INTEGERS:
            raise SubjectError("a length is no integer")
        raw = self._take(_WIDTHS[kind])
        length = int.from_bytes(raw, "big", signed=kind != b"U")
        if length < 0:
            raise SubjectError("a length is negative")
        return length

    def _text(self, size: int) -> str:
        at = self._at
        self._skip(size)
        return bytes(self._data[at : at + min(size, MAX_TEXT)]).decode("utf-8", "replace")

    def _marker(self) -> bytes:
        marker = self._take(1)
        while marker == b"N":  # stands for nothing
            marker = self._take(1)
        return marker

    def _peek(self) -> bytes:
        return bytes(self._data[self._at : min(self._at + 1, self._end)])

    def _take(self, count: int) -> bytes:
        self._skip(count)
        return bytes(self._data[self._at - count : self._at])

    def _skip(self, count: int) -> None:
        if count > self._end - self._at:
            raise SubjectError("it is cut short")
        self._at += count
