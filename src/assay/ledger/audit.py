"""Judging stored entries one by one: shape, leaf hash, signature, derived columns.

Runs in the verifying process and, for large ledgers, in workers (`python -m assay.ledger.audit`). A worker
gets one JSON line with the ledger and the keys, then one line per range, and answers each with a line.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, select

from assay.core.errors import AssayError, TamperError
from assay.ledger import schema
from assay.ledger.entry import EntryKind, mismatch, moment_of, stored_leaf_hash
from assay.ledger.envelope import parse_envelope, subject_digests, verify_signatures
from assay.ledger.keyring import Keyring, Revocation
from assay.ledger.keys import PublicKey
from assay.ledger.rows import Row, read_rows, select_entries
from assay.ledger.store import Store


@dataclass(slots=True)
class RangeAudit:
    """What the entries of one range are.

    Attributes:
        start, stop: the range, `stop` exclusive.
        leaves: the recomputed leaf hash of each entry; None where there is no such row.
        kinds: entries by kind.
        signers: entries by key id.
        problems: `(index, what is wrong)`.
        first_at, last_at: times of the first and last entry, microseconds; the ranges' joints need them.
    """

    start: int
    stop: int
    leaves: list[bytes | None] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    signers: Counter[str] = field(default_factory=Counter)
    problems: list[tuple[int, str]] = field(default_factory=list)
    first_at: int | None = None
    last_at: int | None = None

    def to_line(self) -> str:
        """One line of JSON."""
        document = {
            "start": self.start,
            "stop": self.stop,
            "leaves": "".join(leaf.hex() if leaf else "-" * 64 for leaf in self.leaves),
            "kinds": self.kinds,
            "signers": self.signers,
            "problems": self.problems,
            "first_at": self.first_at,
            "last_at": self.last_at,
        }
        return json.dumps(document) + "\n"

    @classmethod
    def from_line(cls, line: str) -> RangeAudit:
        """Read what `to_line` wrote."""
        document = json.loads(line)
        text = document["leaves"]
        parts = (text[place : place + 64] for place in range(0, len(text), 64))
        return cls(
            document["start"],
            document["stop"],
            [None if part[0] == "-" else bytes.fromhex(part) for part in parts],
            Counter(document["kinds"]),
            Counter(document["signers"]),
            [(index, text) for index, text in document["problems"]],
            document["first_at"],
            document["last_at"],
        )


def audit_range(connection: Connection, keyring: Keyring | None, start: int, stop: int) -> RangeAudit:
    """Judge the entries `start` up to, not including, `stop`; without a keyring, all but their signatures."""
    found = RangeAudit(start, stop)
    digests = _digests(connection, start, stop)
    columns = schema.entries.c
    query = select_entries().where(columns.index >= start, columns.index < stop).order_by(columns.index)
    expected = start
    for row in read_rows(connection, query):
        _note_missing(found, expected, row[0])
        expected = row[0] + 1
        _judge(found, row, digests.pop(row[0], frozenset()), keyring)
    _note_missing(found, expected, stop)
    found.problems += [(index, "is indexed, but there is no such entry") for index in digests]
    return found


def _note_missing(found: RangeAudit, start: int, stop: int) -> None:
    for index in range(start, stop):
        found.leaves.append(None)
        found.problems.append((index, "is missing"))


def _judge(found: RangeAudit, row: Row, digests: frozenset[bytes], keyring: Keyring | None) -> None:
    index, kind, appended_at, leaf, envelope = row
    if not (isinstance(kind, str) and isinstance(appended_at, int) and isinstance(envelope, bytes)):
        found.leaves.append(None)
        found.problems.append((index, "a column holds a value of another type"))
        return
    computed = stored_leaf_hash(index, kind, appended_at, envelope)
    found.leaves.append(computed)
    found.kinds[kind] += 1
    if computed != leaf:
        found.problems.append((index, "its leaf hash is not that of its kind, time and envelope"))
    if found.last_at is not None and appended_at < found.last_at:
        found.problems.append((index, "it is dated before the entry that precedes it"))
    found.first_at = appended_at if found.first_at is None else found.first_at
    found.last_at = appended_at
    try:
        _judge_envelope(found, row, digests, keyring)
    except AssayError as error:
        found.problems.append((index, error.cause))


def _judge_envelope(found: RangeAudit, row: Row, digests: frozenset[bytes], keyring: Keyring | None) -> None:
    index, kind, appended_at, _leaf, envelope = row
    signed = parse_envelope(envelope)
    derived = frozenset(bytes.fromhex(digest) for digest in subject_digests(signed.statement))
    if derived != digests:
        found.problems.append((index, "it is indexed under other digests than its statement names"))
    if kind not in _KINDS:
        raise TamperError(f"it is of an unknown kind, {kind[:40]!r}")
    if reason := mismatch(EntryKind(kind), signed.statement["predicateType"]):
        found.problems.append((index, reason))
    if keyring is not None:
        found.signers.update(verify_signatures(signed, keyring, moment_of(appended_at)))


def _digests(connection: Connection, start: int, stop: int) -> dict[int, frozenset[bytes]]:
    columns = schema.subjects.c
    rows = connection.execute(
        select(columns.index, columns.sha256)
        .where(columns.index >= start, columns.index < stop)
        .order_by(columns.index)
    )
    grouped = groupby(((index, digest) for index, digest in rows), key=lambda row: row[0])
    return {index: frozenset(digest for _, digest in group) for index, group in grouped}


_KINDS = frozenset(kind.value for kind in EntryKind)


def worker_order(store: Store, keyring: Keyring | None) -> str:
    """The first line for a worker: which ledger, and whose signatures count."""
    document: dict[str, Any] = {"path": str(store.path.absolute()), "keys": None}
    if keyring is not None:
        document["keys"] = [key.pem for key in keyring]
        document["revoked"] = [
            [entry.keyid, entry.revoked_at.isoformat(), entry.reason]
            for entry in keyring.revocations.values()
        ]
    return json.dumps(document) + "\n"


def _keyring_of(document: Mapping[str, Any]) -> Keyring | None:
    if document["keys"] is None:
        return None
    keys = [PublicKey.from_pem(pem.encode()) for pem in document["keys"]]
    revoked = [
        Revocation(keyid, datetime.fromisoformat(moment).astimezone(UTC), reason)
        for keyid, moment, reason in document["revoked"]
    ]
    return Keyring.of(*keys, revoked=revoked)


def answers(lines: Iterator[str]) -> Iterator[str]:
    """A worker's answers to its lines."""
    order = json.loads(next(lines))
    keyring = _keyring_of(order)
    store = Store(Path(order["path"]), create=False)
    try:
        for line in lines:
            start, stop = map(int, line.split())
            with store.reading() as connection:
                yield audit_range(connection, keyring, start, stop).to_line()
    finally:
        store.close()


def _main(source: IO[str], sink: IO[str]) -> None:
    for answer in answers(iter(source)):
        sink.write(answer)
        sink.flush()


if __name__ == "__main__":
    _main(sys.stdin, sys.stdout)
