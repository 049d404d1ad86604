"""Rows in and out of the ledger's tables, inside a transaction that the caller holds.

Statements are built once: SQLAlchemy spends more time on building one than SQLite on running it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import Connection, Select, bindparam, insert, select, update

from assay.core.errors import TamperError
from assay.ledger import schema
from assay.ledger.entry import TreeHead, stored_leaf_hash
from assay.ledger.merkle import HASH_SIZE, Frontier, frontier_nodes

PAGE = 256
Row: TypeAlias = tuple[int, str, int, bytes, bytes]

_SELECT_HEAD = select(schema.head.c.size, schema.head.c.root)
_SELECT_TIME = select(schema.entries.c.appended_at).where(schema.entries.c.index == bindparam("place"))
_SELECT_LEAF = select(schema.entries.c.leaf_hash).where(schema.entries.c.index == bindparam("place"))
_SELECT_NODE = select(schema.nodes.c.hash).where(
    schema.nodes.c.last == bindparam("place"), schema.nodes.c.level == bindparam("height")
)
_INSERT_ENTRIES = insert(schema.entries)
_INSERT_SUBJECTS = insert(schema.subjects)
_INSERT_NODES = insert(schema.nodes)
_UPDATE_HEAD = update(schema.head).where(schema.head.c.id == schema.HEAD)


@dataclass(frozen=True, slots=True)
class NewRow:
    """An entry to write: all but its place and leaf hash, which follow from where the tree stands."""

    kind: str
    envelope: bytes
    subjects: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Edge:
    """Where the tree stands and all that an append needs of it: the frontier's hashes, the newest time."""

    head: TreeHead
    hashes: tuple[bytes, ...]
    last_at: int


def read_head(connection: Connection) -> TreeHead:
    """Size and root as the head row states them.

    Raises:
        TamperError: the row is gone or holds something else.
    """
    row = connection.execute(_SELECT_HEAD).all()
    if len(row) != 1 or not isinstance(row[0][0], int) or not isinstance(row[0][1], bytes) or row[0][0] < 0:
        raise TamperError("the head of the tree is damaged", remedy="Run `assay ledger verify`.")
    return TreeHead(row[0][0], row[0][1])


def read_node(connection: Connection, level: int, position: int) -> bytes:
    """The hash of a complete subtree.

    Raises:
        TamperError: it is gone, or is no hash.
    """
    if level:
        last = ((position + 1) << level) - 1
        found = connection.scalar(_SELECT_NODE, {"place": last, "height": level})
    else:
        found = connection.scalar(_SELECT_LEAF, {"place": position})
    if not isinstance(found, bytes) or len(found) != HASH_SIZE:
        raise TamperError(
            f"the hash of level {level}, position {position} is gone",
            remedy="Run `assay ledger verify`, and restore the ledger from a backup.",
        )
    return found


def read_edge(connection: Connection, head: TreeHead) -> Edge:
    """The tree's right edge, checked against the head.

    Raises:
        TamperError: the stored hashes do not give the root that the head states.
    """
    hashes = tuple(read_node(connection, level, position) for level, position in frontier_nodes(head.size))
    if Frontier(head.size, hashes).root() != head.root:
        raise TamperError(
            "the stored hashes do not give the root of the tree",
            remedy="Run `assay ledger verify`, and restore the ledger from a backup.",
        )
    last_at = connection.scalar(_SELECT_TIME, {"place": head.size - 1}) if head.size else 0
    return Edge(head, hashes, last_at if isinstance(last_at, int) else 0)


def extend(connection: Connection, edge: Edge, rows: Sequence[NewRow], now: int) -> tuple[list[Row], Edge]:
    """Write `rows` behind `edge`; return them as written, and the new edge.

    Args:
        connection: holds the write lock.
        edge: where the tree stands.
        rows: what to add.
        now: microseconds since 1970.
    """
    # Never backwards, whatever the clock does: revocation relies on the order of times.
    now = max(now, edge.last_at)
    frontier = Frontier(edge.head.size, edge.hashes)
    written: list[Row] = []
    interior: list[dict[str, Any]] = []
    for index, row in enumerate(rows, frontier.size):
        leaf = stored_leaf_hash(index, row.kind, now, row.envelope)
        written.append((index, row.kind, now, leaf, row.envelope))
        interior += [{"last": index, "level": level, "hash": node} for level, node in frontier.append(leaf)]
    head = TreeHead(frontier.size, frontier.root())
    _write(connection, written, rows, interior, head)
    return written, Edge(head, frontier.hashes, now)


def _write(
    connection: Connection,
    written: Sequence[Row],
    rows: Sequence[NewRow],
    interior: list[dict[str, Any]],
    head: TreeHead,
) -> None:
    names = ("index", "kind", "appended_at", "leaf_hash", "envelope")
    connection.execute(_INSERT_ENTRIES, [dict(zip(names, row, strict=True)) for row in written])
    pairs = zip(written, rows, strict=True)
    digests = [{"index": place[0], "sha256": digest} for place, row in pairs for digest in row.subjects]
    connection.execute(_INSERT_SUBJECTS, digests)
    if interior:
        connection.execute(_INSERT_NODES, interior)
    connection.execute(_UPDATE_HEAD, {"size": head.size, "root": head.root})


def read_rows(connection: Connection, query: Select[Any]) -> Iterator[Row]:
    """Run a query of `select_entries`. Columns are what the file holds: nothing about them is certain."""
    for result in connection.execute(query):
        index, kind, appended_at, leaf, envelope = result
        yield index, kind, appended_at, leaf, envelope


def select_entries() -> Select[Any]:
    """Entries with all their columns."""
    columns = schema.entries.c
    return select(columns.index, columns.kind, columns.appended_at, columns.leaf_hash, columns.envelope)


def page_of(
    *, kind: str | None, subject: bytes | None, newest_first: bool, after: int | None, size: int, limit: int
) -> Select[Any]:
    """One page of entries, keyset-paged by index.

    Args:
        kind: only this kind.
        subject: only entries that speak of this digest.
        newest_first: order.
        after: the index that the page before ended with.
        size: the tree's size when the listing began; later entries are not part of it.
        limit: rows.
    """
    index = schema.entries.c.index
    query = select_entries()
    if subject is not None:
        # The digest's own index gives the order, so that a page costs what it holds.
        index = schema.subjects.c.index
        query = query.join(schema.subjects, index == schema.entries.c.index)
        query = query.where(schema.subjects.c.sha256 == subject)
    if kind is not None:
        query = query.where(schema.entries.c.kind == kind)
    query = query.where(index >= 0, index < size)
    if after is not None:
        query = query.where(index < after if newest_first else index > after)
    return query.order_by(index.desc() if newest_first else index).limit(limit)
