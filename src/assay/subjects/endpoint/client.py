"""The client of an OpenAI-compatible chat endpoint.

Everything an endpoint sends is hostile: bodies are bounded in size and time, never decompressed, and
redirects are not followed. Whatever is not an answer becomes an `Answer` with `error` set.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import httpx

from assay.core.errors import EndpointError
from assay.core.web_address import base_url, bearer, is_loopback
from assay.subjects.endpoint.answer import Answer, Prompt, Sampling
from assay.subjects.endpoint.background import BackgroundLoop
from assay.subjects.endpoint.retry import RETRIED_STATUS, Pace, RequestBudget, RetryPolicy
from assay.subjects.endpoint.wire import (
    MAX_BODY,
    Reply,
    ReplyError,
    error_text,
    read_models,
    read_reply,
    request_body,
)

GREEDY = Sampling()
SECRET_LENGTH = 8
"""A shorter key is a placeholder such as `x`: cutting it out of answers would only garble them."""
Watch = Callable[[int], None]


class _TransientError(Exception):
    """An attempt failed in a way that may pass."""

    def __init__(self, why: str, retry_after: str | None = None) -> None:
        super().__init__(why)
        self.retry_after = retry_after


@dataclass(slots=True)
class _Streak:
    """Failures in a row within one batch; an answer ends it."""

    failed: int = 0
    last: str = ""


class ChatEndpoint:
    """An OpenAI-compatible chat endpoint. Use as a context manager, or call `close`.

    Safe to use from several threads, and from inside a running event loop.

    Args:
        url: base URL, usually ending in `/v1`.
        model: the model name to send.
        api_key: sent as a bearer token; it is cut out of every error and answer.
        timeout: seconds one attempt may take from connect to the last byte.
        max_concurrency: requests in flight.
        retries: attempts after the first, for 429, 5xx, time-outs and broken connections.
        policy: the whole retry policy; `retries` is ignored where it is given.
        budget: a bound on requests, possibly shared with other endpoints.
        pace: a bound on requests a minute, likewise.

    Raises:
        EndpointError: the URL is not plain http(s), or the key cannot be sent as a header.
    """

    def __init__(
        self,
        url: str,
        model: str,
        api_key: str | None = None,
        *,
        timeout: float = 30.0,
        max_concurrency: int = 4,
        retries: int = 2,
        policy: RetryPolicy | None = None,
        budget: RequestBudget | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.url = base_url(url)
        self.model = model
        self.policy = policy or RetryPolicy(retries)
        self._timeout = timeout
        self._key = api_key or ""
        self._budget = budget
        self._pace = pace
        self._concurrency = max(1, max_concurrency)
        self._http = httpx.AsyncClient(
            headers={
                "Content-Type": "application/json",
                "Accept-Encoding": "identity",
                **bearer(self._key, self.url),
            },
            timeout=timeout,
            follow_redirects=False,
            trust_env=not is_loopback(self.url),
            limits=httpx.Limits(
                max_connections=self._concurrency, max_keepalive_connections=self._concurrency
            ),
        )
        self._loop = BackgroundLoop("assay-endpoint")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close connections and the thread behind them."""
        if not self._http.is_closed:
            self._loop.run(self._http.aclose())
        self._loop.close()

    def probe(self) -> tuple[str, ...]:
        """The model names that `/models` lists: one attempt, no retry.

        Raises:
            EndpointError: nobody answers there, or not with a list of models.
        """
        try:
            body = self._loop.run(self._attempt("GET", "/models", b""))
            return read_models(body)
        except (ReplyError, _TransientError) as error:
            raise EndpointError(
                self._clean(str(error)),
                subject=f"{self.url}/models",
                remedy="Start the endpoint, or correct its URL and key.",
            ) from None

    def complete(
        self,
        prompt: str | Prompt,
        system: str = "",
        *,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int | None = None,
    ) -> Answer:
        """Ask one prompt; an `Answer` with `error` set where the endpoint gave none."""
        asked = Prompt(prompt, system) if isinstance(prompt, str) else prompt
        return self.complete_many([asked], Sampling(max_tokens, temperature, seed))[0]

    def complete_many(
        self, prompts: Sequence[Prompt], sampling: Sampling = GREEDY, *, watch: Watch | None = None
    ) -> tuple[Answer, ...]:
        """Ask all prompts, `max_concurrency` at a time; answers come in the order of the prompts.

        Once `policy.give_up_after` prompts in a row have failed for good, the rest is not asked and
        says so: an endpoint that is down must not cost a time-out for every prompt.

        Args:
            prompts: what to ask.
            sampling: how answers are drawn.
            watch: called in this thread about ten times a second with the number of prompts that are
                done; what it raises cancels the batch and comes out of here.
        """
        done = [0]
        tick = (lambda: watch(done[0])) if watch else None
        answers = self._loop.run(self._batch(prompts, sampling, done), tick)
        if watch:
            watch(len(prompts))
        return answers

    async def _batch(
        self, prompts: Sequence[Prompt], sampling: Sampling, done: list[int]
    ) -> tuple[Answer, ...]:
        answers: list[Answer | None] = [None] * len(prompts)
        queue, streak = iter(enumerate(prompts)), _Streak()

        async def work() -> None:
            for at, prompt in queue:
                answers[at] = await self._one(prompt, sampling, streak)
                done[0] += 1

        async with asyncio.TaskGroup() as group:
            for _ in range(min(self._concurrency, len(prompts))):
                group.create_task(work())
        return tuple(answer or Answer(error="was not asked") for answer in answers)

    async def _one(self, prompt: Prompt, sampling: Sampling, streak: _Streak) -> Answer:
        if streak.failed >= self.policy.give_up_after:
            why = f"not asked: {streak.failed} prompts in a row failed, last: {streak.last}"
            return Answer(error=why, attempts=0)
        started = time.perf_counter()
        answer = await self._ask(request_body(self.model, prompt, sampling))
        streak.failed = 0 if answer.ok else streak.failed + 1
        streak.last = answer.error
        return replace(answer, latency_s=time.perf_counter() - started)

    async def _ask(self, body: bytes) -> Answer:
        """One prompt with its retries."""
        error = ""
        for attempt in range(self.policy.retries + 1):
            if self._budget and not self._budget.take():
                return Answer(error="not asked: the request budget is used up", attempts=attempt)
            if self._pace:
                await asyncio.sleep(self._pace.wait(time.monotonic()))
            try:
                reply = read_reply(await self._attempt("POST", "/chat/completions", body))
                return self._answer(reply, attempt + 1)
            except ReplyError as refused:
                return Answer(error=self._clean(str(refused)), attempts=attempt + 1)
            except _TransientError as failed:
                error = self._clean(str(failed))
                if attempt < self.policy.retries:
                    await asyncio.sleep(self.policy.wait(attempt, failed.retry_after))
        tried = self.policy.retries + 1
        return Answer(error=f"{error} ({tried} attempts)" if tried > 1 else error, attempts=tried)

    def _answer(self, reply: Reply, attempts: int) -> Answer:
        clean = self._clean if len(self._key) >= SECRET_LENGTH else str
        calls = tuple(replace(call, arguments=clean(call.arguments)) for call in reply.tool_calls)
        return Answer(
            clean(reply.text),
            reply.finish_reason,
            model=reply.model,
            attempts=attempts,
            tool_calls=calls,
            tokens=reply.tokens,
        )

    async def _attempt(self, method: str, path: str, body: bytes) -> bytes:
        """The body of a 200 reply.

        Raises:
            _TransientError: trying again may help.
            ReplyError: it will not.
        """
        try:
            async with asyncio.timeout(self._timeout):
                return await self._exchange(method, path, body)
        except (TimeoutError, httpx.TimeoutException):
            raise _TransientError(f"no complete answer within {self._timeout:g} s") from None
        except httpx.ConnectError as error:
            raise _TransientError(f"cannot be reached: {error or 'connection failed'}") from None
        except httpx.TransportError as error:
            raise _TransientError(f"the connection broke: {error or type(error).__name__}") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ReplyError(f"cannot be asked: {error or type(error).__name__}") from None

    async def _exchange(self, method: str, path: str, body: bytes) -> bytes:
        async with self._http.stream(method, self.url + path, content=body or None) as response:
            received = bytearray()
            # Bytes as sent: a decoder would let a small body grow beyond any bound in one step.
            async for chunk in response.aiter_raw():
                received += chunk
                if len(received) > MAX_BODY:
                    raise ReplyError(f"the reply is larger than {MAX_BODY:,} bytes")
        _require_plain(response, bytes(received))
        return bytes(received)

    def _clean(self, text: str) -> str:
        return text.replace(self._key, "[api key]") if self._key else text


def _require_plain(response: httpx.Response, body: bytes) -> None:
    """Raise unless the reply is a 200 that was sent as it is."""
    status = response.status_code
    if status in RETRIED_STATUS:
        raise _TransientError(f"HTTP {status}: {error_text(body)}", response.headers.get("retry-after"))
    if response.is_redirect:
        host = urlsplit(response.headers.get("location", "")[:2000]).netloc.rpartition("@")[2]
        raise ReplyError(f"HTTP {status}: redirects to {host or 'another path'}, which is not followed")
    if status != httpx.codes.OK:
        raise ReplyError(f"HTTP {status}: {error_text(body)}")
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise ReplyError("the reply is compressed although that was not asked for")
