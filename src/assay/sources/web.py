"""GET over HTTP from servers nobody vouches for: bounded in time and size, redirects followed with care."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from socket import SHUT_RDWR
from types import TracebackType
from typing import Any, Self
from urllib.request import getproxies, proxy_bypass

import httpx

from assay import __version__
from assay.core.errors import AssayError, LimitError, SubjectError
from assay.sources.addresses import Address, address_of, may_lead_to
from assay.sources.workspace import Workspace

MAX_REDIRECTS = 5
MAX_DOCUMENT = 16 << 20  # bytes of one JSON answer
CHUNK = 1 << 20
TIMEOUT = httpx.Timeout(30.0, connect=10.0)
TRIES = 3
PAUSE = 1.0  # seconds before the second try, twice that before the third
_AGAIN = frozenset({429, 500, 502, 503, 504})


class Web(AbstractContextManager["Web"]):
    """Answers of one server, and of those that it redirects to.

    Args:
        base: the server's URL, as the user or the product named it.
        token: sent to that server alone, and over https or to the loopback only; "" for none.
        workspace: its bounds end a request that takes too long.
        remedies: HTTP status to the next step for whoever reads the error.
    """

    def __init__(self, base: str, token: str, workspace: Workspace, remedies: Mapping[int, str]) -> None:
        self._base = httpx.URL(base)
        self._token = token
        self._workspace = workspace
        self._remedies = remedies
        self._home: Address | None = None
        self._sockets: list[Any] = []
        self._client = httpx.Client(
            timeout=TIMEOUT,
            follow_redirects=False,
            headers={"User-Agent": f"assay/{__version__}", "Accept-Encoding": "identity"},
        )
        self._stop = threading.Event()
        self._timer = threading.Timer(workspace.remaining, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        self._stop.set()
        self._client.close()

    def document(self, url: str) -> tuple[Any, str]:
        """The JSON at `url`, and the URL of its next page or "".

        Raises:
            SubjectError: there is none, or the server cannot be reached.
            LimitError: it is too large or too slow.
        """
        with self._open(url) as response:
            raw = bytearray()
            for chunk in self._chunks(response):
                raw += chunk
                if len(raw) > MAX_DOCUMENT:
                    raise LimitError(f"an answer has more than {MAX_DOCUMENT:,} bytes", subject=self._source)
            following = str(response.links.get("next", {}).get("url", ""))
        try:
            document = json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise self._nonsense("an answer is not JSON") from error
        if not following:
            return document, ""
        target = httpx.URL(url).join(following)
        if _origin(target) != _origin(self._base):
            raise self._nonsense("its list of files goes on at another server")
        return document, str(target)

    def content(self, url: str) -> Iterator[bytes]:
        """The bytes at `url`, as they come.

        Raises:
            SubjectError, LimitError: as `document`.
        """
        with self._open(url) as response:
            yield from self._chunks(response)

    @property
    def _source(self) -> str:
        return self._workspace.source

    def _chunks(self, response: httpx.Response) -> Iterator[bytes]:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise self._nonsense("an answer is compressed, which was not asked for")
        try:
            yield from response.iter_raw(CHUNK)
        except httpx.HTTPError as error:
            raise self._broken(error, response.url) from error

    @contextmanager
    def _open(self, url: str) -> Iterator[httpx.Response]:
        response = self._answer(httpx.URL(url))
        try:
            yield response
        finally:
            response.close()

    def _answer(self, url: httpx.URL) -> httpx.Response:
        """The answer in the end, once redirects and refusals that pass are dealt with."""
        for _ in range(MAX_REDIRECTS + 1):
            response = self._send(url)
            if response.is_success:
                return response
            response.close()
            if not response.has_redirect_location:
                raise self._refused(response)
            url = self._next(url, response)
        raise self._nonsense(f"redirects more than {MAX_REDIRECTS} times")

    def _send(self, url: httpx.URL) -> httpx.Response:
        for number in range(1, TRIES + 1):
            last = number == TRIES
            try:
                response = self._client.send(self._request(url), stream=True)
            except httpx.TransportError as error:
                if last or not isinstance(error, httpx.NetworkError | httpx.RemoteProtocolError):
                    raise self._broken(error, url) from error
            else:
                if last or response.status_code not in _AGAIN:
                    return response
                response.close()
            self._stop.wait(min(PAUSE * number, self._workspace.remaining))
        raise AssertionError  # the last try returns or raises

    def _request(self, url: httpx.URL) -> httpx.Request:
        home = _origin(url) == _origin(self._base)
        headers = {}
        if self._token and home and (url.scheme == "https" or _is_loopback(url.host)):
            headers["Authorization"] = f"Bearer {self._token}"

        def trace(name: str, info: Mapping[str, Any]) -> None:
            if name in {"connection.connect_tcp.complete", "connection.start_tls.complete"}:
                self._connected(info["return_value"], url)

        return self._client.build_request("GET", url, headers=headers, extensions={"trace": trace})

    def _connected(self, stream: Any, url: httpx.URL) -> None:
        """Judge where a connection leads before a byte is sent on it.

        Raises:
            SubjectError: to where the server must not send us.
        """
        self._sockets.append(stream.get_extra_info("socket"))
        if _proxied(url):
            return  # the address is the proxy's, which the user named; it resolves for us
        target = address_of(stream.get_extra_info("server_addr")[0])
        if url.host == self._base.host:
            self._home = self._home or target
            return
        try:
            self._judge(target, url)
        except SubjectError:
            stream.close()
            raise

    def _next(self, url: httpx.URL, response: httpx.Response) -> httpx.URL:
        try:
            target = url.join(response.headers["location"])
        except (httpx.InvalidURL, ValueError) as error:
            raise self._nonsense("redirects to what is no URL") from error
        kinds = {"https"} if url.scheme == "https" else {"http", "https"}
        if target.scheme not in kinds or not target.host or target.userinfo:
            raise self._nonsense(f"redirects to {str(target)[:80]!r}, which is not as safe as where it was")
        literal = _literal(target.host)
        if literal is not None and target.host != self._base.host:
            self._judge(literal, target)
        return target

    def _judge(self, target: Address, url: httpx.URL) -> None:
        if self._home is not None and not may_lead_to(target, self._home):
            raise self._nonsense(f"redirects to {url.host[:80]!r}, an address ({target}) that is not public")

    def _cut(self) -> None:
        """Wake whoever waits for bytes: time is up."""
        self._stop.set()
        for socket in self._sockets:
            try:
                socket.shutdown(SHUT_RDWR)
            except OSError:
                continue  # closed already

    def _refused(self, response: httpx.Response) -> SubjectError:
        status = response.status_code
        said = "".join(c for c in response.headers.get("x-error-message", "")[:150] if c.isprintable())
        return SubjectError(
            f"the server at {response.url.host} answers {status}" + (f": {said}" if said else ""),
            subject=self._source,
            remedy=self._remedies.get(status, "Check the name, then run it again."),
        )

    def _broken(self, error: httpx.HTTPError, url: httpx.URL) -> AssayError:
        _ = self._workspace.remaining  # where time is up, that is the cause
        return SubjectError(
            f"the connection to {url.host} failed: {str(error)[:150] or type(error).__name__}",
            subject=self._source,
            remedy="Check the network and the server's address, then run it again; nothing was kept.",
        )

    def _nonsense(self, cause: str) -> SubjectError:
        return SubjectError(
            f"the server {cause}" if cause.startswith("redirects") else cause,
            subject=self._source,
            remedy="Do not use it; tell whoever runs the server.",
        )


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _literal(host: str) -> Address | None:
    try:
        return address_of(host)
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    literal = _literal(host)
    return literal.is_loopback if literal is not None else host == "localhost"


def _proxied(url: httpx.URL) -> bool:
    proxies = getproxies()
    return bool(proxies.get(url.scheme) or proxies.get("all")) and not proxy_bypass(url.host)
