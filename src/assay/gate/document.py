r"""The document that policies see, field by field. docs/schemas/gate-input.v1.json is made from it.

Every field is always there, so a policy never has to ask whether it is; only `metrics` differs from check
to check. Counts are made here and findings are capped, because an engine's time can grow with the square
of what a rule collects.

Text in it that comes from what was examined is bounded, and holds neither `"` nor `\` nor control
characters (they become `'`, `/` and spaces): some of regopy's built-ins write text into their result
unescaped, and a finding's message must not be able to write a reason of its own.

Approvals are not in it: an approval is bound to a verdict, so the verdict must not depend on approvals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

FINDINGS_CAP = 50
MetricValue: TypeAlias = "bool | int | float | str"
CheckStatus: TypeAlias = Literal["pass", "fail", "incomplete", "error", "missing"]
_STRICT = {"extra": "forbid"}


@dataclass(frozen=True, slots=True)
class Now:
    """When the decision is taken.

    Attributes:
        rfc3339: UTC, to the second.
        unix: seconds since 1970.
    """

    __pydantic_config__ = _STRICT
    rfc3339: str
    unix: int


@dataclass(frozen=True, slots=True)
class CandidateState:
    """What wants to be released.

    Attributes:
        digest: of the model's name and all parts.
        subjects: role (`model`, `data`, `environment` …) to SHA-256.
    """

    __pydantic_config__ = _STRICT
    digest: str
    subjects: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FindingState:
    """A finding, shortened: messages to 500 characters.

    Attributes:
        rule: the rule's id.
        severity: info, low, medium, high or critical.
        message: one sentence.
        location: where it is, as text.
    """

    __pydantic_config__ = _STRICT
    rule: str
    severity: Literal["info", "low", "medium", "high", "critical"]
    message: str
    location: str


@dataclass(frozen=True, slots=True)
class Counts:
    """Findings by severity; all of them, not only the listed ones."""

    __pydantic_config__ = _STRICT
    info: int = 0
    low: int = 0
    medium: int = 0
    high: int = 0
    critical: int = 0


@dataclass(frozen=True, slots=True)
class CoverageState:
    """What was looked at.

    Attributes:
        unit: what is counted.
        examined: how many were examined in full.
        skipped_total: how many were not.
        complete: whether `skipped_total` is 0.
        notes: what a reviewer should know.
    """

    __pydantic_config__ = _STRICT
    unit: str = ""
    examined: int = 0
    skipped_total: int = 0
    complete: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckState:
    """What is known of one check for this candidate.

    Attributes:
        present: whether there is evidence.
        status: the report's status; `missing` without evidence.
        message: the report's own word on why it is incomplete or an error.
        applicable: false where the project declares that the check does not apply.
        not_applicable_reason: the declared reason.
        not_applicable_expired: whether that declaration has run out.
        counts: findings by severity.
        summary: the findings in words: "2 critical, 1 low; worst: MESSAGE (LOCATION)".
        findings: the worst, at most 50, worst first.
        findings_total: how many there are.
        metrics: the check's figures. A figure that JSON cannot carry (NaN, infinity, an integer beyond
            2^53) is text.
        coverage: what was looked at.
        age_seconds: since the check finished; negative if it claims to have finished in the future.
        signed: whether a trusted key's signature on the evidence is valid.
        signer: who signed.
        signature_problem: why the signature does not count, or "".
        subject: SHA-256 of what was checked.
        subject_matches: whether that is this candidate's part.
        baseline: SHA-256 of what it was compared with, or "".
        baseline_matches: whether that is what the alias points to now; false without a baseline.
        check_version: version of the check's rules.
        options: the options that the check ran with, as the project wrote them. Of a list or mapping the
            first 50 entries; what is nested in one, or cut, is the SHA-256 of the whole.
        options_match: whether the project sets the same options, and ignores the same findings, now.
        ignored: findings that the project's ignore file sets aside, by severity; they are in no other count.
        ignored_expired: how many of them by an entry that has run out since.
        role: the part of a release that the check looks at (`model`, `data`, `environment`, `endpoint` …),
            or "" if unknown.
    """

    __pydantic_config__ = _STRICT
    present: bool = False
    status: CheckStatus = "missing"
    message: str = ""
    applicable: bool = True
    not_applicable_reason: str = ""
    not_applicable_expired: bool = False
    counts: Counts = field(default_factory=Counts)
    summary: str = "no findings"
    findings: tuple[FindingState, ...] = ()
    findings_total: int = 0
    metrics: Mapping[str, MetricValue] = field(default_factory=dict)
    coverage: CoverageState = field(default_factory=CoverageState)
    age_seconds: int = 0
    signed: bool = False
    signer: str = ""
    signature_problem: str = ""
    subject: str = ""
    subject_matches: bool = False
    baseline: str = ""
    baseline_matches: bool = False
    check_version: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    options_match: bool = True
    ignored: Counts = field(default_factory=Counts)
    ignored_expired: int = 0
    role: str = ""


@dataclass(frozen=True, slots=True)
class Champion:
    """The version that the alias points to.

    Attributes:
        version: as the registry names it.
        digest: digest of the candidate that it was, or "" if unknown.
        subjects: role to SHA-256, as far as known; `model` is what comparisons are matched with.
    """

    __pydantic_config__ = _STRICT
    version: str
    digest: str = ""
    subjects: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RolledBack:
    """That this very candidate was live once and was taken back.

    Attributes:
        at: when, RFC 3339.
        reason: why, in the words of whoever did it.
    """

    __pydantic_config__ = _STRICT
    at: str
    reason: str


@dataclass(frozen=True, slots=True)
class RegistryState:
    """Where the alias points now.

    Attributes:
        alias: the alias that a release moves.
        champion: what it points to; null before the first release.
        rolled_back: the rollback from this candidate, unless it was promoted again since; null without one.
    """

    __pydantic_config__ = _STRICT
    alias: str = "champion"
    champion: Champion | None = None
    rolled_back: RolledBack | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """What the project sets.

    Attributes:
        max_age_seconds: evidence older than this is stale.
        user: `policy.data` of assay.yaml; policies read it as `data.user`.
    """

    __pydantic_config__ = _STRICT
    max_age_seconds: int = 30 * 86_400
    user: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GateInput:
    """The policies' `input`.

    Attributes:
        version: of this document's shape.
        now: when the decision is taken.
        model: the registered model's name.
        candidate: what wants to be released.
        checks: check name to what is known of it; one entry for every piece of evidence and declaration.
        registry: where the alias points now.
        settings: what the project sets.
    """

    __pydantic_config__ = _STRICT
    version: Literal[1]
    now: Now
    model: str
    candidate: CandidateState
    checks: Mapping[str, CheckState]
    registry: RegistryState
    settings: Settings


def input_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the document, as published in docs/schemas/gate-input.v1.json."""
    from assay.core.codec import json_schema  # noqa: PLC0415  pydantic: only for those who ask

    schema = json_schema(GateInput)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://assay.dev/schemas/gate-input.v1.json",
        **schema,
    }
