"""What recognises one kind of personal data."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from assay.core.finding import Severity
from assay.guard.signs import Signs, respelled, sign_of

NEAR_BEFORE, NEAR_AFTER = 70, 35  # characters in which a word gives context


def pattern(text: str, flags: re.RegexFlag = re.NOFLAG) -> re.Pattern[str]:
    r"""A pattern of Python's `re` in which `\d` is 0 to 9: check digits count no others."""
    return re.compile(respelled(text, {r"\d": "0-9"}), flags)


@dataclass(frozen=True, slots=True)
class Recogniser:
    """A pattern, what the number must add up to, and words that tell what it is.

    Attributes:
        kind: what it is: `card`; its rule is `pii/card`.
        pattern: of Python's `re`, for texts as a reader sees them. It is several times faster where it begins
            with the characters that it may begin with, and what may not stand before follows.
        check: whether a match is one.
        context: words around it that speak for it.
        needed: without such a word it is none.
        severity: how bad it is where it leaks.
        score: how sure a match is; with context, half of what is missing to 1 is added.
        sign: what a text without any lacks, by name (`find`).
        among: the patterns that are looked for in one pass (`signs`).
    """

    kind: str
    pattern: re.Pattern[str]
    severity: Severity
    check: Callable[[str], bool] = bool
    context: str = ""
    needed: bool = False
    score: float = 0.9
    sign: str = ""
    among: str = ""

    def in_context(self, text: str, start: int, end: int) -> bool:
        """Whether a word of the context stands near."""
        if not self.context:
            return False
        near = context(self.context)
        return near.stands_in(text, max(0, start - NEAR_BEFORE), start) or near.stands_in(
            text, end, end + NEAR_AFTER
        )


class Context:
    """Words that tell what a number beside them is.

    Attributes:
        sign: what any of them shows, as `signs` has it.
    """

    def __init__(self, words: str) -> None:
        self._words = re.compile(rf"(?<![^\W\d_])(?:{words})(?![^\W\d_])", re.IGNORECASE)
        self.sign = sign_of(self._words)
        self._signs = Signs([{words: self.sign}], of_python=True)

    def stands_in(self, text: str, start: int, end: int) -> bool:
        """Whether one of the words stands in a part of a text."""
        shown = self._signs.shown(text[start:end])
        return bool(shown) and self._words.search(text, start, end) is not None


@lru_cache(maxsize=256)
def context(words: str) -> Context:
    """The words, made ready."""
    return Context(words)
