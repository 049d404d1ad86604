"""OpenAI's chat-completions wire format, as far as it is needed, read from bytes nobody vouches for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from assay.core.web_address import QUOTE
from assay.subjects.endpoint.answer import Prompt, Sampling, ToolCall

MAX_BODY = 1_000_000
MAX_MODELS = 1_000
MAX_CALLS = 100


class ReplyError(Exception):
    """A reply that is no answer; its text says why. It never leaves this package."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The parts of a chat completion that are used."""

    text: str
    finish_reason: str
    model: str
    tool_calls: tuple[ToolCall, ...] = ()
    tokens: int | None = None


def request_body(model: str, prompt: Prompt, sampling: Sampling) -> bytes:
    """The JSON of one chat-completion request."""
    messages = [{"role": "system", "content": prompt.system}] if prompt.system else []
    messages += [{"role": turn.role, "content": turn.text} for turn in prompt.history]
    messages.append({"role": "user", "content": prompt.text})
    document: dict[str, Any] = {
        "model": model,
        "messages": messages,
        "max_tokens": sampling.max_tokens,
        "temperature": sampling.temperature,
    }
    if sampling.seed is not None:
        document["seed"] = sampling.seed
    if prompt.tools:
        document["tools"] = [{"type": "function", "function": dict(tool)} for tool in prompt.tools]
    return json.dumps(document).encode()


def read_reply(body: bytes) -> Reply:
    """The first choice of a chat completion.

    Raises:
        ReplyError: it is not one.
    """
    document = _object(body)
    if "error" in document and "choices" not in document:
        raise ReplyError(f"the endpoint reports an error: {error_text(body)}")
    choices = document.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise ReplyError("the reply has no choices; is this an OpenAI-compatible chat endpoint?")
    message = choices[0].get("message")
    if not isinstance(message, dict):
        raise ReplyError("the reply's first choice has no message")
    reason, model = choices[0].get("finish_reason"), document.get("model")
    calls = _tool_calls(message.get("tool_calls"))
    return Reply(
        _content(message, silent=reason == "content_filter" or bool(calls)),
        reason[:40] if isinstance(reason, str) else "",
        model[:QUOTE] if isinstance(model, str) else "",
        calls,
        _tokens(document.get("usage")),
    )


def _tool_calls(calls: Any) -> tuple[ToolCall, ...]:
    """The functions that a message calls.

    Raises:
        ReplyError: they cannot be read, so it is not known what the model did.
    """
    if calls is None:
        return ()
    try:
        functions = [call["function"] for call in calls[: MAX_CALLS + 1]]
        read = tuple(ToolCall(str(one["name"])[:QUOTE], str(one.get("arguments") or "")) for one in functions)
    except (TypeError, LookupError, AttributeError) as error:
        raise ReplyError("the reply's tool calls cannot be read") from error
    if len(read) > MAX_CALLS:
        raise ReplyError(f"the reply calls more than {MAX_CALLS} tools")
    return read


def _tokens(usage: Any) -> int | None:
    count = usage.get("completion_tokens") if isinstance(usage, dict) else None
    return count if isinstance(count, int) and not isinstance(count, bool) and count >= 0 else None


def _content(message: dict[str, Any], *, silent: bool) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    # A structured refusal carries its words here and null as content.
    refusal = message.get("refusal")
    if content is None and isinstance(refusal, str):
        return refusal
    if content is None and silent:
        return ""
    raise ReplyError("the reply's message has no text content")


def read_models(body: bytes) -> tuple[str, ...]:
    """The model names of a `/models` reply.

    Raises:
        ReplyError: it is not one.
    """
    data = _object(body).get("data")
    if not isinstance(data, list):
        raise ReplyError("the list of models has no data")
    names = (card.get("id") for card in data[:MAX_MODELS] if isinstance(card, dict))
    return tuple(name for name in names if isinstance(name, str))


def error_text(body: bytes) -> str:
    """What an error body says, in one short line."""
    try:
        document = json.loads(body)
        detail = document["error"]
        text = detail["message"] if isinstance(detail, dict) else detail
    except (ValueError, RecursionError, KeyError, TypeError):
        text = body[:QUOTE].decode("utf-8", "replace")
    printable = "".join(c if c.isprintable() else " " for c in str(text))
    return " ".join(printable.split())[:QUOTE]


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        start = error_text(body[:60])
        raise ReplyError(f"the reply is not JSON; it starts with {start!r}") from error
    if not isinstance(document, dict):
        raise ReplyError("the reply is not a JSON object")
    return document
