"""`assay explain PATH…`: what each finding of a scan would have run, where it stands, and what to do."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from assay.cli.exits import Exit
from assay.cli.output import fail_on_option, ignore_options, severity
from assay.cli.scan import code_of, scanned
from assay.cli.subjects import download_option
from assay.cli.terminal import takes_color, width
from assay.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assay.core.finding import Finding
    from assay.core.report import Report

LEAST = 6  # characters of a fingerprint


@click.command("explain")
@click.argument("paths", nargs=-1, required=True, type=click.Path())
@click.option("--finding", default="", metavar="FINGERPRINT", help="Only this finding; its first 6 or more.")
@fail_on_option
@ignore_options
@download_option
@click.option("--no-progress", is_flag=True, help="Do not show progress.")
def command(
    paths: tuple[str, ...],
    finding: str,
    max_download: int,
    fail_on: str | None,
    ignore_file: str | None,
    known: str | None,
    no_progress: bool,  # noqa: FBT001  click hands flags over so
) -> int:
    """Scan model files and folders, and explain each finding. Nothing is loaded or executed.

    Of each finding: the call that would run with its arguments, the bytes that lead to it, which loader would
    run it, what would have happened, and what to do. Exit codes are those of `assay scan`; the same facts
    stand in its JSON, SARIF and HTML reports.

    \b
    Examples:
      assay explain model.pt
      assay explain checkpoints/ --finding 3f2a9c1b44d0
    """  # noqa: D301  click keeps lines after the backspace
    if finding and len(finding) < LEAST:
        raise UsageError(f"--finding {finding}: too short", remedy=f"Give {LEAST} characters or more.")
    reports, unread = scanned(paths, ignore_file, known, max_download=max_download, no_progress=no_progress)
    if not reports:
        return Exit.ERROR
    _show(reports, finding)
    return code_of(reports, unread, severity(fail_on))


def _show(reports: Sequence[Report], finding: str) -> None:
    from assay.reports import explained  # noqa: PLC0415  start-up

    chosen = _chosen(reports, finding)
    click.echo(explained.render(chosen, width=width(), color=takes_color(sys.stdout)), nl=False)
    click.echo(explained.closing(len(chosen), reports))


def _chosen(reports: Sequence[Report], wanted: str) -> list[tuple[Report, Finding]]:
    """The findings to show, the worst last, next to the prompt."""
    from assay.reports.stages import sorted_findings, worst_last  # noqa: PLC0415  start-up

    found = [(report, finding) for report in worst_last(reports) for finding in sorted_findings(report)[::-1]]
    chosen = [pair for pair in found if pair[1].fingerprint.startswith(wanted.lower())]
    if wanted and not chosen:
        raise UsageError(
            f"--finding {wanted}: there is no such finding", remedy="`assay scan -f json` lists fingerprints."
        )
    return chosen
