"""Run one check. Whatever happens in it, a report comes out."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import assay
from assay.core.canonical import JSON, canonical_digest
from assay.core.check import Check, Context, Progress, SilentProgress
from assay.core.errors import AssayError
from assay.core.evidence import Evidence, Execution
from assay.core.finding import Finding
from assay.core.ignoring import IgnoreEntry, ignore_findings
from assay.core.report import Coverage, Report, Status, incomplete
from assay.core.subject import Subject


def _now() -> datetime:
    return datetime.now(UTC)


@dataclasses.dataclass(frozen=True, slots=True)
class Task:
    """One check to run: on what, compared with what, how, and which of its findings do not count."""

    check: Check
    subject: Subject
    baseline: Subject | None = None
    options: Mapping[str, JSON] = dataclasses.field(default_factory=dict)
    ignores: tuple[IgnoreEntry, ...] = ()


def run_task(
    task: Task,
    *,
    reports: Mapping[str, Report] | None = None,
    candidate: str = "",
    progress: Progress | None = None,
    cancelled: Callable[[], bool] = lambda: False,
    clock: Callable[[], datetime] = _now,
) -> Evidence:
    """Run a check and say what came of it and how; an exception is a report with status `error`."""
    started = clock()
    with tempfile.TemporaryDirectory(prefix="assay-") as workspace:
        context = Context(
            workspace=Path(workspace),
            options=task.options,
            baseline=task.baseline,
            reports=reports or {},
            progress=progress or SilentProgress(),
            cancelled=cancelled,
            clock=clock,
        )
        report = ignore_findings(_guarded(task, context), task.ignores, started.date())
    execution = Execution(
        version=assay.__version__,
        check_version=task.check.info.version,
        options_digest=canonical_digest(dict(task.options)),
        started_at=started,
        finished_at=clock(),
        candidate=candidate,
        options=task.options,
    )
    return Evidence(report, execution, report.engines)


def unrun(
    task: Task, reason: str, remedy: str, *, candidate: str = "", clock: Callable[[], datetime] = _now
) -> Evidence:
    """Evidence that a check was not run, why, and what to do."""
    now = clock()
    execution = Execution(
        assay.__version__,
        task.check.info.version,
        canonical_digest(dict(task.options)),
        now,
        now,
        candidate,
        task.options,
    )
    return Evidence(incomplete(task.check.info.name, task.subject, reason, remedy), execution)


def _well_formed(report: object) -> bool:
    return (
        isinstance(report, Report)
        and isinstance(report.status, Status)
        and isinstance(report.coverage, Coverage)
        and isinstance(report.subject, Subject)
        and all(isinstance(finding, Finding) for finding in report.findings)
    )


def failed(task: Task, evidence: Evidence, reason: str) -> Evidence:
    """The same run, with an `error` report in place of what the check said."""
    return Evidence(_error(task, reason), evidence.execution)


def _guarded(task: Task, context: Context) -> Report:
    info = task.check.info
    if task.subject.kind not in info.kinds:
        kinds = ", ".join(kind.value for kind in info.kinds)
        return _error(task, f"{info.name} takes {kinds}, not {task.subject.kind.value}")
    try:
        report = task.check.run(task.subject, context)
    except AssayError as error:
        return _error(task, one_line(error))
    except MemoryError:
        return _error(task, "ran out of memory")
    except (Exception, SystemExit) as error:  # noqa: BLE001  a third party's bug must not end the run unseen
        return _error(task, f"crashed: {type(error).__name__}: {error}")
    if not _well_formed(report):
        return _error(task, "returned something that is not a report")
    if report.check != info.name or report.subject.sha256 != task.subject.sha256:
        return _error(task, "reported on another check or subject than it was given")
    return report


def one_line(error: AssayError) -> str:
    """Cause and next step in one line, as a report's message."""
    return f"{error}; {error.remedy}" if error.remedy else str(error)


def _error(task: Task, message: str) -> Report:
    return Report(
        task.check.info.name, task.subject, Status.ERROR, baseline=task.baseline, message=message[:2000]
    )
