"""Folders in the user's cache that nobody else may read or write.

Whoever can write there could put files under our hands: half a download, a report that says `pass`. The user
is trusted with their own cache; anybody else is not.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from assay.core.errors import UsageError

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def cache_folder(name: str) -> Path:
    """Where Assay keeps `name`: `$XDG_CACHE_HOME/assay/NAME`, else below `~/.cache`."""
    # A relative path is to be taken as unset (XDG Base Directory Specification).
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "assay" / name


def require_private(folder: Path) -> Path:
    """Make `folder` with mode 0700 where it is not there, and require that it is ours alone.

    Raises:
        UsageError: it is somebody else's, a link, or others may enter it; or it cannot be made.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        state = folder.lstat()
    except OSError as error:
        raise UsageError(
            f"cannot be made: {(error.strerror or str(error)).lower()}",
            subject=str(folder),
            remedy="Set XDG_CACHE_HOME to a folder that you may write.",
        ) from error
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.geteuid():
        raise UsageError(
            "is not a folder of yours",
            subject=str(folder),
            remedy="Remove it, or set XDG_CACHE_HOME to a folder of your own.",
        )
    if state.st_mode & OTHERS:
        raise UsageError(
            "others may use it",
            subject=str(folder),
            remedy=f"Look at what is in it, then: chmod 700 {folder}",
        )
    return folder
