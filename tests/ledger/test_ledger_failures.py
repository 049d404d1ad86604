from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from assay.core.errors import LedgerError
from assay.ledger import EntryKind, Keyring, Ledger
from assay.ledger import sqlite as sqlite_floor

Make = Callable[..., bytes]


def refused(uri: object, *, create: bool = True) -> LedgerError:
    with pytest.raises(LedgerError) as caught:
        Ledger.open(uri, create=create)  # type: ignore[arg-type]
    assert caught.value.remedy
    return caught.value


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[Path]:
    """A tmpfs on `folder`, where the machine lets us."""
    mount = shutil.which("mount")
    if not mount or os.geteuid() != 0:
        pytest.skip("only root may mount a file system for this test")
    folder.mkdir()
    done = subprocess.run(
        [mount, "-t", "tmpfs", *options, "none", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip(f"a file system cannot be mounted here: {done.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def remount_read_only(folder: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)


def test_there_is_no_ledger(tmp_path: Path) -> None:
    error = refused(tmp_path / "none.db", create=False)
    assert (error.cause, error.subject) == ("there is no ledger here", str(tmp_path / "none.db"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("uri", ["postgresql://user:secret@host/ledger", "https://example.com/l.db"])
def test_other_stores_are_refused_without_printing_their_passwords(uri: str) -> None:
    error = refused(uri)
    assert error.cause == "only SQLite ledgers are supported"
    assert "secret" not in error.diagnostics()


@pytest.mark.parametrize("uri", ["", "sqlite:///", ":memory:", "sqlite:///:memory:"])
def test_a_ledger_needs_a_file(uri: str) -> None:
    assert refused(uri).cause == "a ledger needs a file"


@pytest.mark.parametrize(
    "content", [b"not a database at all", b"SQLite format 3\x00" + b"\xff" * 4096, b"\n"]
)
def test_a_file_that_is_something_else_is_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file.db"
    path.write_bytes(content)
    error = refused(path)
    assert error.cause in ("the file is not an Assay ledger", "the database file is damaged")
    assert path.read_bytes() == content
    assert error.subject == str(path)


def test_a_folder_is_not_a_ledger(tmp_path: Path) -> None:
    assert refused(tmp_path).cause == "is not a file"
    (tmp_path / "file").touch()
    assert refused(tmp_path / "file" / "ledger.db").cause.startswith("cannot be opened: ")


def test_the_database_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE entries (x)")
    other.close()
    before = path.read_bytes()
    assert refused(path).cause == "the database is not an Assay ledger"
    assert path.read_bytes() == before


def test_an_empty_file_becomes_a_ledger_only_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    path.touch()
    assert refused(path, create=False).cause == "the database is not an Assay ledger"
    with Ledger.open(path) as ledger:
        assert ledger.head().size == 0


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ("UPDATE meta SET value = '2'", "written by a newer Assay (schema 2, this one reads 1)"),
        ("UPDATE meta SET value = 'x'", "its schema version reads 'x'"),
        ("DELETE FROM meta", "its version is gone"),
        ("CREATE TRIGGER t AFTER INSERT ON head BEGIN DELETE FROM head; END", "holds triggers or views"),
        ("DROP TABLE nodes", "the database is not an Assay ledger"),
    ],
)  # fmt: skip
def test_a_ledger_that_cannot_be_trusted_or_read_is_not_opened(
    tmp_path: Path, change: str, cause: str
) -> None:
    path = tmp_path / "ledger.db"
    Ledger.open(path).close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute(change)
    other.close()
    assert cause in refused(path).cause


def test_a_ledger_locked_for_too_long_says_so(
    tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ledger.db"
    Ledger.open(path).close()
    monkeypatch.setattr(sqlite_floor, "BUSY_TIMEOUT", 0.05)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with Ledger.open(path) as ledger:
        with pytest.raises(LedgerError, match="another process held the ledger locked") as caught:
            ledger.append(EntryKind.EVIDENCE, make())
        assert "let it end" in caught.value.remedy
        holder.execute("ROLLBACK")
        holder.close()
        assert ledger.append(EntryKind.EVIDENCE, make()).index == 0


def test_a_full_disk_loses_nothing_and_the_ledger_goes_on_when_there_is_room(
    tmp_path: Path, make: Make, ring: Keyring
) -> None:
    with mounted(tmp_path / "disk", "-o", "size=1m") as disk:
        ballast = disk / "ballast"
        ballast.write_bytes(bytes(600_000))
        with Ledger.open(disk / "ledger.db") as ledger:
            acknowledged = 0
            with pytest.raises(LedgerError) as caught:  # noqa: PT012  it is the loop that fails at some point
                for number in range(2_000):
                    ledger.append(EntryKind.EVIDENCE, make(f"{number:064x}", pad="x" * 900))
                    acknowledged += 1
            assert caught.value.cause in ("the disk is full", "reading or writing failed")
            assert "space" in caught.value.remedy
            assert ledger.head().size == acknowledged > 10
            ballast.unlink()
            assert ledger.append(EntryKind.EVIDENCE, make()).index == acknowledged
            found = ledger.verify(ring)
            assert (found.size, found.problems) == (acknowledged + 1, ())


def test_a_disk_too_full_for_a_new_ledger(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "-o", "size=64k") as disk:
        (disk / "ballast").write_bytes(bytes(60_000))
        error = refused(disk / "ledger.db")
        assert error.cause in ("the disk is full", "reading or writing failed")


def test_a_file_size_limit_loses_nothing(tmp_path: Path, make: Make, ring: Keyring) -> None:
    source = tmp_path / "envelopes"
    source.write_bytes(b"\n".join(make(f"{number:064x}") for number in range(200)))
    script = """
import resource, signal, sys
from pathlib import Path
from assay.core.errors import LedgerError
from assay.ledger import EntryKind, Ledger
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
with Ledger.open(sys.argv[1]) as ledger:
    try:
        for envelope in Path(sys.argv[2]).read_bytes().splitlines():
            print(ledger.append(EntryKind.EVIDENCE, envelope).index)
    except LedgerError as error:
        print(error.cause)
"""
    path = tmp_path / "ledger.db"
    done = subprocess.run(
        [sys.executable, "-c", script, str(path), str(source)], capture_output=True, text=True, check=True
    )
    *indexes, cause = done.stdout.splitlines()
    assert cause in ("the disk is full", "reading or writing failed")
    with Ledger.open(path) as ledger:
        found = ledger.verify(ring)
    assert (found.size, found.problems) == (len(indexes), ())
    assert len(indexes) > 10


@pytest.mark.parametrize("mode", ["mount", "permissions"])
def test_a_read_only_ledger_can_be_read_and_verified_but_not_written(
    tmp_path: Path, make: Make, ring: Keyring, mode: str
) -> None:
    with read_only_folder(tmp_path / "folder", mode) as (folder, freeze):
        with Ledger.open(folder / "ledger.db") as ledger:
            ledger.append_many([(EntryKind.EVIDENCE, make())] * 5)
            head = ledger.head()
        freeze()
        with Ledger.open(folder / "ledger.db") as ledger:
            assert ledger.read_only
            assert ledger.head() == head
            assert ledger.verify(ring).problems == ()
            assert ledger.get(4).index == 4
            with pytest.raises(LedgerError, match="the ledger is read-only") as caught:
                ledger.append(EntryKind.EVIDENCE, make())
            assert "writable" in caught.value.remedy
        error = refused(folder / "new.db")
        assert (error.cause, error.subject) == ("its folder is read-only", str(folder / "new.db"))
        assert refused(folder / "deeper" / "new.db").cause.startswith("cannot be opened: ")


def test_a_read_only_copy_with_a_log_beside_it_hides_no_entries(
    tmp_path: Path, make: Make, ring: Keyring
) -> None:
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        ledger.append_many([(EntryKind.EVIDENCE, make())] * 5)
        with mounted(tmp_path / "folder") as folder:
            for name in ("ledger.db", "ledger.db-wal"):
                shutil.copy(tmp_path / name, folder / name)
            remount_read_only(folder)
            error = refused(folder / "ledger.db")
            assert "write-ahead log" in error.cause
            assert error.remedy.startswith("Copy ledger.db and ledger.db-wal to a writable folder")
        (tmp_path / "copy").mkdir()
        for name in ("ledger.db", "ledger.db-wal"):
            shutil.copy(tmp_path / name, tmp_path / "copy" / name)
        with Ledger.open(tmp_path / "copy" / "ledger.db") as copy:
            assert copy.verify(ring).size == 5


@contextmanager
def read_only_folder(folder: Path, mode: str) -> Iterator[tuple[Path, Callable[[], None]]]:
    if mode == "mount":
        with mounted(folder):
            yield folder, lambda: remount_read_only(folder)
        return
    if os.geteuid() == 0:
        pytest.skip("the permissions of a folder do not bind root")
    folder.mkdir()

    def freeze() -> None:
        (folder / "ledger.db").chmod(0o400)
        folder.chmod(0o500)

    try:
        yield folder, freeze
    finally:
        folder.chmod(0o700)
