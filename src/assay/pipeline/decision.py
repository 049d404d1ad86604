"""Ask the gate about a candidate: evidence from the ledger, approvals, the registry's state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from assay.core.canonical import canonical_digest
from assay.core.check import check_names, load_check
from assay.core.errors import RegistryError
from assay.core.ignoring import still_ignored
from assay.core.release import Candidate, NotApplicable, Verdict
from assay.gate import (
    Champion,
    CheckedEvidence,
    RegistryState,
    RolledBack,
    Settings,
    apply_approvals,
    build_document,
    decide,
    load_packs,
    open_engine,
)
from assay.pipeline.history import newest_rollback_from, release_stack
from assay.pipeline.ignoring import project_ignores
from assay.pipeline.journal import Journal
from assay.pipeline.plan import check_options
from assay.pipeline.project import LoadedProject
from assay.registries import Registry


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Decided:
    """The gate's word.

    Attributes:
        held: the verdict on the evidence alone; its digest is what approvals are bound to.
        final: the verdict once valid approvals are counted.
    """

    held: Verdict
    final: Verdict


def judge(
    project: LoadedProject,
    journal: Journal,
    candidate: Candidate,
    registry: RegistryState,
    *,
    compare_options: bool = True,
    clock: Callable[[], datetime] = _now,
) -> Decided:
    """Decide on what the ledger holds for `candidate` under the policy in force now.

    Raises:
        ConfigError: a policy pack cannot be read. (A policy that fails makes the verdict `fail`.)
    """
    now = clock()
    policy = project.config.policy
    evidence = evidence_of(project, journal, candidate, now.date(), compare_options=compare_options)
    document = input_document(project, journal, candidate, evidence, registry, now)
    packs = load_packs(policy.packs, root=project.root)
    held = decide(document, packs, open_engine(policy.engine, root=project.root))
    authors = {item.signer for item in evidence.values()}
    approvals = journal.approvals(candidate.digest)
    return Decided(held, apply_approvals(held, approvals, now=now, authors=authors))


def input_document(
    project: LoadedProject,
    journal: Journal,
    candidate: Candidate,
    evidence: Mapping[str, CheckedEvidence],
    registry: RegistryState,
    now: datetime,
) -> dict[str, Any]:
    """What the policies see of `candidate`."""
    policy = project.config.policy
    return build_document(
        candidate,
        evidence,
        _declared_today(project, journal, candidate),
        replace(registry, rolled_back=_rolled_back(journal, candidate, registry.alias)),
        Settings(max_age_seconds=policy.max_age_days * 86_400, user=policy.data),
        now,
        {name: load_check(name).info.role.value for name in check_names()},
    )


def evidence_of(
    project: LoadedProject,
    journal: Journal,
    candidate: Candidate,
    today: date,
    *,
    compare_options: bool = True,
) -> dict[str, CheckedEvidence]:
    """The newest evidence of each check that ran for `candidate`, read from the ledger.

    With `compare_options`, each is told whether it ran with the options that `assay.yaml` sets now, and set
    aside only findings that the ignore file sets aside now; a rollback goes to a release that was judged
    with those of its day.
    """
    evidence = {name: item.value for name, item in journal.evidence(candidate.digest).items()}
    if not compare_options:
        return evidence
    ignores = project_ignores(project)
    return {
        name: replace(
            item,
            options_match=_ran_as_set(project, name, item) and still_ignored(item.report, ignores, today),
        )
        for name, item in evidence.items()
    }


def _ran_as_set(project: LoadedProject, check: str, evidence: CheckedEvidence) -> bool:
    options = canonical_digest(check_options(project, load_check(check)))
    return evidence.execution.options_digest == options


def _declared_today(project: LoadedProject, journal: Journal, candidate: Candidate) -> list[NotApplicable]:
    """Signed declarations that `assay.yaml` still makes: one that was taken back waives nothing."""
    declared = journal.declarations(candidate.digest)
    today = project.config.not_applicable
    return [item for item in declared if item.check in today and today[item.check].reason == item.reason]


def registry_state(registry: Registry, journal: Journal, model: str, alias: str) -> RegistryState:
    """What the registry says now."""
    version = registry.get_alias(model, alias)
    standing = version.version if version else None
    released = release_stack(journal, model, alias)
    if released and released[-1].version != standing:
        raise RegistryError(
            f"the alias stands at {standing or 'nothing'}, but the last move in the ledger put it at "
            f"{released[-1].version}",
            subject=f"{model}@{alias}",
            remedy=f"Put it back: `assay rollback --to {released[-1].version} --reason …`.",
        )
    if version is None:
        return RegistryState(alias, None)
    return champion_state(journal, alias, version.version, version.candidate)


def _rolled_back(journal: Journal, candidate: Candidate, alias: str) -> RolledBack | None:
    left = newest_rollback_from(journal, candidate.digest, alias)
    if left is None:
        return None
    return RolledBack(f"{left.moved_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", left.reason[:500])


def champion_state(journal: Journal, alias: str, version: str | None, candidate: str) -> RegistryState:
    """The state in which `version`, a release of the candidate of that digest, holds the alias."""
    if version is None:
        return RegistryState(alias, None)
    subjects: dict[str, str] = {}
    if candidate:
        known = journal.candidate(candidate).subjects
        subjects = {role: subject.sha256 for role, subject in known.items()}
    return RegistryState(alias, Champion(version, candidate, subjects))
