"""Public keys that verify a model's signature: ECDSA on P-256, P-384 and P-521, and Ed25519."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TypeAlias

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from assay.core.errors import SigningKeyError
from assay.core.evidence import PAYLOAD_TYPE, pae

_HASHES: dict[str, type[HashAlgorithm]] = {"secp256r1": SHA256, "secp384r1": SHA384, "secp521r1": SHA512}
PublicKeyObject: TypeAlias = "EllipticCurvePublicKey | Ed25519PublicKey"


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A public key.

    Attributes:
        key: the key object.
        keyid: SHA-256, in hex, of its DER SubjectPublicKeyInfo: Assay's name for it.
        hint: SHA-256, in hex, of its PEM: a bundle's name for it.
    """

    key: PublicKeyObject
    keyid: str
    hint: str

    @classmethod
    def of(cls, key: object, *, source: str = "") -> VerificationKey:
        """Take a key object of the `cryptography` library.

        Raises:
            SigningKeyError: it is of an algorithm that Model Signing does not use.
        """
        curve = isinstance(key, EllipticCurvePublicKey) and key.curve.name in _HASHES
        if not curve and not isinstance(key, Ed25519PublicKey):
            raise SigningKeyError(
                f"keys of type {type(key).__name__.lstrip('_')} are not accepted",
                subject=source,
                remedy="Use an ECDSA key on P-256, P-384 or P-521, or an Ed25519 key.",
            )
        assert isinstance(key, EllipticCurvePublicKey | Ed25519PublicKey)  # noqa: S101  for the type checker
        der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return cls(key, hashlib.sha256(der).hexdigest(), hashlib.sha256(pem).hexdigest())

    def verifies(self, signature: bytes, payload_type: str, payload: bytes, *, legacy: bool) -> bool:
        """Whether the key signed that payload.

        Args:
            signature: as the bundle carries it.
            payload_type: the media type that is signed with the payload.
            payload: what is signed.
            legacy: also try what version 0.2 of the `model-signing` package signed by mistake.
        """
        if self._verifies(signature, pae(payload_type, payload)):
            return True
        if not legacy or payload_type != PAYLOAD_TYPE:
            return False
        mistaken = _mistaken_pae(payload)
        return self._verifies(signature, mistaken) or self._verifies(signature, mistaken, SHA256())

    def _verifies(self, signature: bytes, data: bytes, algorithm: HashAlgorithm | None = None) -> bool:
        try:
            if isinstance(self.key, Ed25519PublicKey):
                self.key.verify(signature, data)
            else:
                self.key.verify(signature, data, ECDSA(algorithm or _HASHES[self.key.curve.name]()))
        except InvalidSignature:
            return False
        return True


def load_key(pem: bytes, *, source: str = "") -> VerificationKey:
    """Read a PEM public key.

    Raises:
        SigningKeyError: it is not one, or of an algorithm that is not accepted.
    """
    try:
        key = load_pem_public_key(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SigningKeyError(
            "not a PEM public key", subject=source, remedy="Name the signer's public key file."
        ) from error
    return VerificationKey.of(key, source=source)


def load_certificates(pem: bytes, *, source: str = "") -> list[x509.Certificate]:
    """Read PEM certificates.

    Raises:
        SigningKeyError: there are none.
    """
    try:
        return x509.load_pem_x509_certificates(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SigningKeyError(
            "holds no PEM certificate", subject=source, remedy="Name a file of PEM certificates."
        ) from error


def _mistaken_pae(payload: bytes) -> bytes:
    # The package formatted the bytes object into a text, and wrote the prefix with a capital V.
    return f"DSSEV1 {len(PAYLOAD_TYPE)} {PAYLOAD_TYPE} {len(payload)} {payload!r}".encode()
