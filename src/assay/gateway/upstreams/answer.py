"""An upstream's answer: bytes within bounds, decompressed within bounds."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator

from assay.gateway.answers.shape import unusable
from assay.gateway.upstreams.breaker import Breaker
from assay.gateway.upstreams.connections import ERRORS, Reply

_WINDOWS = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


class Answer:
    """An answer whose head is here and whose body is still to come; close it.

    Args:
        upstream: the name of who answers.
        reply: the answer.
        breaker: is told whether the body came.
        limit: the largest body, in bytes, also once decompressed.
    """

    def __init__(self, upstream: str, reply: Reply, breaker: Breaker, limit: int) -> None:
        self.upstream = upstream
        self._reply, self._breaker, self._limit = reply, breaker, limit

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._reply.status

    @property
    def kind(self) -> str:
        """The media type, in small letters and without parameters."""
        return self._reply.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def retry_after(self) -> str:
        """The seconds after which it may be tried again, "" where it says none."""
        value = self._reply.headers.get("retry-after", "")
        return value if value.isascii() and value.isdigit() and len(value) < 6 else ""  # noqa: PLR2004  digits

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body, as it comes.

        Raises:
            Refusal: it breaks off, is too large, or is compressed in a way that is not known.
        """
        encoding = self._reply.headers.get("content-encoding", "identity").strip().lower()
        opened = _opened(encoding)
        size = 0
        try:
            async for raw in self._reply.pieces():
                piece = raw if opened is None else opened.decompress(raw, self._limit + 1)
                size += len(piece)
                if size > self._limit or (opened is not None and opened.unconsumed_tail):
                    raise unusable("it is too large")
                if piece:
                    yield piece
        except ERRORS as error:
            self._breaker.failed()
            raise unusable("it broke off") from error
        except zlib.error as error:
            raise unusable("it cannot be decompressed") from error
        if opened is not None and not opened.eof:
            raise unusable("it broke off")

    async def body(self) -> bytes:
        """All of it.

        Raises:
            Refusal: as for `pieces`.
        """
        return b"".join([piece async for piece in self.pieces()])

    async def close(self) -> None:
        """Close the connection, or give it back."""
        await self._reply.close()


def _opened(encoding: str) -> zlib._Decompress | None:
    if encoding in {"identity", ""}:
        return None
    if encoding not in _WINDOWS:
        raise unusable("it is compressed in an unknown way")
    return zlib.decompressobj(_WINDOWS[encoding])
