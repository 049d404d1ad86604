"""`/v1/responses`: the texts of an answer, and the answer without what is forbidden."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assay.gateway.answers.shape import answered
from assay.gateway.collecting import Collection, Unscanned, is_name, numbers, without
from assay.gateway.judging import Judgement
from assay.gateway.passages import Path, replaced
from assay.gateway.requests.content import read_content
from assay.guard.verdict import Source

# What an answer repeats of its request.
ECHOED = (
    "instructions",
    "tools",
    "tool_choice",
    "metadata",
    "prompt",
    "text",
    "user",
    "input",
    "safety_identifier",
)
_DATA = ("result", "encrypted_content")


def collect_response(document: Mapping[str, Any]) -> Collection:
    """The texts of an answer of the Responses API.

    Raises:
        Refusal: it is none.
    """
    found = Collection()
    for at, item in enumerate(answered(document, "output")):
        collect_item(found, item, ("output", at))
    found.everything(Source.OUTPUT, without(document, "output", *ECHOED), ())
    return found


def collect_item(found: Collection, item: Mapping[str, Any], path: Path) -> None:
    """Have an item of an answer judged."""
    kind = str(item.get("type", ""))
    rest = without(item, *_DATA)
    for key in _DATA:
        if isinstance(item.get(key), str):
            found.skip((*path, key), Unscanned.MEDIA if key == "result" else Unscanned.STORED, "data")
    source = Source.TOOL_CALL if kind.endswith("_call") else Source.OUTPUT
    for key in ("arguments", "input"):
        if kind.endswith("_call") and key in rest:
            found.arguments(rest.pop(key), (*path, key))
    for key in ("content", "summary"):
        if isinstance(rest.get(key), list):
            read_content(found, [_without_logprobs(part) for part in rest.pop(key)], (*path, key), source)
    found.everything(source, rest, path)


def _without_logprobs(part: Any) -> Any:
    return without(part, "logprobs") if isinstance(part, dict) else part


def settle_response(
    document: Mapping[str, Any], judgement: Judgement, request: Mapping[str, Any]
) -> dict[str, Any]:
    """The answer as it may leave: redacted, or empty where it is blocked.

    What it repeats of the request is taken from the request, as the client wrote it.
    """
    settled: dict[str, Any] = replaced(dict(document), judgement.texts)
    settled["output"] = [plain_item(item) for item in settled["output"]]
    if judgement.blocked():
        settled = withheld(settled)
    return with_echoes(settled, request)


def withheld(response: Mapping[str, Any]) -> dict[str, Any]:
    """A response whose output is blocked: nothing is left of it but its name and its numbers."""
    kept = {key: response[key] for key in ("id", "object") if is_name(response.get(key))}
    counted = {
        key: response[key] for key in ("created_at", "temperature", "top_p") if numbers(response.get(key))
    }
    return {
        "model": "",
        "parallel_tool_calls": True,
        **kept,
        **counted,
        "tools": [],
        "tool_choice": "auto",
        "usage": numbers(response.get("usage")),
        "status": "incomplete",
        "incomplete_details": {"reason": "content_filter"},
        "error": None,
        "output": [],
    }


def with_echoes(response: dict[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
    """What a response repeats of its request, as the client wrote it."""
    response["model"] = request.get("model", "")
    for key in ECHOED:
        if key in request:
            response[key] = request[key]
        elif response.get(key):
            response[key] = _EMPTY.get(key)
    return response


_EMPTY: Mapping[str, Any] = {
    "tools": [],
    "tool_choice": "auto",
    "metadata": {},
    "text": {"format": {"type": "text"}},
}


def plain_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item without its log probabilities, which repeat its text in another form."""
    kept = dict(item)
    if isinstance(kept.get("content"), list):
        kept["content"] = [plain_part(part) for part in kept["content"]]
    return kept


def plain_part(part: Any) -> Any:
    """A part of an item's content without its log probabilities."""
    return {**part, "logprobs": []} if isinstance(part, dict) and "logprobs" in part else part
