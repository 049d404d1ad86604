"""MessagePack, as Flax writes its weights: walked to its end, nothing built.

Format: the MessagePack specification; Flax's extension types (flax.serialization): 1 an array, 2 a complex
number, 3 a NumPy scalar.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from assay.core.errors import LimitError, SubjectError
from assay.subjects.media.walked import MAX_TEXT, Data, text_of

MAX_ITEMS = 20_000_000
MAX_DEPTH = 200
MAX_KEPT = 10_000
FLAX = {1, 2, 3}
_FIXED = {
    0xC0: 0, 0xC2: 0, 0xC3: 0, 0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2,
    0xD2: 4, 0xD3: 8,
}  # fmt: skip
_SIZED = {0xC4: (1, "bin"), 0xC5: (2, "bin"), 0xC6: (4, "bin"), 0xC7: (1, "ext"), 0xC8: (2, "ext"),
          0xC9: (4, "ext"), 0xD9: (1, "str"), 0xDA: (2, "str"), 0xDB: (4, "str"), 0xDC: (2, "array"),
          0xDD: (4, "array"), 0xDE: (2, "map"), 0xDF: (4, "map")}  # fmt: skip
_FIXED_EXTENSIONS = {0xD4: 1, 0xD5: 2, 0xD6: 4, 0xD7: 8, 0xD8: 16}
_LONG = 48  # bytes of a text that is more than a name


@dataclass(frozen=True, slots=True)
class MsgpackDocument:
    """A value.

    Attributes:
        end: where it ends in the data.
        texts: texts that are longer than a name.
        spans: bytes in it: of binary values and of arrays.
        foreign: extension types that Flax does not have.
    """

    end: int
    texts: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    foreign: frozenset[int]


def read_msgpack(data: Data, start: int, end: int) -> MsgpackDocument:
    """Walk the value that starts at `start`.

    Raises:
        SubjectError: it is damaged or cut short.
        LimitError: it is deeper, or has more items, than are followed.
    """
    walk = _Walk(data, start, end)
    walk.run()
    return MsgpackDocument(walk.at, tuple(walk.texts), tuple(walk.spans), frozenset(walk.foreign))


class _Walk:
    def __init__(self, data: Data, start: int, end: int) -> None:
        self._data, self.at, self._end = data, start, end
        self.texts: list[str] = []
        self.spans: list[tuple[int, int]] = []
        self.foreign: set[int] = set()

    def run(self) -> None:
        left, count = [1], 0
        while left:
            if not left[-1]:
                left.pop()
                continue
            left[-1] -= 1
            count += 1
            inner = self._value()
            if inner:
                left.append(inner)
            if count > MAX_ITEMS or len(left) > MAX_DEPTH or len(self.spans) > MAX_ITEMS // 100:
                raise LimitError("it has more items, or is deeper, than are followed")

    def _value(self) -> int:
        """Step over a value or into a container; how many values the container has."""
        kind = self._take(1)[0]
        if kind <= 0x7F or kind >= 0xE0:  # noqa: PLR2004  small numbers
            return 0
        if kind <= 0x8F:  # noqa: PLR2004  a small map
            return 2 * (kind & 15)
        if kind <= 0x9F:  # noqa: PLR2004  a small array
            return kind & 15
        if kind <= 0xBF:  # noqa: PLR2004  a small text
            return self._body("str", kind & 31)
        if kind in _FIXED:
            return self._skip(_FIXED[kind])
        if kind in _FIXED_EXTENSIONS:
            return self._body("ext", _FIXED_EXTENSIONS[kind])
        if kind not in _SIZED:
            raise SubjectError(f"there is no value of type {kind:#x} (byte {self.at - 1:,})")
        width, what = _SIZED[kind]
        return self._body(what, int.from_bytes(self._take(width), "big"))

    def _body(self, what: str, size: int) -> int:
        if what in {"array", "map"}:
            return size * (2 if what == "map" else 1)
        if what == "ext":
            (code,) = struct.unpack("b", self._take(1))
            if code not in FLAX:
                self.foreign.add(code)
        start = self.at
        self._skip(size)
        if what != "str":
            self.spans.append((start, self.at))
        elif size > _LONG and len(self.texts) < MAX_KEPT:
            self.texts.append(text_of(bytes(self._data[start : start + min(size, MAX_TEXT)])))
        return 0

    def _take(self, count: int) -> bytes:
        self._skip(count)
        return bytes(self._data[self.at - count : self.at])

    def _skip(self, count: int) -> int:
        if count > self._end - self.at:
            raise SubjectError("it is cut short")
        self.at += count
        return 0
