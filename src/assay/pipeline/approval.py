"""Approve a release that is on hold."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from assay.core.check import Progress, SilentProgress
from assay.core.errors import UsageError
from assay.core.release import Approval
from assay.gate import make_approval
from assay.ledger import SigningKey
from assay.pipeline.candidate import opened_parts
from assay.pipeline.decision import Decided, judge, registry_state
from assay.pipeline.journal import Journal
from assay.pipeline.project import LoadedProject
from assay.pipeline.release import open_project_registry
from assay.sources.workspace import Bounds


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
    bounds: Bounds | None = None,
    fetching: Callable[[str], Progress] = lambda _: SilentProgress(),
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
        bounds: how much each source that `assay.yaml` names may bring.
        fetching: told of each such source before it is fetched.
        clock: the time.

    Raises:
        UsageError: the verdict is not `hold` (a `fail` cannot be approved away), the reason is too short,
            or the days are not positive.
        SigningKeyError: `key` cannot be read.
    """
    if days <= 0:
        raise UsageError("an approval must hold for at least a day", remedy="Give --days.")
    config = project.config
    registry = open_project_registry(project)
    with ExitStack() as stack:
        opened = opened_parts(project, model_path=model_path, bounds=bounds, fetching=fetching)
        candidate = stack.enter_context(opened).candidate()
        journal = Journal.of_project(project)
        stack.callback(journal.close)
        state = registry_state(registry, journal, config.model.name, config.registry.alias)
        decided = judge(project, journal, candidate, state, clock=clock)
        now = clock()
        approval = make_approval(decided.held, approver, reason, now, now + timedelta(days=days))
        own = SigningKey.load(key) if key else None
        index = journal.record_approval(approval, candidate, own)
        return Approved(approval, index, judge(project, journal, candidate, state, clock=clock))
