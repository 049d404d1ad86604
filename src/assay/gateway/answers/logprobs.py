"""Log probabilities repeat an answer token by token; they pass only beside the very text that they repeat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_KEYS = frozenset({"token", "logprob", "bytes", "top_logprobs"})
_OLD_KEYS = frozenset({"tokens", "token_logprobs", "top_logprobs", "text_offset"})


def repeats(logprobs: Any, text: str) -> bool:
    """Whether the tokens are those of the text, and their bytes those of the tokens.

    Args:
        logprobs: as chat completions (`content`, `refusal`) or completions (`tokens`) have them.
        text: what they must repeat.
    """
    if not isinstance(logprobs, dict):
        return False
    if "tokens" in logprobs:
        tokens = _listed(logprobs["tokens"])
        return not set(logprobs) - _OLD_KEYS and "".join(map(str, tokens)) == text
    if set(logprobs) - {"content", "refusal"}:
        return False
    listed = [*_listed(logprobs.get("content")), *_listed(logprobs.get("refusal"))]
    return all(_honest(one) for one in listed) and "".join(one["token"] for one in listed) == text


def alternatives(logprobs: Any) -> list[str]:
    """The tokens that the model did not choose."""
    if not isinstance(logprobs, dict):
        return []
    found: list[str] = []
    for one in _listed(logprobs.get("top_logprobs")):
        found += [str(token) for token in one] if isinstance(one, dict) else []
    for one in (*_listed(logprobs.get("content")), *_listed(logprobs.get("refusal"))):
        if isinstance(one, dict):
            found += [
                str(other.get("token"))
                for other in _listed(one.get("top_logprobs"))
                if isinstance(other, dict)
            ]
    return found


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _honest(one: Any) -> bool:
    if not isinstance(one, dict) or not isinstance(one.get("token"), str) or set(one) - _KEYS:
        return False
    others = one.get("top_logprobs") or []
    return _same_bytes(one) and isinstance(others, list) and all(_honest(other) for other in others)


def _same_bytes(one: Mapping[str, Any]) -> bool:
    given = one.get("bytes")
    return given is None or given == list(one["token"].encode("utf-8", "surrogatepass"))
