"""Small tables on stdout, safe for hostile text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from assay.reports.plain import visible

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
    console = Console()
    # A pipe has no width; a table squeezed into 80 columns is read by nobody.
    if not console.is_terminal:
        console = Console(width=140)
    console.print(table)
