"""What is asked of an endpoint, and what came back."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prompt:
    """One user message, under a system prompt or ("") none."""

    text: str
    system: str = ""


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
    """

    text: str = ""
    finish_reason: str = ""
    latency_s: float = 0.0
    model: str = ""
    error: str = ""
    attempts: int = 1

    @property
    def ok(self) -> bool:
        """Whether the endpoint answered."""
        return not self.error
