"""Running a gateway: one process, or several that share an address.

The modules that count are imported once it is known whether several processes count together.
"""

from __future__ import annotations

import os
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from assay.gateway.listening import check_access, listen, tls_of
from assay.gateway.logs import log_to_stderr
from assay.gateway.settings import Settings, load_settings
from assay.gateway.workers import run_workers

SHARED_COUNTERS = "PROMETHEUS_MULTIPROC_DIR"  # prometheus-client's own variable


def serve(file: Path, told: Callable[[str], None]) -> int:
    """Serve until SIGTERM or SIGINT, when running requests are answered; returns the exit code.

    Args:
        file: the configuration.
        told: is called with a line that says where, once it listens.

    Raises:
        AssayError: it cannot start.
    """
    settings = load_settings(file)
    check_access(settings)
    log_to_stderr()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there is something to reload
    tls_of(settings)
    with listen(settings) as listening, _counted(settings.section.workers):
        host, port = listening.getsockname()[:2]
        scheme = "https" if settings.section.tls else "http"
        shown = f"[{host}]" if ":" in host else host
        told(f"listening on {scheme}://{shown}:{port}/v1")
        if settings.section.workers == 1:
            return _work(settings, listening)
        return run_workers(settings.section.workers, lambda: _work(settings, listening))


def check_gateway(file: Path) -> str:
    """Make all that a configuration asks for, without serving; returns a line for people.

    Raises:
        AssayError: a part of it is wrong.
    """
    from assay.gateway.running import make_running  # noqa: PLC0415

    settings = load_settings(file)
    check_access(settings)
    tls_of(settings)
    running = make_running(settings, told=lambda upstream, outcome: None)  # noqa: ARG005
    names = ", ".join(one.name for one in running.upstreams.all)
    return f"in order; upstreams {names}; policy {settings.digest[:12]}"


def _work(settings: Settings, listening: socket.socket) -> int:
    from assay.gateway.server import make_server, run_server  # noqa: PLC0415  see above

    return run_server(make_server(settings), listening)


@contextmanager
def _counted(workers: int) -> Iterator[None]:
    """A folder in which several processes count together."""
    if workers == 1:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="assay-metrics-") as folder:
        os.environ[SHARED_COUNTERS] = folder
        yield
