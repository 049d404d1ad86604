"""Which of a store's tables is looked at, and whether its file says all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from assay.core.errors import SubjectError
from assay.subjects.dataset import Tally

_LISTED = 20


def chosen(path: Path, names: Sequence[str], told: str, tally: Tally) -> str:
    """The table that the user named, or the only one; the others are told as notes.

    Raises:
        SubjectError: it is not there, or there are several and none is named.
    """
    listed = ", ".join(names[:_LISTED]) or "none"
    if told and told not in names:
        raise SubjectError(f"holds no table {told!r}", subject=str(path), remedy=f"It holds: {listed}.")
    if not told and len(names) != 1:
        raise SubjectError(
            f"holds {len(names)} tables" if names else "holds no table",
            subject=str(path),
            remedy=f"Name one with the option table: {listed}.",
        )
    name = told or names[0]
    others = [one for one in names if one != name]
    if others:
        tally.note(f"of several tables only {name!r} was looked at; not: {', '.join(others[:_LISTED])}")
    return name


def unsaved(file: Path, tally: Tally) -> None:
    """Count what a SQLite file's log holds: it is not in the file yet, and the file alone is read."""
    for suffix in ("-wal", "-journal"):
        log = file.with_name(file.name + suffix)
        try:
            size = log.stat().st_size
        except OSError:
            continue
        if size:
            tally.skip(
                f"{log.name} ({size:,} bytes)",
                "holds changes that are not in the database's own file yet",
                "Close the program that writes the store, then check it again.",
            )
