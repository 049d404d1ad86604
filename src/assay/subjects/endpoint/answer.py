"""What is asked of an endpoint, and what came back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier message of a conversation: `user`, `assistant` or `system`."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """One user message, under a system prompt or ("") none.

    Attributes:
        text: the message.
        system: the system prompt.
        history: what was said before, after the system prompt.
        tools: functions that the model may call, each as OpenAI's `{"name", "description", "parameters"}`.
    """

    text: str
    system: str = ""
    history: tuple[Turn, ...] = ()
    tools: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Sampling:
    """How an answer is drawn.

    Attributes:
        max_tokens: the longest answer.
        temperature: 0 asks for the likeliest answer.
        seed: sent along where not None; servers are free to ignore it.
    """

    max_tokens: int = 256
    temperature: float = 0.0
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function that the model wants called, with its arguments as the model wrote them: JSON, or not."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one prompt.

    Attributes:
        text: the assistant's words; "" is a legitimate answer when `error` is "".
        finish_reason: `stop`, `length`, `content_filter` …, or "" when the endpoint gave none.
        latency_s: seconds from the first attempt to the end of the last.
        model: the name the endpoint answered under.
        error: why there is no answer, or "". An answer with an error says nothing about the model
            and must never be scored.
        attempts: requests that were sent for it.
        tool_calls: functions that the model wants called.
        tokens: the answer's length as the endpoint counted it, or None where it did not.
    """

    text: str = ""
    finish_reason: str = ""
    latency_s: float = 0.0
    model: str = ""
    error: str = ""
    attempts: int = 1
    tool_calls: tuple[ToolCall, ...] = ()
    tokens: int | None = None

    @property
    def ok(self) -> bool:
        """Whether the endpoint answered."""
        return not self.error
