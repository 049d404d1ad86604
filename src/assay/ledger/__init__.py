"""The ledger: an append-only Merkle log of signed statements, and the keys that sign them.

`ledger` the face · `entry` what is logged · `envelope` DSSE · `keys`, `keyring`, `keyfile` who signs and
who is trusted · `merkle` RFC 9162 · `heads` signed tree heads · `verification`, `audit`, `workers` verify
it all · `store`, `rows`, `schema`, `sqlite` tables and files.

Names are loaded on first use, so that importing this package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assay.ledger.entry import Entry, EntryKind, Receipt, TreeHead
    from assay.ledger.envelope import Opened, open_envelope, sign
    from assay.ledger.heads import TREE_HEAD, open_head
    from assay.ledger.keyring import KEY, KeyChange, Keyring, Revocation, revoke, rotate
    from assay.ledger.keys import PublicKey, SigningKey, default_key_path
    from assay.ledger.ledger import Ledger
    from assay.ledger.verification import LedgerVerification, Problem

__all__ = [
    "KEY",
    "TREE_HEAD",
    "Entry",
    "EntryKind",
    "KeyChange",
    "Keyring",
    "Ledger",
    "LedgerVerification",
    "Opened",
    "Problem",
    "PublicKey",
    "Receipt",
    "Revocation",
    "SigningKey",
    "TreeHead",
    "default_key_path",
    "open_envelope",
    "open_head",
    "revoke",
    "rotate",
    "sign",
]

_HOMES = {
    "entry": ("Entry", "EntryKind", "Receipt", "TreeHead"),
    "envelope": ("Opened", "open_envelope", "sign"),
    "heads": ("TREE_HEAD", "open_head"),
    "keyring": ("KEY", "KeyChange", "Keyring", "Revocation", "revoke", "rotate"),
    "keys": ("PublicKey", "SigningKey", "default_key_path"),
    "ledger": ("Ledger",),
    "verification": ("LedgerVerification", "Problem"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
