"""Several upstreams: weights, other ones before the first byte, circuit breakers."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from starlette.responses import JSONResponse, Response

from assay.core.errors import ConfigError
from assay.core.gateway_config import RetrySection, UpstreamSection
from assay.gateway.upstreams.breaker import Breaker
from assay.gateway.upstreams.pool import Upstreams
from fixtures.gateways import GatewayServer
from fixtures.openai_server import OpenAIServer, Stream, chat_stream, says

MESSAGES: Any = [{"role": "user", "content": "Hello"}]
DEAD = "http://127.0.0.1:9/v1"  # the discard port: nothing listens


@pytest.fixture
def servers() -> Iterator[tuple[OpenAIServer, OpenAIServer]]:
    with OpenAIServer(says("one")) as one, OpenAIServer(says("two")) as two:
        yield one, two


def entry(name: str, url: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "url": url, **more}


def ask(client: openai.OpenAI, model: str = "tiny") -> str | None:
    return client.chat.completions.create(model=model, messages=MESSAGES).choices[0].message.content


def asked(client: openai.OpenAI) -> str | None:
    try:
        return ask(client)
    except openai.NotFoundError as error:
        return error.body["message"] if isinstance(error.body, dict) else None


def test_requests_are_shared_by_weight() -> None:
    sections = [UpstreamSection(name="a", url=DEAD, weight=3), UpstreamSection(name="b", url=DEAD)]
    upstreams = Upstreams(sections, RetrySection(), limit=1, chance=random.Random(7))
    first = Counter(upstreams._ordered("tiny")[0].name for _ in range(4000))
    assert 2850 < first["a"] < 3150


def test_a_model_goes_where_it_is(servers: tuple[OpenAIServer, OpenAIServer], tmp_path: Path) -> None:
    one, two = servers
    entries = [entry("one", one.url, models=["tiny*"]), entry("two", two.url, models=["large"])]
    with GatewayServer(tmp_path, entries) as gateway, gateway.client() as client:
        assert {ask(client, "tiny-2") for _ in range(5)} == {"one"}
        assert {ask(client, "large") for _ in range(5)} == {"two"}
        with pytest.raises(openai.NotFoundError):
            ask(client, "other")
        assert gateway.records()[-1]["code"] == "model_not_found"


def test_another_upstream_answers_where_one_is_dead(
    servers: tuple[OpenAIServer, OpenAIServer], tmp_path: Path
) -> None:
    entries = [entry("dead", DEAD, weight=1000), entry("one", servers[0].url)]
    with GatewayServer(tmp_path, entries, retry={"failures": 2}) as gateway, gateway.client() as client:
        assert {ask(client) for _ in range(6)} == {"one"}
        assert gateway.gateway.health()["upstreams"] == {"dead": "resting", "one": "ok"}
        assert {record["upstream"] for record in gateway.records()} == {"one"}


def test_another_upstream_answers_where_one_fails(
    servers: tuple[OpenAIServer, OpenAIServer], tmp_path: Path
) -> None:
    one, two = servers
    one.script = lambda *_: JSONResponse({"error": {"message": "busy"}}, 503)
    entries = [entry("one", one.url, weight=1000), entry("two", two.url)]
    with GatewayServer(tmp_path, entries) as gateway, gateway.client() as client:
        assert ask(client) == "two"
        one.script = lambda *_: JSONResponse({"error": {"message": "no such thing"}}, 404)
        one.requests.clear()
        said = {asked(client) for _ in range(20)}
        assert "no such thing" in said, "an answer, even of this kind, is not asked for again"


def test_nothing_is_asked_twice_after_the_first_byte(
    servers: tuple[OpenAIServer, OpenAIServer], tmp_path: Path
) -> None:
    one, two = servers
    for server in servers:
        server.script = lambda *_: Stream(chat_stream(["Hello "])[:2], breaks=True).response()
    with GatewayServer(tmp_path, [entry("one", one.url), entry("two", two.url)]) as gateway:
        with gateway.client() as client, pytest.raises(openai.APIError):
            list(client.chat.completions.create(model="tiny", messages=MESSAGES, stream=True))
        assert len(one.requests) + len(two.requests) == 1


def test_all_are_dead(tmp_path: Path) -> None:
    with (
        GatewayServer(tmp_path, DEAD, retry={"attempts": 2, "failures": 1}) as gateway,
        gateway.client() as client,
    ):
        for _ in range(2):
            with pytest.raises(openai.InternalServerError) as caught:
                ask(client)
            assert caught.value.status_code == 503
        assert gateway.gateway.health()["status"] == "unavailable"


def test_the_key_of_an_upstream_is_sent_there_alone(
    servers: tuple[OpenAIServer, OpenAIServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = servers
    monkeypatch.setenv("ONE_KEY", "sk-of-one")
    entries = [
        entry("one", one.url, api_key_env="ONE_KEY", models=["one"]), entry("two", two.url, models=["two"])
    ]  # fmt: skip
    with GatewayServer(tmp_path, entries) as gateway, gateway.client() as client:
        ask(client, "one")
        ask(client, "two")
        assert one.headers[0]["authorization"] == "Bearer sk-of-one"
        assert "authorization" not in two.headers[0]


@pytest.mark.parametrize(
    "section",
    [
        {"url": "ftp://host/v1"},
        {"url": "http://user:secret@host/v1"},
        {"url": "http://host/v1", "api_key_env": "ASSAY_TEST_UNSET"},
    ],
)
def test_upstreams_that_cannot_be_used_are_refused_at_once(section: dict[str, str]) -> None:
    with pytest.raises(ConfigError) as caught:
        Upstreams([UpstreamSection(name="x", **section)], RetrySection(), limit=1)
    assert "gateway.upstreams.x" in str(caught.value)
    assert "secret" not in caught.value.diagnostics()


def test_a_breaker_opens_rests_and_lets_one_try() -> None:
    time = [0.0]
    breaker = Breaker(2, 10, lambda: time[0])
    for _ in range(2):
        assert breaker.allow()
        breaker.failed()
    assert (breaker.open, breaker.allow()) == (True, False)
    time[0] = 11
    assert breaker.allow()
    assert not breaker.allow(), "one tries, the others wait"
    breaker.failed()
    assert not breaker.allow()
    time[0] = 22
    assert breaker.allow()
    breaker.succeeded()
    assert breaker.allow()
    assert not breaker.open


def test_a_client_that_leaves_while_one_tries_does_not_lock_it() -> None:
    time = [0.0]
    breaker = Breaker(1, 10, lambda: time[0])
    breaker.failed()
    time[0] = 11
    assert breaker.allow()
    breaker.released()
    assert breaker.allow()


def test_redirects_are_not_followed(servers: tuple[OpenAIServer, OpenAIServer], tmp_path: Path) -> None:
    one, two = servers
    one.script = lambda *_: Response(status_code=307, headers={"location": f"{two.url}/chat/completions"})
    with GatewayServer(tmp_path, one.url) as gateway, gateway.client() as client:
        with pytest.raises(openai.InternalServerError):
            ask(client)
        assert two.requests == []
