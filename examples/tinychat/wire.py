"""The OpenAI chat-completions wire format: what a request may hold, what a reply looks like."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from runtime import Answer, Sampling

ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
MAX_STOPS = 4


class RequestRefusedError(Exception):
    """A request that gets an OpenAI-shaped error instead of an answer."""

    def __init__(
        self, status: int, message: str, *, param: str | None = None, code: str | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.param, self.code = status, param, code

    def body(self) -> dict[str, Any]:
        """The JSON error body."""
        kind = "invalid_request_error" if self.status < 500 else "server_error"
        fields = {"message": str(self), "type": kind, "param": self.param, "code": self.code}
        return {"error": fields}


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A validated ``POST /v1/chat/completions`` body."""

    messages: list[dict[str, str]]
    sampling: Sampling
    model: str | None
    stream: bool
    include_usage: bool


def parse_chat(body: bytes) -> ChatRequest:
    """Validate a request body; fields this server does not know are ignored, as OpenAI's do.

    Raises:
        RequestRefusedError: with status 400 and the offending field's name.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RequestRefusedError(400, f"the body is not valid JSON: {error}") from error
    if not isinstance(document, dict):
        raise RequestRefusedError(400, "the body must be a JSON object")
    if _number(document, "n", 1, 1, 1, whole=True) != 1:
        raise RequestRefusedError(400, "only one choice is supported", param="n")
    options = _typed(document, "stream_options", dict, {})
    return ChatRequest(
        messages=_messages(document),
        sampling=_sampling(document),
        model=_typed(document, "model", str, None),
        stream=_typed(document, "stream", bool, default=False),
        include_usage=_typed(options, "include_usage", bool, default=False),
    )


def _sampling(document: dict[str, Any]) -> Sampling:
    limit = _number(document, "max_tokens", 64, 1, 1_000_000, whole=True)
    limit = _number(document, "max_completion_tokens", limit, 1, 1_000_000, whole=True)
    seed = _number(document, "seed", None, -(2**63), 2**63 - 1, whole=True)
    return Sampling(
        max_tokens=int(limit),
        temperature=float(_number(document, "temperature", 0.0, 0.0, 2.0)),
        seed=None if seed is None else int(seed) % 2**64,
        stop=_stop(document),
    )


def _typed(document: dict[str, Any], name: str, kind: type, default: Any) -> Any:
    value = document.get(name)
    if value is None:
        return default
    if not isinstance(value, kind):
        raise RequestRefusedError(400, f"{name} must be of type {kind.__name__}", param=name)
    return value


def _number(
    document: dict[str, Any],
    name: str,
    default: Any,
    low: float,
    high: float,
    *,
    whole: bool = False,
) -> Any:
    value = document.get(name)
    if value is None:
        return default
    kinds = (int,) if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
        kind = "an integer" if whole else "a number"
        raise RequestRefusedError(400, f"{name} must be {kind} from {low} to {high}", param=name)
    return value


def _stop(document: dict[str, Any]) -> tuple[str, ...]:
    value = document.get("stop")
    words = [] if value is None else [value] if isinstance(value, str) else value
    good = isinstance(words, list) and all(isinstance(word, str) and word for word in words)
    if not good or len(words) > MAX_STOPS:
        message = f"stop must be a string or a list of up to {MAX_STOPS} non-empty strings"
        raise RequestRefusedError(400, message, param="stop")
    return tuple(words)


def _messages(document: dict[str, Any]) -> list[dict[str, str]]:
    messages = document.get("messages")
    if not isinstance(messages, list) or not messages:
        raise RequestRefusedError(400, "messages must be a non-empty list", param="messages")
    return [_message(message, f"messages[{at}]") for at, message in enumerate(messages)]


def _message(message: object, where: str) -> dict[str, str]:
    if not isinstance(message, dict):
        raise RequestRefusedError(400, f"{where} must be an object", param=where)
    role = message.get("role")
    if not isinstance(role, str) or role not in ROLES:
        raise RequestRefusedError(400, f"{where}.role must be one of {', '.join(ROLES)}", param=where)
    content = _content(message.get("content"), where)
    try:
        content.encode()
    except UnicodeEncodeError as error:
        raise RequestRefusedError(400, f"{where}.content is not valid Unicode", param=where) from error
    return {"role": ROLES[role], "content": content}


def _content(content: object, where: str) -> str:
    """A message's text, given as a string or as OpenAI's list of text parts."""
    if isinstance(content, str):
        return content
    texts = []
    for part in content if isinstance(content, list) and content else [None]:
        text = part.get("text") if isinstance(part, dict) and part.get("type") == "text" else None
        if not isinstance(text, str):
            message = f"{where}.content must be a string or a list of text parts"
            raise RequestRefusedError(400, message, param=where)
        texts.append(text)
    return "".join(texts)


@dataclass(frozen=True, slots=True)
class Envelope:
    """What all replies to one request share."""

    id: str
    model: str
    fingerprint: str

    def _fields(self, kind: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": int(time.time()),
            "model": self.model,
            "system_fingerprint": self.fingerprint,
        }

    def completion(self, text: str, answer: Answer) -> dict[str, Any]:
        """The reply to a request that does not stream."""
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": text, "refusal": None},
            "logprobs": None,
            "finish_reason": answer.finish_reason,
        }
        return {**self._fields("chat.completion"), "choices": [choice], "usage": usage(answer)}

    def chunk(self, delta: dict[str, str], finish_reason: str | None = None) -> dict[str, Any]:
        """One event of a stream."""
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return {**self._fields("chat.completion.chunk"), "choices": [choice]}

    def usage_chunk(self, answer: Answer) -> dict[str, Any]:
        """The last event where ``stream_options.include_usage`` asks for it."""
        return {**self._fields("chat.completion.chunk"), "choices": [], "usage": usage(answer)}


def usage(answer: Answer) -> dict[str, int]:
    """Token counts; the end token is counted as generated."""
    return {
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.completion_tokens,
        "total_tokens": answer.prompt_tokens + answer.completion_tokens,
    }
