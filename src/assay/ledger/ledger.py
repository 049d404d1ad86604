"""The face of the ledger: append, read, prove, verify."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from assay.core.check import Progress, SilentProgress
from assay.core.errors import LedgerError, TamperError
from assay.ledger import merkle, sqlite
from assay.ledger.entry import (
    Entry,
    EntryKind,
    Receipt,
    TreeHead,
    microseconds,
    mismatch,
    moment_of,
    stored_leaf_hash,
)
from assay.ledger.envelope import SHA256_HEX, parse_envelope, subject_digests
from assay.ledger.heads import sign_head
from assay.ledger.rows import (
    PAGE,
    Edge,
    NewRow,
    Row,
    extend,
    page_of,
    read_edge,
    read_head,
    read_node,
    read_rows,
)
from assay.ledger.store import Store

if TYPE_CHECKING:
    from assay.ledger.keyring import Keyring
    from assay.ledger.keys import SigningKey
    from assay.ledger.verification import LedgerVerification


def _now() -> datetime:
    return datetime.now(UTC)


class Ledger:
    """The append-only Merkle log of evidence, verdicts, approvals, promotions and rollbacks.

    Open it with `Ledger.open`. One instance may be used from several threads; any number of processes may
    have the same ledger open and write to it.
    """

    def __init__(self, store: Store, clock: Callable[[], datetime] = _now) -> None:
        self._store = store
        self._clock = clock
        self._edge: Edge | None = None

    @classmethod
    def open(cls, uri: str | Path, *, create: bool = True, clock: Callable[[], datetime] = _now) -> Ledger:
        """Open the ledger at a path or `sqlite:///` URI.

        Args:
            uri: where it is.
            create: make it, and its folder, where there is none.
            clock: the time, for `appended_at`.

        Raises:
            LedgerError: there is none, it cannot be opened, is something else, or of a newer version.
        """
        return cls(Store(sqlite.file_of(uri), create=create), clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give back files and locks. The ledger cannot be used afterwards."""
        self._store.close()

    @property
    def path(self) -> Path:
        """The file it lies in."""
        return self._store.path

    @property
    def origin(self) -> str:
        """The ledger's own random name, given when it was made; signed heads carry it."""
        return self._store.origin

    @property
    def read_only(self) -> bool:
        """Whether it can only be read here."""
        return self._store.read_only

    def append(self, kind: EntryKind, envelope: bytes) -> Receipt:
        """Log one envelope; when this returns, it is on disk.

        The digests it can be found by are read from its statement.

        Raises:
            TamperError: it is not a DSSE envelope around a Statement v1, or the stored tree is damaged.
            LedgerError: its statement does not fit the kind, or it cannot be written; nothing was.
        """
        return self.append_many([(kind, envelope)])[0]

    def append_many(self, entries: Iterable[tuple[EntryKind, bytes]]) -> list[Receipt]:
        """Log several envelopes in one transaction: all of them, or on any error none.

        Every receipt carries the tree head after the whole batch.

        Raises:
            TamperError, LedgerError: as `append`.
        """
        rows = [_new_row(kind, envelope) for kind, envelope in entries]
        if not rows:
            return []
        with self._store.writing() as connection:
            head, known = read_head(connection), self._edge
            edge = known if known and known.head == head else read_edge(connection, head)
            written, grown = extend(connection, edge, rows, microseconds(self._clock()))
        # Only now: what was not committed must not be remembered.
        self._edge = grown
        return [Receipt(row[0], row[3], grown.head.size, grown.head.root) for row in written]

    def get(self, index: int) -> Entry:
        """The entry at `index`.

        Raises:
            LedgerError: there is none.
            TamperError: its bytes are not those that were logged.
        """
        with self._store.reading() as connection:
            size = read_head(connection).size
            if 0 <= index < size:
                query = page_of(
                    kind=None, subject=None, newest_first=False, after=index - 1, size=index + 1, limit=1
                )
                for row in read_rows(connection, query):
                    return self._entry(row)
        raise LedgerError(
            f"there is no entry {index}",
            subject=str(self.path),
            remedy=f"The ledger holds {size:,} entries.",
        )

    def entries(
        self,
        *,
        kind: EntryKind | None = None,
        subject: str | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> Iterator[Entry]:
        """Entries in order, read page by page; those appended after the call began are not among them.

        Args:
            kind: only this kind.
            subject: only entries that speak of this SHA-256 (hex): as a subject or as the candidate.
            newest_first: the other way round.
            limit: at most that many.

        Raises:
            LedgerError: `subject` is not a SHA-256.
            TamperError: the bytes of an entry are not those that were logged.
        """
        digest = None if subject is None else _digest(subject)
        return self._pages(kind.value if kind else None, digest, newest_first=newest_first, limit=limit)

    def _pages(
        self, kind: str | None, subject: bytes | None, *, newest_first: bool, limit: int | None
    ) -> Iterator[Entry]:
        size, after, left = self.head().size, None, limit
        while left is None or left > 0:
            wanted = PAGE if left is None else min(PAGE, left)
            query = page_of(
                kind=kind, subject=subject, newest_first=newest_first, after=after, size=size, limit=wanted
            )
            with self._store.reading() as connection:
                rows = list(read_rows(connection, query))
            yield from map(self._entry, rows)
            if len(rows) < wanted:
                return
            after = rows[-1][0]
            left = None if left is None else left - len(rows)

    def head(self) -> TreeHead:
        """Size and root of the tree."""
        with self._store.reading() as connection:
            return read_head(connection)

    def signed_head(self, key: SigningKey) -> bytes:
        """The tree head as a signed envelope, to keep elsewhere as an anchor.

        Raises:
            TamperError: the stored hashes do not give that head; such a head is not signed.
        """
        with self._store.reading() as connection:
            head = read_head(connection)
            read_edge(connection, head)
        return sign_head(self.origin, head, self._clock(), key)

    def inclusion_proof(self, index: int, size: int | None = None) -> list[bytes]:
        """Proof that entry `index` is in the tree of `size` (default: now); see `merkle.verify_inclusion`.

        Raises:
            LedgerError: no such entry or size.
        """
        return self._prove(lambda read, total: merkle.inclusion_proof(read, index, total), size)

    def consistency_proof(self, old_size: int, new_size: int | None = None) -> list[bytes]:
        """Proof that the tree of `new_size` (default: now) begins with that of `old_size`.

        Raises:
            LedgerError: no such sizes.
        """
        return self._prove(lambda read, total: merkle.consistency_proof(read, old_size, total), new_size)

    def root_at(self, size: int) -> bytes:
        """The root when the tree had `size` leaves.

        Raises:
            LedgerError: it never had.
        """
        return self._prove(lambda read, total: [merkle.root_at(read, total)], size)[0]

    def _prove(self, prove: Callable[[merkle.NodeReader, int], list[bytes]], size: int | None) -> list[bytes]:
        with self._store.reading() as connection:
            total = read_head(connection).size
            wanted = total if size is None else size
            if not 0 <= wanted <= total:
                raise self._no_such(f"the tree has {total:,} leaves, not {wanted:,}")
            try:
                return prove(partial(read_node, connection), wanted)
            except ValueError as error:
                raise self._no_such(str(error)) from error

    def _no_such(self, cause: str) -> LedgerError:
        return LedgerError(
            cause, subject=str(self.path), remedy="`assay ledger head` says how large the tree is."
        )

    def verify(
        self, keyring: Keyring, *, anchor: bytes | None = None, progress: Progress | None = None
    ) -> LedgerVerification:
        """Recompute all of it from the stored envelopes: leaves, nodes, head, signatures, digests.

        Args:
            keyring: whose signatures count.
            anchor: a signed head kept elsewhere; without one, an owner of the file who also holds a
                trusted key could rewrite it from any entry on, and anybody could cut off its end.
            progress: told of entries verified.

        Raises:
            LedgerError: it cannot be read at all. What is wrong inside it is returned, not raised.
        """
        from assay.ledger.verification import verify  # noqa: PLC0415  only whoever verifies pays for it

        return verify(self._store, keyring, anchor=anchor, progress=progress or SilentProgress())

    def require_intact(self) -> None:
        """Refuse a ledger from which something was taken, or in which something was changed.

        Recomputes what `verify` does, but for signatures, which whoever reads an entry verifies: decisions
        rest also on the entries that are not there.

        Raises:
            TamperError: something is not as it was logged; the first problem is named.
            LedgerError: it cannot be read.
        """
        from assay.ledger.verification import verify  # noqa: PLC0415  only whoever decides pays for it

        verify(self._store, None, anchor=None, progress=SilentProgress()).require_sound()

    def _entry(self, row: Row) -> Entry:
        index, kind, appended_at, leaf, envelope = row
        try:
            sound = stored_leaf_hash(index, kind, appended_at, envelope) == leaf
            if sound:
                return Entry(index, EntryKind(kind), envelope, moment_of(appended_at))
        except (ValueError, TypeError) as error:
            raise _damaged(self.path, index) from error
        raise _damaged(self.path, index)


def _new_row(kind: EntryKind, envelope: bytes) -> NewRow:
    signed = parse_envelope(envelope)
    if reason := mismatch(kind, signed.statement["predicateType"]):
        raise LedgerError(reason, subject="envelope", remedy="Log it under the kind that its statement has.")
    digests = tuple(bytes.fromhex(digest) for digest in subject_digests(signed.statement))
    return NewRow(kind.value, envelope, digests)


def _digest(subject: str) -> bytes:
    text = subject.removeprefix("sha256:").lower()
    if not SHA256_HEX.fullmatch(text):
        raise LedgerError(
            "not a SHA-256", subject=subject[:80], remedy="Name the subject by its 64 hexadecimal digits."
        )
    return bytes.fromhex(text)


def _damaged(path: Path, index: int) -> TamperError:
    return TamperError(
        f"entry {index} is not what was logged",
        subject=str(path),
        remedy="Run `assay ledger verify`, and restore the ledger from a backup.",
    )
