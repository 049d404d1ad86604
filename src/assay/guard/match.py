"""Rules over text: one pass for all literals, then the few patterns whose literals occurred.

Literals go through an Aho-Corasick automaton, patterns through RE2, whose time is linear in the text whatever
the pattern and the input. Matching sees the text as a reader does (`folding.normalise`) and, where asked, in
every way in which it may be decoded; spans are of the original.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from assay.core.errors import ConfigError
from assay.core.finding import Severity
from assay.guard.folding import normalise
from assay.guard.quoting import is_mentioned, is_negated
from assay.guard.rules import ALL_PACKS, PACKS, GuardRule, load_pack
from assay.guard.validators import VALIDATORS
from assay.guard.views import View, Views

__all__ = [
    "ALL_PACKS",
    "PACKS",
    "GuardRule",
    "Match",
    "Matcher",
    "builtin",
    "everything",
    "load_pack",
    "scan_text",
]

MAX_MATCHES = 100  # of a rule in a document; of traffic, each may have to be redacted
MAX_IN_TRAFFIC = 10_000
QUOTED = 200  # characters of what was seen


@dataclass(frozen=True, slots=True)
class Match:
    """A rule's match: `text[start:end]` of the original text.

    Attributes:
        mentioned: the words are quoted as an example; whoever writes about attacks does that.
        views: the decodings that led to it, outermost first.
        said: what was seen there once decoded, cut to `QUOTED` characters.
    """

    rule_id: str
    start: int
    end: int
    severity: Severity
    tags: tuple[str, ...] = ()
    mentioned: bool = False
    views: tuple[str, ...] = ()
    said: str = ""


class Matcher:
    """A set of rules made ready to run; threads may share it.

    Patterns are compiled when their literals first occur: most rules never are.

    Args:
        rules: their patterns.
        most: matches of one rule in one view.

    Raises:
        ConfigError: a rule has no literal, or an unknown validator.
    """

    def __init__(self, rules: Iterable[GuardRule], *, most: int = MAX_MATCHES) -> None:
        import ahocorasick  # noqa: PLC0415  compiled, and only matching pays for it

        self.rules, self._most = tuple(rules), most
        for rule in self.rules:
            _require_sound(rule)
        self.by_id = {rule.id: rule for rule in self.rules}
        self._patterns: list[Any] = [None] * len(self.rules)
        self._checks = [VALIDATORS.get(rule.validator) for rule in self.rules]
        by_literal: dict[str, list[tuple[int, int]]] = {}
        for number, rule in enumerate(self.rules):
            for group, literals in enumerate((rule.literals, rule.with_literals)):
                for literal in literals:
                    by_literal.setdefault(literal, []).append((number, 1 << group))
        self._needed = [3 if rule.with_literals else 1 for rule in self.rules]
        self._automaton = ahocorasick.Automaton()
        for literal, numbers in by_literal.items():
            self._automaton.add_word(literal, (literal, tuple(numbers)))
        self._automaton.make_automaton()

    def compile(self) -> Matcher:
        """Compile all patterns at once; returns itself.

        Raises:
            ConfigError: a pattern is not RE2.
        """
        for number in range(len(self.rules)):
            self._pattern(number)
        return self

    def scan(self, text: str) -> tuple[Match, ...]:
        """All matches in a text as a reader sees it, by position; at most `most` per rule."""
        return tuple(sorted(self._in_view(normalise(text), set()), key=_position))

    def scan_views(self, views: Views, full: set[str] | None = None) -> tuple[Match, ...]:
        """All matches in a text and its decodings, by position; each place once, where it is nested least.

        Args:
            views: the text.
            full: takes the rules that may have more matches than `most`.
        """
        found: dict[tuple[str, int, int], Match] = {}
        for view in views.views:
            for match in self._in_view(view, set() if full is None else full):
                found.setdefault((match.rule_id, match.start, match.end), match)
        return tuple(sorted(found.values(), key=_position))

    def _in_view(self, view: View, full: set[str]) -> Iterator[Match]:
        for number in self._wanted(view.text.lower()):
            yield from self._apply(number, view, full)

    def _wanted(self, lowered: str) -> list[int]:
        """The rules whose literals occur."""
        groups: dict[int, int] = {}
        seen: set[str] = set()
        for _, (literal, numbers) in self._automaton.iter(lowered):
            if literal not in seen:
                seen.add(literal)
                for number, group in numbers:
                    groups[number] = groups.get(number, 0) | group
        return sorted(number for number, group in groups.items() if group == self._needed[number])

    def _apply(self, number: int, view: View, full: set[str]) -> Iterator[Match]:
        rule, pattern, check = self.rules[number], self._pattern(number), self._checks[number]
        group = pattern.groupindex.get("secret", 0)
        count = 0
        for match in pattern.finditer(view.text):
            start, end = match.span(group)
            said = view.text[start:end]
            if (check is None or check(said)) and not (rule.negatable and is_negated(view.text, start)):
                count += 1
                span = view.span(start, end)
                mentioned = is_mentioned(view.text, start, end)
                yield Match(rule.id, *span, rule.severity, rule.tags, mentioned, view.views, said[:QUOTED])
            if count >= self._most:
                full.add(rule.id)
                break

    def _pattern(self, number: int) -> Any:
        if self._patterns[number] is None:
            self._patterns[number] = _compiled(self.rules[number])
        return self._patterns[number]


def _position(match: Match) -> tuple[int, int, str]:
    return match.start, match.end, match.rule_id


def _require_sound(rule: GuardRule) -> None:
    if not rule.literals or any(literal != literal.lower() for literal in rule.literals + rule.with_literals):
        raise ConfigError("needs lower-case literals", subject=rule.id, remedy="Name words that must occur.")
    if rule.validator and rule.validator not in VALIDATORS:
        raise ConfigError(f"unknown validator {rule.validator!r}", subject=rule.id)


def _compiled(rule: GuardRule) -> Any:
    import re2  # noqa: PLC0415  compiled, and only matching pays for it

    options = re2.Options()
    options.log_errors = False  # where its automaton grows too large, RE2 goes on without one
    try:
        return re2.compile("(?i)" + rule.pattern, options)
    except re2.error as error:
        raise ConfigError(f"not a valid RE2 pattern: {error}", subject=rule.id) from error


@lru_cache(maxsize=1)
def builtin() -> Matcher:
    """The matcher of the packs that fit any text: data and files as well as traffic."""
    return Matcher(rule for pack in PACKS for rule in load_pack(pack))


@lru_cache(maxsize=1)
def everything() -> Matcher:
    """The matcher of all built-in packs, for traffic."""
    return Matcher((rule for pack in ALL_PACKS for rule in load_pack(pack)), most=MAX_IN_TRAFFIC)


def scan_text(text: str) -> tuple[Match, ...]:
    """Run the rules of `builtin` over a text."""
    return builtin().scan(text)
