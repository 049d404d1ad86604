"""Whom the user believes: public keys, authorities, and what was revoked among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from assay.checks.packaging.artifact_signature.options import SignatureOptions
from assay.ledger import Keyring, Revocation, default_key_path
from assay.ledger.keyfile import read_bounded
from assay.subjects.model_signature import VerificationKey, load_certificates, load_key
from assay.subjects.model_signature.revocations import load_revocations


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom the user believes.

    Attributes:
        keys: public keys, those of Assay's own keyring included.
        revoked: key id to the revocation, of keys that are believed no longer.
        certificates: authorities, or signers.
        revocations: lists that authorities made.
    """

    keys: tuple[VerificationKey, ...]
    revoked: Mapping[str, Revocation]
    certificates: tuple[x509.Certificate, ...]
    revocations: tuple[x509.CertificateRevocationList, ...]


def trust_of(options: SignatureOptions) -> Trust:
    """Read what the options name.

    Raises:
        SigningKeyError: a key, certificate or list cannot be read.
    """
    own = Path(options.signing_key).expanduser() if options.signing_key else default_key_path()
    ring = Keyring.load(own)
    named = [load_key(read_bounded(path), source=str(path)) for path in _located(options.keys, options.root)]
    known = [VerificationKey.of(load_pem_public_key(key.pem.encode())) for key in ring]
    certificates: list[x509.Certificate] = []
    for path in _located(options.certificates, options.root):
        certificates += load_certificates(read_bounded(path), source=str(path))
    lists = [
        load_revocations(read_bounded(path), source=str(path))
        for path in _located(options.revocations, options.root)
    ]
    keys = {key.keyid: key for key in (*named, *known)}
    return Trust(tuple(keys.values()), ring.revocations, tuple(certificates), tuple(lists))


def located(path: str, root: str) -> Path:
    """`path` as the user wrote it, made absolute from `root`."""
    return (Path(root) / Path(path).expanduser()).absolute()


def _located(paths: list[str], root: str) -> list[Path]:
    return [located(path, root) for path in paths]
