"""The endpoints that pass, and how each is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from assay.gateway.answers.choices import collect_choices, settle_choices
from assay.gateway.answers.embeddings import collect_embeddings
from assay.gateway.answers.responses import collect_response, settle_response
from assay.gateway.answers.shape import unusable
from assay.gateway.collecting import Collection, Unscanned
from assay.gateway.judging import Judgement
from assay.gateway.passages import replaced
from assay.gateway.requests import Reader, read_chat, read_completion, read_embedding, read_response
from assay.gateway.streams.channel import Guarding
from assay.gateway.streams.choices import ChoiceStream
from assay.gateway.streams.responses import ResponseStream

Document = Mapping[str, Any]
Stream = ChoiceStream | ResponseStream


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint.

    Attributes:
        name: as in scopes, routes and records.
        path: below `/v1`.
        operation: its name in OpenTelemetry's conventions.
        read: the texts of a request.
        collect: the texts of an answer.
        settle: an answer as it may leave, from the answer, what the guard says of it, and the request.
        stream: an answer in pieces.
    """

    name: str
    path: str
    operation: str
    read: Reader
    collect: Callable[[Document], Collection]
    settle: Callable[[Document, Judgement, Document], dict[str, Any]]
    stream: Callable[[Guarding, Document, frozenset[Unscanned]], Stream]


def _choice_stream(guarding: Guarding, request: Document, dropped: frozenset[Unscanned]) -> Stream:
    del dropped  # data have no place in these streams
    return ChoiceStream(guarding, request["model"])


def _settle_choices(answer: Document, judgement: Judgement, request: Document) -> dict[str, Any]:
    return {**settle_choices(answer, judgement), "model": request["model"]}


def _settle_embeddings(answer: Document, judgement: Judgement, request: Document) -> dict[str, Any]:
    if judgement.blocked():
        raise unusable("it was blocked by the content filter")
    return {**replaced(dict(answer), judgement.texts), "model": request["model"]}


def _no_stream(guarding: Guarding, request: Document, dropped: frozenset[Unscanned]) -> Stream:  # noqa: ARG001
    raise unusable("it came in pieces")


CHAT = Endpoint(
    "chat", "/chat/completions", "chat", read_chat, collect_choices, _settle_choices, _choice_stream
)
COMPLETIONS = Endpoint(
    "completions",
    "/completions",
    "text_completion",
    read_completion,
    collect_choices,
    _settle_choices,
    _choice_stream,
)
RESPONSES = Endpoint(
    "responses", "/responses", "chat", read_response, collect_response, settle_response, ResponseStream
)
EMBEDDINGS = Endpoint(
    "embeddings",
    "/embeddings",
    "embeddings",
    read_embedding,
    collect_embeddings,
    _settle_embeddings,
    _no_stream,
)
ENDPOINTS = (CHAT, COMPLETIONS, RESPONSES, EMBEDDINGS)
