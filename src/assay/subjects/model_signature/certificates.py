"""From a signer's certificate to an authority that the user trusts (RFC 5280, section 6, what of it is used).

What a path needs here: each certificate issued by the next, each issuer an authority that may sign
certificates, path lengths kept, and no critical extension that we do not understand: it is refused, not
passed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from assay.core.errors import SubjectError

MAX_STEPS = 2_000
_BROKEN = {"md5", "sha1"}
ExtensionT = TypeVar("ExtensionT", bound=x509.ExtensionType)
_UNDERSTOOD = {
    ExtensionOID.BASIC_CONSTRAINTS,
    ExtensionOID.KEY_USAGE,
    ExtensionOID.EXTENDED_KEY_USAGE,
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    ExtensionOID.CERTIFICATE_POLICIES,
}


@dataclass(frozen=True, slots=True)
class Chain:
    """A path from the signer's certificate to a trusted one, both included."""

    certificates: tuple[x509.Certificate, ...]

    @property
    def signer(self) -> x509.Certificate:
        """The certificate whose key signed."""
        return self.certificates[0]

    def names(self) -> tuple[str, ...]:
        """Who the signer is: the subject's common names, e-mail addresses, URIs and DNS names."""
        return names_of(self.signer)

    def outside_validity(self, moment: datetime) -> tuple[x509.Certificate, ...]:
        """The certificates that are not valid yet, or no longer, at `moment`."""
        return tuple(
            c for c in self.certificates if not c.not_valid_before_utc <= moment <= c.not_valid_after_utc
        )


def names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    """Whom a certificate names: common names, e-mail addresses, URIs and DNS names."""
    common = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    found = [str(attribute.value) for attribute in common]
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, ValueError):
        return tuple(found)
    for kind in (x509.RFC822Name, x509.UniformResourceIdentifier, x509.DNSName):
        found += [str(name) for name in extension.value.get_values_for_type(kind)]
    return tuple(found)


def load_der(raw: Sequence[bytes], *, source: str = "") -> list[x509.Certificate]:
    """Certificates of a bundle.

    Raises:
        SubjectError: one is damaged.
    """
    try:
        return [x509.load_der_x509_certificate(der) for der in raw]
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SubjectError("its certificate cannot be read", subject=source) from error


def chain_to(trusted: Sequence[x509.Certificate], presented: Sequence[x509.Certificate]) -> Chain | str:
    """The path from `presented[0]` to a trusted certificate, or why there is none.

    Args:
        trusted: what the user trusts: authorities, or the signer's certificate itself.
        presented: the signer's certificate, and others that may lie between.
    """
    signer, *others = presented
    if reason := _unfit(signer):
        return reason
    anchors = {_identity(certificate) for certificate in trusted}
    if _identity(signer) in anchors:
        return Chain((signer,))
    refusal = "no trusted authority issued its certificate"
    pending: list[tuple[x509.Certificate, ...]] = [(signer,)]
    for _ in range(MAX_STEPS):
        if not pending:
            return refusal
        path = pending.pop()
        for issuer in (*trusted, *others):
            if issuer in path or not _issued(path[-1], issuer):
                continue
            if reason := _no_authority(issuer, len(path) - 1):
                refusal = reason
            elif _identity(issuer) in anchors:
                return Chain((*path, issuer))
            else:
                pending.append((*path, issuer))
    return "its certificates form too many paths"


def _identity(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    algorithm = certificate.signature_hash_algorithm
    if certificate.issuer != issuer.subject or (algorithm and algorithm.name in _BROKEN):
        return False
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


def _unfit(certificate: x509.Certificate) -> str:
    """Why a certificate cannot be a signer's, or ""."""
    if reason := _misunderstood(certificate):
        return reason
    usage = _value(certificate, x509.KeyUsage)
    extended = _value(certificate, x509.ExtendedKeyUsage)
    if usage is not None and not usage.digital_signature:
        return "its certificate may not be used for signatures"
    signing = extended is not None and ExtendedKeyUsageOID.CODE_SIGNING in extended
    if usage is None and not signing:
        return "its certificate does not say that it may be used for signatures"
    if extended is not None and not signing and ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE not in extended:
        return "its certificate is for another use than signing"
    return ""


def _no_authority(issuer: x509.Certificate, below: int) -> str:
    """Why `issuer` may not stand above `below` intermediate authorities, or ""."""
    if reason := _misunderstood(issuer):
        return reason
    constraints = _value(issuer, x509.BasicConstraints)
    usage = _value(issuer, x509.KeyUsage)
    if constraints is None or not constraints.ca or (usage is not None and not usage.key_cert_sign):
        return "its certificate was issued by one that is no authority"
    if constraints.path_length is not None and below > constraints.path_length:
        return "its chain is longer than an authority in it allows"
    return ""


def _misunderstood(certificate: x509.Certificate) -> str:
    try:
        critical = [extension.oid for extension in certificate.extensions if extension.critical]
    except ValueError:
        return "its certificate's extensions cannot be read"
    unknown = [oid.dotted_string for oid in critical if oid not in _UNDERSTOOD]
    return f"its certificate has the critical extension {unknown[0]}, unknown here" if unknown else ""


def _value(certificate: x509.Certificate, kind: type[ExtensionT]) -> ExtensionT | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
