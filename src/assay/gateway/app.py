"""The web application: which path is served by what."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from assay.gateway.endpoints import ENDPOINTS, Endpoint
from assay.gateway.exchange import Exchange, identified
from assay.gateway.gateway import Gateway
from assay.gateway.keys import KeysError
from assay.gateway.metrics import CONTENT_TYPE
from assay.gateway.models import list_models
from assay.gateway.refusal import Refusal


def make_app(gateway: Gateway) -> Starlette:
    """The application of a gateway; closes it when the server ends."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        del app
        await gateway.start()
        yield
        await gateway.close()

    async def missing(request: Request, error: Exception) -> Response:
        del request, error
        return refused(_unknown())

    routes = [Route(f"/v1{one.path}", _Passage(gateway, one)) for one in ENDPOINTS]
    routes += [
        Route("/v1/models", _Page(gateway, "models", list_models)),
        Route("/v1/models/{name:path}", _Page(gateway, "models", list_models)),
        Route("/metrics", _Metrics(gateway)),
        Route("/health", _Health(gateway)),
    ]
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers={404: missing})
    app.router.redirect_slashes = False
    return app


class _Passage:
    """An endpoint whose requests pass to an upstream."""

    def __init__(self, gateway: Gateway, endpoint: Endpoint) -> None:
        self._gateway, self._endpoint = gateway, endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        gateway = self._gateway
        if scope["method"] != "POST":
            await refused(_wrong_method("POST"))(scope, receive, send)
            return
        if gateway.in_flight >= gateway.running.settings.section.server.in_flight:
            busy = Refusal(503, "overloaded", "The gateway is busy.", headers={"retry-after": "1"})
            await refused(busy)(scope, receive, send)
            return
        with gateway.using() as running:
            await Exchange(gateway, running, self._endpoint, scope, receive, send).serve()


class _Page:
    """A page that is made here, for keys of a scope."""

    def __init__(
        self, gateway: Gateway, scope: str, make: Callable[[Gateway, Request], Awaitable[Response]]
    ) -> None:
        self._gateway, self._scope, self._make = gateway, scope, make

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._made(scope, receive)
        except Refusal as refusal:
            response = refused(refusal)
        except KeysError:
            response = refused(Refusal(503, "unavailable", "The gateway cannot look up keys at the moment."))
        await response(scope, receive, send)

    async def _made(self, scope: Scope, receive: Receive) -> Response:
        if scope["method"] not in {"GET", "HEAD"}:
            raise _wrong_method("GET")
        key = identified(self._gateway.running.keys, Headers(scope=scope))
        if not key.opens(self._scope):
            raise Refusal(403, "scope_not_allowed", "This key does not open this endpoint.")
        scope["key"] = key
        return await self._make(self._gateway, Request(scope, receive))


async def _show_metrics(gateway: Gateway, request: Request) -> Response:
    del request
    gateway.metrics.refresh(gateway)
    return Response(await asyncio.to_thread(gateway.metrics.text), headers={"content-type": CONTENT_TYPE})


class _Metrics(_Page):
    """What Prometheus reads, for those who may."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__(gateway, "metrics", _show_metrics)

    async def _made(self, scope: Scope, receive: Receive) -> Response:
        use = self._gateway.running.settings.section.metrics
        if use == "off":
            raise _unknown()
        if use == "open" and scope["method"] in {"GET", "HEAD"}:
            return await _show_metrics(self._gateway, Request(scope, receive))
        return await super()._made(scope, receive)


class _Health:
    """Whether requests are served: 200 or 503."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        health = self._gateway.health()
        status = 200 if health["status"] == "ok" else 503
        await _json(status, health)(scope, receive, send)


def refused(refusal: Refusal) -> Response:
    """A refusal as a response."""
    return _json(refusal.status, refusal.body(), refusal.headers)


def _json(status: int, document: object, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(document), status, headers, "application/json")


def _unknown() -> Refusal:
    return Refusal(404, "unknown_endpoint", "There is nothing at this path that passes here.")


def _wrong_method(method: str) -> Refusal:
    return Refusal(405, "method_not_allowed", f"Use {method}.", headers={"allow": method})
