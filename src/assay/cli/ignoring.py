"""Which findings the user told us not to count."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from assay.cli.saying import say_error
from assay.core.errors import UsageError
from assay.core.ignoring import FILE_NAME

if TYPE_CHECKING:
    from assay.core.ignoring import IgnoreEntry
    from assay.core.subject import Subject


def ignore_entries(
    ignore_file: str | None, known: str | None, subjects: Sequence[Subject]
) -> tuple[IgnoreEntry, ...]:
    """The entries of the ignore file and of the known report.

    Args:
        ignore_file: as named by the user; None looks for `assay-ignore.yaml` here and above.
        known: an earlier JSON report, or None.
        subjects: what is examined; a file found inside of it, or beside it where that is no checkout, is not
            applied, because whoever made the files could hide anything with it.

    Raises:
        ConfigError: a file cannot be read, or is wrong.
    """
    file = Path(ignore_file) if ignore_file else _nearest(Path())
    if file is None and not known:
        return ()
    from assay.pipeline import ignoring  # noqa: PLC0415  start-up: only where there is a file

    entries: tuple[IgnoreEntry, ...] = ()
    found = file if not ignore_file else None
    inside = ignoring.lies_inside(found, subjects) if found else ""
    beside = ignoring.lies_beside(found, subjects) if found else ""
    if inside or beside:
        where = f"inside {inside}" if inside else f"beside {beside}, in a folder that is no git checkout"
        cause = f"lies {where}, which is what is examined, and was not applied"
        remedy = "Name it with --ignore-file if it is yours."
        say_error(UsageError(cause, subject=str(file), remedy=remedy))
    elif file is not None:
        entries = ignoring.load_ignore_file(file)
    if known:
        entries += ignoring.known_findings(Path(known))
    return entries


def _nearest(start: Path) -> Path | None:
    """The ignore file in `start` or a folder above it."""
    for folder in (start.absolute(), *start.absolute().parents):
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
    return None
