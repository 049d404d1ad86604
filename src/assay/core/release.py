"""Release, verdict, approval, promotion: what is decided about a candidate, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from assay.core.canonical import canonical_digest
from assay.core.subject import Subject


class Decision(StrEnum):
    """What the gate says of a candidate."""

    PASS = "pass"  # noqa: S105  not a password
    HOLD = "hold"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Candidate:
    """What wants to be released: a model and all that was checked with it.

    Attributes:
        model: the registered model's name.
        subjects: role (`model`, `data`, `environment` …) to subject. `model` is always there.
    """

    model: str
    subjects: Mapping[str, Subject]

    @property
    def digest(self) -> str:
        """SHA-256 over the model's name and every subject's digest: changes when any of them does."""
        parts = {role: subject.sha256 for role, subject in self.subjects.items()}
        return canonical_digest({"model": self.model, "subjects": parts})


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason of a verdict.

    Attributes:
        id: short stable name, e.g. `check-failed`.
        decision: what this reason alone would make the verdict: `fail` or `hold`.
        message: one sentence for people.
        check: the check it is about, or "".
        remedy: what to do.
        pack: the policy pack that gave it.
    """

    id: str
    decision: Decision
    message: str
    check: str = ""
    remedy: str = ""
    pack: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate decided, on what, by which policy."""

    decision: Decision
    reasons: tuple[Reason, ...]
    model: str
    candidate: str
    policy: Mapping[str, str]
    input_digest: str
    engine: str
    decided_at: datetime

    @property
    def digest(self) -> str:
        """What an approval is bound to: decision, reasons, candidate and policy, but not the time.

        A later run of the same policy on the same evidence gives the same digest, so an approval
        outlives a re-run and is void as soon as anything that was judged changes.
        """
        reasons = [[r.id, r.decision.value, r.check, r.message, r.pack] for r in self.reasons]
        return canonical_digest(
            {
                "decision": self.decision.value,
                "reasons": reasons,
                "model": self.model,
                "candidate": self.candidate,
                "policy": dict(self.policy),
            }
        )


@dataclass(frozen=True, slots=True)
class Approval:
    """A person's signed word on a held verdict, bound to one candidate and one verdict."""

    candidate: str
    verdict: str
    approver: str
    reason: str
    approved_at: datetime
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """A declaration that a check does not apply to this project, with the reason. It is evidence."""

    check: str
    reason: str
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AliasMove:
    """A promotion or rollback: alias `alias` of `model` goes from one version to another."""

    model: str
    alias: str
    previous: str | None
    version: str
    candidate: str
    verdict: str
    reason: str
    moved_at: datetime
    actor: str = ""
    approvals: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class MoveOutcome:
    """How an alias move ended: `done`, or `abandoned` with the reason.

    Attributes:
        move: the move as its intent stated it.
        intent: ledger index of the intent.
        outcome: `done` or `abandoned`.
        reason: why it was abandoned, or who finished it.
    """

    move: AliasMove
    intent: int
    outcome: str
    reason: str = ""
