"""Sigstore identities: certificates that live for minutes, and a public log that says when they were used.

Verified by the `sigstore` package, which the extra `signing` installs. The root of trust is a file, or the
public good instance's own, kept up to date over the network where the user asks for it by name.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from assay.core.errors import ConfigError, EngineError, SubjectError
from assay.subjects.model_signature.bundle import Bundle, read_bundle

INSTANCES = ("production", "staging")
HINT = "Install the extra: pip install 'assay-llm[signing]'."


def available() -> bool:
    """Whether the packages are installed."""
    return find_spec("sigstore") is not None


def verify_keyless(bundle: Bundle, *, identity: str, issuer: str, root: str) -> str:
    """Verify that `identity`, as `issuer` knows it, signed the bundle. Returns "" or why it did not.

    Args:
        bundle: the bundle.
        identity: the e-mail address or URI in the certificate.
        issuer: the OpenID Connect issuer that vouched for it.
        root: `production`, `staging`, or the path of a trusted-root or client-trust file.

    Raises:
        EngineError: the packages are absent, or the instance's root cannot be had.
        ConfigError: the file is not a root of trust.
    """
    if not available():
        raise EngineError("the package `sigstore` is not installed", remedy=HINT)
    from sigstore.errors import VerificationError  # noqa: PLC0415  optional, and slow to import
    from sigstore.models import Bundle as SigstoreBundle  # noqa: PLC0415
    from sigstore.models import InvalidBundle  # noqa: PLC0415
    from sigstore.verify import Verifier  # noqa: PLC0415
    from sigstore.verify.policy import Identity  # noqa: PLC0415

    verifier = Verifier(trusted_root=_root(root))
    try:
        read = SigstoreBundle.from_json(bundle.raw)
        kind, payload = verifier.verify_dsse(read, Identity(identity=identity, issuer=issuer))
    except (VerificationError, InvalidBundle, ValueError) as error:
        return " ".join(str(error).split())[:200] or "its Sigstore material does not verify"
    if (kind, payload) != (bundle.payload_type, bundle.payload):
        return "what its certificate signed is not what it carries"
    return ""


def _root(root: str) -> Any:
    from sigstore.errors import Error  # noqa: PLC0415
    from sigstore.models import ClientTrustConfig  # noqa: PLC0415

    if root in INSTANCES:
        make = ClientTrustConfig.production if root == "production" else ClientTrustConfig.staging
        try:
            return make().trusted_root
        except (Error, OSError, RuntimeError) as error:
            raise EngineError(
                f"Sigstore's root of trust cannot be had: {str(error)[:200]}",
                remedy="Let it reach the network once, or name a trusted-root file.",
            ) from error
    return _root_in(Path(root))


def _root_in(path: Path) -> Any:
    from sigstore.errors import Error  # noqa: PLC0415
    from sigstore.models import ClientTrustConfig, TrustedRoot  # noqa: PLC0415

    remedy = "Name a trusted_root.json, `production` or `staging`."
    try:
        text = read_bundle(path).decode("utf-8", "replace")
    except SubjectError as error:
        raise ConfigError(error.cause, subject=str(path), remedy=remedy) from error
    if '"trustedRoot"' not in text:
        try:
            return TrustedRoot.from_file(str(path))
        except (Error, ValueError, KeyError) as error:
            raise ConfigError("is not a root of trust", subject=str(path), remedy=remedy) from error
    try:
        return ClientTrustConfig.from_json(text).trusted_root
    except (Error, ValueError, KeyError) as error:
        raise ConfigError("is not a root of trust", subject=str(path), remedy=remedy) from error
