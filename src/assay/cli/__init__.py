"""The command line: one file per command; parses, calls, prints; the only place that exits."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    from assay.cli.app import run  # noqa: PLC0415  importing the package must stay free of click

    sys.exit(run(sys.argv[1:]))
