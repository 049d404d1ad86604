"""Approve a release that is on hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from assay.core.errors import UsageError
from assay.core.release import Approval
from assay.gate import make_approval
from assay.ledger import SigningKey
from assay.pipeline.candidate import resolve_candidate
from assay.pipeline.decision import Decided, judge, registry_state
from assay.pipeline.journal import Journal
from assay.pipeline.project import LoadedProject
from assay.pipeline.release import open_project_registry


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Approved:
    """An approval in the ledger, and the verdict now that it counts."""

    approval: Approval
    index: int
    decided: Decided


def approve_release(
    project: LoadedProject,
    *,
    reason: str,
    approver: str,
    model_path: str | None = None,
    days: int = 7,
    key: Path | None = None,
    clock: Callable[[], datetime] = _now,
) -> Approved:
    """Sign an approval of the verdict as it stands now.

    Args:
        project: the project.
        reason: why it may ship.
        approver: who says so.
        model_path: the model on hold, if not `model.path`.
        days: until the approval expires.
        key: the approver's own private key; its public half must be under `signing.trusted`.
        clock: the time.

    Raises:
        UsageError: the verdict is not `hold` (a `fail` cannot be approved away), the reason is too short,
            or the days are not positive.
        SigningKeyError: `key` cannot be read.
    """
    if days <= 0:
        raise UsageError("an approval must hold for at least a day", remedy="Give --days.")
    candidate = resolve_candidate(project, model_path=model_path)
    config = project.config
    registry = open_project_registry(project)
    journal = Journal.of_project(project)
    try:
        state = registry_state(registry, journal, config.model.name, config.registry.alias)
        decided = judge(project, journal, candidate, state, clock=clock)
        now = clock()
        approval = make_approval(decided.held, approver, reason, now, now + timedelta(days=days))
        own = SigningKey.load(key) if key else None
        index = journal.record_approval(approval, candidate, own)
        return Approved(approval, index, judge(project, journal, candidate, state, clock=clock))
    finally:
        journal.close()
