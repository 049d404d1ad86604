"""Connections to one server, of which the one that was used last is used next.

A pool that looks through all its connections for every request (httpcore's does, with a system call for each
that is idle) is the slower the more it once needed; this one looks at one. Those at the bottom are closed
when they were idle for too long.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Mapping

import httpcore

IDLE_SECONDS = 30.0
KEPT = 512
ERRORS = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.TimeoutException,
    httpcore.ConnectionNotAvailable,
    ssl.SSLError,
)
_STALE = (httpcore.ReadError, httpcore.RemoteProtocolError)


class Reply:
    """A server's answer whose head is here; close it.

    Attributes:
        status: the HTTP status.
        headers: by names in small letters; of several with one name the last.
    """

    def __init__(
        self, owner: Connections, connection: httpcore.AsyncHTTPConnection, response: httpcore.Response
    ) -> None:
        self._owner, self._connection, self._response = owner, connection, response
        self.status = response.status
        self.headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers
        }

    def pieces(self) -> AsyncIterator[bytes]:
        """The body, as it comes, as it is; `ERRORS` where it breaks off."""
        return self._response.aiter_stream()

    async def close(self) -> None:
        """Close it; the connection is kept where the body was read to its end."""
        await self._response.aclose()
        await self._owner.give_back(self._connection)


class Connections:
    """Connections to one server.

    Args:
        url: base URL.
        headers: sent with every request.
        connect_seconds, silence_seconds, write_seconds: how long each step may take.
        context: by what certificates are judged, for https.
    """

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        connect_seconds: float,
        silence_seconds: float,
        write_seconds: float,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._url, self._context = url, context
        self._headers = {"Host": _host(url), **headers}
        self._timeouts = {
            "timeout": {"connect": connect_seconds, "read": silence_seconds, "write": write_seconds}
        }
        self._idle: list[httpcore.AsyncHTTPConnection] = []

    async def send(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Send a request; returns the answer once its head is here, or raises one of `ERRORS`."""
        sent: dict[bytes | str, bytes | str] = {}
        for names in (self._headers, headers, {"Content-Length": str(len(body))}):
            sent.update(names.items())
        request = httpcore.Request(
            method,
            self._url + path,
            headers=sent,
            content=body,
            extensions=self._timeouts,
        )
        kept = await self._take()
        if kept is not None:
            try:
                return await self._on(kept, request)
            except _STALE:
                pass  # the server closed it meanwhile; that says nothing of the request
        origin = httpcore.URL(self._url).origin
        return await self._on(
            httpcore.AsyncHTTPConnection(origin, self._context, keepalive_expiry=IDLE_SECONDS), request
        )

    async def give_back(self, connection: httpcore.AsyncHTTPConnection) -> None:
        """Keep a connection for the next request, if it can be used again."""
        if connection.is_idle() and len(self._idle) < KEPT:
            self._idle.append(connection)
        else:
            await connection.aclose()
        while self._idle and self._idle[0].has_expired():
            await self._idle.pop(0).aclose()

    async def close(self) -> None:
        """Close those that are idle."""
        while self._idle:
            await self._idle.pop().aclose()

    async def _take(self) -> httpcore.AsyncHTTPConnection | None:
        while self._idle:
            connection = self._idle.pop()
            if not connection.has_expired():
                return connection
            await connection.aclose()
        return None

    async def _on(self, connection: httpcore.AsyncHTTPConnection, request: httpcore.Request) -> Reply:
        try:
            response = await connection.handle_async_request(request)
        except BaseException:
            await connection.aclose()
            raise
        return Reply(self, connection, response)


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0]
