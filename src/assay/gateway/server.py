"""The web server of a gateway."""

from __future__ import annotations

import signal
import socket
import threading
from types import FrameType

import uvicorn

from assay.gateway.app import make_app
from assay.gateway.gateway import Gateway
from assay.gateway.listening import tls_of
from assay.gateway.protocol import patient
from assay.gateway.settings import Settings

KEEP_ALIVE_SECONDS = 75
MAX_HEAD = 64 << 10  # bytes


class Server(uvicorn.Server):
    """A web server with its gateway."""

    def __init__(self, config: uvicorn.Config, gateway: Gateway) -> None:
        super().__init__(config)
        self.gateway = gateway


def make_server(settings: Settings) -> Server:
    """A web server for a configuration, not yet running.

    Raises:
        AssayError: a part of it cannot be made, or TLS files cannot be read.
    """
    section = settings.section
    gateway = Gateway(settings)
    config = uvicorn.Config(
        make_app(gateway),
        http=patient(section.server.head_seconds),
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=section.server.drain_seconds,
        h11_max_incomplete_event_size=MAX_HEAD,
    )
    config.load()
    config.ssl = tls_of(settings)
    return Server(config, gateway)


def run_server(server: Server, listening: socket.socket) -> int:
    """Serve until SIGTERM or SIGINT, when running requests are answered; returns the exit code."""

    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        server.should_exit = True

    if threading.current_thread() is threading.main_thread():
        # uvicorn raises the signals that it handled once more when it is done; these handlers end that.
        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
    server.run(sockets=[listening])
    return 0 if server.started else 1
