"""A gateway: what all its requests share."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from assay.gateway.answers.embeddings import vector_of
from assay.gateway.audit import AuditLog, Record
from assay.gateway.endpoints import EMBEDDINGS
from assay.gateway.guard_pool import GuardPool
from assay.gateway.keys import private_folder
from assay.gateway.metrics import Metrics
from assay.gateway.reloading import Reloading
from assay.gateway.running import Running, make_running
from assay.gateway.settings import Settings
from assay.gateway.telemetry import Telemetry, open_telemetry
from assay.gateway.windows import Windows

log = logging.getLogger("assay.gateway")
_COLLECTING = (50_000, 20, 20)  # new objects between looks; requests under way are thousands that live on


def _settle_memory() -> None:
    """Have the collector look at new objects only: to go through the guard's rules stops all requests."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTING)


class Gateway:
    """What the requests of one process share.

    Args:
        settings: the configuration.
        telemetry: instead of what the configuration asks for.

    Attributes:
        running: what is in force; replaced as a whole.
        problem: what is wrong with the configuration that was read last, "" where nothing is.

    Raises:
        AssayError: a part of it cannot be made.
    """

    def __init__(self, settings: Settings, telemetry: Telemetry | None = None) -> None:
        section = settings.section
        private_folder(settings.state)
        self.log, self.problem = log, ""
        self.metrics = Metrics()
        self.running: Running = make_running(settings, told=self.metrics.asked)
        self.pool = GuardPool(section.guarding.threads, section.guarding.queue)
        self.audit = AuditLog(settings.state / section.audit.file)
        self.windows = (
            Windows(section.windows, settings.state / section.windows.folder) if section.windows.use else None
        )
        self.telemetry = telemetry or open_telemetry(section.telemetry)
        self._users: Counter[int] = Counter()

    @property
    def in_flight(self) -> int:
        """How many requests are being served."""
        return self._users.total()

    async def start(self) -> None:
        """The server starts."""
        _settle_memory()
        self.reloading = Reloading(self)
        self.reloading.start()
        log.info("start", extra={"policy": self.running.settings.digest})

    @contextmanager
    def using(self) -> Iterator[Running]:
        """What is in force, for the length of a request; it stays usable when another comes in force."""
        running = self.running
        self._users[id(running)] += 1
        try:
            yield running
        finally:
            self._users[id(running)] -= 1
            if not self._users[id(running)]:
                del self._users[id(running)]
                if running is not self.running:
                    self._closing = asyncio.ensure_future(running.upstreams.close())

    async def replace(self, running: Running) -> None:
        """Put something else in force, from the next request on."""
        old, self.running = self.running, running
        running.limiter.inherit(old.limiter)
        if not self._users[id(old)]:
            await old.upstreams.close()
        del old
        _settle_memory()

    def health(self) -> dict[str, Any]:
        """Whether requests are served, and by whom."""
        upstreams = {one.name: "resting" if one.breaker.open else "ok" for one in self.running.upstreams.all}
        recorded = not self.running.settings.section.audit.required or self.audit.ready
        served = "ok" in upstreams.values() and recorded
        health = {"status": "ok" if served else "unavailable", "upstreams": upstreams, "audit": recorded}
        return {**health, "policy": self.running.settings.digest, "problem": self.problem}

    def finished(self, record: Record) -> None:
        """A request is over."""
        self.audit.append(record)
        self.metrics.finished(record)
        if self.windows is not None and record.upstream and record.endpoint != EMBEDDINGS.name:
            self.windows.response(record)

    def sampled(self, record: Record, answered: list[dict[str, Any]]) -> None:
        """An answer holds embeddings."""
        if self.windows is not None:
            self.windows.embeddings(record, [vector_of(one["embedding"]) for one in answered])

    async def tick(self) -> None:
        """What is done every now and then."""
        self.metrics.refresh(self)
        await asyncio.to_thread(self._turn)

    async def close(self) -> None:
        """Write what is to be written, and end the threads."""
        await self.reloading.stop()
        await self.running.upstreams.close()
        self.pool.close()
        self.audit.close()
        self._turn(over=True)
        self.telemetry.close()
        log.info("stop")

    def _turn(self, *, over: bool = False) -> None:
        """Write the samples of a window that is over."""
        try:
            if self.windows is not None:
                self.windows.turn(over=over)
        except OSError as error:
            log.error("windows", extra={"reason": error.strerror})  # noqa: TRY400  it says all itself
