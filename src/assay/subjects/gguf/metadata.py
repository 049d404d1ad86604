"""The metadata of a GGUF file: keys, scalars, strings and arrays, by where they lie."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.core.errors import LimitError, SubjectError
from assay.subjects.gguf.cursor import Bytes, Cursor, Span

# GGUF's value types and how `struct` writes them.
SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "B", 10: "Q", 11: "q", 12: "d"}
SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
UINT32, BOOL, STRING, ARRAY = 4, 7, 8, 9
MAX_NESTING = 4
MAX_KEYS = 1 << 16
MAX_ARRAYS = 1 << 16  # in one file, those inside arrays included
MAX_KEY = (1 << 16) - 1  # bytes, as the specification says


@dataclass(frozen=True, slots=True)
class Array:
    """An array: the type and number of its items, and where they lie."""

    kind: int
    count: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One key and its value.

    Attributes:
        key: its name.
        kind: the number of its type.
        value: a number, or where a string lies; None for an array.
        arrays: of numbers or strings, one unless they are nested.
    """

    key: str
    kind: int
    value: int | float | Span | None
    arrays: tuple[Array, ...] = ()


def read_metadata(cursor: Cursor, count: int, problems: list[str]) -> tuple[Entry, ...]:
    """Read `count` keys.

    Raises:
        SubjectError: they do not fit the file, or one has a type that does not exist.
        LimitError: they are more, or nested deeper, than will be followed.
    """
    if count * 8 > cursor.left():
        raise SubjectError(f"its header claims {count:,} keys, but only {cursor.left():,} bytes follow")
    if count > MAX_KEYS:
        raise LimitError(f"more than {MAX_KEYS:,} keys")
    reader = _Reader(cursor, problems)
    return tuple(reader.entry() for _ in range(count))


def string_spans(data: Bytes, array: Array, cursor: Cursor, shortest: int = 0) -> Iterator[Span]:
    """Where the strings of an array lie that take at least `shortest` bytes."""
    shape = cursor.length_struct()
    at, prefix, unpack = array.start, shape.size, shape.unpack_from
    for _ in range(array.count):
        (length,) = unpack(data, at)
        start = at + prefix
        at = start + length
        if length >= shortest:
            yield Span(start, at)


class _Reader:
    """Reads entries one after the other, with a bound on all their arrays together."""

    def __init__(self, cursor: Cursor, problems: list[str]) -> None:
        self._cursor = cursor
        self._problems = problems
        self._seen: set[str] = set()
        self._arrays = 0

    def entry(self) -> Entry:
        key = self._key()
        kind = self._cursor.integer("I")
        if kind == STRING:
            return Entry(key, kind, self._cursor.string(f"the value of {key[:100]!r}"))
        if kind == ARRAY:
            arrays: list[Array] = []
            self._array(key, arrays, 1)
            return Entry(key, kind, None, tuple(arrays))
        if kind not in SCALARS:
            raise SubjectError(f"key {key[:100]!r} has the type {kind}, which does not exist")
        value = self._cursor.number(SCALARS[kind])
        if kind == BOOL and value not in {0, 1}:
            self._problems.append(f"key {key[:100]!r} is true or false, but holds {value}")
        return Entry(key, kind, value)

    def _key(self) -> str:
        span = self._cursor.string("a key")
        raw = bytes(self._cursor.data[span.start : min(span.end, span.start + MAX_KEY)])
        key = raw.decode("utf-8", "replace")
        shown = repr(key[:100])
        if span.end - span.start > MAX_KEY:
            self._problems.append(f"key {shown} is longer than {MAX_KEY:,} bytes")
        if not key or not key.isprintable() or "\ufffd" in key:
            self._problems.append(f"key {shown} is no name that can be read")
        if key in self._seen:
            self._problems.append(f"key {shown} stands twice")
        self._seen.add(key)
        return key

    def _array(self, key: str, arrays: list[Array], depth: int) -> None:
        kind, count = self._cursor.integer("I"), self._cursor.length()
        what = f"key {key[:100]!r}"
        self._arrays += 1
        if depth > MAX_NESTING or self._arrays > MAX_ARRAYS:
            raise LimitError(f"{what} nests arrays deeper, or holds more of them, than is followed")
        start = self._cursor.at
        if kind == ARRAY:
            if count * 8 > self._cursor.left():
                raise SubjectError(f"{what} claims {count:,} arrays, which do not fit")
            for _ in range(count):
                self._array(key, arrays, depth + 1)
            return
        if kind == STRING:
            self._cursor.pass_strings(count, what)
        elif kind in SIZES:
            self._cursor.skip(count * SIZES[kind], what)
        else:
            raise SubjectError(f"{what} is an array of the type {kind}, which does not exist")
        arrays.append(Array(kind, count, start, self._cursor.at))
