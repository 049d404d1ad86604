"""Where a gateway listens, by what certificate, and whether anybody could use it."""

from __future__ import annotations

import socket
import ssl

from assay.core.errors import ConfigError
from assay.gateway.keys import FILE_NAME, KeyStore
from assay.gateway.settings import Settings

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def tls_of(settings: Settings) -> ssl.SSLContext | None:
    """TLS 1.2 or newer, where the configuration asks for it.

    Raises:
        ConfigError: certificate or key cannot be used.
    """
    tls = settings.section.tls
    if tls is None:
        return None
    folder = settings.file.absolute().parent
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(folder / tls.certificate, folder / tls.key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"certificate or key cannot be used: {error}",
            subject="gateway.tls",
            remedy="Give PEM files that belong together.",
        ) from error
    return context


def listen(settings: Settings) -> socket.socket:
    """A socket that listens.

    Raises:
        ConfigError: the address is taken, or is not of this machine.
    """
    section = settings.section
    try:
        found = socket.getaddrinfo(
            section.host, section.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, kind, protocol, _, address = found[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(2048)
    except OSError as error:
        raise ConfigError(
            f"cannot listen on {section.host}:{section.port}: {error.strerror}", subject="gateway.host"
        ) from error
    return listening


def check_access(settings: Settings) -> None:
    """Refuse to start where nobody could be let in, or everybody could.

    Raises:
        ConfigError: there are no keys, or none are asked for on an address that others reach.
    """
    section = settings.section
    if section.auth == "none" and section.host not in LOOPBACK:
        raise ConfigError(
            f"anybody who reaches {section.host} could use the gateway",
            subject="gateway.auth",
            remedy="Use `auth: keys`, or listen on 127.0.0.1.",
        )
    if section.auth == "keys" and not KeyStore(settings.state / FILE_NAME).all():
        raise ConfigError(
            "there are no keys, so nobody could use the gateway",
            subject="gateway.auth",
            remedy="Make one with `assay gateway key add NAME`.",
        )
