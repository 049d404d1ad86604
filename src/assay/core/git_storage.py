"""What of a folder's own `.git` is git's storage: objects and lists of them, which nothing but git opens.

Source: gitrepository-layout(5). Hooks, configuration and references are no part of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

STORED = ("objects", "lfs", "logs", "index", "packed-refs")
_FOLDERS = frozenset(STORED[:3])
# How git begins them; what begins otherwise is something else under that name.
_FILES = {"index": b"DIRC", "packed-refs": b"# pack-refs"}
_NESTED = frozenset({"modules", "worktrees"})  # repositories of their own inside of it, to any depth


def is_stored(name: str) -> bool:
    """Whether a POSIX path, relative to the folder that has the `.git`, leads into git's storage."""
    parts = PurePosixPath(name).parts
    return any(is_store(parts[:count]) for count in range(2, len(parts) + 1)) or _is_listed(parts)


def is_store(parts: Sequence[str]) -> bool:
    """Whether the folder of these path parts is one of git's storage."""
    return len(parts) > 1 and parts[0] == ".git" and parts[-1] in _FOLDERS and _holds(parts)


def is_list(path: Path, parts: Sequence[str]) -> bool:
    """Whether the file at `path`, of these parts, is one of git's lists and begins as such."""
    if not _is_listed(parts):
        return False
    try:
        with path.open("rb") as file:
            return file.read(16).startswith(_FILES[parts[-1]])
    except OSError:
        return False  # examining it says what is wrong


def _is_listed(parts: Sequence[str]) -> bool:
    return len(parts) > 1 and parts[0] == ".git" and parts[-1] in _FILES and _holds(parts)


def _holds(parts: Sequence[str]) -> bool:
    return len(parts) == 2 or parts[1] in _NESTED  # noqa: PLR2004  `.git` and its own entry
