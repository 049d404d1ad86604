"""A SQLite file of unknown origin, opened so that nothing in its schema is run (sqlite.org/security.html)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from urllib.parse import quote

MAX_VALUE = 64 << 20  # bytes of one value
MAX_COLUMNS = 200


class SchemaError(Exception):
    """The file does not hold the tables that the store writes."""


def connect(path: str) -> sqlite3.Connection:
    """Open the file as it stands: read-only, without locks, logs or journals beside it."""
    database = sqlite3.connect(f"file:{quote(path)}?mode=ro&immutable=1", uri=True)
    database.text_factory = lambda raw: raw.decode("utf-8", "replace")
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE)
    database.setlimit(sqlite3.SQLITE_LIMIT_COLUMN, MAX_COLUMNS)
    database.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    return database


def harden(database: sqlite3.Connection) -> None:
    """Set what is set by statements, the first of which reads the schema."""
    for pragma in ("trusted_schema=OFF", "cell_size_check=ON", "mmap_size=0", "temp_store=MEMORY"):
        database.execute(f"PRAGMA {pragma}")


def rows(
    database: sqlite3.Connection, table: str, columns: str, rest: str = "", *values: object
) -> Iterator[tuple[object, ...]]:
    """Rows of a plain table; a view or virtual table of its name would compute what it shows.

    Raises:
        SchemaError: there is no such plain table.
    """
    found = database.execute(
        "SELECT type, sql FROM sqlite_master WHERE name = ? COLLATE NOCASE", (table,)
    ).fetchall()
    kinds = [(kind, str(sql).upper().split()[:2]) for kind, sql in found]
    if kinds != [("table", ["CREATE", "TABLE"])]:
        raise SchemaError(f"there is no plain table {table!r}")
    yield from database.execute(f"SELECT {columns} FROM {table} {rest}", values)  # noqa: S608  our own words
