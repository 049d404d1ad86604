"""`assay controls`: the LLMSecOps checklist."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.core.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from assay.pipeline.checklist import ControlState


@click.command("controls")
@click.option("--project", default=".", help="A folder with assay.yaml, or below one.")
@click.option("-f", "--format", "format_", type=click.Choice(["table", "json"]), default="table")
def command(project: str, format_: str) -> int:
    """Print the seven checklist lines, the checks that fulfil each, and how each last ended."""
    states = _states(project)
    if format_ == "json":
        from assay.core.codec import to_json  # noqa: PLC0415

        click.echo(json.dumps([{**to_json(s), "state": s.state} for s in states], indent=2))
        return 0
    from assay.cli.tables import print_table  # noqa: PLC0415

    rows = []
    for state in states:
        title = state.control.title
        for check in state.checks:
            when = f"{check.at:%Y-%m-%d %H:%M}" if check.at else ""
            entry = f"#{check.entry}" if check.entry is not None else ""
            rows.append((title, check.check, check.state, when, entry))
            title = ""
    print_table(("control", "check", "state", "last run (UTC)", "evidence"), rows, coloured=2)
    return 0


def _states(project: str) -> list[ControlState]:
    from assay.pipeline.checklist import control_states  # noqa: PLC0415
    from assay.pipeline.journal import Journal, ledger_uri  # noqa: PLC0415
    from assay.pipeline.project import load_project  # noqa: PLC0415

    now = datetime.now(UTC)
    if not Path(project).exists():
        raise UsageError("there is no such folder", subject=project, remedy="Correct --project.")
    try:
        loaded = load_project(Path(project))
    except ConfigError as error:
        if not str(error.cause).startswith("no assay.yaml"):
            raise
        return control_states(None, now, timedelta(days=30))
    age = timedelta(days=loaded.config.policy.max_age_days)
    uri = ledger_uri(loaded)
    if isinstance(uri, Path) and not uri.exists():
        return control_states(None, now, age)
    journal = Journal.of_project(loaded)
    try:
        return control_states(journal, now, age)
    finally:
        journal.close()
