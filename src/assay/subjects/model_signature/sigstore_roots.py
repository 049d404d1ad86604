"""Where a Sigstore instance's keys come from: a file, or what the public instances publish.

The package `sigstore` is optional (the extra `signing`) and slow to import, so that happens where it is used.
"""

from __future__ import annotations

import logging
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from assay.core.errors import ConfigError, EngineError, SubjectError
from assay.subjects.model_signature.bundle import read_bundle

INSTANCES = ("production", "staging")
HINT = "Install the extra: pip install 'assay-llm[signing]'."
_REMEDY = "Name a trusted_root.json, a client trust configuration, `production` or `staging`."


def available() -> bool:
    """Whether the package is installed."""
    return find_spec("sigstore") is not None


def require_sigstore() -> None:
    """Refuse to go on without the package.

    Raises:
        EngineError: it is not installed.
    """
    if not available():
        raise EngineError("the package `sigstore` is not installed", remedy=HINT)
    # Without a handler of their own, its warnings would end up among our output.
    logging.getLogger("sigstore").addHandler(logging.NullHandler())


def trusted_root(root: str, *, offline: bool) -> Any:
    """The keys of an instance's authorities and logs, as `sigstore.models.TrustedRoot`.

    Args:
        root: `production`, `staging`, or the path of a trusted-root or client-trust file.
        offline: fetch nothing: take a public instance's keys as they were last fetched here, or as they came
            with the package.

    Raises:
        EngineError: a public instance's keys cannot be had.
        ConfigError: the file cannot be read, or is no root of trust.
    """
    from sigstore.errors import Error  # noqa: PLC0415
    from sigstore.models import TrustedRoot  # noqa: PLC0415

    if root in INSTANCES:
        return _instance(root, offline=offline).trusted_root
    path = Path(root)
    if '"trustedRoot"' in _text(path):
        return client_config(root).trusted_root
    try:
        return TrustedRoot.from_file(str(path))
    except (Error, ValueError) as error:
        raise ConfigError("is not a root of trust", subject=root, remedy=_REMEDY) from error


def client_config(root: str) -> Any:
    """What a signer needs of an instance: its keys and addresses, as `sigstore.models.ClientTrustConfig`.

    Args:
        root: `production`, `staging`, or the path of a client trust configuration.

    Raises:
        EngineError: a public instance's configuration cannot be had.
        ConfigError: the file cannot be read, or is no such configuration.
    """
    from sigstore.errors import Error  # noqa: PLC0415
    from sigstore.models import ClientTrustConfig  # noqa: PLC0415

    if root in INSTANCES:
        return _instance(root, offline=False)
    try:
        return ClientTrustConfig.from_json(_text(Path(root)))
    except (Error, ValueError) as error:
        remedy = "Name a client trust configuration (JSON), `production` or `staging`."
        raise ConfigError("is not a client trust configuration", subject=root, remedy=remedy) from error


def _instance(name: str, *, offline: bool) -> Any:
    from sigstore.errors import Error  # noqa: PLC0415
    from sigstore.models import ClientTrustConfig  # noqa: PLC0415

    make = ClientTrustConfig.production if name == "production" else ClientTrustConfig.staging
    try:
        return make(offline=offline)
    except (Error, OSError, ValueError) as error:
        raise EngineError(
            f"Sigstore's root of trust cannot be had: {str(error)[:200]}",
            remedy="Let it reach the network, name a trusted-root file, or set `offline`: the stored root.",
        ) from error


def _text(path: Path) -> str:
    try:
        return read_bundle(path).decode("utf-8", "replace")
    except SubjectError as error:
        raise ConfigError(error.cause, subject=str(path), remedy=_REMEDY) from error
