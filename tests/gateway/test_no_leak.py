"""Nothing forbidden leaves: wherever it stands in an answer, however the answer is cut into pieces."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.gateway.endpoints import CHAT, COMPLETIONS, EMBEDDINGS, RESPONSES, Endpoint
from assay.gateway.inspection import Inspection, Prepared
from assay.gateway.keys import ANYBODY
from assay.gateway.refusal import Refusal
from assay.gateway.requests import Reading
from assay.gateway.running import Running, make_running
from assay.gateway.settings import load_settings
from assay.gateway.streaming import StreamPump
from assay.guard.verdict import Source
from fixtures.json_places import places, planted
from fixtures.openai_answers import (
    call_events,
    completion,
    embeds,
    function_call,
    message,
    message_events,
    response,
)
from fixtures.openai_server import chat, chat_chunk, event

MAIL = "ann.example@corp-mail.de"
TOKEN = "ghp_zQWBuTSOoRi4A9sp" + "HcVY5ncnsDkxkJ0mLq17"
KEY_BLOCK = (
    "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7bqkKd0gY8zTqvGmQ3pJ5rWcX1nV9uL2sHfKtRbE6yPd"
)
FILLER = "The river was calm that evening, and the boats lay still along the quay. "
PARTS = st.sampled_from(
    [
        FILLER,
        FILLER * 9,
        f"Write to {MAIL}, please. ",
        f"token {TOKEN} ",
        "\n\n",
        "x" * 150,
        "\u4f60\u597d\uff0c\u4e16\u754c\u3002",
    ]
)
TEXTS = st.lists(PARTS, min_size=1, max_size=10).map("".join)
CUTS = st.lists(st.integers(0, 50_000), max_size=40)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Running:
    file: Path = tmp_path_factory.mktemp("gateway") / "gateway.yaml"
    file.write_text(
        "guard: {layers: {classify: {use: 'off'}}}\n"
        "gateway: {upstreams: [{name: main, url: 'http://127.0.0.1:9/v1'}]}\n"
    )
    return make_running(load_settings(file), told=lambda *_: None)


def pieces(value: Any, cuts: list[int]) -> list[Any]:
    edges = [0, *sorted(cut % (len(value) + 1) for cut in cuts), len(value)]
    return [value[a:b] for a, b in pairwise(edges)]


def streamed(running: Running, endpoint: Endpoint, raw: list[bytes]) -> bytes:
    """What leaves of a stream."""
    request = {"model": "tiny", "stream": True}
    prepared = Prepared(Reading(model="tiny", stream=True), request, b"", f"-/{endpoint.name}/tiny")
    pump = StreamPump(running, endpoint, prepared, Inspection(running, endpoint, ANYBODY))
    left = [pump.take(piece) for piece in raw]
    left.append(pump.end())
    pump.close()
    return b"".join(left)


def documents(raw: bytes) -> list[dict[str, Any]]:
    lines = [line.removeprefix("data: ") for line in raw.decode().split("\n") if line.startswith("data: ")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


def chat_text(raw: bytes) -> str:
    choices = [choice for document in documents(raw) for choice in document["choices"]]
    return "".join(choice["delta"].get("content", "") for choice in choices)


@given(TEXTS, CUTS, CUTS)
@settings(max_examples=40)
def test_a_streamed_chat_equals_the_text_judged_whole(
    running: Running, text: str, cuts: list[int], byte_cuts: list[int]
) -> None:
    events = [event(chat_chunk({"content": piece})) for piece in pieces(text, cuts)]
    raw = b"".join([*events, event(chat_chunk({}, "stop")), event("[DONE]")])
    left = streamed(running, CHAT, pieces(raw, byte_cuts))
    assert chat_text(left) == running.guard.judge(text, Source.OUTPUT).text
    assert MAIL.encode() not in left
    assert TOKEN.encode() not in left
    assert left.endswith(b"data: [DONE]\n\n")


@given(TEXTS, CUTS, CUTS)
@settings(max_examples=25)
def test_a_streamed_response_says_the_same_in_all_its_events(
    running: Running, text: str, cuts: list[int], byte_cuts: list[int]
) -> None:
    raw = b"".join(message_events(pieces(text, cuts), text))
    left = streamed(running, RESPONSES, pieces(raw, byte_cuts))
    said = documents(left)
    expected = running.guard.judge(text, Source.OUTPUT).text
    assert "".join(one["delta"] for one in said if one["type"].endswith("text.delta")) == expected
    assert [one["text"] for one in said if one["type"].endswith("text.done")] == [expected]
    assert said[-1]["response"]["output"][0]["content"][0]["text"] == expected
    assert TOKEN not in json.dumps(said)


@given(TEXTS, CUTS)
@settings(max_examples=15)
def test_a_streamed_completion_equals_the_text_judged_whole(
    running: Running, text: str, cuts: list[int]
) -> None:
    events = [event(completion(piece, None)) for piece in pieces(text, cuts)]
    left = streamed(running, COMPLETIONS, [*events, event(completion("")), event("[DONE]")])
    got = "".join(one["choices"][0]["text"] for one in documents(left))
    assert got == running.guard.judge(text, Source.OUTPUT).text


@given(st.integers(0, 1200), CUTS)
@settings(max_examples=40)
def test_no_part_of_what_is_blocked_leaves(running: Running, before: int, cuts: list[int]) -> None:
    text = (FILLER * 20)[:before] + "\n" + KEY_BLOCK + FILLER * 9
    events = [event(chat_chunk({"content": piece})) for piece in pieces(text, cuts)]
    left = streamed(running, CHAT, [*events, event(chat_chunk({}, "stop")), event("[DONE]")])
    assert "-----BEGIN" not in chat_text(left)
    assert documents(left)[-1]["choices"][0]["finish_reason"] == "content_filter"


@given(st.integers(0, 1200), CUTS, st.sampled_from([MAIL, TOKEN]))
@settings(max_examples=40)
def test_no_part_leaves_of_a_stream_that_breaks_off(
    running: Running, before: int, cuts: list[int], secret: str
) -> None:
    text = (FILLER * 20)[:before] + secret
    events = [event(chat_chunk({"content": piece})) for piece in pieces(text, cuts)]
    left = streamed(running, CHAT, events)
    assert secret[:6].encode() not in left
    assert documents(left)[-1]["error"]["code"] == "upstream_error"


def settled(inspection: Inspection, prepared: Prepared, document: Any) -> tuple[int, bytes]:
    """What leaves of an answer."""
    try:
        return 200, inspection.settle(prepared, json.dumps(document).encode())[0]
    except Refusal as refusal:
        return refusal.status, json.dumps(refusal.body()).encode()


WHOLE: list[tuple[Endpoint, dict[str, Any]]] = [
    (CHAT, chat("Good day")),
    (
        CHAT,
        chat(
            None,
            tool_calls=[
                {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a": "b"}'}}
            ],
        ),
    ),
    (COMPLETIONS, completion("Good day")),
    (RESPONSES, response([message("Good day"), function_call('{"a": "b"}')])),
    (EMBEDDINGS, embeds("embeddings", {"input": "one"})),
]


@pytest.mark.parametrize(
    ("endpoint", "document"), WHOLE, ids=["chat", "calls", "completions", "responses", "embeddings"]
)
def test_wherever_it_stands_in_an_answer_it_does_not_leave(
    running: Running, endpoint: Endpoint, document: dict[str, Any]
) -> None:
    inspection = Inspection(running, endpoint, ANYBODY)
    prepared = Prepared(Reading(model="tiny"), {"model": "tiny"}, b"", "-/x/tiny")
    passed = 0
    for path in places(document):
        status, body = settled(inspection, prepared, planted(document, path, f"see {TOKEN}. "))
        assert TOKEN.encode() not in body, path
        passed += status == 200
    assert passed > 3
    body, _ = inspection.settle(prepared, json.dumps(document).encode())
    assert json.loads(body)


STREAMS: list[tuple[Endpoint, list[bytes]]] = [
    (
        CHAT,
        [
            event(chat_chunk({"role": "assistant", "content": "Good day"})),
            event(chat_chunk({}, "stop")),
            event("[DONE]"),
        ],
    ),
    (COMPLETIONS, [event(completion("Good day", None)), event(completion("")), event("[DONE]")]),
    (RESPONSES, message_events(["Good ", "day"], "Good day")),
    (RESPONSES, call_events('{"a": "b"}')),
]


@pytest.mark.parametrize(("endpoint", "events"), STREAMS, ids=["chat", "completions", "responses", "calls"])
def test_wherever_it_stands_in_an_event_it_does_not_leave(
    running: Running, endpoint: Endpoint, events: list[bytes]
) -> None:
    for at, raw in enumerate(events):
        name, data = "", raw.decode().rstrip("\n")
        if data.startswith("event: "):
            name, data = data.removeprefix("event: ").split("\n", 1)
        if data == "data: [DONE]":
            continue
        document = json.loads(data.removeprefix("data: "))
        for path in places(document):
            changed = event(planted(document, path, f"see {TOKEN}. "), name)
            left = streamed(running, endpoint, [*events[:at], changed, *events[at + 1 :]])
            assert TOKEN.encode() not in left, (at, path)


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=5))
@settings(max_examples=60)
@pytest.mark.parametrize("endpoint", [CHAT, COMPLETIONS, RESPONSES], ids=lambda one: one.name)
def test_any_bytes_make_a_well_formed_end(
    running: Running, endpoint: Endpoint, raw: bytes, cuts: list[int]
) -> None:
    left = streamed(running, endpoint, pieces(b"data: " + raw + b"\n\n", cuts))
    assert documents(left)[-1].get("error") or documents(left)[-1].get("type") == "error"


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["stop", "text", "a b"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(
        st.sampled_from(["choices", "delta", "content", "tool_calls", "index", "function", "type", "response",
                         "output", "item", "text", "usage", "error", "finish_reason", "item_id"]),
        inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(
    st.dictionaries(st.sampled_from(["choices", "type", "response", "item", "delta", "usage"]), JSON_VALUES)
)
@settings(max_examples=150)
@pytest.mark.parametrize("endpoint", [CHAT, RESPONSES], ids=lambda one: one.name)
def test_events_of_any_form_break_nothing(
    running: Running, endpoint: Endpoint, document: dict[str, Any]
) -> None:
    if endpoint is RESPONSES:
        document = {"type": "response.output_item.done", **document}
    left = streamed(running, endpoint, [event(document)])
    assert documents(left)


@given(st.dictionaries(st.sampled_from(["choices", "output", "data", "usage", "model"]), JSON_VALUES))
@settings(max_examples=150)
@pytest.mark.parametrize("endpoint", [CHAT, COMPLETIONS, RESPONSES, EMBEDDINGS], ids=lambda one: one.name)
def test_answers_of_any_form_break_nothing(
    running: Running, endpoint: Endpoint, document: dict[str, Any]
) -> None:
    inspection = Inspection(running, endpoint, ANYBODY)
    prepared = Prepared(Reading(model="tiny"), {"model": "tiny"}, b"", "-/x/tiny")
    assert settled(inspection, prepared, document)[0] in {200, 502}
