"""What is logged: kinds, entries, and the bytes of a Merkle leaf."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from assay.core.errors import LedgerError
from assay.core.evidence import ALIAS, APPROVAL, NOT_APPLICABLE, VERDICT
from assay.ledger.merkle import leaf_hash

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class EntryKind(StrEnum):
    """What an entry records."""

    EVIDENCE = "evidence"
    VERDICT = "verdict"
    APPROVAL = "approval"
    PROMOTION = "promotion"
    ROLLBACK = "rollback"
    ALIAS = "alias"
    NOT_APPLICABLE = "not-applicable"
    EXCEPTION = "exception"
    KEY = "key"


# Which statement an entry of a kind must hold. Without this, whoever may write to the ledger could log
# somebody's signed report as an approval.
_PREDICATES = {
    EntryKind.VERDICT: VERDICT,
    EntryKind.APPROVAL: APPROVAL,
    EntryKind.PROMOTION: ALIAS,
    EntryKind.ROLLBACK: ALIAS,
    EntryKind.ALIAS: ALIAS,
    EntryKind.NOT_APPLICABLE: NOT_APPLICABLE,
}
_RESERVED = frozenset(_PREDICATES.values())


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the ledger.

    Attributes:
        index: its place, from 0.
        kind: what it records.
        envelope: the DSSE envelope, as it was appended.
        appended_at: UTC, to the microsecond; never earlier than the entry before.
    """

    index: int
    kind: EntryKind
    envelope: bytes
    appended_at: datetime

    @property
    def leaf_bytes(self) -> bytes:
        """The bytes that the Merkle leaf hashes."""
        return leaf_bytes(self.index, self.kind, microseconds(self.appended_at), self.envelope)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an append hands back: the entry's place and leaf hash, and the tree it is part of."""

    index: int
    leaf_hash: bytes
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class TreeHead:
    """Size and root hash of the tree."""

    size: int
    root: bytes


def leaf_bytes(index: int, kind: str, appended_at: int, envelope: bytes) -> bytes:
    """Canonical JSON (RFC 8785) over all that an entry says, the envelope by its SHA-256.

    Index, kind and time are under the tree too, so that none of them can be changed unnoticed.

    Args:
        index: the entry's place.
        kind: an `EntryKind`.
        appended_at: microseconds since 1970, UTC.
        envelope: the envelope's bytes.
    """
    # Written out, because this runs for every entry of a verification; a test holds it to RFC 8785.
    digest = hashlib.sha256(envelope).hexdigest()
    return (
        f'{{"appendedAt":{appended_at:d},"envelope":"{digest}","index":{index:d},"kind":{json.dumps(kind)}}}'
    ).encode()


def stored_leaf_hash(index: int, kind: str, appended_at: int, envelope: bytes) -> bytes:
    """The Merkle leaf hash of an entry, from its stored columns."""
    return leaf_hash(leaf_bytes(index, kind, appended_at, envelope))


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970, UTC."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment_of(value: int) -> datetime:
    """The moment that many microseconds after 1970.

    Raises:
        LedgerError: no such moment is within the calendar.
    """
    try:
        return _EPOCH + timedelta(microseconds=value)
    except (OverflowError, TypeError) as error:
        raise LedgerError("the time of an entry is out of range") from error


def mismatch(kind: EntryKind, predicate_type: str) -> str:
    """Why a statement of this type cannot be an entry of this kind; "" when it can."""
    expected = _PREDICATES.get(kind)
    if expected is not None and predicate_type != expected:
        return f"a {kind.value} entry holds a statement of type {expected}, not {predicate_type[:120]}"
    if expected is None and predicate_type in _RESERVED:
        return f"a statement of type {predicate_type} cannot be logged as {kind.value}"
    return ""
