"""The upstreams of a gateway: which one is asked, and which next where it fails before its first byte."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import httpx

from assay.core.errors import ConfigError, EndpointError
from assay.core.gateway_config import RetrySection, UpstreamSection
from assay.core.web_address import base_url, bearer
from assay.gateway.refusal import Refusal
from assay.gateway.upstreams.answer import Answer
from assay.gateway.upstreams.breaker import Breaker
from assay.gateway.upstreams.connections import ERRORS, Connections

RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
_BROKEN = RETRIED - {429}
_WRITE_SECONDS = 60.0
_PAUSE = 0.05  # seconds before the same upstream is tried again


@dataclass(slots=True)
class Upstream:
    """One upstream."""

    section: UpstreamSection
    connections: Connections
    breaker: Breaker

    @property
    def name(self) -> str:
        """As records and metrics call it."""
        return self.section.name

    def serves(self, model: str) -> bool:
        """Whether it has that model; "" is any."""
        return not model or any(fnmatchcase(model, pattern) for pattern in self.section.models)


class Upstreams:
    """All upstreams.

    Args:
        sections: the configuration.
        retry: how often, and when one is left alone.
        limit: the largest answer, in bytes.
        chance: chooses between them.
        now: a clock for circuit breakers, in seconds.
        told: is called with upstream and outcome of every attempt.

    Raises:
        ConfigError: an address or a key is wrong.
    """

    def __init__(
        self,
        sections: Sequence[UpstreamSection],
        retry: RetrySection,
        *,
        limit: int,
        chance: random.Random | None = None,
        now: Callable[[], float] = time.monotonic,
        told: Callable[[str, str], None] = lambda upstream, outcome: None,  # noqa: ARG005
    ) -> None:
        self._retry, self._limit, self._told = retry, limit, told
        self._chance = chance or random.Random()  # noqa: S311  no secret
        self._all = [_made(section, retry, now) for section in sections]

    @property
    def all(self) -> Sequence[Upstream]:
        """Each of them."""
        return self._all

    async def ask(self, path: str, body: bytes, headers: Mapping[str, str], model: str) -> Answer:
        """Send a request to an upstream that serves the model.

        Args:
            path: below the base URL: `/chat/completions`.
            body: JSON.
            headers: sent besides our own.
            model: the model's name.

        Returns:
            The answer of the first that has one; where all fail with an HTTP status, that of the last.

        Raises:
            Refusal: no upstream serves the model, or none answers.
        """
        queue = self._ordered(model)
        for attempt in range(self._retry.attempts):
            last = attempt == self._retry.attempts - 1
            upstream = next((one for one in queue if one.breaker.allow()), None)
            if upstream is None:
                break
            answer = await self._attempt(upstream, path, body, headers)
            if answer is not None and (last or answer.status not in RETRIED):
                return answer
            queue = [*(one for one in queue if one is not upstream), upstream]
            if answer is not None and len(queue) == 1:
                return answer
            if answer is not None:
                await answer.close()
            if len(queue) == 1 and not last:
                await asyncio.sleep(_PAUSE * 2**attempt)
        raise Refusal(503, "upstream_unavailable", "No model server can be reached at the moment.")

    async def fetch(self, path: str) -> list[Answer]:
        """GET from every upstream that answers."""
        found = []
        for upstream in self._all:
            if upstream.breaker.allow():
                answer = await self._attempt(upstream, path, None, {})
                found += [answer] if answer is not None else []
        return found

    async def close(self) -> None:
        """Close all connections."""
        for upstream in self._all:
            await upstream.connections.close()

    async def _attempt(
        self, upstream: Upstream, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Answer | None:
        """The head of an answer, None where there is none."""
        sent = {"Content-Type": "application/json", **headers}
        method = "GET" if body is None else "POST"
        try:
            reply = await upstream.connections.send(method, path, body or b"", sent)
        except ERRORS as error:
            upstream.breaker.failed()
            self._told(upstream.name, type(error).__name__)
            return None
        except BaseException:
            upstream.breaker.released()
            raise
        if reply.status in _BROKEN:
            upstream.breaker.failed()
        else:
            upstream.breaker.succeeded()
        self._told(upstream.name, str(reply.status))
        return Answer(upstream.name, reply, upstream.breaker, self._limit)

    def _ordered(self, model: str) -> list[Upstream]:
        """Those that serve a model, shuffled by weight (Efraimidis and Spirakis, 2006)."""
        serving = [one for one in self._all if one.serves(model)]
        if not serving:
            raise Refusal(404, "model_not_found", "No model server here has this model.", param="model")
        return sorted(serving, key=lambda one: -(self._chance.random() ** (1 / one.section.weight)))


def _made(section: UpstreamSection, retry: RetrySection, now: Callable[[], float]) -> Upstream:
    key = os.environ.get(section.api_key_env, "") if section.api_key_env else ""
    where = f"gateway.upstreams.{section.name}"
    if section.api_key_env and not key:
        raise ConfigError(f"the variable {section.api_key_env} is not set", subject=where)
    try:
        url = base_url(section.url)
        headers = {"Accept-Encoding": "identity", "User-Agent": "assay-gateway", **bearer(key, url)}
    except EndpointError as error:
        raise ConfigError(str(error), subject=where, remedy=error.remedy) from error
    connections = Connections(
        url,
        headers,
        connect_seconds=section.connect_seconds,
        silence_seconds=section.silence_seconds,
        write_seconds=_WRITE_SECONDS,
        context=httpx.create_ssl_context() if url.startswith("https:") else None,
    )
    return Upstream(section, connections, Breaker(retry.failures, retry.rest_seconds, now))
