"""Sigstore identities: certificates that live for minutes, and a public log that says when they were used.

Verified by the package `sigstore`. What it verifies: the certificate's chain at the time that the log or a
time-stamp authority states, its entry in the certificate log, identity and issuer, the entry's inclusion in
the log under a signed checkpoint, and that the entry is of this very signature. None of it needs the network.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.x509 import ExtensionNotFound

from assay.core.errors import ConfigError
from assay.subjects.model_signature.bundle import Bundle
from assay.subjects.model_signature.certificates import load_der, names_of
from assay.subjects.model_signature.sigstore_roots import require_sigstore, trusted_root

# https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md
_ISSUER = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.1")
MAX_REASON = 200


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a bundle does not count.

    Attributes:
        reason: in one line, at most 200 characters; parts of it are the bundle's own words.
        another: somebody else signed it, or was vouched for by somebody else.
    """

    reason: str
    another: bool


def stated_identity(bundle: Bundle, *, source: str = "") -> tuple[str, str]:
    """Whom a bundle's certificate names, and the issuer that it says vouched for them; nothing is verified.

    Raises:
        SubjectError: the certificate is damaged.
    """
    certificate = load_der(bundle.certificates, source=source)[0]
    names = names_of(certificate)
    try:
        extension = certificate.extensions.get_extension_for_oid(_ISSUER).value
    except (ExtensionNotFound, ValueError):
        return (names[0] if names else "", "")
    raw = extension.value if isinstance(extension, x509.UnrecognizedExtension) else b""
    return (names[0] if names else "", raw.decode("utf-8", "replace"))


def verify_keyless(
    bundle: Bundle, *, identity: str, issuer: str, root: str, offline: bool = False
) -> Refusal | None:
    """Verify that `identity`, as `issuer` knows it, signed the bundle. Returns why it did not, or None.

    Args:
        bundle: the bundle.
        identity: the e-mail address or URI in the certificate.
        issuer: the OpenID Connect issuer that vouched for it.
        root: `production`, `staging`, or the path of a trusted-root or client-trust file.
        offline: fetch nothing; see `trusted_root`.

    Raises:
        EngineError: the package is absent, or the instance's root cannot be had.
        ConfigError: the file is not a root of trust.
    """
    require_sigstore()
    from sigstore.errors import Error  # noqa: PLC0415  optional, and slow to import
    from sigstore.models import Bundle as SigstoreBundle  # noqa: PLC0415

    verifier, policy = _verifier(root, offline=offline), _Policy(identity, issuer)
    try:
        read = SigstoreBundle.from_json(bundle.raw)
        kind, payload = verifier.verify_dsse(read, policy)
    # A hostile bundle gets the package to raise more than it documents (OSError for a time beyond the
    # calendar, say); whatever it is, nothing verified.
    except (Error, OSError, ValueError, TypeError, ArithmeticError, LookupError, ExtensionNotFound) as error:
        reason = " ".join(str(error).split())[:MAX_REASON] or "its Sigstore material does not verify"
        return Refusal(reason, policy.refused)
    if (kind, payload) != (bundle.payload_type, bundle.payload):
        return Refusal("what its certificate signed is not what it carries", another=False)
    return None


class _Policy:
    """The package's policy on identity and issuer, which remembers whether it was the one to refuse."""

    def __init__(self, identity: str, issuer: str) -> None:
        from sigstore.verify.policy import Identity  # noqa: PLC0415

        self._policy = Identity(identity=identity, issuer=issuer)
        self.refused = False

    def verify(self, certificate: x509.Certificate) -> None:
        self.refused = True
        self._policy.verify(certificate)
        self.refused = False


def _verifier(root: str, *, offline: bool) -> Any:
    from sigstore.errors import Error  # noqa: PLC0415
    from sigstore.verify import Verifier  # noqa: PLC0415

    trusted = trusted_root(root, offline=offline)
    try:
        return Verifier(trusted_root=trusted)
    except (Error, ValueError) as error:
        cause = f"is a root of trust that trusts nobody: {str(error)[:MAX_REASON]}"
        raise ConfigError(cause, subject=root, remedy="Name the instance's own trusted_root.json.") from error
