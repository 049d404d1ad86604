"""What an event of Python source amounts to."""

from __future__ import annotations

from dataclasses import dataclass

from assay.core.finding import Rule, Severity


@dataclass(frozen=True, slots=True)
class Effect:
    """A rule that an event breaks, and how badly."""

    rule: Rule
    severity: Severity
