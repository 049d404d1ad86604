"""An endpoint as a subject: the chat client, and a server started for a model folder.

`answer` prompts and answers · `client` the OpenAI-compatible client · `wire` its requests and replies ·
`retry` when and how long to wait · `background` the event loop behind the client · `serve` a served model.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assay.subjects.endpoint.answer import Answer, Prompt, Sampling, ToolCall, Turn
    from assay.subjects.endpoint.client import ChatEndpoint
    from assay.subjects.endpoint.retry import Pace, RequestBudget, RetryPolicy
    from assay.subjects.endpoint.serve import ServedModel

__all__ = [
    "Answer", "ChatEndpoint", "Pace", "Prompt", "RequestBudget", "RetryPolicy", "Sampling", "ServedModel",
    "ToolCall", "Turn",
]  # fmt: skip

_HOMES = {
    "Answer": "answer",
    "ChatEndpoint": "client",
    "Pace": "retry",
    "Prompt": "answer",
    "RequestBudget": "retry",
    "RetryPolicy": "retry",
    "Sampling": "answer",
    "ServedModel": "serve",
    "ToolCall": "answer",
    "Turn": "answer",
}


def __getattr__(name: str) -> object:
    """Import on first use: httpx costs start-up time that most commands need not pay."""
    if name not in _HOMES:
        raise AttributeError(name)
    value: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value
