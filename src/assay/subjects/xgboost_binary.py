"""XGBoost's own binary models of before UBJSON: parameters of fixed size, arrays, texts with lengths.

Format: src/learner.cc, src/gbm/gbtree_model.cc, src/gbm/gblinear_model.h and include/xgboost/tree_model.h of
XGBoost 0.4 to 2.1; 3.1 no longer reads it. Numbers are stepped over, texts are given out.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass

from assay.core.errors import SubjectError

MAGIC = b"binf"  # which versions before 0.4 do not write
BOOSTERS = ("gbtree", "gblinear", "dart")
MAX_TEXT = 1 << 20
MAX_ITEMS = 10_000_000
_LEARNER, _TREES, _TREE, _LINEAR = 136, 160, 148, 136  # bytes of the parameters of each
_NODE = 20 + 16  # a node, and what training measured of it
Data = mmap.mmap | bytes


@dataclass(frozen=True, slots=True)
class XgboostModel:
    """A model: the texts in it, and where it ends in the data."""

    texts: tuple[str, ...]
    end: int


def is_xgboost_binary(data: Data, start: int, end: int) -> bool:
    """Whether bytes begin as such a model: parameters, and then the names of an objective and a booster."""
    reader = _Reader(data, start, end)
    try:
        reader.learner()
    except SubjectError:
        return False
    return True


def read_xgboost_binary(data: Data, start: int, end: int) -> XgboostModel:
    """Read the model in `data[start:end]`.

    Raises:
        SubjectError: a size leads out of it, or makes no sense.
    """
    # Versions differ in whether a vector follows the nodes of a tree: all of it adds up in one way only.
    for vectors in (False, True):
        reader = _Reader(data, start, end)
        try:
            reader.model(vectors=vectors)
        except SubjectError:
            if vectors:
                raise
        else:
            return XgboostModel(tuple(reader.texts), reader.at)
    raise AssertionError  # the second way returns or raises


class _Reader:
    """Reads forward within bounds."""

    def __init__(self, data: Data, start: int, end: int) -> None:
        self._data, self._end = data, end
        self.at = start
        self.texts: list[str] = []

    def learner(self) -> tuple[str, bool, bool]:
        """The booster, and whether attributes and metrics follow it."""
        if self._data[self.at : self.at + len(MAGIC)] == MAGIC:
            self.at += len(MAGIC)
        attributes, metrics = struct.unpack_from("<ii", self._take(_LEARNER), 12)
        self.texts.append(self._text())
        booster = self._text()
        if booster not in BOOSTERS or not self.texts[0].isprintable() or {attributes, metrics} - {0, 1}:
            raise SubjectError("its booster is of no known kind")
        return booster, bool(attributes), bool(metrics)

    def model(self, *, vectors: bool) -> None:
        """All of it; `vectors`: one follows the nodes of each tree that says so."""
        booster, attributes, metrics = self.learner()
        if booster == "gblinear":
            self._take(_LINEAR)
            self._skip(self._count() * 4)
        else:
            trees = self._trees(vectors=vectors)
            if booster == "dart" and trees:
                self._skip(self._count() * 4)
        for _ in range(2 * self._count() if attributes else 0):
            self.texts.append(self._text())
        for _ in range(self._count() if metrics else 0):
            self.texts.append(self._text())

    def _trees(self, *, vectors: bool) -> int:
        trees = int(struct.unpack_from("<i", self._take(_TREES))[0])
        if not 0 <= trees <= MAX_ITEMS:
            raise SubjectError(f"it has {trees:,} trees")
        for _ in range(trees):
            head = self._take(_TREE)
            (nodes,), (vector,) = struct.unpack_from("<i", head, 4), struct.unpack_from("<i", head, 20)
            if not 0 < nodes <= MAX_ITEMS:
                raise SubjectError(f"a tree has {nodes:,} nodes")
            self._skip(nodes * _NODE)
            if vectors and vector:
                self._skip(self._count() * 4)
        self._skip(trees * 4)
        return trees

    def _take(self, count: int) -> bytes:
        at = self.at
        self._skip(count)
        return bytes(self._data[at : self.at])

    def _skip(self, count: int) -> None:
        if count > self._end - self.at:
            raise SubjectError("it is cut short")
        self.at += count

    def _count(self) -> int:
        count = int.from_bytes(self._take(8), "little")
        if count > MAX_ITEMS:
            raise SubjectError(f"a list of it has {count:,} entries")
        return count

    def _text(self) -> str:
        size = int.from_bytes(self._take(8), "little")
        if size > MAX_TEXT:
            raise SubjectError(f"a text of it has {size:,} bytes")
        return self._take(size).decode("utf-8", "replace")
