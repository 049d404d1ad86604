"""Signing keys: a private PEM on disk, and the public keys that verify.

Ed25519 by default, ECDSA P-256 accepted; both through securesystemslib, so that its other signers (HSM,
cloud KMS) can take the file's place. A key's id is the SHA-256 of its DER SubjectPublicKeyInfo: the same
whoever computes it, from whichever encoding.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from securesystemslib.signer import CryptoSigner, SSlibKey

from assay.core.errors import SigningKeyError
from assay.ledger.keyfile import create_private, read_bounded, read_private, write_public

SHORT = 16
_ECDSA = ECDSA(SHA256())


def default_key_path() -> Path:
    """Where the user's own key lies: `$ASSAY_KEY`, else `assay/keys/signing.pem` in their data folder."""
    if named := os.environ.get("ASSAY_KEY"):
        return Path(named).expanduser()
    data = os.environ.get("XDG_DATA_HOME", "")
    # The XDG specification says that a relative path there is invalid and must be ignored.
    base = Path(data) if data and Path(data).is_absolute() else Path("~/.local/share").expanduser()
    return base / "assay" / "keys" / "signing.pem"


@dataclass(frozen=True)
class PublicKey:
    """A key that verifies signatures.

    Attributes:
        keyid: SHA-256, lower-case hex, of the DER SubjectPublicKeyInfo.
        pem: the key as PEM SubjectPublicKeyInfo.
    """

    keyid: str
    pem: str

    @property
    def short(self) -> str:
        """The first 16 digits of the id, for people."""
        return self.keyid[:SHORT]

    @property
    def algorithm(self) -> str:
        """`ed25519` or `ecdsa-sha2-nistp256`."""
        return str(self.library_key.scheme)

    @classmethod
    def from_pem(cls, pem: bytes, *, source: str = "") -> PublicKey:
        """Read a PEM public key.

        Raises:
            SigningKeyError: it is not one, or of an algorithm that we do not accept.
        """
        try:
            loaded = load_pem_public_key(pem)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise SigningKeyError(
                "not a PEM public key",
                subject=source,
                remedy="Export the public key with `assay key export` and name that file.",
            ) from error
        return cls.from_crypto(loaded, source=source)

    @classmethod
    def load(cls, path: Path) -> PublicKey:
        """Read a public key file.

        Raises:
            SigningKeyError: it is missing, unreadable, or not a public key we accept.
        """
        return cls.from_pem(read_bounded(path), source=str(path))

    def verifies(self, signature: bytes, data: bytes) -> bool:
        """Whether `signature` over `data` was made with this key."""
        # Not by SSlibKey.verify_signature, which parses the key anew for each of 100,000 signatures.
        key = self._crypto_key
        if isinstance(key, Ed25519PublicKey):
            return self._verifies_ed25519(signature, data)
        try:
            key.verify(signature, data, _ECDSA)
        except InvalidSignature:
            return False
        return True

    def _verifies_ed25519(self, signature: bytes, data: bytes) -> bool:
        # libsodium takes half of OpenSSL's time, and refuses keys of small order besides.
        from nacl.bindings import crypto_sign_BYTES, crypto_sign_open  # noqa: PLC0415  only whoever verifies pays for it
        from nacl.exceptions import BadSignatureError  # noqa: PLC0415

        if len(signature) != crypto_sign_BYTES:  # else the border between it and the data could be moved
            return False
        try:
            crypto_sign_open(signature + data, self._raw)
        except (BadSignatureError, ValueError):
            return False
        return True

    @cached_property
    def _raw(self) -> bytes:
        return self._crypto_key.public_bytes(Encoding.Raw, PublicFormat.Raw)

    @cached_property
    def _crypto_key(self) -> Ed25519PublicKey | EllipticCurvePublicKey:
        return cast("Ed25519PublicKey | EllipticCurvePublicKey", load_pem_public_key(self.pem.encode()))

    @cached_property
    def library_key(self) -> SSlibKey:
        """The key as securesystemslib knows it."""
        return SSlibKey.from_crypto(self._crypto_key, keyid=self.keyid)

    @classmethod
    def from_crypto(cls, key: Any, *, source: str = "") -> PublicKey:
        """Take a public key object of the `cryptography` library.

        Raises:
            SigningKeyError: it is of an algorithm that we do not accept.
        """
        p256 = isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)
        if not p256 and not isinstance(key, Ed25519PublicKey):
            raise SigningKeyError(
                f"keys of type {type(key).__name__.lstrip('_')} are not accepted",
                subject=source,
                remedy="Use an Ed25519 or ECDSA P-256 key.",
            )
        der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return cls(hashlib.sha256(der).hexdigest(), pem.decode())


class SigningKey:
    """A private key that signs evidence. It never shows its private part."""

    def __init__(self, signer: CryptoSigner, public: PublicKey, path: Path | None = None) -> None:
        self._signer = signer
        self.public = public
        self.path = path

    @property
    def keyid(self) -> str:
        """The id of its public key."""
        return self.public.keyid

    @classmethod
    def generate(cls) -> SigningKey:
        """A new Ed25519 key that lives in memory only."""
        return cls.from_pem(new_private_pem())

    @classmethod
    def from_pem(cls, pem: bytes, *, path: Path | None = None) -> SigningKey:
        """Read a PKCS#8 PEM private key.

        Raises:
            SigningKeyError: it is not one, is protected by a passphrase, or of another algorithm.
        """
        source = str(path or "")
        try:
            private = load_pem_private_key(pem, None)
        except TypeError as error:
            raise SigningKeyError(
                "the private key is protected by a passphrase",
                subject=source,
                remedy="Decrypt it with `openssl pkcs8 -topk8 -nocrypt`, or name another key.",
            ) from error
        except (ValueError, UnsupportedAlgorithm) as error:
            raise SigningKeyError(
                "not a PEM private key", subject=source, remedy="Name a PKCS#8 PEM private key."
            ) from error
        public = PublicKey.from_crypto(private.public_key(), source=source)
        return cls(CryptoSigner(private, public.library_key), public, path)

    @classmethod
    def load(cls, path: Path) -> SigningKey:
        """Read an existing key file.

        Raises:
            SigningKeyError: it is missing, unreadable, readable by others, or not a key we accept.
        """
        return cls.from_pem(read_private(path), path=path)

    @classmethod
    def load_or_create(cls, path: Path) -> SigningKey:
        """The key at `path`, made on first use: PKCS#8 PEM, mode 0600, in a folder of mode 0700.

        Processes that race to make it all end up with the one that was made first.

        Raises:
            SigningKeyError: as `load`, or the file cannot be written.
        """
        if not os.path.lexists(path):
            create_private(path, new_private_pem())
        return cls.load(path)

    def sign(self, data: bytes) -> bytes:
        """The raw signature over `data` (Ed25519: 64 bytes; ECDSA: DER)."""
        return bytes.fromhex(self._signer.sign(data).signature)

    def export_public(self, path: Path) -> PublicKey:
        """Write the public key as PEM for others to trust.

        Raises:
            SigningKeyError: the file cannot be written.
        """
        write_public(path, self.public.pem.encode())
        return self.public

    def __repr__(self) -> str:
        return f"SigningKey({self.public.short}…)"


def new_private_pem() -> bytes:
    """A new Ed25519 private key as PKCS#8 PEM."""
    return bytes(CryptoSigner.generate_ed25519().private_bytes)
