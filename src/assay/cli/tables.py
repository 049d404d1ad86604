"""Small tables on stdout, safe for hostile text."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

import click
from rich.table import Table
from rich.text import Text

from assay.cli.terminal import takes_color, width
from assay.reports.plain import visible
from assay.reports.table import printed

WIDE = 140

COLOURS = {
    "pass": "green", "met": "green", "done": "green",
    "fail": "red", "error": "red", "unsigned": "red",
    "incomplete": "yellow", "hold": "yellow", "stale": "yellow",
}  # fmt: skip


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, coloured: int | None = None
) -> None:
    """Print rows under headings.

    Args:
        columns: the headings.
        rows: text only; control characters are shown, not obeyed.
        coloured: the column whose first word picks a colour.
    """
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        cells = [Text(visible(cell)) for cell in row]
        if coloured is not None:
            first = row[coloured].split(",")[0].split(" ")[0]
            cells[coloured].stylize(COLOURS.get(first, ""))
        table.add_row(*cells)
    # A pipe has no width; a table squeezed into 80 columns is read by nobody.
    click.echo(printed([table], width=width() or WIDE, color=takes_color(sys.stdout)), nl=False)
