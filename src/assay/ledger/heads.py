"""Signed tree heads: the anchor that is kept where the ledger's owner cannot reach it.

A head is a DSSE envelope around a Statement v1 of type `https://assay.dev/attestation/tree-head/v1`. Its
subject is the ledger, named by its origin, with the root hash as digest; the predicate is
`{"origin": HEX, "size": N, "root": HEX, "time": ISO 8601}`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from assay.core.canonical import JSON
from assay.core.errors import TamperError
from assay.core.evidence import statement
from assay.ledger.entry import TreeHead
from assay.ledger.envelope import SHA256_HEX, open_envelope, sign

if TYPE_CHECKING:
    from assay.ledger.keyring import Keyring
    from assay.ledger.keys import SigningKey

TREE_HEAD = "https://assay.dev/attestation/tree-head/v1"


def sign_head(origin: str, head: TreeHead, moment: datetime, key: SigningKey) -> bytes:
    """`head` of the ledger `origin` at `moment`, signed."""
    root = head.root.hex()
    subject: dict[str, JSON] = {"name": f"ledger:{origin}", "digest": {"sha256": root}}
    time = moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    predicate = {"origin": origin, "size": head.size, "root": root, "time": time}
    return sign(statement([subject], TREE_HEAD, predicate), key)


def open_head(raw: bytes, keyring: Keyring, origin: str) -> TreeHead:
    """Verify a signed head of the ledger `origin`.

    Raises:
        TamperError: it is not signed by a trusted key, not a tree head, or of another ledger.
    """
    opened = open_envelope(raw, keyring)
    predicate = opened.statement["predicate"]
    size, root = predicate.get("size"), predicate.get("root")
    if (
        opened.statement["predicateType"] != TREE_HEAD
        or not isinstance(size, int)
        or isinstance(size, bool)
        or size < 0
        or not isinstance(root, str)
        or not SHA256_HEX.fullmatch(root)
    ):
        raise TamperError("it is not a signed tree head", subject="anchor", remedy="Name a signed head.")
    if predicate.get("origin") != origin:
        raise TamperError(
            "it is the head of another ledger",
            subject="anchor",
            remedy="Name the anchor of this ledger; if it is, the ledger was replaced.",
        )
    return TreeHead(size, bytes.fromhex(root))
