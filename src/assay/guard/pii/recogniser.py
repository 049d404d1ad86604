"""What recognises one kind of personal data."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from assay.core.finding import Severity

NEAR_BEFORE, NEAR_AFTER = 70, 35  # characters in which a word gives context


@dataclass(frozen=True, slots=True)
class Recogniser:
    """A pattern, what the number must add up to, and words that tell what it is.

    Attributes:
        kind: what it is: `card`; its rule is `pii/card`.
        pattern: of Python's `re`, for texts as a reader sees them; group `value`, if any, is the data.
        check: whether a match is one.
        context: words around it that speak for it.
        needed: without such a word it is none.
        severity: how bad it is where it leaks.
        score: how sure a match is; with context, half of what is missing to 1 is added.
        sign: characters without which a text holds none.
    """

    kind: str
    pattern: re.Pattern[str]
    severity: Severity
    check: Callable[[str], bool] = bool
    context: str = ""
    needed: bool = False
    score: float = 0.9
    sign: str = ""

    def in_context(self, text: str, start: int, end: int) -> bool:
        """Whether a word of the context stands near."""
        if not self.context:
            return False
        near = _context(self.context)
        return bool(
            near.search(text, max(0, start - NEAR_BEFORE), start) or near.search(text, end, end + NEAR_AFTER)
        )


@lru_cache(maxsize=256)
def _context(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W\d_])(?:{words})(?![^\W\d_])", re.IGNORECASE)
