"""Exit codes, the same for every command (docs/cli.md)."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assay.core.finding import Severity
    from assay.core.release import Verdict
    from assay.core.report import Report


class Exit(IntEnum):
    """What the exit code says."""

    CLEAN = 0
    FINDINGS = 1
    ERROR = 2
    HOLD = 3
    INCOMPLETE = 4


def exit_for_reports(reports: Iterable[Report], fail_on: Severity | None = None) -> Exit:
    """Findings outrank errors, errors outrank what was not examined.

    Args:
        reports: what the checks said.
        fail_on: the lowest severity that counts; None leaves it to each report's own status.
    """
    from assay.core.report import Status  # noqa: PLC0415

    code = Exit.CLEAN
    for report in reports:
        worst = report.worst()
        failed = (
            report.status is Status.FAIL if fail_on is None else worst is not None and worst.at_least(fail_on)
        )
        if failed:
            return Exit.FINDINGS
        if report.status is Status.ERROR:
            code = Exit.ERROR
        elif code is Exit.CLEAN and (report.status is Status.INCOMPLETE or not report.coverage.complete):
            code = Exit.INCOMPLETE
    return code


def exit_for_verdict(verdict: Verdict) -> Exit:
    """0 for pass, 3 for hold, 1 for fail."""
    return {"pass": Exit.CLEAN, "hold": Exit.HOLD, "fail": Exit.FINDINGS}[verdict.decision.value]
