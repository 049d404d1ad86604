"""Sign as a Sigstore identity: a key that lives for one signature, certified for whom a token names.

The statement is our own, as with a key; the client is that of the package `sigstore`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from assay.core.errors import AssayError, EngineError, UsageError
from assay.subjects.model_signature.bundle import parse_bundle
from assay.subjects.model_signature.keyless import MAX_REASON, stated_identity, verify_keyless
from assay.subjects.model_signature.sigstore_roots import client_config, require_sigstore

_REMEDY = "Correct what it names, and sign again; nothing was written."


@dataclass(frozen=True, slots=True)
class KeylessSignature:
    """A bundle that verifies.

    Attributes:
        bundle: its bytes, JSON.
        identity, issuer: who signed, and who vouched for them: what to verify it with.
    """

    bundle: bytes
    identity: str
    issuer: str


def sign_keyless(
    payload: bytes, *, root: str, token: str = "", interactive: bool = False
) -> KeylessSignature:
    """Sign a statement, and log the signature publicly.

    Args:
        payload: an in-toto statement.
        root: `production`, `staging`, or the path of a client trust configuration.
        token: an OpenID Connect token for the audience `sigstore`; by default the one that the CI system
            around us offers (GitHub, GitLab, Google Cloud, Buildkite).
        interactive: where there is neither, let the user log in with a browser.

    Raises:
        UsageError: nothing says who signs.
        ConfigError: the file is no client trust configuration.
        EngineError: the package is absent, the instance refused, or what it answered does not verify.
    """
    require_sigstore()
    from sigstore.dsse import Statement  # noqa: PLC0415  optional, and slow to import
    from sigstore.sign import SigningContext  # noqa: PLC0415

    config = client_config(root)
    with _told_as_engine_error():
        identity = _token(config, token, interactive=interactive)
        with SigningContext.from_trust_config(config).signer(identity) as signer:
            raw = signer.sign_dsse(Statement(payload)).to_json().encode()
    bundle = parse_bundle(raw, source="the new bundle")
    name, issuer = stated_identity(bundle, source="the new bundle")
    if refusal := verify_keyless(bundle, identity=name, issuer=issuer, root=root, offline=True):
        raise EngineError(f"the new signature does not verify: {refusal.reason}", remedy=_REMEDY)
    return KeylessSignature(raw + b"\n", name, issuer)


def _token(config: Any, token: str, *, interactive: bool) -> Any:
    from sigstore.oidc import IdentityToken, Issuer, detect_credential  # noqa: PLC0415

    if known := token.strip() or detect_credential():
        return IdentityToken(known)
    if not interactive:
        raise UsageError(
            "nothing says who signs",
            remedy="Name a file with an identity token (--identity-token), or sign in a terminal.",
        )
    return Issuer(config.signing_config.get_oidc_url()).identity_token()


@contextmanager
def _told_as_engine_error() -> Iterator[None]:
    try:
        yield
    except AssayError:
        raise
    except Exception as error:  # its clients raise errors of private modules
        raise EngineError(f"Sigstore did not sign: {_cause(error)}", remedy=_REMEDY) from error


def _cause(error: Exception) -> str:
    """What went wrong in one line: the error, what is behind it, and what the server said."""
    behind = error.__cause__
    response = getattr(behind, "response", None)
    said = getattr(response, "text", "")
    told = [text for text in (str(error), str(behind or ""), str(said)) if text] or [type(error).__name__]
    return " ".join(": ".join(told).split())[:MAX_REASON]
