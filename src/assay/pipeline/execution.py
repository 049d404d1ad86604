"""Run the planned checks on a candidate, logging each report as soon as it stands."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from assay.core.check import Check, Progress, Role, SilentProgress
from assay.core.errors import AssayError
from assay.core.evidence import Evidence
from assay.core.ignoring import IgnoreEntry
from assay.core.release import Candidate
from assay.core.report import Report, Status
from assay.core.subject import Subject
from assay.pipeline.candidate import approved_vectors
from assay.pipeline.journal import Journal
from assay.pipeline.plan import GUARDIAN, Plan, check_options
from assay.pipeline.project import LoadedProject
from assay.pipeline.runner import Task, failed, run_task, unrun
from assay.pipeline.serving import endpoints


class Watcher(Protocol):
    """Who is told how a release goes, step by step."""

    def fetching(self, name: str) -> Progress:
        """A source is fetched, before anything is planned; returns where it tells how far it is."""

    def planned(self, plan: Plan, candidate: Candidate) -> None:
        """The checks that will run."""

    def started(self, check: Check) -> Progress:
        """A check starts; returns where it tells how far it is."""

    def finished(self, report: Report, index: int) -> None:
        """A check's report stands in the ledger at `index`."""


class SilentWatcher:
    """Nobody watches."""

    def fetching(self, name: str) -> Progress:  # noqa: ARG002
        """Progress that nobody sees."""
        return SilentProgress()

    def planned(self, plan: Plan, candidate: Candidate) -> None:
        """Say nothing."""

    def started(self, check: Check) -> Progress:  # noqa: ARG002
        """Progress that nobody sees."""
        return SilentProgress()

    def finished(self, report: Report, index: int) -> None:
        """Say nothing."""


@dataclass(slots=True)
class ReleaseRun:
    """The checks of one run, and what came of those that are done.

    Attributes:
        project, journal, candidate, plan: what runs on what, and where it is logged.
        baseline: the approved model, or None on a first release.
        watcher: who is told how it goes.
        tampered: asked after each check: why what it saw may not be what was hashed, or "".
        cancelled: asked between units of work.
        clock: the time.
        ignores: the project's ignore file.
        settle: puts the names of sources in place of where they lie for now.
        reports: by check, in the order they ended.
        entries: ledger index of each check's evidence.
    """

    project: LoadedProject
    journal: Journal
    candidate: Candidate
    plan: Plan
    baseline: Subject | None
    watcher: Watcher
    tampered: Callable[[], str]
    cancelled: Callable[[], bool]
    clock: Callable[[], datetime]
    ignores: tuple[IgnoreEntry, ...] = ()
    settle: Callable[[Report], Report] = lambda report: report
    reports: dict[str, Report] = field(default_factory=dict)
    entries: dict[str, int] = field(default_factory=dict)

    def all_checks(self) -> None:
        """Run every planned check; those that need an endpoint come last, together."""
        talking = [check for check in self.plan.checks if check.info.role is Role.ENDPOINT]
        for check in self.plan.checks:
            if check not in talking:
                self._one(check, self._task(check))
        if talking:
            self._with_endpoints(talking)

    def _with_endpoints(self, checks: list[Check]) -> None:
        model = self.candidate.subjects["model"]
        scanned = self.reports.get(GUARDIAN)
        if scanned is None or scanned.status is not Status.PASS:
            state = scanned.status.value if scanned else "not run"
            reason = f"the model was not served, because {GUARDIAN} is {state} on it"
            self._none(checks, model, reason, f"Look at the report of {GUARDIAN} first.")
            return
        try:
            with (
                tempfile.TemporaryDirectory(prefix="assay-serve-") as logs,
                endpoints(self.project, model, self.baseline, Path(logs)) as (served, approved),
            ):
                for check in checks:
                    options = check_options(self.project, check)
                    self._one(check, Task(check, served, approved, options, self.ignores))
        except AssayError as error:
            left = [check for check in checks if check.info.name not in self.reports]
            if not left:
                raise
            self._none(left, model, str(error), error.remedy or "Correct it, then run it again.")

    def _none(self, checks: list[Check], model: Subject, reason: str, remedy: str) -> None:
        section = self.project.config.endpoint
        name = (section.model if section else "") or self.project.config.model.name
        subject = Subject.from_endpoint("", name, serves=model)
        for check in checks:
            task = Task(check, subject, None, check_options(self.project, check))
            self.watcher.started(check)
            self._log(unrun(task, reason, remedy, candidate=self.candidate.digest, clock=self.clock))

    def _task(self, check: Check) -> Task:
        subject = self.candidate.subjects[check.info.role.value]
        options = check_options(self.project, check)
        return Task(check, subject, self._baseline(check), options, self.ignores)

    def _baseline(self, check: Check) -> Subject | None:
        """The approved model, or the store that `assay.yaml` names as approved, for checks that compare."""
        if not check.info.baseline:
            return None
        if check.info.role is Role.VECTORS:
            return approved_vectors(self.project)
        return self.baseline if check.info.role is Role.MODEL else None

    def _one(self, check: Check, task: Task) -> None:
        progress = self.watcher.started(check)
        evidence = run_task(
            task,
            reports=self.reports,
            candidate=self.candidate.digest,
            progress=progress,
            cancelled=self.cancelled,
            clock=self.clock,
        )
        reason = self.tampered()
        self._log(failed(task, evidence, reason) if reason else evidence)

    def _log(self, evidence: Evidence) -> None:
        report = self.settle(evidence.report)
        index = self.journal.record_evidence(replace(evidence, report=report))
        self.reports[report.check] = report
        self.entries[report.check] = index
        self.watcher.finished(report, index)
