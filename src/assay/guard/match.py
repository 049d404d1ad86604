"""Rules over text: one pass for all literals, then the few patterns whose literals occurred.

Literals go through an Aho-Corasick automaton, patterns through RE2, whose time is linear in the text whatever
the pattern and the input. Matching sees the text as a reader does (`folding.normalise`); spans are of the
original.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from assay.core.data_files import read_data
from assay.core.errors import ConfigError
from assay.core.finding import Severity
from assay.guard.folding import normalise
from assay.guard.validators import VALIDATORS
from assay.guard.views import View

PACKS = ("secrets", "injection", "extraction")
MAX_MATCHES = 100
_RULES = Path(__file__).parent / "rules"


@dataclass(frozen=True, slots=True)
class GuardRule:
    """One rule of a pack; see rules/README.md for what each field means."""

    id: str
    title: str
    severity: Severity
    literals: tuple[str, ...]
    pattern: str
    example: str
    counter_example: str
    tags: tuple[str, ...] = ()
    validator: str = ""

    @property
    def family(self) -> str:
        """`secret`, `injection` or `extraction`."""
        return self.id.split("/", 1)[0]


@dataclass(frozen=True, slots=True)
class Match:
    """A rule's match: `text[start:end]` of the original text."""

    rule_id: str
    start: int
    end: int
    severity: Severity
    tags: tuple[str, ...] = ()


class Matcher:
    """A set of rules made ready to run; immutable, so threads may share it.

    Raises:
        ConfigError: a rule's pattern is not RE2, its validator is unknown, or it has no literal.
    """

    def __init__(self, rules: Iterable[GuardRule]) -> None:
        import ahocorasick  # noqa: PLC0415  compiled, and only matching pays for it
        import re2  # noqa: PLC0415

        self.rules = tuple(rules)
        self._patterns = [_compiled(re2, rule) for rule in self.rules]
        by_literal: dict[str, list[int]] = {}
        for number, rule in enumerate(self.rules):
            for literal in rule.literals:
                by_literal.setdefault(literal, []).append(number)
        self._automaton = ahocorasick.Automaton()
        for literal, numbers in by_literal.items():
            self._automaton.add_word(literal, tuple(numbers))
        self._automaton.make_automaton()

    def scan(self, text: str) -> tuple[Match, ...]:
        """All matches, by position; at most `MAX_MATCHES` per rule."""
        seen = normalise(text)
        lowered = seen.text.lower()
        wanted: set[int] = set()
        for _, numbers in self._automaton.iter(lowered):
            wanted.update(numbers)
        found = [match for number in sorted(wanted) for match in self._apply(number, seen)]
        return tuple(sorted(found, key=lambda match: (match.start, match.end, match.rule_id)))

    def _apply(self, number: int, seen: View) -> list[Match]:
        rule, pattern = self.rules[number], self._patterns[number]
        check = VALIDATORS.get(rule.validator)
        group = pattern.groupindex.get("secret", 0)
        found: list[Match] = []
        for match in pattern.finditer(seen.text):
            start, end = match.span(group)
            if check is None or check(seen.text[start:end]):
                found.append(Match(rule.id, *seen.span(start, end), rule.severity, rule.tags))
            if len(found) >= MAX_MATCHES:
                break
        return found


def _compiled(re2: Any, rule: GuardRule) -> Any:
    if not rule.literals or any(literal != literal.lower() for literal in rule.literals):
        raise ConfigError("needs lower-case literals", subject=rule.id, remedy="Name words that must occur.")
    if rule.validator and rule.validator not in VALIDATORS:
        raise ConfigError(f"unknown validator {rule.validator!r}", subject=rule.id)
    try:
        return re2.compile("(?i)" + rule.pattern)
    except re2.error as error:
        raise ConfigError(f"not a valid RE2 pattern: {error}", subject=rule.id) from error


def load_pack(name: str) -> tuple[GuardRule, ...]:
    """The rules of a built-in pack.

    Raises:
        ConfigError: a rule is not well-formed.
    """
    from assay.core.codec import from_json  # noqa: PLC0415  start-up

    rules = read_data(_RULES / f"{name}.yaml")
    return tuple(from_json(GuardRule, one, source=f"rules/{name}.yaml") for one in rules)


@lru_cache(maxsize=1)
def builtin() -> Matcher:
    """The matcher of all built-in packs."""
    return Matcher(rule for pack in PACKS for rule in load_pack(pack))


def scan_text(text: str) -> tuple[Match, ...]:
    """Run all built-in rules over a text."""
    return builtin().scan(text)
