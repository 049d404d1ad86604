"""The ledger's tables in one database: opened, created, and read or written in transactions."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, insert, select

from assay.core.errors import LedgerError, TamperError
from assay.ledger import schema, sqlite
from assay.ledger.merkle import EMPTY_ROOT


class Store:
    """The ledger's tables in one database."""

    def __init__(self, path: Path, *, create: bool) -> None:
        self.path = path
        self._engine, self.read_only = sqlite.open_engine(path, create=create)
        self._writer = sqlite.writing(self._engine)
        try:
            with sqlite.explained(path):
                self._prepare(create=create)
                self.origin = self._meta("origin")
        except BaseException:
            self._engine.dispose()
            raise

    def close(self) -> None:
        """Give back all connections."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection in a read transaction: all it reads is of one moment."""
        with sqlite.explained(self.path), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection that holds the write lock; what it wrote is on disk when the block ends."""
        if self.read_only:
            raise LedgerError(
                "the ledger is read-only",
                subject=str(self.path),
                remedy="Make the file and its folder writable, or name another ledger.",
            )
        with sqlite.explained(self.path), self._writer.begin() as connection:
            yield connection

    def _prepare(self, *, create: bool) -> None:
        with self._engine.connect() as connection:
            found = sqlite.tables(connection)
        if not found and create and not self.read_only:
            sqlite.use_wal(self._engine)
            with self.writing() as connection:
                if not sqlite.tables(connection):
                    _create(connection)
        elif not set(schema.metadata.tables) <= found:
            raise LedgerError(
                "the database is not an Assay ledger",
                remedy="Name the ledger file, or a path where a new one can be made.",
            )
        self._require_version()

    def _require_version(self) -> None:
        version = self._meta("version")
        if version.isdecimal() and int(version) > schema.VERSION:
            raise LedgerError(
                f"written by a newer Assay (schema {version}, this one reads {schema.VERSION})",
                remedy="Upgrade Assay.",
            )
        if version != str(schema.VERSION):
            raise TamperError(
                f"its schema version reads {version[:40]!r}", remedy="Restore it from a backup."
            )

    def _meta(self, name: str) -> str:
        with self._engine.connect() as connection:
            value = connection.scalar(select(schema.meta.c.value).where(schema.meta.c.name == name))
        if not isinstance(value, str):
            raise TamperError(f"its {name} is gone", remedy="Restore the ledger from a backup.")
        return value


def _create(connection: Connection) -> None:
    schema.metadata.create_all(connection)
    facts = {"version": str(schema.VERSION), "origin": secrets.token_hex(16)}
    connection.execute(insert(schema.meta), [{"name": name, "value": value} for name, value in facts.items()])
    connection.execute(insert(schema.head).values(id=schema.HEAD, size=0, root=EMPTY_ROOT))
