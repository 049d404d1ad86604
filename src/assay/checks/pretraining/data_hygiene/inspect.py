"""What one row holds that it should not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from assay.checks.pretraining.data_hygiene import rules
from assay.core.finding import Rule, Severity
from assay.guard.match import Match, Matcher
from assay.guard.refusal import is_refusal
from assay.guard.unicode import HiddenSpan, has_mixed_script_word, hidden_spans, mixed_script_words
from assay.subjects.dataset import Record, Turn

QUOTED = 80
# UTF-8 bytes read as cp1252: a lead byte's letter followed by a trail byte's symbol; or characters lost.
_MOJIBAKE = re.compile("[ÂÃ][\u0080-\u00bf\u2018-\u203a€™œžŸ]|â€[\u0080-\u00bf™œ\u009d˜¦“”\u201c]|ï¿½|\ufffd")  # noqa: RUF001
_ATTACK_LABEL = re.compile(
    r"inject|jailbreak|attack|malicious|unsafe|harm|toxic|adversarial|abuse|spam", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Sight:
    """One thing seen in one row.

    Attributes:
        rule: of this check.
        detail: the guard rule or kind that saw it.
        title: what it is, for people.
        severity: how bad it is here.
        role: who speaks in that part of the row.
        quote: a short piece; of a secret only its beginning.
    """

    rule: Rule
    detail: str
    title: str
    severity: Severity
    role: str
    quote: str


@dataclass(slots=True)
class Inspector:
    """Looks at rows. `refused` counts attempts that the data itself answers with a refusal.

    Attributes:
        matcher: the guard's rules.
        refused: rows in which a user's attempt is refused; such rows teach what they should.
    """

    matcher: Matcher
    refused: int = 0
    _titles: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._titles = {rule.id: rule.title for rule in self.matcher.rules}

    def look(self, record: Record) -> list[Sight]:
        """All that is wrong with a row."""
        text = record.text
        found = list(self._matches(record)) if self.matcher.scan(text) else []
        if not text.isascii() or not text.isprintable():
            for turn in record.turns:
                found += _hidden(turn)
        return found

    def _matches(self, record: Record) -> Iterator[Sight]:
        refused = False
        for at, turn in enumerate(record.turns):
            for match in self.matcher.scan(turn.content):
                if match.rule_id.startswith("secret/"):
                    yield self._sight(rules.SECRET, match, match.severity, turn, _redacted)
                elif _is_refused(record, at):
                    refused = True
                else:
                    yield self._instruction(match, record, turn)
        self.refused += refused

    def _instruction(self, match: Match, record: Record, turn: Turn) -> Sight:
        if turn.role == "user":
            return self._sight(rules.OBEYED, match, Severity.LOW, turn, _plain)
        asks = match.rule_id.startswith("extraction/")
        told = turn.role in {"system", "rejected"} or _ATTACK_LABEL.search(record.label or "")
        return self._sight(
            rules.INJECTED, match, Severity.LOW if asks or told else match.severity, turn, _plain
        )

    def _sight(
        self, rule: Rule, match: Match, severity: Severity, turn: Turn, quote: Callable[[str], str]
    ) -> Sight:
        piece = quote(turn.content[match.start : match.end])
        return Sight(rule, match.rule_id, self._titles[match.rule_id], severity, turn.role, piece)


def _is_refused(record: Record, at: int) -> bool:
    """Whether a turn is an attempt that the next answer refuses, or itself such an answer."""
    turn = record.turns[at]
    if turn.role == "assistant":
        return is_refusal(turn.content)
    if turn.role != "user":
        return False
    answer = next((later for later in record.turns[at + 1 :] if later.role == "assistant"), None)
    return answer is not None and is_refusal(answer.content)


def _hidden(turn: Turn) -> Iterator[Sight]:
    text = turn.content
    for span in hidden_spans(text):
        rule = _hidden_rule(text, span)
        title = f"{rule.title}{f': {_plain(span.decoded)!r}' if span.decoded else ''}"
        yield Sight(rule, span.kind, title, rule.severity, turn.role, _around(text, span.start, span.end))
    if has_mixed_script_word(text):
        start, end = mixed_script_words(text)[0]
        yield Sight(
            rules.MIXED, "mixed-script", rules.MIXED.title, rules.MIXED.severity, turn.role, text[start:end]
        )
    if broken := _MOJIBAKE.search(text):
        quote = _around(text, *broken.span())
        yield Sight(
            rules.MOJIBAKE, "mojibake", rules.MOJIBAKE.title, rules.MOJIBAKE.severity, turn.role, quote
        )


def _hidden_rule(text: str, span: HiddenSpan) -> Rule:
    if span.kind in rules.HIDDEN_KINDS:
        return rules.HIDDEN_KINDS[span.kind]
    inside = (
        span.start > 0
        and span.end < len(text)
        and text[span.start - 1].isalnum()
        and text[span.end].isalnum()
    )
    return rules.SPLIT if inside else rules.INVISIBLE


def _plain(piece: str) -> str:
    shown = " ".join(piece.split())
    shown = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in shown)
    return shown if len(shown) <= QUOTED else shown[: QUOTED - 1] + "…"


def _redacted(piece: str) -> str:
    """The first four characters and the length: enough to find it, too little to use it."""
    return f"{_plain(piece[:4])}… ({len(piece)} characters)"


def _around(text: str, start: int, end: int) -> str:
    return _plain(text[max(0, start - 20) : min(end, start + 20) + 20])
