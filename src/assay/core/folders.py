"""Walking a folder to any depth that the system opens.

`os.walk` calls itself once a level up to Python 3.11, so that a thousand nested folders end it, and passes
over what it cannot list. Here the only bound is the system's, on the length of a path, and whoever walks
has to say what becomes of a folder that cannot be listed.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar, overload

from assay.core.errors import AssayError, SubjectError

E = TypeVar("E", bound=AssayError)


def walk(top: Path, *, unlisted: Callable[[OSError], object]) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Every folder from `top` down, with the names of the folders and of all other entries in it.

    A folder comes before what is in it. Whoever takes names out of the folders' list, or sorts it, prunes or
    orders what is walked next. Links to folders are not followed: they are among the other entries.

    Args:
        top: where to begin.
        unlisted: called with the error of each folder that cannot be listed.
    """
    pending = [top]
    while pending:
        here = pending.pop()
        try:
            with os.scandir(here) as entries:
                listed = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        except OSError as error:
            error.filename = str(here)
            unlisted(error)
            continue
        folders = [name for name, is_one in listed if is_one]
        yield here, folders, [name for name, is_one in listed if not is_one]
        pending += [here / name for name in reversed(folders)]


def is_folder(path: Path | str) -> bool:
    """Whether a folder is there; no where the system refuses to say, for which `Path.is_dir` raises."""
    return os.path.isdir(path)  # noqa: PTH112


def is_file(path: Path | str) -> bool:
    """Whether a regular file is there; no where the system refuses to say."""
    return os.path.isfile(path)  # noqa: PTH113


@overload
def unreadable(path: Path, error: OSError, *, done: str = "read") -> SubjectError: ...
@overload
def unreadable(path: Path, error: OSError, *, done: str = "read", kind: type[E]) -> E: ...
def unreadable(
    path: Path, error: OSError, *, done: str = "read", kind: type[AssayError] = SubjectError
) -> AssayError:
    """The error, of a `kind`, for a file or folder that the system does not let us read or list (`done`)."""
    if error.errno == errno.ENXIO:  # how the system answers whoever opens a socket
        odd = irregular(path, stat.S_IFSOCK)
        return kind(odd.cause, subject=odd.subject, remedy=odd.remedy)
    reason = (error.strerror or type(error).__name__).lower()
    return kind(f"cannot be {done}: {reason}", subject=str(path), remedy=next_step(error))


def irregular(path: Path, mode: int) -> SubjectError:
    """The error for what is neither a file nor a folder, by its mode: a pipe, a socket, a device."""
    kinds = {
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    found = kinds.get(stat.S_IFMT(mode), "something else")
    remedy = "Name a file or a folder; where it lies among files, remove it."
    return SubjectError(f"is {found}, not a regular file", subject=str(path), remedy=remedy)


def leads_outside(link: Path, folder: Path) -> bool:
    """Whether what a link leads to, there or not, lies outside of `folder`."""
    # Not Path.resolve, which raises where a link leads in a circle.
    return not Path(os.path.realpath(link)).is_relative_to(os.path.realpath(folder))


def link_to_folder(path: Path) -> SubjectError:
    """The error for a link to a folder among files: what it reaches lies outside of what was named."""
    remedy = "Replace the link by the folder itself."
    return SubjectError("a link to a folder is not followed", subject=str(path), remedy=remedy)


def next_step(error: OSError) -> str:
    """What to do about a path that cannot be read."""
    if error.errno == errno.ENAMETOOLONG:
        return "Its path is longer than the system opens: move the folder up, then run again."
    if error.errno in {errno.EACCES, errno.EPERM}:
        return "Correct its permissions, or run as its owner."
    if error.errno == errno.ELOOP:
        return "Its links lead in a circle: remove them."
    if error.errno in {errno.ENOENT, errno.ENOTDIR}:
        return "Correct the path."
    if error.errno == errno.EISDIR:
        return "Name a file, for it is a folder."
    return "Check it and the disk it lies on, then run again."
