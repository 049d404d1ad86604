"""Files of the folder that is examined, by the name that another file of it knows them under."""

from __future__ import annotations

from pathlib import Path


def file_of(name: str, folder: Path | None) -> Path | None:
    """The file of that name; None where it lies in an archive or outside, or is not there.

    `folder` is None where a single file is examined, which has none beside it.
    """
    if "!/" in name or folder is None or "\0" in name:
        return None
    path = folder / name
    try:
        inside = path.resolve().is_relative_to(folder.resolve())
        return path if inside and path.is_file() else None
    except OSError:
        return None
