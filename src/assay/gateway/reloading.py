"""A new configuration in a running gateway: all of it, or none."""

from __future__ import annotations

import asyncio
import signal
import threading
from typing import TYPE_CHECKING

from assay.core.errors import AssayError
from assay.core.gateway_config import GatewaySection
from assay.gateway.running import make_running
from assay.gateway.settings import load_settings

if TYPE_CHECKING:
    from assay.gateway.gateway import Gateway

TICK = 1.0  # seconds between looks at the file
# What only a new start changes.
FIXED = ("host", "port", "tls", "workers", "state", "auth", "telemetry", "audit", "windows", "metrics")


class Reloading:
    """Watches the configuration's file, and SIGHUP.

    Args:
        gateway: whose configuration it is.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._file = gateway.running.settings.file
        self._asked = asyncio.Event()
        self._stamp = self._state()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to watch."""
        if threading.current_thread() is threading.main_thread():
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._asked.set)
        self._task = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Watch no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def reload(self) -> bool:
        """Put in force what the file says now; returns whether it is.

        A file that is wrong changes nothing: what was in force stays so.
        """
        gateway = self._gateway
        try:
            settings = await asyncio.to_thread(load_settings, self._file)
            running = await asyncio.to_thread(make_running, settings, told=gateway.metrics.asked)
        except AssayError as error:
            gateway.metrics.reloaded("refused")
            gateway.problem = str(error)
            gateway.log.error("reload refused", extra={"reason": str(error), "remedy": error.remedy})  # noqa: TRY400
            return False
        ignored = _changed(gateway.running.settings.section, settings.section)
        gateway.problem = f"only a new start changes {', '.join(ignored)}" if ignored else ""
        await gateway.replace(running)
        gateway.metrics.reloaded("in force")
        gateway.log.info("reload", extra={"policy": settings.digest, "ignored": ignored})
        return True

    async def _watch(self) -> None:
        while True:
            try:
                await asyncio.wait_for(self._asked.wait(), TICK)
            except TimeoutError:
                await self._gateway.tick()
            stamp = self._state()
            if self._asked.is_set() or stamp != self._stamp:
                self._asked.clear()
                self._stamp = stamp
                await self.reload()

    def _state(self) -> tuple[int, ...]:
        try:
            state = self._file.stat()
        except OSError:
            return ()
        return (state.st_mtime_ns, state.st_ino, state.st_size)


def _changed(before: GatewaySection, after: GatewaySection) -> list[str]:
    return [name for name in FIXED if getattr(before, name) != getattr(after, name)]
