"""DSSE envelopes (https://github.com/secure-systems-lab/dsse/blob/v1.0.2/envelope.md) around Statements v1.

On the wire: `{"payload": BASE64, "payloadType": TYPE, "signatures": [{"keyid": HEX, "sig": BASE64}]}` as
canonical JSON. The signature is over the pre-authentication encoding of type and payload bytes.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from assay.core.errors import TamperError
from assay.core.evidence import PAYLOAD_TYPE, STATEMENT, pae
from assay.core.strict_json import MalformedError, parse_object

if TYPE_CHECKING:
    from assay.ledger.keyring import Keyring
    from assay.ledger.keys import SigningKey

MAX_ENVELOPE = 64 * 1024 * 1024
MAX_SIGNATURES = 16
MAX_SUBJECTS = 100_000
SHA256_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Signed:
    """An envelope taken apart; nothing about it is verified yet.

    Attributes:
        payload: the signed bytes.
        payload_type: their media type.
        statement: the payload as a Statement v1.
        signatures: `(key id, raw signature)`.
    """

    payload: bytes
    payload_type: str
    statement: Mapping[str, Any]
    signatures: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """A verified envelope: payload, the statement in it, and the ids of the keys that vouch for it."""

    payload: bytes
    statement: Mapping[str, Any]
    keyids: tuple[str, ...]


def sign(payload: bytes, key: SigningKey, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """`payload` in an envelope signed with `key`, as canonical JSON."""
    signature = key.sign(pae(payload_type, payload))
    document = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": payload_type,
        "signatures": [{"keyid": key.keyid, "sig": base64.b64encode(signature).decode()}],
    }
    # All of it is ASCII without escapes, where this and RFC 8785 agree byte for byte, at a tenth of the time.
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def parse_envelope(raw: bytes) -> Signed:
    """Take an envelope apart without verifying it.

    Raises:
        TamperError: it is not a DSSE envelope around a Statement v1, or is ambiguous or too large.
    """
    try:
        return _parse(raw)
    except MalformedError as error:
        raise _refused(str(error)) from error


def open_envelope(raw: bytes, keyring: Keyring, *, at: datetime | None = None) -> Opened:
    """Verify an envelope and open it.

    At least one signature must verify under a trusted key that is not revoked; one that claims a trusted key
    and does not verify refuses the whole envelope. Signatures by unknown keys beside a good one are ignored.

    Args:
        raw: the envelope's bytes.
        keyring: the keys that are trusted.
        at: when the ledger took it, for keys revoked later; without it a revoked key never counts.

    Raises:
        TamperError: no such signature, a bad one, or not a Statement v1.
    """
    signed = parse_envelope(raw)
    return Opened(signed.payload, signed.statement, verify_signatures(signed, keyring, at))


def verify_signatures(signed: Signed, keyring: Keyring, at: datetime | None) -> tuple[str, ...]:
    """The ids of the keys whose signatures count.

    Raises:
        TamperError: none does, or one is bad.
    """
    data = pae(signed.payload_type, signed.payload)
    verified: list[str] = []
    refusal = "it carries no signature"
    for keyid, signature in signed.signatures:
        reason = keyring.refusal(keyid, at)
        if reason:
            refusal = reason
        elif keyring.keys[keyid].verifies(signature, data):
            verified.append(keyid)
        else:
            raise _refused(f"the signature of key {keyid[:16]} does not fit its bytes")
    if not verified:
        raise _refused(refusal)
    return tuple(verified)


def subject_digests(statement: Mapping[str, Any]) -> tuple[str, ...]:
    """Every SHA-256 that a statement speaks of: its subjects, and the candidate in its predicate; sorted."""
    predicate = statement["predicate"]
    found = {subject["digest"]["sha256"] for subject in statement["subject"]}
    for holder in (predicate, predicate.get("execution"), predicate.get("assay")):
        candidate = holder.get("candidate") if isinstance(holder, dict) else None
        if isinstance(candidate, str) and SHA256_HEX.fullmatch(candidate):
            found.add(candidate)
    return tuple(sorted(found))


# The form that `sign` writes, which has one reading only: most envelopes need no JSON parser.
_OPENING = b'{"payload":"'
_REST = re.compile(
    rb'"payloadType":"'
    + re.escape(PAYLOAD_TYPE.encode())
    + rb'","signatures":\[\{"keyid":"([0-9a-f]{64})","sig":"([A-Za-z0-9+/]{1,400}={0,2})"\}\]\}'
)


def _parse(raw: bytes) -> Signed:
    if len(raw) > MAX_ENVELOPE:
        raise MalformedError(f"the envelope is larger than {MAX_ENVELOPE:,} bytes")
    quote = raw.find(b'",', len(_OPENING))
    rest = _REST.fullmatch(raw, quote + 2) if raw.startswith(_OPENING) else None
    signatures: tuple[tuple[str, bytes], ...]
    if rest:
        payload = _base64(raw[len(_OPENING) : quote])
        signatures = ((rest[1].decode(), _base64(rest[2])),)
    else:
        payload, signatures = _parse_json(raw)
    statement = parse_object(payload, limit=MAX_ENVELOPE, what="statement")
    _require_statement(statement)
    return Signed(payload, PAYLOAD_TYPE, statement, signatures)


def _parse_json(raw: bytes) -> tuple[bytes, tuple[tuple[str, bytes], ...]]:
    document = parse_object(raw, limit=MAX_ENVELOPE, what="envelope")
    if set(document) != {"payload", "payloadType", "signatures"}:
        raise MalformedError("it is not a DSSE envelope")
    if document["payloadType"] != PAYLOAD_TYPE:
        raise MalformedError("its payload is not an in-toto statement")
    return _base64(document["payload"]), _signatures(document["signatures"])


def _signatures(listed: Any) -> tuple[tuple[str, bytes], ...]:
    if not isinstance(listed, list) or not 0 < len(listed) <= MAX_SIGNATURES:
        raise MalformedError(f"an envelope carries 1 to {MAX_SIGNATURES} signatures")
    found: dict[str, bytes] = {}
    for entry in listed:
        if not isinstance(entry, dict) or not isinstance(entry.get("keyid"), str):
            raise MalformedError("a signature names no key")
        if entry["keyid"] in found:
            raise MalformedError("a key signs twice")
        found[entry["keyid"]] = _base64(entry.get("sig"))
    return tuple(found.items())


def _require_statement(statement: Mapping[str, Any]) -> None:
    if statement.get("_type") != STATEMENT:
        raise MalformedError("its payload is not an in-toto Statement v1")
    if not isinstance(statement.get("predicateType"), str) or not isinstance(
        statement.get("predicate"), dict
    ):
        raise MalformedError("the statement lacks its predicate")
    subjects = statement.get("subject")
    if not isinstance(subjects, list) or not 0 < len(subjects) <= MAX_SUBJECTS:
        raise MalformedError(f"a statement has 1 to {MAX_SUBJECTS:,} subjects")
    if not all(_names_digest(subject) for subject in subjects):
        raise MalformedError("a subject of the statement lacks its sha256 digest")


def _names_digest(subject: Any) -> bool:
    digests = subject.get("digest") if isinstance(subject, dict) else None
    digest = digests.get("sha256") if isinstance(digests, dict) else None
    return isinstance(digest, str) and SHA256_HEX.fullmatch(digest) is not None


def _base64(text: Any) -> bytes:
    if not isinstance(text, str | bytes):
        raise MalformedError("a base64 field is not text")
    try:
        raw = text.encode("ascii") if isinstance(text, str) else text
        found = binascii.a2b_base64(raw, strict_mode=True)
        last = binascii.a2b_base64(raw[-4:], strict_mode=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedError("a base64 field is damaged") from error
    # Padding leaves bits that say nothing; were they free, one envelope would have several forms.
    if binascii.b2a_base64(last, newline=False) != raw[-4:]:
        raise MalformedError("a base64 field is not in its one form")
    return found


def _refused(cause: str) -> TamperError:
    return TamperError(
        cause,
        subject="envelope",
        remedy="Do not rely on it. If its signer is new, add their public key to `signing.trusted`.",
    )
