"""A Sigstore bundle around a DSSE envelope, taken apart; nothing about it is verified yet.

https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_bundle.proto, in JSON. Whatever has two
readings (a key that stands twice, two kinds of verification material, several signatures) is refused.
"""

from __future__ import annotations

import binascii
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.core.errors import LimitError, SubjectError
from assay.core.strict_json import MalformedError, parse_object

MAX_BUNDLE = 256 * 1024 * 1024
MAX_CERTIFICATES = 16
MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
_MEDIA_TYPES = re.compile(r"application/vnd\.dev\.sigstore\.bundle(\.v0\.3\+json|\+json;version=0\.[123])")


class NotABundleError(SubjectError):
    """The file is no JSON object with a media type of Sigstore's: some other kind of signature."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle's parts.

    Attributes:
        raw: its bytes.
        payload_type, payload: what is signed, and of which media type it says to be.
        signature: over their pre-authentication encoding.
        key_hint: the signer's name for the public key, or "".
        certificates: DER, the signer's first; none where a bare key signed.
        keyless: whether it carries a Sigstore certificate and the transparency log's entries.
    """

    raw: bytes
    payload_type: str
    payload: bytes
    signature: bytes
    key_hint: str
    certificates: tuple[bytes, ...]
    keyless: bool


def read_bundle(path: Path) -> bytes:
    """The bytes of a bundle file.

    Raises:
        SubjectError: it is missing, unreadable or not a regular file.
        LimitError: it is larger than 256 MB.
    """
    try:
        # O_NONBLOCK: a FIFO in the file's place must not hang us.
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(fd, "rb") as file:  # noqa: PTH123  from a descriptor
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise SubjectError("not a regular file", subject=str(path), remedy="Name a bundle.")
            raw = file.read(MAX_BUNDLE + 1)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise SubjectError(
            f"cannot be read: {reason}", subject=str(path), remedy="Name the model's signature file."
        ) from error
    if len(raw) > MAX_BUNDLE:
        raise LimitError("too large for a signature", subject=str(path), remedy="Name a bundle.")
    return raw


def parse_bundle(raw: bytes, *, source: str = "") -> Bundle:
    """Take a bundle apart.

    Raises:
        NotABundleError: it is something else.
        SubjectError: it claims to be a bundle, and is damaged or ambiguous.
    """
    try:
        document = parse_object(raw, limit=MAX_BUNDLE, what="bundle")
    except MalformedError as error:
        if raw.lstrip()[:1] == b"{":
            raise _damaged(str(error), source) from error
        raise NotABundleError("is not a Sigstore bundle", subject=source) from error
    media_type = document.get("mediaType")
    if not isinstance(media_type, str) or "sigstore" not in media_type:
        raise NotABundleError("is not a Sigstore bundle", subject=source)
    if not _MEDIA_TYPES.fullmatch(media_type):
        raise _damaged(f"its media type {media_type[:80]!r} is of an unknown version", source)
    try:
        return _parsed(raw, document)
    except MalformedError as error:
        raise _damaged(str(error), source) from error


def _parsed(raw: bytes, document: Mapping[str, Any]) -> Bundle:
    if "messageSignature" in document or "dsseEnvelope" not in document:
        raise MalformedError("it holds no DSSE envelope")
    envelope = _object(document["dsseEnvelope"], "the envelope")
    hint, certificates, keyless = _material(_object(document.get("verificationMaterial"), "the material"))
    kind = envelope.get("payloadType")
    signatures = envelope.get("signatures")
    if not isinstance(kind, str) or not isinstance(signatures, list) or len(signatures) != 1:
        raise MalformedError("its envelope does not carry one payload and one signature")
    return Bundle(
        raw=raw,
        payload_type=kind,
        payload=_base64(envelope.get("payload"), "payload"),
        signature=_base64(_object(signatures[0], "a signature").get("sig"), "signature"),
        key_hint=hint,
        certificates=certificates,
        keyless=keyless,
    )


def _material(material: Mapping[str, Any]) -> tuple[str, tuple[bytes, ...], bool]:
    kinds = [k for k in ("publicKey", "certificate", "x509CertificateChain") if material.get(k) is not None]
    if len(kinds) != 1:
        raise MalformedError("it names its signer in no way, or in two ways at once")
    value = _object(material[kinds[0]], "the signer")
    if kinds[0] == "publicKey":
        hint = value.get("hint")
        return (hint if isinstance(hint, str) else "", (), False)
    if kinds[0] == "certificate":
        return "", (_base64(value.get("rawBytes"), "certificate"),), True
    listed = value.get("certificates")
    if not isinstance(listed, list) or not 0 < len(listed) <= MAX_CERTIFICATES:
        raise MalformedError(f"a chain holds 1 to {MAX_CERTIFICATES} certificates")
    chain = tuple(_base64(_object(c, "a certificate").get("rawBytes"), "certificate") for c in listed)
    return "", chain, bool(material.get("tlogEntries"))


def _object(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise MalformedError(f"{what} is not a JSON object")
    return value


def _base64(text: Any, what: str) -> bytes:
    if not isinstance(text, str):
        raise MalformedError(f"its {what} is missing")
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedError(f"its {what} is not base64") from error


def _damaged(cause: str, source: str) -> SubjectError:
    return SubjectError(cause, subject=source, remedy="Sign the model again.")
