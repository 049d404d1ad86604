"""Whose signatures count: our own key, those it replaced, those the project trusts, less those revoked.

Beside the private key lie `trusted/KEYID.pem` (keys that `rotate` retired) and `revoked.json`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from assay.core.errors import SigningKeyError
from assay.core.evidence import statement
from assay.core.strict_json import MalformedError, parse_object
from assay.ledger import keyfile
from assay.ledger.envelope import sign
from assay.ledger.keys import PublicKey, SigningKey, new_private_pem

KEY = "https://assay.dev/attestation/key/v1"
RETIRED = "trusted"
REVOKED = "revoked.json"
LIMIT = keyfile.LIMIT


@dataclass(frozen=True, slots=True)
class Revocation:
    """From `revoked_at` on, what `keyid` signs no longer counts."""

    keyid: str
    revoked_at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A rotation or revocation, and the signed statement of it for the ledger (entry kind `key`)."""

    previous: PublicKey
    current: PublicKey
    envelope: bytes


@dataclass(frozen=True)
class Keyring:
    """The public keys that are trusted, and the revocations among them."""

    keys: Mapping[str, PublicKey]
    revocations: Mapping[str, Revocation] = field(default_factory=dict)

    @classmethod
    def of(cls, *keys: PublicKey | SigningKey, revoked: Iterable[Revocation] = ()) -> Keyring:
        """A keyring of exactly these keys."""
        public = [key.public if isinstance(key, SigningKey) else key for key in keys]
        return cls({key.keyid: key for key in public}, {entry.keyid: entry for entry in revoked})

    @classmethod
    def load(cls, own: Path, trusted: Sequence[Path] = ()) -> Keyring:
        """The keyring of whoever signs with the private key at `own`.

        Args:
            own: private key file; where it does not exist, only the other keys are trusted.
            trusted: public key files of others.

        Raises:
            SigningKeyError: a key or the list of revocations cannot be read.
        """
        public = [PublicKey.load(path) for path in trusted]
        public += [PublicKey.load(path) for path in keyfile.listed(own.parent / RETIRED, ".pem")]
        if keyfile.is_there(own):
            public.append(SigningKey.load(own).public)
        return cls.of(*public, revoked=read_revocations(own.parent / REVOKED))

    def __iter__(self) -> Iterator[PublicKey]:
        return iter(self.keys.values())

    def find(self, prefix: str) -> PublicKey:
        """The one trusted key whose id starts with `prefix`.

        Raises:
            SigningKeyError: none does, or several do.
        """
        found = [key for key in self if prefix and key.keyid.startswith(prefix.lower())]
        if len(found) != 1:
            raise SigningKeyError(
                "several trusted keys start so" if found else "no trusted key has this id",
                subject=prefix,
                remedy="`assay key show` lists the trusted keys.",
            )
        return found[0]

    def refusal(self, keyid: str, at: datetime | None) -> str:
        """Why a signature by `keyid`, logged at `at`, does not count; "" when it does.

        A revoked key's signature counts only when it is known to have been logged before the revocation.
        """
        if keyid not in self.keys:
            return f"it is signed by a key that is not trusted ({keyid[:16]})"
        revocation = self.revocations.get(keyid)
        if revocation and (at is None or at >= revocation.revoked_at):
            return f"it is signed by key {keyid[:16]}, revoked at {_stamp(revocation.revoked_at)}"
        return ""


def rotate(path: Path, *, at: datetime) -> KeyChange:
    """Replace the private key at `path` by a new one; the old one keeps verifying what it signed.

    The old private key is gone afterwards. At any point of a crash either the old or the new key is whole
    at `path`, and both verify.

    Raises:
        SigningKeyError: there is no key, or the folder cannot be written.
    """
    old = SigningKey.load(path)
    pem = new_private_pem()
    new = SigningKey.from_pem(pem, path=path)
    retired = path.parent / RETIRED / f"{old.keyid}.pem"
    keyfile.write_public(retired, old.public.pem.encode())
    envelope = sign(_key_statement("rotate", old.public, new.public, at, ""), old)
    keyfile.replace_private(path, pem)
    return KeyChange(old.public, new.public, envelope)


def revoke(path: Path, keyid: str, *, at: datetime, reason: str, trusted: Sequence[Path] = ()) -> KeyChange:
    """Stop trusting a key from `at` on; the statement of it is signed with the key at `path`.

    Args:
        path: our private key.
        keyid: id, or the start of it, of the key to revoke.
        at: from when on; put it before the earliest moment at which the key may have leaked.
        reason: for the record.
        trusted: the project's public key files.

    Raises:
        SigningKeyError: the key is not known, or is our own current one (rotate first).
    """
    own = SigningKey.load(path)
    gone = Keyring.load(path, trusted).find(keyid)
    if gone.keyid == own.keyid:
        raise SigningKeyError(
            "this is the key in use",
            subject=gone.short,
            remedy="Run `assay key rotate` first, then revoke the old key.",
        )
    envelope = sign(_key_statement("revoke", gone, own.public, at, reason), own)
    store = path.parent / REVOKED
    kept = {entry.keyid: entry for entry in read_revocations(store)}
    earlier = kept.get(gone.keyid)
    # The earlier moment stands: a second revocation must not give a leaked key back some of its past.
    kept[gone.keyid] = min(
        filter(None, (earlier, Revocation(gone.keyid, at, reason))), key=lambda entry: entry.revoked_at
    )
    document = [
        {"keyid": entry.keyid, "revokedAt": _stamp(entry.revoked_at), "reason": entry.reason}
        for entry in kept.values()
    ]
    keyfile.replace_private(store, json.dumps({"revoked": document}, indent=2).encode() + b"\n")
    return KeyChange(gone, own.public, envelope)


def read_revocations(path: Path) -> tuple[Revocation, ...]:
    """The revocations in a `revoked.json`; none where the file does not exist.

    Raises:
        SigningKeyError: the file cannot be read or does not say what it should.
    """
    if not keyfile.is_there(path):
        return ()
    try:
        document = parse_object(keyfile.read_bounded(path), limit=LIMIT, what="list of revocations")
        return tuple(_revocation(entry) for entry in document["revoked"])
    except (MalformedError, KeyError, TypeError, ValueError) as error:
        raise SigningKeyError(
            "the list of revoked keys cannot be read",
            subject=str(path),
            remedy="Restore it from a backup; without it, revoked keys would count again.",
        ) from error


def _revocation(entry: Mapping[str, str]) -> Revocation:
    moment = datetime.fromisoformat(entry["revokedAt"])
    if moment.tzinfo is None:
        raise ValueError("a time without its zone")
    return Revocation(str(entry["keyid"]), moment.astimezone(UTC), str(entry.get("reason", "")))


def _key_statement(action: str, subject: PublicKey, current: PublicKey, at: datetime, reason: str) -> bytes:
    return statement(
        [{"name": f"key:{subject.short}", "digest": {"sha256": subject.keyid}}],
        KEY,
        {
            "action": action,
            "previous": {"keyid": subject.keyid, "pem": subject.pem},
            "current": {"keyid": current.keyid, "pem": current.pem},
            "time": _stamp(at),
            "reason": reason,
        },
    )


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
