"""The Merkle tree of RFC 9162 section 2.1, as pure functions over SHA-256 hashes.

A tree over n leaves is stored as its *complete* subtrees: node `(level, position)` covers the leaves
`position << level` up to, not including, `(position + 1) << level`; level 0 are the leaves. Such a node never
changes once its last leaf is there, so a log only ever adds nodes. The root of any earlier size, and every
proof, needs O(log n) of them.

Proof functions ask for nodes through a `NodeReader`, so that they work on a database as on a dict.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256().digest()
NodeReader: TypeAlias = "Callable[[int, int], bytes]"


def leaf_hash(entry: bytes) -> bytes:
    """`HASH(0x00 || entry)` (RFC 9162 section 2.1.1)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """`HASH(0x01 || left || right)` (RFC 9162 section 2.1.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def frontier_nodes(size: int) -> list[tuple[int, int]]:
    """The `(level, position)` of the complete subtrees that make up a tree of `size`, left to right."""
    levels = range(size.bit_length() - 1, -1, -1)
    return [(level, (size >> level) - 1) for level in levels if size >> level & 1]


class Frontier:
    """A tree that only grows: O(log n) hashes stand for all leaves so far.

    Args:
        size: leaves so far.
        hashes: the hashes of `frontier_nodes(size)`, in that order.
    """

    __slots__ = ("_hashes", "size")

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        if len(hashes) != size.bit_count():
            raise ValueError(f"a tree of {size} has {size.bit_count()} complete subtrees, not {len(hashes)}")
        self.size = size
        self._hashes = list(hashes)

    def append(self, leaf: bytes) -> list[tuple[int, bytes]]:
        """Add a leaf hash; return `(level, hash)` of each interior node that it completes, lowest first."""
        index, node = self.size, leaf
        completed = []
        level = 0
        while index >> level & 1:
            node = node_hash(self._hashes.pop(), node)
            level += 1
            completed.append((level, node))
        self._hashes.append(node)
        self.size += 1
        return completed

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """The hashes of `frontier_nodes(size)`."""
        return tuple(self._hashes)

    def root(self) -> bytes:
        """The root hash of the leaves so far."""
        return _fold(self._hashes)


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over leaf hashes."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def root_at(read: NodeReader, size: int) -> bytes:
    """The root of the tree as it was at `size`, from stored nodes."""
    return _fold([read(level, position) for level, position in frontier_nodes(size)])


def inclusion_proof(read: NodeReader, index: int, size: int) -> list[bytes]:
    """The path that proves that leaf `index` is in the tree of `size` (RFC 9162 section 2.1.3.1).

    Raises:
        ValueError: the tree of `size` has no leaf `index`.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} has no leaf {index}")
    return [_range_root(read, start, stop) for start, stop in _path(index, size)]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows `leaf` at `index` of the tree with `size` and `root` (section 2.1.3.2)."""
    if not 0 <= index < size or not _well_formed(proof):
        return False
    node, last, computed = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            computed = node_hash(sibling, computed)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            computed = node_hash(computed, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and computed == root


def consistency_proof(read: NodeReader, old: int, new: int) -> list[bytes]:
    """Proves that the tree of `new` begins with the tree of `old` (RFC 9162 section 2.1.4.1).

    Empty for `old` equal to `new`, and for `old` 0, which every tree begins with.

    Raises:
        ValueError: `old` is negative or larger than `new`.
    """
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} has no earlier tree of {old}")
    if old in (0, new):
        return []
    return [_range_root(read, start, stop) for start, stop in _subproof(old, new)]


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows that tree `new` begins with tree `old` (RFC 9162 section 2.1.4.2)."""
    if not 0 <= old <= new or not _well_formed(proof):
        return False
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    if not path:
        return False
    return _consistent(old - 1, new - 1, path) == (old_root, new_root)


def _consistent(node: int, last: int, path: list[bytes]) -> tuple[bytes, bytes] | None:
    while node & 1:
        node, last = node >> 1, last >> 1
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            return None
        if node & 1 or node == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        node, last = node >> 1, last >> 1
    return (first, second) if last == 0 else None


def _split(start: int, stop: int) -> int:
    """Where the tree over `start..stop` splits: the largest power of two below its size."""
    return start + (1 << (stop - start - 1).bit_length() - 1)


def _path(index: int, size: int) -> Iterator[tuple[int, int]]:
    """Leaf ranges of the siblings on the way from leaf `index` to the root, lowest first."""
    siblings = []
    start, stop = 0, size
    while stop - start > 1:
        middle = _split(start, stop)
        if index < middle:
            siblings.append((middle, stop))
            stop = middle
        else:
            siblings.append((start, middle))
            start = middle
    return reversed(siblings)


def _subproof(old: int, new: int) -> Iterator[tuple[int, int]]:
    """SUBPROOF(old, D_new, true) as leaf ranges, lowest first."""
    ranges = []
    start, stop = 0, new
    while old != stop:
        middle = _split(start, stop)
        if old <= middle:
            ranges.append((middle, stop))
            stop = middle
        else:
            ranges.append((start, middle))
            start = middle
    if start:
        ranges.append((start, stop))
    return reversed(ranges)


def _range_root(read: NodeReader, start: int, stop: int) -> bytes:
    """Root over the leaves `start..stop`, where `start` is a multiple of a power of two >= its size."""
    hashes = []
    for level, position in frontier_nodes(stop - start):
        hashes.append(read(level, (start >> level) + position))
    return _fold(hashes)


def _fold(hashes: Sequence[bytes]) -> bytes:
    if not hashes:
        return EMPTY_ROOT
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


def _well_formed(proof: Sequence[bytes]) -> bool:
    return all(len(node) == HASH_SIZE for node in proof)
