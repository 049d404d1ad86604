"""Whether words mean what they say: quoted as an example, or negated, they are no order."""

from __future__ import annotations

import re

_BEFORE, _AFTER = 48, 60  # characters looked at
_QUOTES = "\"'`"
_INTRODUCED = re.compile(
    r"(?:\b(?:phrases?|words?|strings?|terms?|examples?|payloads?|sentences?|texts?|patterns?|attacks?"
    r"|such as|like|called|named|saying|says|said|e\.g\.|i\.e\.|for instance|for example|titled|about)"
    r"[\s:,(\[]*(?:a|an|the|of)?\s*)$",
    re.IGNORECASE,
)
_NEGATION = re.compile(
    r"(?:\b(?:not|never|cannot|nor|without|avoid|neither|don'?t|won'?t|can'?t|mustn'?t|shouldn'?t)"
    r"(?:\s+(?:ever|simply|just|to|be|try to))?)\s+$",
    re.IGNORECASE,
)


def is_negated(text: str, start: int) -> bool:
    """Whether what stands at `start` follows a negation."""
    return _NEGATION.search(text, max(0, start - _BEFORE), start) is not None


def is_mentioned(text: str, start: int, end: int) -> bool:
    """Whether `text[start:end]` stands in quotes behind words that introduce an example."""
    before = text[max(0, start - _BEFORE) : start]
    for quote in _QUOTES:
        at = before.rfind(quote)
        if at >= 0 and quote in text[end : end + _AFTER] and _INTRODUCED.search(before[:at]):
            return True
    return False
