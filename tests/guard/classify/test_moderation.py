"""A moderation API: what it flags is told; where it does not answer, the text does not pass."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest

from assay.core.errors import EndpointError
from assay.guard.classify.moderation import MAX_INPUTS, OVERLAP, PIECE, ModerationApi
from assay.guard.guard import Guard
from assay.guard.policy import parse_policy
from assay.guard.verdict import Action, LayerState
from fixtures.chat_server import JsonServer, Raw

RUDE, HURT = "You are a worm.", "How to hurt oneself"


def result(text: str) -> dict[str, Any]:
    """As OpenAI's moderation endpoint answers."""
    flags = {"harassment": RUDE in text, "self-harm/intent": HURT in text}
    scores = {"harassment": 0.92 if RUDE in text else 0.01, "self-harm/intent": 0.3 if HURT in text else 0.0}
    return {"flagged": any(flags.values()), "categories": flags, "category_scores": scores}


def moderated(document: dict[str, Any]) -> dict[str, Any]:
    return {"id": "modr-1", "model": "tiny", "results": [result(text) for text in document["input"]]}


def policy(url: str, **more: Any) -> Any:
    layers = {"classify": {"use": "off"}, **more.pop("layers", {})}
    return parse_policy({"layers": layers, "moderation_url": url, **more})


def test_what_is_toxic_counts_for_the_head_and_other_categories_are_flagged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MODERATION_KEY", "a-key")
    with JsonServer(moderated) as server:
        guard = Guard(policy(server.url, moderation_model="tiny", moderation_key_env="MODERATION_KEY"))
        rude, hurt, kind = (guard.judge(text) for text in (RUDE, HURT, "You are kind."))
    assert (rude.action, rude.scores["toxicity"]) == (Action.FLAG, 0.92)
    assert [(one.rule, one.start, one.end) for one in rude.detections] == [
        ("moderation/harassment", 0, len(RUDE))
    ]
    assert hurt.action is Action.FLAG
    assert ("moderation/self-harm-intent", 0.5) in [(one.rule, one.score) for one in hurt.detections]
    assert (kind.action, kind.detections, kind.scores["toxicity"]) == (Action.ALLOW, (), 0.01)
    assert set(server.keys) == {"Bearer a-key"}
    assert {request["model"] for request in server.requests} == {"tiny"}


def test_the_whole_address_may_be_given_and_no_model() -> None:
    with JsonServer(moderated) as server, closing(ModerationApi(f"{server.url}/moderations")) as api:
        assert Guard(policy("http://127.0.0.1:9/v1", layers={"moderation": {"use": "off"}}), layers=[api])
        assert Guard(policy(""), layers=[api]).judge(RUDE).scores["toxicity"] == 0.92
    assert server.requests == [{"input": [RUDE]}]


def test_a_long_text_is_asked_about_in_pieces_that_overlap() -> None:
    text = "calm " * 3000 + RUDE + " calm" * 3000
    with JsonServer(moderated) as server:
        verdict = Guard(policy(server.url)).judge(text)
    (one,) = verdict.detections
    assert RUDE in text[one.start : one.end]
    assert one.end - one.start <= PIECE
    pieces = server.requests[0]["input"]
    assert pieces[0][-OVERLAP:] == pieces[1][:OVERLAP]
    assert "".join([pieces[0], *(piece[OVERLAP:] for piece in pieces[1:])]) == text


def test_a_text_that_is_not_asked_about_to_its_end_is_blocked() -> None:
    text = "calm " * (MAX_INPUTS * PIECE // 5)
    with JsonServer(moderated) as server:
        verdict = Guard(policy(server.url)).judge(text)
    assert (verdict.action, verdict.complete) == (Action.BLOCK, False)
    assert [len(request["input"]) for request in server.requests] == [MAX_INPUTS]


@pytest.mark.parametrize(
    "answer",
    [
        {},
        [],
        {"results": []},
        {"results": [None]},
        {"results": [{"flagged": False}]},
        {"results": [{"flagged": "no", "categories": {}, "category_scores": {}}]},
        {"results": [{"flagged": True, "categories": {}, "category_scores": {}}]},
        {"results": [{"flagged": False, "categories": {}, "category_scores": {"hate": "low"}}]},
        {"results": [{"flagged": False, "categories": {}, "category_scores": {"hate": -1}}]},
        {"results": [{"flagged": False, "categories": {}, "category_scores": {"hate": True}}]},
        {"results": [{"flagged": False, "categories": [], "category_scores": {"hate": 0}}]},
        Raw(body=b'{"results": [{"flagged": false, "categories": {}, "category_scores": {"hate": NaN}}]}'),
        Raw(body=b"no json"),
        Raw(status=401, body=b"wrong key"),
        Raw(status=500),
    ],
)
def test_an_answer_that_is_no_moderation_lets_nothing_through_unless_the_layer_is_open(answer: Any) -> None:
    with JsonServer(lambda _: answer) as server:
        closed = Guard(policy(server.url)).judge("You are kind.")
        opened = Guard(policy(server.url, layers={"moderation": {"fail": "open"}})).judge("You are kind.")
    assert (closed.action, closed.text, closed.complete) == (Action.BLOCK, "", False)
    assert (opened.action, opened.complete) == (Action.ALLOW, False)
    (run,) = (run for run in closed.layers if run.layer == "moderation")
    assert run.state is LayerState.FAILED
    assert "internal error" not in run.reason


def test_a_server_that_hangs_is_given_up() -> None:
    with (
        JsonServer(lambda _: Raw(hang=True)) as server,
        closing(ModerationApi(server.url, timeout=0.2)) as api,
    ):
        verdict = Guard(policy(""), layers=[api]).judge("You are kind.")
    assert (verdict.action, verdict.complete) == (Action.BLOCK, False)


@pytest.mark.parametrize("url", ["ftp://host/v1", "http://user:secret@host/v1"])
def test_an_address_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(EndpointError, match="not an http") as caught:
        Guard(policy(url))
    assert "secret" not in caught.value.diagnostics()
