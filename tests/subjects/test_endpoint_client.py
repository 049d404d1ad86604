from __future__ import annotations

import asyncio
import gzip
import json
import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from assay.core.errors import CheckError, EndpointError
from assay.subjects.endpoint import (
    Answer,
    ChatEndpoint,
    Pace,
    Prompt,
    RequestBudget,
    RetryPolicy,
    Sampling,
    ToolCall,
    Turn,
)
from fixtures import chat_server

ChatServer, Raw, completion, scripted = (
    chat_server.ChatServer,
    chat_server.Raw,
    chat_server.completion,
    chat_server.scripted,
)
QUICK = RetryPolicy(retries=2, base=0.001, longest=0.01)
NO_RETRY = RetryPolicy(retries=0)


def ask(bot: chat_server.Bot, policy: RetryPolicy = NO_RETRY, timeout: float = 10.0) -> tuple[Answer, int]:
    with ChatServer(bot) as server, ChatEndpoint(server.url, "bot", policy=policy, timeout=timeout) as end:
        return end.complete("Hello"), len(server.requests)


def test_an_answer_carries_text_model_and_latency() -> None:
    answer, _ = ask(lambda _system, user: f"You said {user}")
    assert (answer.text, answer.finish_reason, answer.model, answer.error) == (
        "You said Hello",
        "stop",
        "bot",
        "",
    )
    assert answer.ok
    assert answer.latency_s > 0


def test_the_request_is_what_was_asked_for() -> None:
    with ChatServer(lambda system, user: system + user) as server, ChatEndpoint(server.url + "/", "m") as end:
        end.complete("hi", "be brief", max_tokens=7, temperature=0.5, seed=3)
        end.complete("hi")
        assert server.requests == [
            {
                "model": "m",
                "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hi"}],
                "max_tokens": 7,
                "temperature": 0.5,
                "seed": 3,
            },
            {
                "model": "m",
                "messages": [{"role": "user", "content": "hi"}],
                "max_tokens": 256,
                "temperature": 0.0,
            },
        ]


def test_many_prompts_are_in_flight_and_answers_keep_the_order() -> None:
    import threading  # noqa: PLC0415

    together = threading.Barrier(4)

    def bot(_system: str, user: str) -> str:
        together.wait(timeout=20)  # passes only if four requests are in flight at once
        return user.upper()

    prompts = [Prompt(f"p{at}") for at in range(40)]
    with ChatServer(bot) as server, ChatEndpoint(server.url, "bot", max_concurrency=4) as end:
        answers = end.complete_many(prompts)
    assert [answer.text for answer in answers] == [f"P{at}" for at in range(40)]


def test_no_prompts_no_answers() -> None:
    with ChatServer(chat_server.honest) as server, ChatEndpoint(server.url, "bot") as end:
        assert end.complete_many([]) == ()


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_transient_failures_are_tried_again(status: int) -> None:
    answer, requests = ask(scripted(Raw(status), "ok"), QUICK)
    assert (answer.text, answer.attempts, requests) == ("ok", 2, 2)


def test_retries_are_bounded_and_the_error_says_so() -> None:
    answer, requests = ask(scripted(Raw(500, b'{"error": {"message": "out of memory"}}')), QUICK)
    assert answer == Answer(
        error="HTTP 500: out of memory (3 attempts)", attempts=3, latency_s=answer.latency_s
    )
    assert requests == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_refused_requests_are_not_tried_again(status: int) -> None:
    answer, requests = ask(scripted(Raw(status, b'{"error": "no"}')), QUICK)
    assert (answer.error, requests) == (f"HTTP {status}: no", 1)


def test_retry_after_is_honoured_within_bounds() -> None:
    policy = RetryPolicy(base=1, longest=20)
    assert policy.wait(0, None) == 1
    assert policy.wait(2, None) == 4
    assert policy.wait(0, "7") == 7
    assert policy.wait(0, "86400") == 20
    assert policy.wait(9, None) == 20
    assert policy.wait(1, "soon") == 2
    assert policy.wait(0, format_datetime(datetime.now(UTC) - timedelta(hours=1))) == 0
    assert policy.wait(0, format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)) == 20
    assert policy.wait(0, "9" * 500) == 1


def test_an_endless_retry_after_does_not_hang_the_client() -> None:
    answer, _ = ask(scripted(Raw(429, headers={"Retry-After": "999999"}), "ok"), QUICK)
    assert answer.text == "ok"


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Raw(body=b"<html><body>Welcome to nginx</body></html>"), "not JSON; it starts with '<html>"),
        (Raw(body=b""), "the reply is not JSON"),
        (Raw(body=b"[]"), "the reply is not a JSON object"),
        (Raw(body=b"{}"), "the reply has no choices"),
        (Raw(body=b'{"choices": []}'), "the reply has no choices"),
        (Raw(body=b'{"choices": ["text"]}'), "the reply has no choices"),
        (Raw(body=b'{"choices": [{"text": "old API"}]}'), "first choice has no message"),
        (Raw(body=completion(None)), "the reply's message has no text content"),
        (Raw(body=b'{"choices": [{"message": {"content": 7}}]}'), "the reply's message has no text content"),
        (Raw(body=b'{"error": {"message": "model not loaded"}}'), "reports an error: model not loaded"),
        (Raw(body=b"[" * 100_000), "the reply is not JSON"),
        (Raw(body=b'{"a": ' * 100_000), "the reply is not JSON"),
        (Raw(body=b"\xff\xfe\x00"), "the reply is not JSON"),
        (Raw(body=completion("x" * 1_100_000)), "the reply is larger than 1,000,000 bytes"),
        (Raw(302, headers={"Location": "http://10.0.0.1/steal"}), "HTTP 302: redirects to 10.0.0.1"),
        (Raw(307, headers={"Location": "/elsewhere"}), "HTTP 307: redirects to another path"),
        (
            Raw(body=gzip.compress(completion("x")), headers={"Content-Encoding": "gzip"}),
            "the reply is compressed although",
        ),
        (Raw(body=completion("cut off")[:40], length=500), "the connection broke"),
        (Raw(204, length=0), "HTTP 204"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_nonsense_is_an_error_and_never_an_answer(reply: chat_server.Raw, error: str) -> None:
    answer, _ = ask(scripted(reply))
    assert error in answer.error
    assert answer.text == ""
    assert not answer.ok


def test_a_connection_that_breaks_is_tried_again() -> None:
    answer, requests = ask(scripted(Raw(body=completion("cut off")[:40], length=500), "whole"), QUICK)
    assert (answer.text, requests) == ("whole", 2)


def test_a_refusal_by_the_api_and_a_filtered_answer_are_answers() -> None:
    answer, _ = ask(scripted(Raw(body=completion(None, refusal="I can't help with that."))))
    assert (answer.text, answer.error) == ("I can't help with that.", "")
    filtered = {"choices": [{"message": {"content": None}, "finish_reason": "content_filter"}]}
    answer, _ = ask(scripted(Raw(body=json.dumps(filtered).encode())))
    assert (answer.text, answer.finish_reason, answer.error) == ("", "content_filter", "")


@pytest.mark.parametrize(
    "reply", [Raw(hang=True), Raw(body=completion("x" * 400), drip=True)], ids=["hang", "drip"]
)
def test_the_deadline_holds_for_the_whole_answer(reply: chat_server.Raw) -> None:
    answer, _ = ask(scripted(reply), timeout=0.3)
    assert answer.error == "no complete answer within 0.3 s"


def test_nobody_there_is_an_error_with_the_cause() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        with ChatEndpoint(url, "bot", policy=NO_RETRY) as end:
            assert end.complete("Hello").error.startswith("cannot be reached: ")
            with pytest.raises(EndpointError, match="cannot be reached") as caught:
                end.probe()
    assert caught.value.subject == f"{url}/models"
    assert caught.value.remedy


def test_a_dead_endpoint_is_given_up_on() -> None:
    policy = RetryPolicy(retries=0, give_up_after=3)
    with ChatServer(scripted(Raw(500))) as server:
        with ChatEndpoint(server.url, "bot", policy=policy, max_concurrency=1) as end:
            answers = end.complete_many([Prompt("x")] * 10)
        assert len(server.requests) == 3
    assert answers[9] == Answer(error="not asked: 3 prompts in a row failed, last: HTTP 500: ", attempts=0)


def test_failures_between_answers_do_not_count_as_dead() -> None:
    failing: list[str | chat_server.Raw] = [Raw(500), "ok"]
    bot = scripted(*failing * 10)
    policy = RetryPolicy(retries=0, give_up_after=2)
    with ChatServer(bot) as server, ChatEndpoint(server.url, "b", policy=policy, max_concurrency=1) as end:
        answers = end.complete_many([Prompt("x")] * 20)
    assert [answer.ok for answer in answers] == [False, True] * 10


def test_the_budget_bounds_requests_with_their_retries() -> None:
    budget = RequestBudget(5)
    policy = RetryPolicy(retries=1, base=0.001, give_up_after=100)
    with ChatServer(scripted(Raw(500))) as server:
        with ChatEndpoint(server.url, "b", policy=policy, budget=budget, max_concurrency=1) as end:
            answers = end.complete_many([Prompt("x")] * 6)
        assert len(server.requests) == 5
    assert answers[-1].error == "not asked: the request budget is used up"
    assert budget.left == 0


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://h/v1",
        "gopher://h",
        "/v1",
        "http://",
        "",
        "javascript:alert(1)",
        "http://[::1",
    ],
)
def test_only_http_is_spoken(url: str) -> None:
    with pytest.raises(EndpointError):
        ChatEndpoint(url, "bot")


@pytest.mark.parametrize("url", ["http://user:hunter2@h/v1", "http://h/v1?key=hunter2"])
def test_secrets_in_the_url_are_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(EndpointError) as caught:
        ChatEndpoint(url, "bot")
    assert "hunter2" not in caught.value.diagnostics()


def test_the_key_is_sent_and_cut_out_of_whatever_comes_back() -> None:
    key = "sk-" + "s3cr3t" * 4
    refused = Raw(401, json.dumps({"error": {"message": f"Incorrect API key provided: {key}"}}).encode())
    with ChatServer(scripted(refused, f"your key is {key}"), models=refused) as server:
        with ChatEndpoint(server.url, "bot", key, policy=NO_RETRY) as end:
            first, second = end.complete("a"), end.complete("b")
            with pytest.raises(EndpointError) as caught:
                end.probe()
        assert server.keys == [f"Bearer {key}"] * 2
    assert first.error == "HTTP 401: Incorrect API key provided: [api key]"
    assert second.text == "your key is [api key]"
    assert key not in caught.value.diagnostics()


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "schlüssel"])
def test_a_key_that_is_no_header_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(EndpointError) as caught:
        ChatEndpoint("http://127.0.0.1:1/v1", "bot", key)
    assert key not in caught.value.diagnostics()


def test_probe_lists_the_models() -> None:
    with ChatServer(chat_server.honest, model="mia") as server, ChatEndpoint(server.url, "") as end:
        assert end.probe() == ("mia",)


@pytest.mark.parametrize(
    "models",
    [Raw(404, b"nope"), Raw(body=b"<html>"), Raw(body=b'{"data": 3}'), Raw(302, headers={"Location": "/"})],
)
def test_probe_refuses_what_is_not_a_list_of_models(models: chat_server.Raw) -> None:
    with (
        ChatServer(chat_server.honest, models=models) as server,
        ChatEndpoint(server.url, "") as end,
        pytest.raises(EndpointError),
    ):
        end.probe()


def test_watching_can_cancel_a_batch_that_hangs() -> None:
    def cancel(_done: int) -> None:
        raise CheckError("cancelled")

    with ChatServer(scripted(Raw(hang=True))) as server, ChatEndpoint(server.url, "bot") as end:
        with pytest.raises(CheckError, match="cancelled"):
            end.complete_many([Prompt("x")] * 3, watch=cancel)
        server.bot = chat_server.honest
        assert end.complete("2 plus 2").text == "The sum is 4."


def test_watching_ends_at_the_number_of_prompts() -> None:
    seen: list[int] = []
    with ChatServer(chat_server.honest) as server, ChatEndpoint(server.url, "bot") as end:
        end.complete_many([Prompt("x")] * 9, Sampling(5), watch=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 9


def test_it_works_inside_a_running_event_loop() -> None:
    async def caller() -> str:
        with ChatEndpoint(server.url, "bot") as end:
            return end.complete("2 plus 3").text

    with ChatServer(chat_server.honest) as server:
        assert asyncio.run(caller()) == "The sum is 5."


def test_closing_twice_is_harmless() -> None:
    end = ChatEndpoint("http://127.0.0.1:1/v1", "bot")
    end.close()
    end.close()


def test_a_proxy_in_the_environment_does_not_see_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    answer, _ = ask(lambda _system, _user: "direct")
    assert answer.text == "direct"


WEATHER = {"name": "weather", "description": "The weather of a city", "parameters": {"type": "object"}}


def _replied(message: dict[str, Any], **more: Any) -> chat_server.Raw:
    choice = {"message": {"role": "assistant", **message}, "finish_reason": "stop"}
    return Raw(body=json.dumps({"choices": [choice], **more}).encode())


def test_earlier_turns_and_tools_are_sent() -> None:
    prompt = Prompt(
        "and tomorrow?", "be brief", (Turn("user", "rain?"), Turn("assistant", "yes")), (WEATHER,)
    )
    with ChatServer(chat_server.honest) as server, ChatEndpoint(server.url, "bot") as end:
        end.complete(prompt)
    (body,) = server.requests
    assert [(one["role"], one["content"]) for one in body["messages"]] == [
        ("system", "be brief"), ("user", "rain?"), ("assistant", "yes"), ("user", "and tomorrow?"),
    ]  # fmt: skip
    assert body["tools"] == [{"type": "function", "function": WEATHER}]


def test_calls_and_length_come_back() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}
    reply = _replied({"content": None, "tool_calls": [call]}, usage={"completion_tokens": 12})
    answer, _ = ask(scripted(reply), QUICK)
    assert (answer.text, answer.tool_calls, answer.tokens, answer.error) == (
        "", (ToolCall("weather", '{"city": "Oslo"}'),), 12, "",
    )  # fmt: skip


@pytest.mark.parametrize(
    "calls", [{"a": 1}, [3], [{"function": {}}], [{"function": "x"}], [{"function": {"name": "f"}}] * 101]
)
def test_calls_that_cannot_be_read_are_no_answer(calls: Any) -> None:
    answer, _ = ask(scripted(_replied({"content": "hi", "tool_calls": calls})), QUICK)
    assert "tool" in answer.error


@pytest.mark.parametrize("usage", [None, 3, {}, {"completion_tokens": "x"}, {"completion_tokens": True}])
def test_a_length_that_is_none_is_not_known(usage: Any) -> None:
    answer, _ = ask(scripted(_replied({"content": "hi"}, usage=usage)), QUICK)
    assert (answer.text, answer.tokens) == ("hi", None)


def test_requests_are_spread_over_the_minute() -> None:
    pace = Pace(30)
    assert [pace.wait(100.0), pace.wait(100.0), pace.wait(101.0), pace.wait(500.0)] == [0.0, 2.0, 3.0, 0.0]
