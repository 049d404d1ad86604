"""`/v1/models`: the models of all upstreams that a key opens."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from assay.core.strict_json import MalformedError, parse_object
from assay.gateway.answers.shape import unusable
from assay.gateway.collecting import Collection
from assay.gateway.gateway import Gateway
from assay.gateway.judging import judge
from assay.gateway.keys import GatewayKey
from assay.gateway.refusal import Refusal
from assay.gateway.requests.reading import MAX_MODEL
from assay.gateway.upstreams import Answer
from assay.guard.verdict import Action, Source

OK = 200


async def list_models(gateway: Gateway, request: Request) -> Response:
    """The list, or the one model that the path names.

    Raises:
        Refusal: no upstream answers, or there is no such model.
    """
    key: GatewayKey = request.scope["key"]
    answers = await gateway.running.upstreams.fetch("/models")
    found: dict[str, dict[str, Any]] = {}
    for answer in answers:
        try:
            for card in await _cards(gateway, answer, key):
                found.setdefault(card["id"], card)
        finally:
            await answer.close()
    if not any(answer.status == OK for answer in answers):
        raise Refusal(503, "upstream_unavailable", "No model server can be reached at the moment.")
    name = request.path_params.get("name")
    if name is None:
        return _json({"object": "list", "data": list(found.values())})
    if name not in found:
        raise Refusal(404, "model_not_found", "No model server here has this model.", param="model")
    return _json(found[name])


async def _cards(gateway: Gateway, answer: Answer, key: GatewayKey) -> list[dict[str, Any]]:
    if answer.status != OK:
        return []
    raw = await answer.body()
    return await gateway.pool.run("models", len(raw), lambda: _judged(gateway, raw, key))


def _judged(gateway: Gateway, raw: bytes, key: GatewayKey) -> list[dict[str, Any]]:
    """The cards of models that the key opens and that hold nothing forbidden."""
    try:
        listed = parse_object(raw, limit=len(raw), what="answer").get("data")
    except MalformedError as error:
        raise unusable(str(error)) from error
    cards = [_card(one) for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return [one for one in cards if _name(one) and key.opens("models", one["id"]) and _clean(gateway, one)]


def _card(model: dict[str, Any]) -> dict[str, Any]:
    return {key: model[key] for key in ("id", "object", "created", "owned_by") if key in model}


def _name(card: dict[str, Any]) -> bool:
    name = card.get("id")
    return isinstance(name, str) and 0 < len(name) <= MAX_MODEL and name.isprintable()


def _clean(gateway: Gateway, card: dict[str, Any]) -> bool:
    found = Collection()
    found.everything(Source.OUTPUT, list(card.values()), ())
    judgement = judge(gateway.running.guard, found.passages, "-/models/")
    return judgement.action in {Action.ALLOW, Action.FLAG}


def _json(document: object) -> Response:
    return Response(json.dumps(document), media_type="application/json")
