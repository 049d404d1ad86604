"""Finding personal data in a text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from assay.core.finding import Severity
from assay.guard.pii.accounts import ACCOUNTS
from assay.guard.pii.contact import CONTACT
from assay.guard.pii.national import NATIONAL
from assay.guard.pii.recogniser import Recogniser

# What is sure of itself comes first: where two overlap, the first keeps the place.
RECOGNISERS = (*ACCOUNTS, *NATIONAL, *CONTACT)
KINDS = tuple(dict.fromkeys(recogniser.kind for recogniser in RECOGNISERS))
MAX_FOUND = 1_000  # in one text
_DIGITS = re.compile(r"\d(?:[^\w\n]{0,3}\d){3}")
_DOTTED = re.compile(r"[A-Za-z0-9]\.[A-Za-z0-9]")
_CODE = re.compile(r"[A-Za-z]{6}\d\d")
_LONG = re.compile(r"[A-Za-z0-9]{24}")


@dataclass(frozen=True, slots=True)
class Pii:
    """Personal data: `text[start:end]` is a `kind`."""

    kind: str
    start: int
    end: int
    severity: Severity
    score: float


def find_pii(text: str, recognisers: Iterable[Recogniser] = RECOGNISERS) -> tuple[Pii, ...]:
    """The personal data in a text as a reader sees it, by position; none overlap."""
    signs = _signs(text)
    if not signs:
        return ()
    taken: list[Pii] = []
    for recogniser in recognisers:
        if recogniser.sign in signs:
            for one in _found(recogniser, text):
                if all(one.end <= other.start or one.start >= other.end for other in taken):
                    taken.append(one)
                    if len(taken) >= MAX_FOUND:
                        return _ordered(taken)
    return _ordered(taken)


def _found(recogniser: Recogniser, text: str) -> Iterator[Pii]:
    for match in recogniser.pattern.finditer(text):
        if not recogniser.check(match.group()):
            continue
        context = recogniser.in_context(text, *match.span())
        if context or not recogniser.needed:
            score = recogniser.score + (1 - recogniser.score) / 2 if context else recogniser.score
            yield Pii(recogniser.kind, *match.span(), recogniser.severity, score)


def _ordered(found: list[Pii]) -> tuple[Pii, ...]:
    return tuple(sorted(found, key=lambda one: one.start))


def _signs(text: str) -> set[str]:
    """Which signs a text shows, so that plain text costs next to nothing."""
    signs = set()
    if _DIGITS.search(text):
        signs.add("digits")
    if "@" in text:
        signs.add("@")
    if "." in text and _DOTTED.search(text):
        signs.add(".")
    if ":" in text:
        signs.add(":")
    if _LONG.search(text):
        signs.add("")
    if _CODE.search(text):
        signs.add("code")
    return signs
