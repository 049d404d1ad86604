"""Certificate revocation lists (RFC 5280, section 5) that the user names; none is fetched."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import ExtensionOID

from assay.core.errors import SigningKeyError
from assay.subjects.model_signature.certificates import Chain, names_of

_UNDERSTOOD = {ExtensionOID.CRL_NUMBER, ExtensionOID.AUTHORITY_KEY_IDENTIFIER}


def load_revocations(raw: bytes, *, source: str = "") -> x509.CertificateRevocationList:
    """Read a list, PEM or DER.

    Raises:
        SigningKeyError: it is none, or is partial or indirect in a way that we do not understand.
    """
    try:
        pem = raw.lstrip().startswith(b"-----")
        listed = x509.load_pem_x509_crl(raw) if pem else x509.load_der_x509_crl(raw)
        critical = {extension.oid for extension in listed.extensions if extension.critical}
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SigningKeyError(
            "is not a certificate revocation list", subject=source, remedy="Name a PEM or DER file."
        ) from error
    if critical - _UNDERSTOOD:
        raise SigningKeyError("is a partial or indirect list", subject=source, remedy="Name a full list.")
    return listed


def revoked_in(
    chain: Chain, lists: Sequence[x509.CertificateRevocationList]
) -> tuple[x509.Certificate, datetime] | None:
    """The first certificate of the chain that its issuer has revoked, and since when.

    When it was signed nobody vouches for, so a revocation counts from the beginning.
    """
    for certificate, issuer in zip(chain.certificates, chain.certificates[1:], strict=False):
        for listed in lists:
            entry = listed.get_revoked_certificate_by_serial_number(certificate.serial_number)
            if entry is not None and _of(listed, issuer):
                return certificate, entry.revocation_date_utc
    return None


def outdated(
    chain: Chain, lists: Sequence[x509.CertificateRevocationList], moment: datetime
) -> tuple[str, ...]:
    """Authorities of the chain for which the user names no list that is valid at `moment`."""
    missing = []
    for issuer in chain.certificates[1:]:
        own = [listed for listed in lists if _of(listed, issuer)]
        if not any(listed.next_update_utc is None or moment <= listed.next_update_utc for listed in own):
            missing.append(next(iter(names_of(issuer)), "an authority without a name"))
    return tuple(missing)


def _of(listed: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    if listed.issuer != issuer.subject:
        return False
    try:
        return listed.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
    except (InvalidSignature, TypeError, ValueError, UnsupportedAlgorithm):
        return False
