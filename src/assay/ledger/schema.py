"""The ledger's tables, for any database that SQLAlchemy speaks.

| table | holds | key |
| --- | --- | --- |
| `meta` | schema version; origin: the ledger's own random name | name |
| `entries` | the signed envelopes, as they came | index, from 0 |
| `nodes` | interior hashes of complete subtrees, by the leaf that completed them | last, level |
| `subjects` | which entries speak of which SHA-256 | index, sha256 |
| `head` | size and root of the tree; one row | id |

Only `entries` is the record. All else is derived from it, and `verify` derives it again.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text

VERSION = 1
HEAD = 1  # the id of the only row of `head`

metadata = MetaData()

meta = Table("meta", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))

# SQLite makes only a column of type INTEGER its row id.
_INDEX = BigInteger().with_variant(Integer(), "sqlite")

entries = Table(
    "entries",
    metadata,
    Column("index", _INDEX, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("appended_at", BigInteger, nullable=False),
    Column("leaf_hash", LargeBinary, nullable=False),
    Column("envelope", LargeBinary, nullable=False),
    Index("entries_by_kind", "kind", "index"),
)

nodes = Table(
    "nodes",
    metadata,
    Column("last", _INDEX, primary_key=True, autoincrement=False),
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

subjects = Table(
    "subjects",
    metadata,
    Column("index", _INDEX, primary_key=True, autoincrement=False),
    Column("sha256", LargeBinary, primary_key=True),
    Index("subjects_by_sha256", "sha256", "index"),
    sqlite_with_rowid=False,
)

head = Table(
    "head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
)
