"""`verify`: the whole ledger, derived again from the stored envelopes and compared with what stands there."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, select

from assay.core.check import Progress
from assay.core.errors import TamperError
from assay.ledger import schema, sqlite
from assay.ledger.audit import RangeAudit
from assay.ledger.entry import TreeHead
from assay.ledger.heads import open_head
from assay.ledger.keyring import Keyring
from assay.ledger.merkle import Frontier
from assay.ledger.rows import read_head
from assay.ledger.store import Store
from assay.ledger.workers import audits

# So many missing entries are named one by one; a forged head must not keep us busy.
MAX_MISSING = 1_000


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as it was logged.

    Attributes:
        index: the entry it is about, or None for the tree as a whole.
        message: what is wrong with it.
    """

    index: int | None
    message: str

    def __str__(self) -> str:
        return self.message if self.index is None else f"entry {self.index}: {self.message}"


@dataclass(frozen=True, slots=True)
class LedgerVerification:
    """What a verification found.

    Attributes:
        size: entries verified.
        root: the root recomputed from them.
        entries_by_kind: how many of each kind.
        signers: how many entries each key id vouches for.
        problems: all that is wrong, by index; those of the tree as a whole come last.
        anchored: how many entries the given anchor covers; 0 without one.
    """

    size: int
    root: bytes
    entries_by_kind: Mapping[str, int]
    signers: Mapping[str, int]
    problems: tuple[Problem, ...]
    anchored: int = 0

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def require_sound(self) -> None:
        """Raise unless nothing is wrong.

        Raises:
            TamperError: with the first problem and how many there are.
        """
        if self.problems:
            more = f" (and {len(self.problems) - 1:,} more)" if len(self.problems) > 1 else ""
            raise TamperError(
                f"{self.problems[0]}{more}",
                subject="ledger",
                remedy="Keep this file as it is, restore a backup, and find out who could write to it.",
            )


@dataclass(slots=True)
class _Findings:
    kinds: Counter[str] = field(default_factory=Counter)
    signers: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    broken: list[int] = field(default_factory=list)
    last_at: int | None = None

    def take(self, audit: RangeAudit) -> None:
        self.kinds.update(audit.kinds)
        self.signers.update(audit.signers)
        self.problems += [Problem(index, message) for index, message in audit.problems]
        self.broken += [index for index, _ in audit.problems]
        if audit.first_at is not None:
            if self.last_at is not None and audit.first_at < self.last_at:
                self.problems.append(Problem(audit.start, "it is dated before the entry that precedes it"))
            self.last_at = audit.last_at


def verify(
    store: Store,
    keyring: Keyring | None,
    *,
    anchor: bytes | None,
    progress: Progress,
    workers: int | None = None,
) -> LedgerVerification:
    """Verify the entries that were there when it began; see `Ledger.verify`."""
    findings = _Findings()
    with store.reading() as connection:
        head = _head(connection, findings)
        anchored = None
        if anchor is not None and keyring is not None:
            anchored = _anchor(anchor, keyring, store.origin, head.size, findings)
        findings.problems += _strays(connection, head.size)
    tree = _Tree(store, findings, anchored)
    with ThreadPoolExecutor(1) as beside:
        damage = beside.submit(_damage, store)
        for audit in audits(store, keyring, head.size, workers):
            findings.take(audit)
            tree.grow(audit)
            progress.update(audit.stop, head.size, "entries")
        findings.problems += damage.result()
    root = tree.frontier.root()
    if root != head.root:
        findings.problems.append(
            Problem(None, "the root recomputed from the entries is not that of the head")
        )
    ordered = sorted(findings.problems, key=lambda p: (p.index is None, p.index or 0))
    return LedgerVerification(
        head.size,
        root,
        dict(findings.kinds),
        dict(findings.signers),
        tuple(ordered),
        anchored.size if anchored else 0,
    )


def _head(connection: Connection, findings: _Findings) -> TreeHead:
    """The head, with no more entries to look for than there can be."""
    index = schema.entries.c.index
    try:
        head = read_head(connection)
    except TamperError as error:
        findings.problems.append(Problem(None, error.cause))
        count = connection.scalar(select(func.count()).where(index >= 0)) or 0
        return TreeHead(count, b"")
    count = connection.scalar(select(func.count()).where(index >= 0, index < head.size)) or 0
    if count == head.size:
        return head
    message = f"the head counts {head.size:,} entries, but {count:,} are there"
    findings.problems.append(Problem(None, message))
    return TreeHead(min(head.size, count + MAX_MISSING), head.root)


def _anchor(anchor: bytes, keyring: Keyring, origin: str, size: int, findings: _Findings) -> TreeHead | None:
    try:
        head = open_head(anchor, keyring, origin)
    except TamperError as error:
        findings.problems.append(Problem(None, f"the anchor cannot be used: {error.cause}"))
        return None
    if head.size > size:
        lost = f"the ledger was cut off: it holds {size:,} entries, the anchor vouches for {head.size:,}"
        findings.problems.append(Problem(None, lost))
    return head


def _damage(store: Store) -> list[Problem]:
    with store.reading() as connection:
        return [Problem(None, f"database: {message}") for message in sqlite.damage(connection)]


def _strays(connection: Connection, size: int) -> Iterator[Problem]:
    """Rows that no append can have written: before the first entry or behind the head."""
    for column in (schema.entries.c.index, schema.nodes.c.last, schema.subjects.c.index):
        query = select(column).where((column < 0) | (column >= size)).distinct().limit(100)
        for place in connection.scalars(query):
            index = place if isinstance(place, int) else None
            message = f"table {column.table.name} holds a row for it, but the head counts {size:,} entries"
            yield Problem(index, message if index is not None else message.replace("it", repr(place)[:40], 1))


class _Tree:
    """The tree as it grows from recomputed leaves, compared with the stored interior nodes."""

    def __init__(self, store: Store, findings: _Findings, anchor: TreeHead | None) -> None:
        self.frontier = Frontier()
        self._store = store
        self._findings = findings
        self._anchor = anchor
        self._check_anchor()

    def grow(self, audit: RangeAudit) -> None:
        expected: dict[tuple[int, int], bytes] = {}
        for index, leaf in enumerate(audit.leaves, audit.start):
            # A missing row stands in as 32 zero bytes: no SHA-256 of an entry, so the root cannot fit.
            for level, node in self.frontier.append(leaf or bytes(32)):
                expected[index, level] = node
            self._check_anchor()
        with self._store.reading() as connection:
            self._compare(expected, _stored_nodes(connection, audit.start, audit.stop))

    def _compare(self, expected: dict[tuple[int, int], bytes], stored: dict[tuple[int, int], object]) -> None:
        problems = self._findings.problems
        for place, node in expected.items():
            found = stored.pop(place, None)
            last, level = place
            first = last + 1 - (1 << level)
            # Above an entry that is already reported every hash differs; saying so adds nothing.
            if found != node and not _any_between(self._findings.broken, first, last):
                problems.append(Problem(last, f"the stored hash over entries {first} to {last} is wrong"))
        problems += [
            Problem(last, f"a hash of level {level} is stored that no tree has") for last, level in stored
        ]

    def _check_anchor(self) -> None:
        anchor = self._anchor
        if anchor and anchor.size == self.frontier.size and anchor.root != self.frontier.root():
            message = f"the first {anchor.size:,} entries are not those that the anchor vouches for"
            self._findings.problems.append(Problem(None, message))


def _stored_nodes(connection: Connection, start: int, stop: int) -> dict[tuple[int, int], object]:
    columns = schema.nodes.c
    rows = connection.execute(
        select(columns.last, columns.level, columns.hash).where(columns.last >= start, columns.last < stop)
    )
    return {(last, level): digest for last, level, digest in rows}


def _any_between(ordered: list[int], first: int, last: int) -> bool:
    place = bisect_left(ordered, first)
    return place < len(ordered) and ordered[place] <= last
