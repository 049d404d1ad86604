"""CatBoost's binary models: a FlatBuffers core, and parts that its list names.

Format: catboost/libs/model (model.fbs: version, trees, information, names of parts). The offsets that lead to
the texts are followed within bounds; the trees are numbers.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from assay.core.errors import SubjectError

MAGIC = b"CBM1"
MAX_ENTRIES = 10_000
MAX_TEXT = 16 << 20
MAX_CORE = 1 << 32
_INFORMATION, _PARTS = 2, 3  # fields of the root table
_TABLES_PART = "static_provider_v1"  # counters of categories: a count, and tables with their sizes
Data = mmap.mmap | bytes


@dataclass(frozen=True, slots=True)
class CatBoostModel:
    """A model.

    Attributes:
        information: texts by name, such as the parameters of its training.
        unread: parts that are not read, by name; where there are any, `end` is where they start.
        end: where it ends in the data.
    """

    information: tuple[tuple[str, str], ...]
    unread: tuple[str, ...]
    end: int


def read_catboost(data: Data, start: int, end: int) -> CatBoostModel:
    """Read the model in `data[start:end]`.

    Raises:
        SubjectError: an offset or a size leads out of it.
    """
    size = _number(data, start + 4, end)
    core, finish = start + 8, start + 8 + size
    if finish > end:
        raise SubjectError("its core reaches past the end")
    buffer = _Buffer(data, core, finish)
    root = buffer.follow(core)
    information = tuple(buffer.pairs(buffer.field(root, _INFORMATION)))
    parts = [buffer.text(at) for at in buffer.vector(buffer.field(root, _PARTS))]
    for index, part in enumerate(parts):
        if part != _TABLES_PART:
            return CatBoostModel(information, tuple(parts[index:]), finish)
        finish = _tables(data, finish, end)
    return CatBoostModel(information, (), finish)


def _tables(data: Data, at: int, end: int) -> int:
    count = _number(data, at, end)
    at += 4
    for _ in range(count):
        at += 4 + _number(data, at, end)
        if at > end:
            raise SubjectError("a table of counters reaches past the end")
    return at


def _number(data: Data, at: int, end: int) -> int:
    if at + 4 > end:
        raise SubjectError("it is cut short")
    return int(struct.unpack_from("<I", data, at)[0])


class _Buffer:
    """Follows offsets of a FlatBuffer within its bounds."""

    def __init__(self, data: Data, start: int, end: int) -> None:
        self._data, self._start, self._end = data, start, end

    def follow(self, at: int) -> int:
        """Where the offset at `at` leads."""
        return self._inside(at + _number(self._data, at, self._end))

    def field(self, table: int, index: int) -> int:
        """Where a field that is an offset leads; 0 where the table has no such field."""
        back = struct.unpack("<i", self._bytes(table, 4))[0]
        layout = self._inside(table - back)
        size, *_ = struct.unpack("<H", self._bytes(layout, 2))
        if 4 + 2 * index + 2 > size:
            return 0
        (offset,) = struct.unpack("<H", self._bytes(layout + 4 + 2 * index, 2))
        return self.follow(table + offset) if offset else 0

    def vector(self, at: int) -> Iterator[int]:
        """Where each item of a vector of offsets leads."""
        count = _number(self._data, at, self._end) if at else 0
        if count > MAX_ENTRIES:
            raise SubjectError(f"a list of it has {count:,} entries")
        for index in range(count):
            yield self.follow(at + 4 + 4 * index)

    def pairs(self, at: int) -> Iterator[tuple[str, str]]:
        """Keys and values of a vector of tables of both."""
        for table in self.vector(at):
            yield self.text(self.field(table, 0)), self.text(self.field(table, 1))

    def text(self, at: int) -> str:
        """The text at `at`; "" for none."""
        if not at:
            return ""
        size = _number(self._data, at, self._end)
        return self._bytes(at + 4, min(size, MAX_TEXT)).decode("utf-8", "replace").rstrip("\0")

    def _bytes(self, at: int, count: int) -> bytes:
        if not self._start <= at <= self._end - count:
            raise SubjectError("an offset leads out of its core")
        return bytes(self._data[at : at + count])

    def _inside(self, at: int) -> int:
        if not self._start <= at < self._end:
            raise SubjectError("an offset leads out of its core")
        return at
