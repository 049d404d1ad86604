"""Finding personal data in a text."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from assay.core.finding import Severity
from assay.guard.pii.accounts import ACCOUNTS
from assay.guard.pii.contact import CONTACT
from assay.guard.pii.national import NATIONAL
from assay.guard.pii.recogniser import Recogniser, context
from assay.guard.signs import Signs, sign_of

# What is sure of itself comes first: where two overlap, the first keeps the place.
RECOGNISERS = (*ACCOUNTS, *NATIONAL, *CONTACT)
KINDS = tuple(dict.fromkeys(recogniser.kind for recogniser in RECOGNISERS))
MAX_FOUND = 20_000  # in one text
# What any of its recognisers needs: without them plain text costs next to nothing.
_FIRST = {
    "digits": r"\p{Nd}(?:[^\pL\pN_\n]{0,3}\p{Nd}){3}",
    "@": "@",
    ".": r"[A-Za-z0-9]\.[A-Za-z0-9]",
    ":": ":",
    "": "[A-Za-z0-9]{24}",
    "code": r"[A-Za-z]{6}\p{Nd}{2}",
}


@dataclass(frozen=True, slots=True)
class Pii:
    """Personal data: `text[start:end]` is a `kind`."""

    kind: str
    start: int
    end: int
    severity: Severity
    score: float


def find_pii(text: str) -> tuple[Pii, ...]:
    """The personal data in a text as a reader sees it, by position; none overlap, and `MAX_FOUND` at most."""
    taken = _Taken()
    for recogniser, named in _shown(text):
        for one in _found(recogniser, text, taken, named=named):
            taken.add(one)
            if len(taken.found) >= MAX_FOUND:
                return tuple(taken.found)
    return tuple(taken.found)


class _Taken:
    """What was found, by position."""

    def __init__(self) -> None:
        self.found: list[Pii] = []
        self._ends: list[int] = []

    def add(self, one: Pii) -> None:
        """Take a place that is free."""
        at = bisect_right(self._ends, one.start)
        self.found.insert(at, one)
        self._ends.insert(at, one.end)

    def is_free(self, start: int, end: int) -> bool:
        """Whether nothing overlaps that place."""
        at = bisect_right(self._ends, start)
        return at == len(self.found) or end <= self.found[at].start


def _found(recogniser: Recogniser, text: str, taken: _Taken, *, named: bool) -> Iterator[Pii]:
    """What one recogniser finds; `named` says that words of its context stand somewhere."""
    for match in recogniser.pattern.finditer(text):
        start, end = match.span()
        if not taken.is_free(start, end) or not recogniser.check(match.group()):
            continue
        context = named and recogniser.in_context(text, start, end)
        if context or not recogniser.needed:
            score = recogniser.score + (1 - recogniser.score) / 2 if context else recogniser.score
            yield Pii(recogniser.kind, start, end, recogniser.severity, score)


def _shown(text: str) -> Iterator[tuple[Recogniser, bool]]:
    """The recognisers that may find something, in their order, and whether their words stand somewhere."""
    signs = _signs()
    first = signs.first.shown(text)
    if not first:
        return
    shown = {number for sign in first for number in signs.patterns[sign].shown(text)}
    words = signs.words.shown(text) if shown else frozenset()
    for number in sorted(shown, key=int):
        recogniser = RECOGNISERS[int(number)]
        if recogniser.context in words or not recogniser.needed:
            yield recogniser, recogniser.context in words


class _Signs(NamedTuple):
    """Signs of anything, of each recogniser (by number, for each first sign), and of words beside numbers."""

    first: Signs
    patterns: Mapping[str, Signs]
    words: Signs


@lru_cache(maxsize=1)
def _signs() -> _Signs:
    groups: dict[str, dict[str, dict[str, str]]] = {}
    for number, one in enumerate(RECOGNISERS):
        groups.setdefault(one.sign, {}).setdefault(one.among, {})[str(number)] = sign_of(one.pattern)
    words = {one.context: context(one.context).sign for one in RECOGNISERS if one.context}
    patterns = {sign: Signs(group.values(), of_python=True) for sign, group in groups.items()}
    return _Signs(Signs([_FIRST]), patterns, Signs([words], of_python=True))
