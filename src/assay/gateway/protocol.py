"""HTTP/1.1 of uvicorn, with an end to clients that never finish asking."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol


class PatientProtocol(H11Protocol):
    """Closes a connection on which no whole head arrives within `head_seconds`.

    uvicorn's own timeout runs between requests only, and ends with their first byte. What a client goes on
    sending after its request was refused is dropped, but not for ever.
    """

    head_seconds = 10.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first head."""
        super().connection_made(transport)
        self._timer: asyncio.TimerHandle | None = None
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Wait on, unless a request is being served."""
        super().data_received(data)
        if self._serving():
            self._unwait()
        elif self._timer is None:
            self._wait()

    def on_response_complete(self) -> None:
        """Wait for what is still to come of the request, or for the next one."""
        super().on_response_complete()
        if not self._serving() and self._timer is None and self.conn.their_state is not self.conn.our_state:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more comes."""
        self._unwait()
        super().connection_lost(exc)

    def _serving(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait(self) -> None:
        self._timer = self.loop.call_later(self.head_seconds, self._give_up)

    def _unwait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._timer = None
        if not self._serving() and not self.transport.is_closing():
            self.transport.close()


def patient(head_seconds: float) -> type[Any]:
    """The protocol with that time."""
    return type("Protocol", (PatientProtocol,), {"head_seconds": head_seconds})
