"""All that is SQLite's own: how a file is opened, locked, made durable, and what its errors mean.

A second store (PostgreSQL) is a second file like this one.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from assay.core.errors import LedgerError

SCHEME = "sqlite:///"
BUSY_TIMEOUT = 30.0
MAGIC = b"SQLite format 3\x00"
WRITE = "assay_write"

_REMEDIES = {
    sqlite3.SQLITE_FULL: ("the disk is full", "Free some space and run again; nothing was half-written."),
    sqlite3.SQLITE_IOERR: (
        "reading or writing failed",
        "Check the disk (space, quota, mount) and run again.",
    ),
    sqlite3.SQLITE_READONLY: ("the ledger is read-only", "Make the file and its folder writable."),
    sqlite3.SQLITE_PERM: ("access is denied", "Make the file and its folder readable and writable."),
    sqlite3.SQLITE_CANTOPEN: ("the file cannot be opened", "Check the path and the folder's permissions."),
    sqlite3.SQLITE_NOTADB: ("the file is not an Assay ledger", "Name the ledger file, or a new path."),
    sqlite3.SQLITE_CORRUPT: ("the database file is damaged", "Restore it from a backup; keep this file."),
    sqlite3.SQLITE_BUSY: (
        f"another process held the ledger locked for {BUSY_TIMEOUT:.0f} seconds",
        "See which process has it open, let it end, and run again.",
    ),
    sqlite3.SQLITE_LOCKED: ("the ledger is locked", "Let the other process end, and run again."),
    sqlite3.SQLITE_TOOBIG: ("the entry is larger than SQLite takes", "Log a smaller document."),
}


def file_of(uri: str | Path) -> Path:
    """The file that a path or a `sqlite:///` URI names.

    Raises:
        LedgerError: another scheme, or no file.
    """
    text = str(uri)
    if text.startswith(SCHEME):
        text = text.removeprefix(SCHEME)
    elif "://" in text:
        raise LedgerError(
            "only SQLite ledgers are supported",
            subject=text.split("://", 1)[0] + "://",
            remedy=f"Name a file, or {SCHEME}PATH.",
        )
    if not text or text == ":memory:":
        raise LedgerError("a ledger needs a file", subject=str(uri), remedy="Name a file for it.")
    return Path(text)


def open_engine(path: Path, *, create: bool) -> tuple[Engine, bool]:
    """An engine on the file, and whether it may only be read.

    Raises:
        LedgerError: there is no such file, it is not a database, or it cannot be opened.
    """
    with explained(path):
        if create:
            path.parent.mkdir(parents=True, exist_ok=True)
        fresh = not path.exists()
        writable = _writable(path)
        if fresh and not (create and writable):
            raise _missing(path, create=create)
        if not fresh:
            _require_database(path)
        mode = ("mode=rwc" if create else "mode=rw") if writable else _reading_mode(path)
        engine = _engine(path, mode, writable=writable)
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")
            if fresh:
                _sync_folder(path.parent)
        except BaseException:
            engine.dispose()
            raise
    return engine, not writable


def use_wal(engine: Engine) -> None:
    """Let readers and one writer work at the same time, at one fsync for each commit.

    Where that cannot be had (a file system without shared memory, another process at work), the database
    keeps the journal it has: as durable, and only slower.
    """
    connection = engine.raw_connection()
    try:
        driver: Any = connection.driver_connection
        with contextlib.suppress(sqlite3.OperationalError):
            driver.execute("PRAGMA journal_mode = WAL").fetchone()
    finally:
        connection.close()


def tables(connection: Connection) -> set[str]:
    """The names of the tables there are.

    Raises:
        LedgerError: the file holds triggers or views, which no ledger has and which could act on our writes.
    """
    rows = connection.exec_driver_sql("SELECT type, name FROM sqlite_master").all()
    if any(kind in ("trigger", "view") for kind, _ in rows):
        raise LedgerError(
            "the database holds triggers or views, which a ledger never has",
            remedy="Do not use this file; restore the ledger from a backup.",
        )
    return {name for kind, name in rows if kind == "table" and not name.startswith("sqlite_")}


def damage(connection: Connection) -> list[str]:
    """What SQLite itself finds wrong with the file: damaged pages, indexes that do not fit their tables.

    An index with a gap hides entries from look-ups while every row is still in its place.
    """
    found = connection.exec_driver_sql("PRAGMA integrity_check(20)").scalars().all()
    return [str(message)[:200] for message in found if message != "ok"]


def writing(engine: Engine) -> Engine:
    """The engine whose transactions take the write lock at their start."""
    return engine.execution_options(**{WRITE: True})


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn errors of the database and the file system into LedgerError with cause and remedy."""
    try:
        yield
    except LedgerError as error:
        error.subject = error.subject or str(path)
        raise
    except (DBAPIError, sqlite3.Error) as error:
        raise _explain(path, error) from error
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise LedgerError(
            f"cannot be opened: {reason}", subject=str(path), remedy="Check the path and its permissions."
        ) from error


def _explain(path: Path, error: Exception) -> LedgerError:
    origin = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(origin, "sqlite_errorcode", None)
    kind = None if code is None else code & 0xFF
    if kind == sqlite3.SQLITE_IOERR and _is_full(path):
        kind = sqlite3.SQLITE_FULL  # what failed was the shared memory beside the file
    known = _REMEDIES.get(kind) if kind is not None else None
    cause, remedy = known or (f"the database refused: {origin}", "Check the file; run `assay ledger verify`.")
    return LedgerError(cause, subject=str(path), remedy=remedy)


def _is_full(path: Path) -> bool:
    """Whether the file system has no block left for this user; where it cannot be told, no."""
    try:
        return os.statvfs(path.parent).f_bavail == 0
    except (AttributeError, OSError):
        return False


def _engine(path: Path, mode: str, *, writable: bool) -> Engine:
    uri = f"file:{quote(str(path.absolute()))}?{mode}"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(
            uri, uri=True, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False
        )

    engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool)
    event.listen(engine, "connect", _prepare(writable=writable))
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(*, writable: bool) -> Callable[[sqlite3.Connection, object], None]:
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        # Bytes that are not UTF-8 must reach us as a wrong value and not as an error that ends the reading.
        connection.text_factory = _decode
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
        if writable:
            connection.execute("PRAGMA synchronous = FULL")
            # macOS: without these, fsync leaves the bytes in the drive's cache.
            connection.execute("PRAGMA fullfsync = ON")
            connection.execute("PRAGMA checkpoint_fullfsync = ON")

    return prepare


def _decode(raw: bytes) -> str:
    return raw.decode(errors="replace")


def _begin(connection: Connection) -> None:
    # Taking the lock at once: a read that later turns into a write can fail where waiting would have helped.
    write = connection.get_execution_options().get(WRITE)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _reading_mode(path: Path) -> str:
    """How to open a file that may not be written.

    `immutable` makes SQLite ignore the write-ahead log; with one present that would hide entries.
    """
    log, index = path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")
    if os.access(path.parent, os.W_OK) or index.exists():
        return "mode=ro"
    if log.exists() and log.stat().st_size:
        raise LedgerError(
            "its newest entries are in a write-ahead log that cannot be read in a read-only folder",
            remedy=f"Copy {path.name} and {log.name} to a writable folder and open the copy.",
        )
    return "mode=ro&immutable=1"


def _writable(path: Path) -> bool:
    if not path.exists():
        return os.access(path.parent, os.W_OK)
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def _require_database(path: Path) -> None:
    if not path.is_file():
        raise LedgerError("is not a file", subject=str(path), remedy="Name a ledger file.")
    with path.open("rb") as file:
        start = file.read(len(MAGIC))
    if start and start != MAGIC:
        cause, remedy = _REMEDIES[sqlite3.SQLITE_NOTADB]
        raise LedgerError(cause, subject=str(path), remedy=remedy)


def _missing(path: Path, *, create: bool) -> LedgerError:
    if create:
        return LedgerError(
            "its folder is read-only",
            subject=str(path),
            remedy="Make the folder writable, or name another place for the ledger.",
        )
    return LedgerError(
        "there is no ledger here", subject=str(path), remedy="Run `assay run` once, or check the path."
    )


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
