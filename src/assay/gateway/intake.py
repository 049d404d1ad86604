"""Reading what a client sends: bounded in size and time, in one encoding, as one unambiguous JSON object."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import Headers
from starlette.types import Receive

from assay.core.strict_json import MalformedError, parse_object
from assay.gateway.refusal import Refusal


class ClientGoneError(Exception):
    """The client closed the connection."""


def check_headers(headers: Headers) -> None:
    """Refuse bodies that somebody else might read in another way.

    Raises:
        Refusal: the body is compressed, or in another encoding than UTF-8, or no JSON.
    """
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", ""}:
        raise Refusal(415, "unsupported_encoding", "Send the body uncompressed.")
    kind, _, parameters = headers.get("content-type", "").partition(";")
    if kind.strip().lower() != "application/json":
        raise Refusal(415, "unsupported_media_type", "Send the body as application/json.")
    for parameter in filter(None, (one.strip().lower() for one in parameters.split(";"))):
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip().strip('"') not in {"utf-8", "utf8"}:
            raise Refusal(415, "unsupported_charset", "Send the body in UTF-8.")


async def read_body(receive: Receive, headers: Headers, limit: int, seconds: float) -> bytes:
    """The body of a request.

    Args:
        receive: of ASGI.
        headers: of the request.
        limit: the largest body, in bytes.
        seconds: how long it may take to arrive.

    Raises:
        Refusal: it is too large or too slow.
        ClientGoneError: the client is gone.
    """
    declared = headers.get("content-length", "0")
    try:
        async with asyncio.timeout(seconds):
            if declared.isascii() and declared.isdigit() and int(declared[:19]) > limit:
                raise _too_large(limit)
            return await _received(receive, limit)
    except TimeoutError:
        closing = {"connection": "close"}
        raise Refusal(408, "request_timeout", "The body did not arrive in time.", headers=closing) from None


async def _received(receive: Receive, limit: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        if size > limit:
            raise _too_large(limit)
        if not message.get("more_body"):
            return b"".join(pieces)


def _too_large(limit: int) -> Refusal:
    return Refusal(413, "request_too_large", f"The body is larger than {limit:,} bytes.")


def parse_body(raw: bytes, limit: int) -> Mapping[str, Any]:
    """The object in a body. What is forwarded is written anew from it: never the bytes themselves.

    Raises:
        Refusal: it is no strict JSON; keys that stand twice are refused, as two readers may differ on them.
    """
    try:
        return parse_object(raw, limit=limit, what="body")
    except MalformedError as error:
        raise Refusal(400, "invalid_json", f"{str(error)[:1].upper()}{str(error)[1:]}.") from error
