"""`assay run`: all of a release, once. Checks, evidence, verdict, promotion."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time
from typing import Any

from assay.core.check import Progress, SilentProgress
from assay.core.errors import GateError, UsageError
from assay.core.release import AliasMove, Candidate, Decision, MoveOutcome, NotApplicable
from assay.core.report import Report
from assay.core.subject import Subject
from assay.ledger import TreeHead
from assay.pipeline.candidate import changed, opened_parts
from assay.pipeline.decision import Decided, evidence_of, input_document, judge, registry_state
from assay.pipeline.execution import ReleaseRun, SilentWatcher, Watcher
from assay.pipeline.history import newest_rollback_from
from assay.pipeline.ignoring import project_ignores
from assay.pipeline.journal import Journal
from assay.pipeline.plan import plan_release
from assay.pipeline.project import LoadedProject
from assay.pipeline.promotion import promote, recover
from assay.registries import Registry, open_registry
from assay.sources.workspace import Bounds


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Released:
    """What came of a run.

    Attributes:
        candidate: what was judged.
        reports: by check, in the order they ran.
        entries: ledger index of each check's evidence.
        decided: the verdict before and after approvals.
        verdict_entry: ledger index of the final verdict.
        move: the promotion, or None.
        recovered: moves of an earlier, interrupted run that were finished or abandoned first.
        ledger: the ledger's head after all of it.
    """

    candidate: Candidate
    reports: Mapping[str, Report]
    entries: Mapping[str, int]
    decided: Decided
    verdict_entry: int
    move: AliasMove | None
    ledger: TreeHead
    recovered: tuple[MoveOutcome, ...] = field(default=())


def open_project_registry(project: LoadedProject) -> Registry:
    """The registry that `assay.yaml` names; a folder registry defaults to `.assay/registry`."""
    section = project.config.registry
    uri = section.uri or (".assay/registry" if section.kind == "folder" else "")
    return open_registry(section.kind, uri if "://" in uri else str(project.resolve(uri)) if uri else "")


def run_release(
    project: LoadedProject,
    *,
    model_path: str | None = None,
    promote_it: bool = True,
    bounds: Bounds | None = None,
    watcher: Watcher | None = None,
    cancelled: Callable[[], bool] = lambda: False,
    clock: Callable[[], datetime] = _now,
) -> Released:
    """Check the candidate, sign and log what was found, let the policy decide, promote on `pass`.

    Args:
        project: the project.
        model_path: release this model instead of `model.path`.
        promote_it: whether to move the alias when the verdict is `pass`.
        bounds: how much each source that `assay.yaml` names may bring.
        watcher: who is told how it goes.
        cancelled: asked between checks.
        clock: the time.

    Raises:
        AssayError: a part cannot be opened, the ledger cannot be written, the registry refuses.
    """
    watcher = watcher or SilentWatcher()
    registry = open_project_registry(project)
    with ExitStack() as stack:
        journal = Journal.of_project(project)
        stack.callback(journal.close)
        recovered = _recovered(project, journal, registry)
        parts = stack.enter_context(
            opened_parts(project, model_path=model_path, bounds=bounds, fetching=watcher.fetching)
        )
        before = parts.stamps()
        candidate = parts.candidate()
        plan = plan_release(project, candidate)
        ignores = project_ignores(project, list(candidate.subjects.values()))
        # Now, and not once every check has run: what the decision needs of the ledger has to be readable.
        registry_state(registry, journal, candidate.model, project.config.registry.alias)
        watcher.planned(plan, candidate)
        _declare(project, journal, candidate)
        baseline = _approved_model(project, registry)

        def tampered() -> str:
            return changed(before, parts.stamps())

        run = ReleaseRun(
            project,
            journal,
            candidate,
            plan,
            baseline,
            watcher,
            tampered,
            cancelled,
            clock,
            ignores,
            parts.settle,
        )
        run.all_checks()
        release = _Release(project, journal, registry, candidate, run.reports, run.entries, recovered, clock)
        return replace(release.conclude(promote_it=promote_it), candidate=parts.settled(candidate))


def conclude_release(
    project: LoadedProject,
    *,
    model_path: str | None = None,
    promote_it: bool = True,
    bounds: Bounds | None = None,
    fetching: Callable[[str], Progress] = lambda _: SilentProgress(),
    clock: Callable[[], datetime] = _now,
) -> Released:
    """Decide again on evidence that is already logged, and promote on `pass` (`assay promote`).

    The candidate's files are needed for it: they are what the evidence has to be of, and what is copied into
    the registry. Those of a source are fetched again.

    Args:
        project: the project.
        model_path: release this model instead of `model.path`.
        promote_it: whether to move the alias when the verdict is `pass`.
        bounds: how much each source that `assay.yaml` names may bring.
        fetching: told of each such source before it is fetched.
        clock: the time.

    Raises:
        AssayError: as `run_release`.
    """
    registry = open_project_registry(project)
    with ExitStack() as stack:
        opened = opened_parts(project, model_path=model_path, bounds=bounds, fetching=fetching)
        parts = stack.enter_context(opened)
        candidate = parts.candidate()
        journal = Journal.of_project(project)
        stack.callback(journal.close)
        recovered = _recovered(project, journal, registry)
        logged = journal.evidence(candidate.digest)
        finished = _finished(journal, candidate, recovered)
        if finished is not None:
            return replace(finished, candidate=parts.settled(candidate))
        _require_fresh(project, journal, registry, candidate)
        reports = {name: item.value.report for name, item in logged.items()}
        entries = {name: item.index for name, item in logged.items()}
        release = _Release(project, journal, registry, candidate, reports, entries, recovered, clock)
        return replace(release.conclude(promote_it=promote_it), candidate=parts.settled(candidate))


def gate_input(project: LoadedProject) -> dict[str, Any]:
    """The document that policies would see for the candidate as it stands on disk and in the ledger."""
    registry = open_project_registry(project)
    config = project.config
    with ExitStack() as stack:
        candidate = stack.enter_context(opened_parts(project)).candidate()
        journal = Journal.of_project(project)
        stack.callback(journal.close)
        state = registry_state(registry, journal, config.model.name, config.registry.alias)
        now = _now()
        evidence = evidence_of(project, journal, candidate, now.date())
        return input_document(project, journal, candidate, evidence, state, now)


def _declare(project: LoadedProject, journal: Journal, candidate: Candidate) -> None:
    for name, section in sorted(project.config.not_applicable.items()):
        expires = datetime.combine(section.expires, time.max, tzinfo=UTC) if section.expires else None
        journal.record_declaration(NotApplicable(name, section.reason, expires), candidate)


def _approved_model(project: LoadedProject, registry: Registry) -> Subject | None:
    name = project.config.model.name
    champion = registry.get_alias(name, project.config.registry.alias)
    if champion is None:
        return None
    subject = Subject.from_path(registry.resolve(name, champion.version))
    shown = f"{name}@{project.config.registry.alias} (version {champion.version})"
    return Subject(subject.kind, shown, subject.digests, subject.location)


def _recovered(project: LoadedProject, journal: Journal, registry: Registry) -> tuple[MoveOutcome, ...]:
    """What an earlier, interrupted run had begun, brought to an end."""
    config = project.config
    return tuple(recover(journal, registry, config.model.name, config.registry.alias))


def _finished(journal: Journal, candidate: Candidate, recovered: tuple[MoveOutcome, ...]) -> Released | None:
    """The release of an interrupted run, where `recovered` has just brought it to its end."""
    done = next(
        (
            outcome.move
            for outcome in recovered
            if outcome.outcome == "done" and outcome.move.candidate == candidate.digest
        ),
        None,
    )
    if done is None:
        return None
    verdict = next(
        item
        for item in journal.verdicts(candidate.digest)
        if not item.problem and item.value.digest == done.verdict
    )
    logged = journal.evidence(candidate.digest)
    return Released(
        candidate=candidate,
        reports={name: item.value.report for name, item in logged.items()},
        entries={name: item.index for name, item in logged.items()},
        decided=Decided(verdict.value, verdict.value),
        verdict_entry=verdict.index,
        move=done,
        ledger=journal.ledger.head(),
        recovered=recovered,
    )


def _require_fresh(
    project: LoadedProject, journal: Journal, registry: Registry, candidate: Candidate
) -> None:
    """Refuse to decide again on old evidence where that would repeat or undo a release.

    Raises:
        UsageError: the candidate is live already.
        GateError: it was rolled back from after its checks ran.
    """
    alias = project.config.registry.alias
    where = f"{candidate.model}@{alias}"
    current = registry.get_alias(candidate.model, alias)
    if current and current.candidate == candidate.digest:
        raise UsageError(
            f"version {current.version} is live already", subject=where, remedy="Nothing is left to do."
        )
    left = newest_rollback_from(journal, candidate.digest, alias)
    checked = [item.value.execution.finished_at for item in journal.evidence(candidate.digest).values()]
    if left and (not checked or left.moved_at > min(checked)):
        raise GateError(
            f"it was rolled back from after its checks ran, at {left.moved_at:%Y-%m-%d %H:%M}: {left.reason}",
            subject=where,
            remedy="Run `assay run` on it to check it again.",
        )


@dataclass(frozen=True, slots=True)
class _Release:
    """A candidate whose evidence is logged, on its way to a verdict."""

    project: LoadedProject
    journal: Journal
    registry: Registry
    candidate: Candidate
    reports: Mapping[str, Report]
    entries: Mapping[str, int]
    recovered: tuple[MoveOutcome, ...]
    clock: Callable[[], datetime]

    def conclude(self, *, promote_it: bool) -> Released:
        """Decide, log the verdict, and move the alias on `pass`."""
        alias = self.project.config.registry.alias
        state = registry_state(self.registry, self.journal, self.candidate.model, alias)
        decided = judge(self.project, self.journal, self.candidate, state, clock=self.clock)
        index = self.journal.record_verdict(decided.final, self.candidate)
        move = None
        if promote_it and decided.final.decision is Decision.PASS:
            move = promote(
                self.journal,
                self.registry,
                self.candidate,
                decided.final,
                alias=alias,
                judged_against=state.champion.version if state.champion else None,
                clock=self.clock,
            )
        return Released(
            candidate=self.candidate,
            reports=dict(self.reports),
            entries=dict(self.entries),
            decided=decided,
            verdict_entry=index,
            move=move,
            ledger=self.journal.ledger.head(),
            recovered=self.recovered,
        )
