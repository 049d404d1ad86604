"""Addresses of servers as users write them, and the key that is sent there."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from assay.core.errors import EndpointError

QUOTE = 200
_REMEDY = "Give the base URL of an OpenAI-compatible API, such as http://127.0.0.1:8000/v1."


def base_url(url: str) -> str:
    """`url` as a base to append paths to.

    Raises:
        EndpointError: it is not plain http or https with a host, or carries credentials or a query; the error
            quotes none of those.
    """
    shown = url.rpartition("@")[2].partition("?")[0][:QUOTE]
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise EndpointError("is not an http(s) address", subject=shown, remedy=_REMEDY) from error
    if parts.scheme not in {"http", "https"} or not host:
        raise EndpointError(
            f"is not an http(s) address with a host: its scheme is {parts.scheme!r}",
            subject=shown,
            remedy=_REMEDY,
        )
    if parts.username is not None or parts.password is not None:
        raise EndpointError(
            "is not an http(s) address alone: it carries credentials",
            subject=shown,
            remedy="Give the key by an environment variable.",
        )
    if parts.query or parts.fragment:
        raise EndpointError(
            "is not an http(s) address alone: it has a query or fragment", subject=shown, remedy=_REMEDY
        )
    return url.rstrip("/")


def is_loopback(url: str) -> bool:
    """Whether `url` is on this machine: a proxy named in the environment must not see such requests."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def bearer(key: str, url: str) -> Mapping[str, str]:
    """The header that carries an API key, none for an empty one.

    Raises:
        EndpointError: no header can carry it.
    """
    if not key:
        return {}
    if not key.isascii() or not key.isprintable() or " " in key:
        raise EndpointError(
            "the API key cannot be sent: it holds spaces, line breaks or other odd characters",
            subject=url,
            remedy="Correct the environment variable that holds the key.",
        )
    return {"Authorization": f"Bearer {key}"}
