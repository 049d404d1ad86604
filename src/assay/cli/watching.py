"""How a run looks while it goes: a line per check on stderr, with progress on a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click

from assay.cli.output import TerminalProgress
from assay.cli.saying import say
from assay.cli.terminal import styled, takes_escapes
from assay.core.check import Check, Progress, SilentProgress
from assay.core.release import Candidate
from assay.core.report import Report, Status
from assay.pipeline.execution import SilentWatcher, Watcher
from assay.pipeline.plan import Plan
from assay.reports.plain import visible
from assay.reports.stages import counted

GIST = 46  # characters of a line that say what was found
MARKS = {
    Status.PASS: ("✔", "green"),
    Status.FAIL: ("✘", "red"),
    Status.INCOMPLETE: ("◐", "yellow"),
    Status.ERROR: ("!", "red"),
}


class LineWatcher:
    """A line per finished check on stderr."""

    def __init__(self, *, live: bool) -> None:
        self._live = live
        self._bar: TerminalProgress | None = None
        self._since = time.monotonic()

    def fetching(self, name: str) -> Progress:
        """Begin a progress line for a source."""
        self.stop()
        click.echo(f"fetching {visible(name)}", err=True)
        return self._begun("fetching")

    def planned(self, plan: Plan, candidate: Candidate) -> None:
        """Say what is about to be looked at."""
        self.stop()
        say(
            f"candidate {candidate.digest[:12]}: {counted(len(plan.checks), 'checks')} on "
            + ", ".join(f"{role} {part.sha256[:12]}" for role, part in candidate.subjects.items()),
            err=True,
        )

    def started(self, check: Check) -> Progress:
        """Begin a progress line."""
        self._since = time.monotonic()
        return self._begun(check.info.name)

    def _begun(self, label: str) -> Progress:
        if not self._live:
            return SilentProgress()
        self._bar = TerminalProgress(label)
        self._bar.start()
        return self._bar

    def finished(self, report: Report, index: int) -> None:
        """Replace the progress line by the outcome."""
        self.stop()
        mark, colour = MARKS[report.status]
        seconds = time.monotonic() - self._since
        line = f" {visible(report.check):<22} {report.status.value:<11} {visible(_gist(report)):<{GIST}}"
        line += f" {seconds:5.1f} s  #{index}"
        click.echo(styled(mark, err=True, fg=colour) + line, err=True)

    def stop(self) -> None:
        """Leave the terminal as it was."""
        if self._bar:
            self._bar.stop()
            self._bar = None


@contextmanager
def watcher(*, disabled: bool = False) -> Iterator[Watcher]:
    """Who watches a run: nobody, lines, or lines and progress where stderr is a terminal."""
    if disabled:
        yield SilentWatcher()
        return
    shown = LineWatcher(live=takes_escapes(sys.stderr))
    try:
        yield shown
    finally:
        shown.stop()


def _gist(report: Report) -> str:
    if report.findings:
        worst = report.findings[0]
        return _short(f"{counted(len(report.findings), 'findings')}, worst {worst.severity.value}")
    if report.message:
        return _short(report.message.splitlines()[0])
    return f"{counted(report.coverage.examined, report.coverage.unit)} examined"


def _short(text: str) -> str:
    return text if len(text) <= GIST else text[: GIST - 1] + "…"
