"""pgvector: a table of PostgreSQL, read over one read-only transaction (extra `vectors`: pg8000)."""

from __future__ import annotations

import getpass
import os
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import numpy as np

from assay.core.errors import SubjectError, UsageError
from assay.subjects.dataset import Tally
from assay.subjects.vector_stores.confined import Hazard
from assay.subjects.vector_stores.entry import ANY, Entry, Fields, UnreadableError, Vector, to_entry

SCHEMES = ("postgresql://", "postgres://")
HINT = "Install the extra: pip install 'assay-llm[vectors]'."
_MODES = ("disable", "require", "verify-full")
_COLUMNS = ("id", "text", "vector", "source", "tenant")
_FETCHED = 1_000  # rows
_SECONDS = 900
# relkind: ordinary, partitioned and materialised. A view or foreign table would run what others wrote.
_TABLES = "rpm"
_PLAIN = frozenset(
    {"text", "varchar", "bpchar", "name", "uuid", "int2", "int4", "int8", "float4", "float8", "bool"}
)
_JSON = frozenset({"json", "jsonb"})
_VECTORS = {"vector": ">f4", "halfvec": ">f2"}


@dataclass(frozen=True, slots=True)
class TableName:
    """`postgresql://USER@HOST:PORT/DATABASE?table=SCHEMA.TABLE`, with `sslmode` and the columns if told.

    Attributes:
        host, port, database, user, password: where it is; the password is never shown.
        table: as written, with its schema if told.
        fields: columns that the user named.
        mode: disable, require or verify-full; "" is verify-full, or disable on this machine.
    """

    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)
    table: str
    fields: Fields = ANY
    mode: str = ""

    def __str__(self) -> str:
        return f"postgresql://{self.host}:{self.port}/{self.database}?table={self.table}"


def parse_table(text: str) -> TableName:
    """The table that `text` names; PGUSER and PGPASSWORD stand in for what it does not tell.

    Raises:
        UsageError: it names none; the error quotes neither user nor password.
    """
    try:
        parts = urlsplit(text)
        query = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        host, port = parts.hostname or "localhost", parts.port or 5432
    except ValueError as error:
        raise _unnamed() from error
    table, mode = query.pop("table", ""), query.pop("sslmode", "")
    database = unquote(parts.path.lstrip("/"))
    if not table or not database or set(query) - set(_COLUMNS) or (mode and mode not in _MODES):
        raise _unnamed()
    return TableName(
        host,
        port,
        database,
        unquote(parts.username or "") or os.environ.get("PGUSER") or getpass.getuser(),
        unquote(parts.password or "") or os.environ.get("PGPASSWORD", ""),
        table,
        Fields(**query),
        mode,
    )


def _unnamed() -> UsageError:
    return UsageError(
        "does not name a table of PostgreSQL",
        remedy="Write postgresql://USER@HOST/DATABASE?table=TABLE, with the password in PGPASSWORD; also "
        f"{', '.join(_COLUMNS)} for columns, and sslmode ({', '.join(_MODES)}).",
    )


@dataclass(frozen=True, slots=True)
class PostgresStore:
    """A table with a column of type `vector` or `halfvec`.

    Attributes:
        name: where it is.
        hazards: stays empty; the table holds no pickles.
    """

    name: TableName
    hazards: list[Hazard] = field(default_factory=list)
    kind: str = "pgvector"

    def entries(self, tally: Tally) -> Iterator[Entry]:
        """All rows with a vector, as of one moment; what cannot be read is counted in `tally`.

        No search finds a row without one.

        Raises:
            SubjectError: the server cannot be reached, refuses, or has no such table.
        """
        with _connected(self.name) as connection:
            statement, columns = _statement(connection, self.name)
            connection.run(f"DECLARE assay_rows NO SCROLL CURSOR FOR {statement}")
            number = 0
            while rows := connection.run(f"FETCH {_FETCHED} FROM assay_rows"):
                for row in rows:
                    number += 1
                    try:
                        yield self._entry(dict(zip(columns, row, strict=True)), number)
                    except UnreadableError as problem:
                        tally.skip(f"row {number}", str(problem), "Embed it again, or delete the row.")

    def _entry(self, row: Mapping[str, Any], number: int) -> Entry:
        raw, kind = row["__vector"], row["__type"]
        told = Fields(self.name.fields.id, self.name.fields.text, "__numbers", *_labels(self.name.fields))
        return to_entry({**row, "__numbers": _numbers(raw, str(kind))}, number, told)


def _labels(fields: Fields) -> tuple[str, str]:
    return fields.source, fields.tenant


def _numbers(raw: bytes, kind: str) -> Vector:
    """A vector as its type sends it: two 16-bit integers, the first the width, then the numbers."""
    return np.frombuffer(raw, dtype=_VECTORS[kind], offset=4).astype(np.float32)


@contextmanager
def _connected(name: TableName) -> Iterator[Any]:
    """A connection within a read-only transaction that sees one moment, and that sees all rows or fails."""
    try:
        import pg8000.native as driver  # noqa: PLC0415  an extra
    except ImportError as error:
        raise SubjectError(
            "is read by pg8000, which is not installed", subject=str(name), remedy=HINT
        ) from error
    connection = None
    try:
        connection = driver.Connection(
            name.user,
            host=name.host,
            port=name.port,
            database=name.database,
            password=name.password or None,
            ssl_context=_tls(name),
            timeout=_SECONDS,
            application_name="assay",
        )
        connection.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        connection.run(f"SET LOCAL statement_timeout = '{_SECONDS}s'")
        connection.run("SET LOCAL row_security = off")  # what a policy would hide is an error, not an absence
        connection.run("SET LOCAL search_path = pg_catalog")
        yield connection
    except (driver.DatabaseError, driver.InterfaceError, OSError, ssl.SSLError) as error:
        raise SubjectError(
            f"cannot be read: {_said(error, name.password)}",
            subject=str(name),
            remedy="Check address, user, PGPASSWORD and sslmode; the user needs SELECT on the table.",
        ) from error
    finally:
        if connection is not None:
            _close(connection, driver)


def _close(connection: Any, driver: Any) -> None:
    try:
        connection.close()
    except (driver.DatabaseError, driver.InterfaceError, OSError):
        return  # it was broken before; that was told


def _said(error: Exception, secret: str) -> str:
    first = error.args[0] if error.args else str(error)
    text = str(first.get("M", "")) if isinstance(first, dict) else str(first)
    return (text.replace(secret, "[password]") if secret else text)[:200] or type(error).__name__


def _tls(name: TableName) -> ssl.SSLContext | None:
    local = name.host in {"localhost", "127.0.0.1", "::1"}
    mode = name.mode or ("disable" if local else "verify-full")
    if mode == "disable":
        return None
    context = ssl.create_default_context(cafile=os.environ.get("PGSSLROOTCERT") or None)
    if mode == "require":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _statement(connection: Any, name: TableName) -> tuple[str, list[str]]:
    """The query for the columns that can mean something, and their names."""
    schema, table = _located(connection, name)
    columns = connection.run(
        "SELECT a.attname::text, t.typname::text, n.nspname::text FROM pg_attribute a "
        "JOIN pg_type t ON t.oid = a.atttypid JOIN pg_namespace n ON n.oid = t.typnamespace "
        "WHERE a.attrelid = (SELECT c.oid FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace "
        "WHERE s.nspname = :schema AND c.relname = :table) AND a.attnum > 0 AND NOT a.attisdropped "
        "ORDER BY a.attnum",
        schema=schema,
        table=table,
    )
    vectors = [one for one in columns if one[1] in _VECTORS and name.fields.vector in {"", one[0]}]
    if len(vectors) != 1:
        found = ", ".join(one[0] for one in vectors) or "none"
        raise SubjectError(
            f"has {len(vectors)} columns of vectors that could be meant",
            subject=str(name),
            remedy=f"Name one by adding &vector=COLUMN: {found}.",
        )
    column, kind, home = vectors[0]
    plain = [one[0] for one in columns if one[1] in _PLAIN]
    documents = [one[0] for one in columns if one[1] in _JSON]
    # The type's own function, by its schema: another of that name could have been put before it.
    parts = [f"{_quoted(home)}.{_quoted(kind + '_send')}({_quoted(column)})", f"'{kind}'"]
    parts += [f"{_quoted(one)}::text" for one in plain] + [_quoted(one) for one in documents]
    named = ["__vector", "__type", *plain, *("metadata" if len(documents) == 1 else one for one in documents)]
    place = f"{_quoted(schema)}.{_quoted(table)} WHERE {_quoted(column)} IS NOT NULL"
    return f"SELECT {', '.join(parts)} FROM {place}", named  # noqa: S608  quoted names


def _located(connection: Any, name: TableName) -> tuple[str, str]:
    schema, dot, table = name.table.partition(".")
    schema, table = (schema, table) if dot else ("public", schema)
    found = connection.run(
        "SELECT c.relkind::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = :schema AND c.relname = :table",
        schema=schema,
        table=table,
    )
    if not found:
        raise SubjectError("there is no such table", subject=str(name), remedy="Write it as SCHEMA.TABLE.")
    if found[0][0] not in _TABLES:
        raise SubjectError(
            "is a view or a foreign table: reading it would run what others wrote",
            subject=str(name),
            remedy="Name the table that it reads.",
        )
    return schema, table


def _quoted(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'
