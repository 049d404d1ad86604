from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from assay.core.check import SilentProgress
from assay.core.errors import LedgerError, TamperError
from assay.core.evidence import APPROVAL, REPORT
from assay.ledger import EntryKind, Keyring, Ledger, LedgerVerification, Revocation, SigningKey
from assay.ledger.entry import stored_leaf_hash
from assay.ledger.verification import verify

Make = Callable[..., bytes]
SIZE = 21


@pytest.fixture
def path(tmp_path: Path, make: Make) -> Path:
    path = tmp_path / "ledger.db"
    with Ledger.open(path) as ledger:
        envelopes = [make(f"{number:064x}", candidate="c" * 64) for number in range(SIZE)]
        ledger.append_many((EntryKind.EVIDENCE, envelope) for envelope in envelopes)
    return path


@pytest.fixture
def sql(path: Path) -> Iterator[Callable[..., list[Any]]]:
    """What somebody with write access to the file can do."""
    connection = sqlite3.connect(path, isolation_level=None)

    def run(statement: str, *values: object) -> list[Any]:
        return connection.execute(statement, values).fetchall()

    yield run
    connection.close()


Sql = Callable[..., list[Any]]


def verified(path: Path, ring: Keyring, anchor: bytes | None = None) -> LedgerVerification:
    with Ledger.open(path, create=False) as ledger:
        return ledger.verify(ring, anchor=anchor)


def problems(path: Path, ring: Keyring, anchor: bytes | None = None) -> list[str]:
    return [str(problem) for problem in verified(path, ring, anchor).problems]


ROOT = "the root recomputed from the entries is not that of the head"
LEAF = "its leaf hash is not that of its kind, time and envelope"


def test_an_untouched_ledger_is_sound(path: Path, ring: Keyring, key: SigningKey) -> None:
    with Ledger.open(path) as ledger:
        head, anchor = ledger.head(), ledger.signed_head(key)
    found = verified(path, ring, anchor)
    assert found == LedgerVerification(
        SIZE, head.root, {"evidence": SIZE}, {key.keyid: SIZE}, (), anchored=SIZE
    )
    assert found.sound
    found.require_sound()


def test_an_empty_ledger_is_sound(ledger: Ledger, ring: Keyring) -> None:
    assert ledger.verify(ring) == LedgerVerification(0, ledger.head().root, {}, {}, ())


@pytest.mark.parametrize("index", [0, 7, 8, SIZE - 1])
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("kind = 'verdict'", LEAF),
        ("kind = 'unheard-of'", LEAF),
        ("kind = x'00'", "a column holds a value of another type"),
        ("appended_at = appended_at + 1", LEAF),
        ("appended_at = 'now'", "a column holds a value of another type"),
        ("leaf_hash = x'00' || substr(leaf_hash, 2)", LEAF),
        ("envelope = 'text'", "a column holds a value of another type"),
        ("envelope = CAST(substr(envelope, 1, 40) || 'x' || substr(envelope, 42) AS BLOB)", LEAF),
        ("envelope = CAST(envelope || ' ' AS BLOB)", LEAF),
    ],
)
def test_a_change_in_any_column_names_the_entry(
    path: Path, sql: Sql, ring: Keyring, index: int, change: str, expected: str
) -> None:
    sql(f'UPDATE entries SET {change} WHERE "index" = ?', index)
    found = verified(path, ring)
    assert f"entry {index}: {expected}" in map(str, found.problems)
    assert {problem.index for problem in found.problems} <= {index, index + 1, None}
    with pytest.raises(TamperError, match=f"entry {index}: "):
        found.require_sound()


def test_a_changed_entry_is_not_handed_out(path: Path, sql: Sql) -> None:
    sql("UPDATE entries SET kind = 'key' WHERE \"index\" = 3")
    with Ledger.open(path) as ledger:
        assert ledger.get(2).index == 2
        for read in (lambda: ledger.get(3), lambda: list(ledger.entries())):
            with pytest.raises(TamperError, match="entry 3 is not what was logged"):
                read()


def test_a_moved_index_is_noticed_at_both_ends(path: Path, sql: Sql, ring: Keyring) -> None:
    sql('UPDATE entries SET "index" = 99 WHERE "index" = 5')
    assert problems(path, ring) == [
        "entry 5: is missing",
        "entry 5: is indexed, but there is no such entry",
        f"entry 99: table entries holds a row for it, but the head counts {SIZE} entries",
        f"the head counts {SIZE} entries, but {SIZE - 1} are there",
        ROOT,
    ]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ('UPDATE subjects SET sha256 = zeroblob(32) WHERE "index" = 4 AND hex(sha256) LIKE \'CC%\'', [4]),
        ("INSERT INTO subjects VALUES ('x', zeroblob(32))", [None]),
        ('UPDATE subjects SET "index" = 30 WHERE "index" = 4', [4, 30]),
        ('DELETE FROM subjects WHERE "index" = 4', [4]),
        ("INSERT INTO subjects VALUES (4, zeroblob(32))", [4]),
        ("UPDATE nodes SET hash = zeroblob(32) WHERE last = 7 AND level = 3", [7]),
        ("UPDATE nodes SET level = 9 WHERE last = 7 AND level = 3", [7, 7]),
        ("DELETE FROM nodes WHERE last = 7", [7, 7, 7]),
        ("INSERT INTO nodes VALUES (6, 1, zeroblob(32))", [6]),
        ("INSERT INTO nodes VALUES (-1, 1, zeroblob(32))", [-1]),
        ("UPDATE head SET root = zeroblob(32)", [None]),
        ("UPDATE head SET root = 'text'", [None, None]),
        ("UPDATE nodes SET hash = CAST(x'ff' AS TEXT) WHERE last = 7 AND level = 3", [7]),
        ("DELETE FROM head", [None, None]),
    ],
)  # fmt: skip
def test_a_change_in_what_is_derived_is_named_too(
    path: Path, sql: Sql, ring: Keyring, change: str, expected: list[int | None]
) -> None:
    sql(change)
    assert [problem.index for problem in verified(path, ring).problems] == expected


def test_a_head_that_counts_too_many_entries_does_not_keep_verify_busy(
    path: Path, sql: Sql, ring: Keyring
) -> None:
    sql("UPDATE head SET size = ?", 2**62)
    found = verified(path, ring).problems
    assert f"the head counts {2**62:,} entries, but {SIZE} are there" in map(str, found)
    assert len(found) == 1_002


def test_two_swapped_rows_are_both_named(path: Path, sql: Sql, ring: Keyring) -> None:
    for old, new in ((3, -1), (11, 3), (-1, 11)):
        sql('UPDATE entries SET "index" = ? WHERE "index" = ?', new, old)
        sql('UPDATE subjects SET "index" = ? WHERE "index" = ?', new, old)
    named = {problem.index for problem in verified(path, ring).problems if problem.message == LEAF}
    assert named == {3, 11}


def test_a_rewritten_entry_with_all_hashes_redone_is_caught_by_its_signature(
    path: Path, ring: Keyring, make: Make
) -> None:
    forged = make("f" * 64, candidate="c" * 64, signer=SigningKey.generate())
    rewrite(path, lambda index, envelope: forged if index == 6 else envelope)
    assert [problem.index for problem in verified(path, ring).problems] == [6]
    assert problems(path, ring)[0].startswith("entry 6: it is signed by a key that is not trusted")


def test_an_owner_with_a_trusted_key_is_caught_by_an_anchor(
    path: Path, ring: Keyring, make: Make, key: SigningKey
) -> None:
    with Ledger.open(path) as ledger:
        anchor = ledger.signed_head(key)
        origin = ledger.origin
    rewrite(path, lambda index, envelope: make("f" * 64) if index == 6 else envelope, origin)
    assert problems(path, ring) == []
    assert problems(path, ring, anchor) == [
        f"the first {SIZE} entries are not those that the anchor vouches for"
    ]


def test_a_cut_off_end_is_caught_by_an_anchor(path: Path, ring: Keyring, key: SigningKey) -> None:
    with Ledger.open(path) as ledger:
        anchor, origin = ledger.signed_head(key), ledger.origin
    rewrite(path, lambda index, envelope: envelope if index < SIZE - 4 else None, origin)
    assert problems(path, ring) == []
    assert problems(path, ring, anchor) == [
        f"the ledger was cut off: it holds {SIZE - 4} entries, the anchor vouches for {SIZE}"
    ]


def test_deleted_rows_are_named_without_an_anchor(path: Path, sql: Sql, ring: Keyring) -> None:
    sql('DELETE FROM entries WHERE "index" >= ?', SIZE - 2)
    found = verified(path, ring).problems
    assert {problem.index for problem in found} == {SIZE - 2, SIZE - 1, None}


def test_an_older_anchor_still_holds_after_more_was_appended(
    path: Path, ring: Keyring, make: Make, key: SigningKey
) -> None:
    with Ledger.open(path) as ledger:
        anchor = ledger.signed_head(key)
        ledger.append(EntryKind.APPROVAL, make(predicate_type=APPROVAL))
        found = ledger.verify(ring, anchor=anchor)
    assert (found.problems, found.anchored, found.entries_by_kind) == (
        (),
        SIZE,
        {"evidence": SIZE, "approval": 1},
    )


def test_an_anchor_that_cannot_be_used_is_a_problem_and_not_ignored(
    path: Path, ring: Keyring, tmp_path: Path, key: SigningKey
) -> None:
    with Ledger.open(tmp_path / "other.db") as other:
        foreign = other.signed_head(key)
    assert problems(path, ring, foreign) == ["the anchor cannot be used: it is the head of another ledger"]
    assert problems(path, ring, b"nonsense")[0].startswith("the anchor cannot be used: the envelope is not")


def test_a_wrong_key_names_every_entry(path: Path) -> None:
    found = verified(path, Keyring.of(SigningKey.generate())).problems
    assert [problem.index for problem in found] == list(range(SIZE))


def test_entries_of_a_revoked_key_count_until_it_was_revoked(
    tmp_path: Path, make: Make, key: SigningKey
) -> None:
    moments = iter([datetime(2026, month, 1, tzinfo=UTC) for month in (1, 2, 3, 4)])
    with Ledger.open(tmp_path / "l.db", clock=lambda: next(moments)) as ledger:
        for _ in range(4):
            ledger.append(EntryKind.EVIDENCE, make())
        ring = Keyring.of(key, revoked=[Revocation(key.keyid, datetime(2026, 3, 1, tzinfo=UTC))])
        found = ledger.verify(ring)
    assert [problem.index for problem in found.problems] == [2, 3]
    assert found.signers == {key.keyid: 2}


def test_a_report_cannot_be_relabelled_as_an_approval_by_who_may_write(path: Path, ring: Keyring) -> None:
    rewrite(
        path, lambda _index, envelope: envelope, kind=lambda index: "approval" if index == 2 else "evidence"
    )
    (problem,) = verified(path, ring).problems
    assert str(problem) == f"entry 2: a approval entry holds a statement of type {APPROVAL}, not {REPORT}"


def test_a_tree_whose_edge_was_damaged_takes_no_more_entries(
    path: Path, sql: Sql, make: Make, key: SigningKey
) -> None:
    sql("UPDATE nodes SET hash = zeroblob(32) WHERE last = 15 AND level = 4")
    with Ledger.open(path) as ledger:
        for write in (lambda: ledger.append(EntryKind.EVIDENCE, make()), lambda: ledger.signed_head(key)):
            with pytest.raises(TamperError, match="the stored hashes do not give the root"):
                write()
        assert ledger.head().size == SIZE


@pytest.mark.parametrize("workers", [1, 3])
def test_workers_find_what_one_process_finds(
    tmp_path: Path, make: Make, ring: Keyring, key: SigningKey, workers: int
) -> None:
    path = tmp_path / "big.db"
    later = Keyring.of(key, revoked=[Revocation("0" * 64, datetime(2026, 3, 1, tzinfo=UTC))])
    with Ledger.open(path) as ledger:
        ledger.append_many([(EntryKind.EVIDENCE, make())] * 2_600)
        anchor = ledger.signed_head(key)
        tell = SilentProgress()
        sound = verify(ledger._store, later, anchor=anchor, progress=tell, workers=workers)
        assert sound == verify(ledger._store, later, anchor=anchor, progress=tell, workers=0)
        assert sound.problems == ()
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute('DELETE FROM entries WHERE "index" = 1999')
        connection.execute('UPDATE entries SET appended_at = 1 WHERE "index" = 2300')
        connection.execute('UPDATE entries SET kind = ? WHERE "index" = 2599', ("ï\n",))
        connection.close()
        found = verify(ledger._store, ring, anchor=anchor, progress=tell, workers=workers)
        assert found == verify(ledger._store, ring, anchor=anchor, progress=tell, workers=0)
    assert {problem.index for problem in found.problems} == {1999, 2300, 2599, None}


def test_a_worker_that_cannot_work_loses_nothing(
    tmp_path: Path, make: Make, ring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", shutil.which("false"))
    with Ledger.open(tmp_path / "l.db") as ledger:
        ledger.append_many([(EntryKind.EVIDENCE, make())] * 2_500)
        found = verify(ledger._store, ring, anchor=None, progress=SilentProgress(), workers=2)
    assert (found.size, found.problems) == (2_500, ())
    assert sum(found.signers.values()) == 2_500


def test_no_damaged_byte_of_the_file_goes_unnoticed_or_ends_in_another_error(
    path: Path, ring: Keyring
) -> None:
    with Ledger.open(path) as ledger:
        before = list(ledger.entries())
    sound, noticed = path.read_bytes(), 0
    chance = random.Random(7)
    for number in range(150):
        place = chance.randrange(len(sound))
        if number < 20:
            place %= 100  # the file's header
        damaged = path.with_name(f"damaged-{number}.db")
        damaged.write_bytes(
            sound[:place] + bytes([sound[place] ^ chance.randrange(1, 256)]) + sound[place + 1 :]
        )
        try:
            with Ledger.open(damaged, create=False) as ledger:
                found = ledger.verify(ring)
                noticed += not found.sound
                # Where nothing was noticed, the byte holds nothing: entries and look-ups are what they were.
                assert not found.sound or list(ledger.entries()) == before
                assert not found.sound or list(ledger.entries(subject="c" * 64)) == before
                assert not found.sound or list(ledger.entries(kind=EntryKind.EVIDENCE)) == before
        except LedgerError:
            noticed += 1
        for file in path.parent.glob("damaged-*"):
            file.unlink()
    assert noticed > 30


def test_progress_is_told_of_entries(path: Path, ring: Keyring) -> None:
    class Told:
        def __init__(self) -> None:
            self.updates: list[tuple[int, int | None]] = []

        def update(self, done: int, total: int | None = None, note: str = "") -> None:
            del note
            self.updates.append((done, total))

    told = Told()
    with Ledger.open(path) as ledger:
        ledger.verify(ring, progress=told)
    assert told.updates == [(SIZE, SIZE)]


def rewrite(
    path: Path,
    change: Callable[[int, bytes], bytes | None],
    origin: str = "",
    kind: Callable[[int], str] = lambda _index: "evidence",
) -> None:
    """Make a ledger whose every hash is right, as its owner can, and put it in the place of the real one."""
    with Ledger.open(path) as ledger:
        old = list(ledger.entries())
    forged = path.with_name("forged.db")
    with Ledger.open(forged) as ledger:
        changed = [change(entry.index, entry.envelope) for entry in old]
        ledger.append_many((EntryKind.EVIDENCE, envelope) for envelope in changed if envelope is not None)
    if any(kind(entry.index) != "evidence" for entry in old):
        relabel(forged, kind)
    connection = sqlite3.connect(forged, isolation_level=None)
    if origin:
        connection.execute("UPDATE meta SET value = ? WHERE name = 'origin'", (origin,))
    connection.close()
    forged.replace(path)


def relabel(path: Path, kind: Callable[[int], str]) -> None:
    from assay.ledger import merkle  # noqa: PLC0415  only this forger needs it

    connection = sqlite3.connect(path, isolation_level=None)
    frontier = merkle.Frontier()
    rows = connection.execute(
        'SELECT "index", appended_at, envelope FROM entries ORDER BY "index"'
    ).fetchall()
    for index, appended_at, envelope in rows:
        leaf = stored_leaf_hash(index, kind(index), appended_at, envelope)
        connection.execute(
            'UPDATE entries SET kind = ?, leaf_hash = ? WHERE "index" = ?', (kind(index), leaf, index)
        )
        for level, node in frontier.append(leaf):
            connection.execute("UPDATE nodes SET hash = ? WHERE last = ? AND level = ?", (node, index, level))
    connection.execute("UPDATE head SET root = ?", (frontier.root(),))
    connection.close()
