"""One request, from the first byte of its head to its record."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from assay.gateway.answers.shape import unusable
from assay.gateway.audit import Outcome, Record
from assay.gateway.collecting import CHARACTERS_A_TOKEN
from assay.gateway.endpoints import EMBEDDINGS, Endpoint
from assay.gateway.inspection import Inspection, Prepared
from assay.gateway.intake import ClientGoneError, check_headers, read_body
from assay.gateway.keys import ANYBODY, GatewayKey, KeysError, KeyStore
from assay.gateway.limits import Lease
from assay.gateway.refusal import Refusal
from assay.gateway.running import Running
from assay.gateway.streaming import StreamPump
from assay.gateway.upstreams import Answer

if TYPE_CHECKING:
    from assay.gateway.gateway import Gateway

T = TypeVar("T")
OK = 200
_EVENTS = "text/event-stream"


class Exchange:
    """Serves one request.

    Args:
        gateway: what it is served by.
        running: what was in force when it came.
        endpoint: what was asked.
        scope, receive, send: of ASGI.
    """

    def __init__(
        self,
        gateway: Gateway,
        running: Running,
        endpoint: Endpoint,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        self._gateway, self._endpoint = gateway, endpoint
        self._running = running
        self._headers = Headers(scope=scope)
        self._receive, self._raw_send = receive, send
        self._started = time.perf_counter()
        self._finished = False
        self._begun = self._whole_sent = False  # the client got the head of an answer, and all of it
        self._lease: Lease | None = None
        self._inspection: Inspection | None = None
        self._asked = 0  # tokens of the request
        self.record = Record(secrets.token_hex(16), datetime.now(UTC), endpoint.name)
        self.record.policy = self._running.settings.digest
        self._span = gateway.telemetry.begin(self._headers)

    async def serve(self) -> None:
        """Answer the request, and record what became of it."""
        try:
            await self._serve()
        except Refusal as refusal:
            await self._refuse(refusal)
        except KeysError as error:
            self._gateway.log.error("keys", extra={"reason": str(error)})  # noqa: TRY400  it says all itself
            await self._refuse(Refusal(503, "unavailable", "The gateway cannot look up keys at the moment."))
        except ClientGoneError:
            self._failed(499, "client_gone", "the client closed the connection")
        except asyncio.CancelledError:
            self._failed(499, "cancelled", "the gateway was stopped")
            raise
        except Exception as error:  # whatever fails, nothing leaves unjudged and the client hears of it
            self._gateway.log.exception("exchange", extra={"request": self.record.id})
            await self._refuse(Refusal(500, "internal_error", "The gateway failed."), type(error).__name__)
        finally:
            self._finish()

    async def _serve(self) -> None:
        key = self._admitted()
        self._lease = self._running.limiter.admit(key)
        check_headers(self._headers)
        limit = self._running.limiter.body_bytes(key)
        raw = await read_body(
            self._receive, self._headers, limit, self._running.settings.section.server.body_seconds
        )
        self._inspection = inspection = Inspection(self._running, self._endpoint, key)
        self.record.input, self.record.output = inspection.input, inspection.output
        self._gateway.pool.check()
        prepared = await self._judge("request", len(raw), partial(inspection.prepare, raw, limit))
        self._lease.reserve(prepared.reading.tokens + prepared.reading.answer_tokens)
        self._asked = prepared.reading.tokens
        await self._unless_gone(self._answered(prepared, inspection))

    def _admitted(self) -> GatewayKey:
        """Who asks.

        Raises:
            Refusal: nobody that is known, or nobody who may.
        """
        if self._running.settings.section.audit.required and not self._gateway.audit.ready:
            raise Refusal(503, "audit_unavailable", "The gateway cannot record requests at the moment.")
        key = identified(self._running.keys, self._headers)
        self.record.key, self.record.tenant = key.id, key.tenant
        if not key.opens(self._endpoint.name):
            raise Refusal(403, "scope_not_allowed", "This key does not open this endpoint.")
        return key

    async def _answered(self, prepared: Prepared, inspection: Inspection) -> None:
        telemetry = self._gateway.telemetry
        sent = telemetry.outgoing(self._span, self._endpoint.operation, prepared.reading.model)
        answer = await self._running.upstreams.ask(
            self._endpoint.path, prepared.body, sent, prepared.reading.model
        )
        self.record.upstream = answer.upstream
        self._mark("upstream")
        try:
            if answer.status != OK:
                raise await self._error(answer, prepared, inspection)
            if prepared.reading.stream and answer.kind == _EVENTS:
                await self._stream(answer, prepared, inspection)
            else:
                await self._whole(answer, prepared, inspection)
        finally:
            await answer.close()

    async def _error(self, answer: Answer, prepared: Prepared, inspection: Inspection) -> Refusal:
        raw = await answer.body()
        made = partial(inspection.error, prepared, answer.status, raw, answer.retry_after)
        return await self._judge("error", len(raw), made)

    async def _judge(self, kind: str, size: int, job: Callable[[], T]) -> T:
        return await self._gateway.pool.run(f"{self._endpoint.name} {kind}", size, job)

    async def _whole(self, answer: Answer, prepared: Prepared, inspection: Inspection) -> None:
        if answer.kind != "application/json":
            raise unusable("it is no JSON")
        raw = await answer.body()
        body, document = await self._judge("answer", len(raw), partial(inspection.settle, prepared, raw))
        self._used(document.get("usage"))
        self.record.finish = _reasons(document)
        if self._endpoint is EMBEDDINGS:
            self.record.model = prepared.reading.model
            self._gateway.sampled(self.record, document["data"])
        self.record.settle()
        await self._reply(OK, body)

    async def _stream(self, answer: Answer, prepared: Prepared, inspection: Inspection) -> None:
        pump = StreamPump(self._running, self._endpoint, prepared, inspection)
        try:
            await self._pumped(answer, pump)
        finally:
            pump.close()
            self._used(pump.usage)
            self.record.finish = pump.reasons
        if not self._begun:
            raise unusable("it is empty")
        if pump.failure:
            self._failed(OK, "upstream_error", pump.failure)
        else:
            self.record.settle()
        await self._last(b"")

    async def _pumped(self, answer: Answer, pump: StreamPump) -> None:
        try:
            async for raw in answer.pieces():
                await self._pass(await self._judge("piece", len(raw), partial(pump.take, raw)))
                if pump.over:
                    return
            await self._pass(await self._judge("piece", 0, pump.end))
        except Refusal as refusal:
            if not self._begun:
                raise
            await self._pass(pump.fail(refusal))

    async def _pass(self, leaving: bytes) -> None:
        if not leaving:
            return
        if not self._begun:
            await self._head(OK, {"content-type": f"{_EVENTS}; charset=utf-8", "cache-control": "no-store"})
            self._mark("first")
        await self._send({"type": "http.response.body", "body": leaving, "more_body": True})

    async def _last(self, body: bytes) -> None:
        """Send the last bytes. All is recorded and counted before: the next request may come with them."""
        self._whole_sent = True
        self._finish()
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    async def _refuse(self, refusal: Refusal, reason: str = "") -> None:
        blocked = refusal.code in {"content_filter", "unscanned_content"}
        failed = refusal.status >= 500  # noqa: PLR2004  5xx
        self.record.outcome = Outcome.BLOCKED if blocked else Outcome.FAILED if failed else Outcome.REFUSED
        self.record.code, self.record.reason = refusal.code, reason or refusal.message
        if not self._begun:
            await self._reply(refusal.status, json.dumps(refusal.body()).encode(), refusal.headers)

    def _failed(self, status: int, code: str, reason: str) -> None:
        self.record.outcome = Outcome.FAILED
        self.record.status, self.record.code, self.record.reason = status, code, reason

    async def _reply(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        try:
            await self._head(
                status,
                {"content-type": "application/json", "content-length": str(len(body)), **(headers or {})},
            )
            await self._last(body)
        except ClientGoneError:
            self.record.reason = self.record.reason or "the client did not take the answer"

    async def _head(self, status: int, headers: Mapping[str, str]) -> None:
        self._begun, self.record.status = True, status
        sent = {"x-request-id": self.record.id, "x-content-type-options": "nosniff", **headers}
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in sent.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": raw})

    async def _send(self, message: Message) -> None:
        """Send, unless the client takes nothing any more."""
        try:
            async with asyncio.timeout(self._running.settings.section.server.write_seconds):
                await self._raw_send(message)
        except (TimeoutError, OSError) as error:
            raise ClientGoneError from error

    async def _unless_gone(self, work: Coroutine[Any, Any, T]) -> T:
        """Do some work for as long as the client waits for it.

        Raises:
            ClientGoneError: it does not any more.
        """
        working = asyncio.ensure_future(work)
        watching = asyncio.ensure_future(self._gone())
        try:
            await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done() and not self._whole_sent:
                raise ClientGoneError
            return await working
        finally:
            for task in (working, watching):
                task.cancel()
            await asyncio.gather(working, watching, return_exceptions=True)

    async def _gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    def _used(self, usage: Any) -> None:
        if isinstance(usage, dict) and usage:
            self.record.tokens = {
                "input": _count(usage, "prompt_tokens", "input_tokens"),
                "output": _count(usage, "completion_tokens", "output_tokens"),
            }

    def _mark(self, name: str) -> None:
        self.record.seconds[name] = time.perf_counter() - self._started

    def _spent(self) -> int:
        """The tokens of the request and its answer: as the upstream counts them, or as their texts tell."""
        if self.record.tokens or not self.record.upstream:
            return sum(self.record.tokens.values())
        said = sum(text.characters for text in self.record.output.texts)
        return self._asked + said // CHARACTERS_A_TOKEN

    def _finish(self) -> None:
        if self._finished:
            return
        self._finished = True
        if self._inspection is not None:
            self.record.model, self.record.stream = self._inspection.model, self._inspection.stream
        if self._lease is not None:
            self._lease.release(self._spent())
        self._mark("total")
        self._gateway.finished(self.record)
        self._gateway.telemetry.end(self._span, self.record, self._endpoint.operation)


def identified(keys: KeyStore | None, headers: Headers) -> GatewayKey:
    """Whose key is in a request's head.

    Raises:
        Refusal: nobody's.
        KeysError: the keys cannot be read.
    """
    if keys is None:
        return ANYBODY
    scheme, _, presented = headers.get("authorization", "").partition(" ")
    key = keys.identify(presented.strip()) if scheme.lower() == "bearer" else None
    if key is None:
        raise Refusal(
            401,
            "invalid_api_key",
            "Give a valid key of this gateway.",
            headers={"www-authenticate": "Bearer"},
        )
    return key


def _count(usage: Mapping[str, Any], *keys: str) -> int:
    found = (usage[key] for key in keys if isinstance(usage.get(key), int))
    return max(0, next(found, 0))


def _reasons(document: Mapping[str, Any]) -> list[str]:
    choices = document.get("choices")
    if isinstance(choices, list):
        return [str(one.get("finish_reason"))[:64] for one in choices if isinstance(one, dict)]
    return [str(document["status"])[:64]] if isinstance(document.get("status"), str) else []
