"""Finding: one thing that a check saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from assay.core.canonical import JSON, canonical_digest, carriable
from assay.core.explanation import Explanation


class Severity(StrEnum):
    """How bad a finding is; ordered by `rank`."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for info up to 4 for critical."""
        return _RANKS[self]

    def at_least(self, other: Severity) -> bool:
        """Whether this is as bad as `other` or worse."""
        return self.rank >= other.rank


_RANKS: dict[str, int] = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True)
class Rule:
    """What a check can find: its documentation and the tags that its findings carry.

    Attributes:
        id: `check-prefix/short-name`, e.g. `pickle/dangerous-global`; unique in the product.
        title: one line, without a full stop.
        severity: the usual severity; a finding may carry another.
        description: why it matters, in a sentence or two.
        remedy: what to do about it.
        tags: framework references: `owasp:LLM03`, `atlas:AML.T0010`, `cwe:CWE-502`.
    """

    id: str
    title: str
    severity: Severity
    description: str
    remedy: str
    tags: tuple[str, ...] = ()

    def finding(
        self,
        message: str,
        location: Location | None = None,
        *,
        severity: Severity | None = None,
        remedy: str | None = None,
        data: Mapping[str, JSON] | None = None,
        explanation: Explanation | None = None,
    ) -> Finding:
        """A finding of this rule, with the rule's severity, remedy and tags unless told otherwise."""
        return Finding(
            rule=self.id,
            severity=severity or self.severity,
            message=message,
            location=location or Location(),
            remedy=self.remedy if remedy is None else remedy,
            tags=self.tags,
            data=data or {},
            explanation=explanation,
        )


@dataclass(frozen=True, slots=True)
class Location:
    """Where a finding is, as far as it is known.

    Attributes:
        path: the file, relative to the subject (POSIX), or "" for the subject itself.
        member: the path inside an archive, `!/`-joined when nested.
        line: 1-based line in a text file.
        row: 0-based row of a dataset.
        offset: 0-based byte in the file or member.
        name: a tensor, package, prompt or column.
    """

    path: str = ""
    member: str = ""
    line: int | None = None
    row: int | None = None
    offset: int | None = None
    name: str = ""

    def __str__(self) -> str:
        place = self.path + (f"!/{self.member}" if self.member else "")
        for label, value in (("line", self.line), ("row", self.row), ("byte", self.offset)):
            if value is not None:
                place += f":{value}" if label == "line" else f" {label} {value}"
        return f"{place} [{self.name}]".strip() if self.name else place.strip()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a check saw.

    Attributes:
        rule: the id of the rule that found it.
        severity: how bad it is here.
        message: one sentence a person can act on; it quotes no more than 200 characters of input.
        location: where it is.
        remedy: what to do.
        tags: framework references of the rule.
        data: what a program may want: numbers, names, short quotes. It has a say in no fingerprint.
        explanation: what would have happened, step by step; it has no say in a fingerprint either.
    """

    rule: str
    severity: Severity
    message: str
    location: Location = field(default_factory=Location)
    remedy: str = ""
    tags: tuple[str, ...] = ()
    data: Mapping[str, JSON] = field(default_factory=dict)
    explanation: Explanation | None = None

    @property
    def fingerprint(self) -> str:
        """Stable id of this finding: rule, place and message, without offsets that shift."""
        place = [self.location.path, self.location.member, self.location.name]
        return canonical_digest(carriable([self.rule, *place, self.message]))[:32]
