"""Lines on a terminal. They quote names and messages that others wrote, and no terminal may act on those."""

from __future__ import annotations

import sys
from io import StringIO, TextIOWrapper
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from assay.core.errors import AssayError

MAX_SUBJECT = 400  # characters: a path may have thousands, and the cause stands behind it


def say(line: str, *, err: bool = False) -> None:
    """Print one line, on stdout or stderr, with whatever would not show as itself written out."""
    from assay.reports.plain import visible  # noqa: PLC0415  start-up

    click.echo(visible(line), err=err)


def say_error(error: AssayError, prefix: str = "assay: ") -> None:
    """Print on stderr what happened, to which input, and what to do next."""
    from assay.reports.plain import visible  # noqa: PLC0415  start-up

    subject = f"{visible(error.subject, limit=MAX_SUBJECT)}: " if error.subject else ""
    _say_lines(f"{prefix}{subject}{error.cause}")
    if error.remedy:
        _say_lines(f"  → {error.remedy}")


def say_usage(error: click.ClickException) -> None:
    """Print on stderr what click found wrong with the command line, which quotes words of it."""
    from assay.reports.plain import visible  # noqa: PLC0415  start-up

    said = StringIO()
    error.show(said)
    click.echo(visible(said.getvalue(), keep="\n"), err=True, nl=False)


def _say_lines(text: str) -> None:
    """Print a text on stderr; the lines that it quotes stand further in than any of ours."""
    first, *more = text.split("\n")
    say(first, err=True)
    for line in more:
        say(f"    {line}", err=True)


def speak_any_encoding() -> None:
    """Let stdout and stderr write out what their encoding lacks, rather than end the program."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
