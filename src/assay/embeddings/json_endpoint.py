"""Asking a server for JSON.

What it sends is hostile: bounded in size and time, never decompressed, redirects not followed.
"""

from __future__ import annotations

import json
import time
from typing import Any

from assay.core.errors import EndpointError
from assay.core.web_address import base_url, bearer, is_loopback

MAX_REPLY = 64 << 20
_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
_LONGEST_WAIT = 10.0


class _TransientError(Exception):
    """An attempt failed in a way that may pass."""


class JsonEndpoint:
    """POSTs JSON to one server. Safe to use from several threads.

    Args:
        url: base URL, http or https, usually ending in `/v1`.
        api_key: sent as a bearer token; it is cut out of every error.
        timeout: seconds one attempt may take, from connect to the last byte.
        retries: attempts after the first, for 429, 5xx, time-outs and broken connections.

    Raises:
        EndpointError: the URL is not plain http(s), or the key cannot be sent as a header.
    """

    def __init__(self, url: str, api_key: str = "", *, timeout: float = 30.0, retries: int = 2) -> None:
        import httpx  # noqa: PLC0415  start-up

        self.url = base_url(url)
        self._key, self._timeout, self._retries = api_key, timeout, retries
        headers = {"Accept-Encoding": "identity", **bearer(api_key, self.url)}
        self._http = httpx.Client(
            headers=headers,
            timeout=timeout,
            follow_redirects=False,
            trust_env=not is_loopback(self.url),
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def post(self, path: str, body: Any) -> Any:
        """The JSON that the server answers.

        Raises:
            EndpointError: it gave none, after all retries.
        """
        for attempt in range(self._retries + 1):
            try:
                return self._attempt(path, body)
            except _TransientError as error:
                if attempt == self._retries:
                    raise self._error(f"{error} ({attempt + 1} attempts)") from None
                time.sleep(min(0.2 * 2**attempt, _LONGEST_WAIT))
        raise self._error("was not asked")

    def _attempt(self, path: str, body: Any) -> Any:
        import httpx  # noqa: PLC0415

        deadline = time.monotonic() + self._timeout
        received = bytearray()
        try:
            with self._http.stream("POST", self.url + path, json=body) as response:
                for chunk in response.iter_raw():
                    received += chunk
                    if len(received) > MAX_REPLY:
                        raise self._error(f"its reply is larger than {MAX_REPLY:,} bytes")
                    if time.monotonic() > deadline:
                        raise _TransientError(f"no complete answer within {self._timeout:g} s")
        except httpx.TransportError as error:
            raise _TransientError(f"cannot be asked: {error or type(error).__name__}") from None
        return self._parsed(
            response.status_code, response.headers.get("content-encoding", "identity"), bytes(received)
        )

    def _parsed(self, status: int, encoding: str, body: bytes) -> Any:
        said = body[:200].decode("utf-8", "replace")
        if status in _RETRIED:
            raise _TransientError(f"HTTP {status}: {said}")
        if status != 200:  # noqa: PLR2004  OK
            raise self._error(f"HTTP {status}: {said}")
        if encoding.lower() != "identity":
            raise self._error("its reply is compressed although that was not asked for")
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as error:
            raise self._error("its reply is not JSON") from error

    def _error(self, cause: str) -> EndpointError:
        clean = cause.replace(self._key, "[api key]") if self._key else cause
        return EndpointError(
            clean, subject=self.url, remedy="Look at the server's log; correct URL, model or key."
        )
