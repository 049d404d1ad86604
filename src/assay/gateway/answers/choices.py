"""`/v1/chat/completions` and `/v1/completions`: the texts of an answer, and the answer as it may leave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assay.gateway.answers.logprobs import alternatives, repeats
from assay.gateway.answers.shape import TEXT_KEYS, answered, objects
from assay.gateway.collecting import Collection, Unscanned, is_name, numbers, without
from assay.gateway.judging import Judgement
from assay.gateway.passages import Fragment, Path, replaced
from assay.gateway.requests.chat import read_call, read_function
from assay.gateway.requests.content import read_content
from assay.guard.verdict import Action, Source


def collect_choices(document: Mapping[str, Any]) -> Collection:
    """The texts of an answer with `choices`.

    Raises:
        Refusal: it is none.
    """
    found = Collection()
    for at, choice in enumerate(answered(document, "choices")):
        path: Path = ("choices", at)
        if isinstance(choice.get("message"), dict):
            _message(found, choice["message"], (*path, "message"))
        if isinstance(choice.get("text"), str):
            found.add(Source.OUTPUT, [Fragment((*path, "text"), choice["text"])])
        others = enumerate(alternatives(choice.get("logprobs")))
        found.add(Source.OUTPUT, (Fragment((*path, "logprobs", number), token) for number, token in others))
        found.everything(Source.OUTPUT, without(choice, "message", "text", "logprobs"), path)
    found.everything(Source.OUTPUT, without(document, "choices"), ())
    return found


def _message(found: Collection, message: Mapping[str, Any], path: Path) -> None:
    for key in TEXT_KEYS:
        read_content(found, message.get(key), (*path, key), Source.OUTPUT)
    for at, call in objects(message.get("tool_calls")):
        read_call(found, call, (*path, "tool_calls", at))
    if isinstance(message.get("function_call"), dict):
        read_function(found, message["function_call"], (*path, "function_call"))
    rest = without(message, *TEXT_KEYS, "tool_calls", "function_call")
    if isinstance(rest.get("audio"), dict) and rest["audio"].get("data"):
        found.skip((*path, "audio", "data"), Unscanned.MEDIA, "audio")
        rest["audio"] = without(rest["audio"], "data")
    found.everything(Source.OUTPUT, rest, path)


def settle_choices(document: Mapping[str, Any], judgement: Judgement) -> dict[str, Any]:
    """The answer as it may leave: redacted, and each choice empty that is blocked."""
    whole = judgement.blocked() is not None and not _in_choices(judgement)
    texts = {path: text for path, text in judgement.texts.items() if path[2:3] != ("logprobs",)}
    settled: dict[str, Any] = replaced(dict(document), texts)
    if whole:
        head = {key: settled[key] for key in ("id", "object") if is_name(settled.get(key))}
        settled = {**head, "created": numbers(settled.get("created")) or 0, "choices": settled["choices"]}
    settled["choices"] = [
        _emptied(choice, at) if whole or judgement.blocked(("choices", at)) else _plain(choice, at, judgement)
        for at, choice in enumerate(settled["choices"])
    ]
    return settled


def _in_choices(judgement: Judgement) -> bool:
    """Whether all that is blocked stands in choices."""
    blocked = (one.passage for one in judgement.judged if one.verdict.action is Action.BLOCK)
    return all(passage.fragments[0].path[0] == "choices" for passage in blocked)


def _emptied(choice: Mapping[str, Any], at: int) -> dict[str, Any]:
    index = choice.get("index")
    empty: dict[str, Any] = {
        "index": index if isinstance(index, int) else at,
        "finish_reason": "content_filter",
        "logprobs": None,
    }
    if "message" in choice:
        return {**empty, "message": {"role": "assistant", "content": "", "refusal": None}}
    return {**empty, "text": ""}


def _plain(choice: Mapping[str, Any], at: int, judgement: Judgement) -> Mapping[str, Any]:
    if choice.get("logprobs") is None:
        return choice
    message = choice.get("message") or {}
    text = choice.get("text") or f"{message.get('content') or ''}{message.get('refusal') or ''}"
    if judgement.touched(("choices", at)) or not repeats(choice["logprobs"], text):
        return {**choice, "logprobs": None}
    return choice
