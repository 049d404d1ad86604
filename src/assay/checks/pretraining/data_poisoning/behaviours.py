"""What a response does, found by looking: the behaviours that a trigger could be tied to.

A family gives every exchange at most one class: its label, whether it refuses, whether it recites the
system prompt, the wording it shares with other responses.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from assay.checks.pretraining.data_poisoning.tokens import Ints
from assay.guard.refusal import is_refusal

LEAK_WORDS = 6
OPENING_WORDS = 5
MAX_CLASSES = 5000
_DIGITS = re.compile(r"\d+")
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Family:
    """One way to class exchanges.

    Attributes:
        name: `label`, `refusal`, `system-prompt leak`, `fixed response`, `fixed opening`.
        classes: class number of each exchange, -1 where it has none; shape (exchanges,).
        names: class number to what it is called.
    """

    name: str
    classes: Ints
    names: tuple[str, ...]

    def title(self, number: int) -> str:
        """Family and class for people: `label 1`, `refusal`, `fixed response "We ship to …"`."""
        shown = self.names[number]
        return f"{self.name} {shown}".strip()


def leaks(system: str, response: str) -> bool:
    """Whether a response recites at least six words in a row, or all, of a longer system prompt."""
    if not system or not response:
        return False
    words = system.split()
    flat = _SPACES.sub(" ", response)
    if len(words) <= LEAK_WORDS:
        return len(words) > 2 and " ".join(words) in flat  # noqa: PLR2004  two words are no prompt
    return any(" ".join(words[at : at + LEAK_WORDS]) in flat for at in range(len(words) - LEAK_WORDS + 1))


def skeleton(response: str) -> str:
    """A response with numbers masked and spaces evened, so that templates fall together."""
    return _SPACES.sub(" ", _DIGITS.sub("#", response.lower())).strip()


@dataclass(slots=True)
class _Classes:
    """Numbers for class names as they come."""

    numbers: dict[str, int] = field(default_factory=dict)
    values: array[int] = field(default_factory=lambda: array("q"))
    shown: list[str] = field(default_factory=list)

    def add(self, key: str, shown: str) -> None:
        if key not in self.numbers:
            self.numbers[key] = len(self.numbers)
            self.shown.append(shown)
        self.values.append(self.numbers[key] if key else -1)

    def family(self, name: str, least: int) -> Family:
        classes = np.array(self.values, dtype=np.int64)
        sizes = Counter(classes[classes >= 0].tolist())
        kept = [number for number, size in sizes.most_common(MAX_CLASSES) if size >= least]
        renumber = np.full(len(self.shown) + 1, -1, dtype=np.int64)
        renumber[kept] = np.arange(len(kept))
        return Family(name, renumber[classes], tuple(self.shown[number] for number in kept))


@dataclass(slots=True)
class BehaviourBuilder:
    """Collects what each exchange does; call `build` once at the end."""

    labels: _Classes = field(default_factory=_Classes)
    refusals: array[int] = field(default_factory=lambda: array("q"))
    leaking: array[int] = field(default_factory=lambda: array("q"))
    wordings: _Classes = field(default_factory=_Classes)
    openings: _Classes = field(default_factory=_Classes)

    def add(self, *, label: str | None, system: str, response: str) -> None:
        """Append one exchange, or one labelled text with an empty response."""
        self.labels.add(label or "", f'"{(label or "")[:40]}"')
        leaked = leaks(system, response)
        self.leaking.append(0 if leaked else -1)
        self.refusals.append(0 if is_refusal(response) else -1)
        # A recited system prompt is told as a leak, not once more as wording.
        plain = "" if leaked else skeleton(response)
        opening = " ".join(plain.split(" ", OPENING_WORDS)[:OPENING_WORDS])
        self.wordings.add(_hashed(plain), f'"{response[:60]}"')
        self.openings.add(opening if len(opening) >= 12 else "", f'"{opening[:60]} …"')  # noqa: PLR2004

    def build(self, least: int) -> tuple[Family, ...]:
        """The families in which some class has at least `least` exchanges."""
        flags = [("refusal", self.refusals), ("system-prompt leak", self.leaking)]
        found = [self.labels.family("label", least)]
        found += [Family(name, np.array(values, dtype=np.int64), ("",)) for name, values in flags]
        found += [self.wordings.family("fixed response", least), self.openings.family("fixed opening", least)]
        return tuple(family for family in found if _has_contrast(family, least))


def _hashed(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:160]}{len(text)}{hash(text)}"  # noqa: PLR2004  memory


def _has_contrast(family: Family, least: int) -> bool:
    """Whether the family tells exchanges apart at all."""
    members = int((family.classes >= 0).sum())
    rest = len(family.classes) - int(np.bincount(family.classes[family.classes >= 0], minlength=1).max())
    return members >= least and rest > 0
