"""What is said on stderr when something went wrong."""

from __future__ import annotations

import click


def complain(what: str) -> None:
    """Say what went wrong; names of hostile files are shown, never obeyed by the terminal."""
    from assay.reports.plain import visible  # noqa: PLC0415  start-up

    click.echo(visible(f"assay: {what}", keep="\n"), err=True)
