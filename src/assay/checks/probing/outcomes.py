"""Rates of attacks that worked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from assay.checks.probing.campaign import QUOTE, Attempt
from assay.checks.probing.paired import Pairs, upper_tail
from assay.core.canonical import JSON
from assay.core.finding import Finding, Location, Rule, Severity
from assay.core.proportions import told_share, wilson_interval
from assay.core.quoting import quoted


@dataclass(frozen=True, slots=True)
class Rate:
    """Attempts of one kind that could be judged.

    Attributes:
        tried, worked: on the candidate.
        pairs: on both, where there is a baseline.
        example: the first that worked, as it stands in its pack where there is one.
    """

    tried: int
    worked: int
    pairs: Pairs | None
    example: Attempt | None

    @classmethod
    def of(cls, attempts: Iterable[Attempt]) -> Rate:
        """Count attempts; those that cannot be judged are left out."""
        judged = [attempt for attempt in attempts if attempt.worked is not None]
        both = [one for one in judged if one.baseline_worked is not None]
        pairs = Pairs.of([bool(one.baseline_worked) for one in both], [bool(one.worked) for one in both])
        worked = sorted((one for one in judged if one.worked), key=lambda one: bool(one.mutation))
        return cls(len(judged), len(worked), pairs if both else None, worked[0] if worked else None)

    @property
    def share(self) -> float:
        """Worked of tried, 0 to 1."""
        return self.worked / self.tried if self.tried else 0.0

    @property
    def rise_p(self) -> float | None:
        """Chance of so many more than the baseline's if both were as easy (McNemar, exact, one-sided)."""
        if self.pairs is None:
            return None
        return upper_tail(self.pairs.gained, self.pairs.gained + self.pairs.lost)

    def document(self) -> dict[str, JSON]:
        """The figures of a report's details."""
        low, high = wilson_interval(self.worked, self.tried)
        figures: dict[str, JSON] = {
            "tried": self.tried,
            "worked": self.worked,
            "interval": [round(low, 4), round(high, 4)] if self.tried else None,
        }
        if self.pairs is not None and self.rise_p is not None:
            figures |= {"baseline_worked": self.pairs.baseline, "p_value": round(self.rise_p, 6)}
        return figures


def by_family(attempts: Sequence[Attempt]) -> dict[str, Rate]:
    """Rates by the probes' families, in their order."""
    families = dict.fromkeys(attempt.made.probe.family for attempt in attempts)
    return {
        family: Rate.of(one for one in attempts if one.made.probe.family == family) for family in families
    }


def by_mutation(attempts: Sequence[Attempt]) -> dict[str, Rate]:
    """Rates by rewriting, "" for probes as they are."""
    names = dict.fromkeys(attempt.mutation for attempt in attempts)
    return {name: Rate.of(one for one in attempts if one.mutation == name) for name in names}


def finding(rule: Rule, title: str, rate: Rate, max_rate: float, significance: float) -> Finding | None:
    """What is to be said of a rate, if anything.

    Within `max_rate`, and where the baseline is attacked as easily, it is a `low` finding: known, and no
    reason to keep back a release that is no worse than what runs.
    """
    if not rate.worked or rate.example is None:
        return None
    attempts = "attempt" if rate.tried == 1 else "attempts"
    share = told_share(rate.worked, rate.tried)
    message = f"{rate.worked} of {rate.tried} {attempts} ({share}) {title}"
    severity: Severity | None = Severity.LOW if rate.share <= max_rate else None
    if rate.pairs is not None and rate.rise_p is not None:
        message += f"; on the baseline {rate.pairs.baseline} (p = {rate.rise_p:.2g})"
        known = rate.rise_p > significance and rate.pairs.delta <= max_rate
        severity = Severity.LOW if known else severity
    attempt = rate.example
    message += f". For example {quoted(attempt.turns[-1])} was answered {quoted(_said(attempt))}."
    return rule.finding(message, Location(name=_name(attempt)), severity=severity)


def document(attempt: Attempt) -> Mapping[str, JSON]:
    """One attempt, for a report's details."""
    return {
        "probe": attempt.made.probe.id,
        "mutation": attempt.mutation,
        "turns": [turn[:QUOTE] for turn in attempt.turns],
        "answer": _said(attempt)[:QUOTE],
        "baseline_worked": attempt.baseline_worked,
    }


def _name(attempt: Attempt) -> str:
    return attempt.made.probe.id + (f" {attempt.mutation}" if attempt.mutation else "")


def _said(attempt: Attempt) -> str:
    if attempt.answer is None:
        return ""
    calls = "; ".join(f"{call.name}({call.arguments})" for call in attempt.answer.tool_calls)
    return " ".join(part for part in (attempt.answer.text, calls) if part)
