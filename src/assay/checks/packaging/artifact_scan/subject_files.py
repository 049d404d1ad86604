"""Files of a subject, by the name that another file of it knows them under."""

from __future__ import annotations

from pathlib import Path

from assay.core.subject import Subject


def file_of(name: str, subject: Subject) -> Path | None:
    """The file of that name; None where it lies in an archive or outside, or is not there."""
    if "!/" in name or not subject.is_folder() or "\0" in name:
        return None
    path = subject.path / name
    try:
        inside = path.resolve().is_relative_to(subject.path.resolve())
        return path if inside and path.is_file() else None
    except OSError:
        return None
