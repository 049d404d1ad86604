"""Copying and writing that a kill at any moment leaves whole: the old state or the new one."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assay.core.digest import hash_folder
from assay.core.errors import RegistryError, SubjectError
from assay.core.subject import Subject

CHUNK = 1 << 20
INCOMING = ".incoming-"


def source_files(source: Path) -> list[tuple[Path, str]]:
    """Every file that `source`'s digest covers, with its name in the copy.

    Raises:
        SubjectError: it cannot be read.
    """
    if not source.is_dir():
        return [(source, source.name)]
    return [(source / file.name, file.name) for file in hash_folder(source).files]


def content_path(folder: Path, *, single: bool) -> Path:
    """What to hand out of a folder that content was copied into: the folder, or the one file in it."""
    if not single:
        return folder
    inside = list(folder.iterdir()) if folder.is_dir() else []
    if len(inside) != 1:
        raise RegistryError("the stored file is gone", subject=str(folder), remedy="Register it again.")
    return inside[0]


def copy_content(source: Path, target: Path) -> None:
    """Copy the bytes of `source` into the new folder `target`, each file and folder synced to disk.

    Bytes are copied, never linked: a link would let a later change of the source through.

    Raises:
        SubjectError: the source cannot be read.
        OSError: the copy cannot be written.
    """
    target.mkdir()
    folders = {target}
    for path, name in source_files(source):
        copied = target / name
        copied.parent.mkdir(parents=True, exist_ok=True)
        folders.update(parent for parent in copied.parents if parent.is_relative_to(target))
        _copy_file(path, copied)
    for folder in folders:
        sync_folder(folder)


def _copy_file(source: Path, target: Path) -> None:
    try:
        # O_NONBLOCK: a FIFO that took the file's place since it was hashed must not hang us.
        fd = os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise SubjectError(f"cannot be read: {error.strerror}", subject=str(source)) from error
    with open(fd, "rb", buffering=0) as reader, target.open("xb") as writer:  # noqa: PTH123
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise SubjectError("not a regular file", subject=str(source))
        shutil.copyfileobj(reader, writer, CHUNK)
        writer.flush()
        os.fchmod(writer.fileno(), 0o444)
        os.fsync(writer.fileno())


def digest_of(path: Path) -> str:
    """SHA-256 that names the bytes at `path`; "" if they cannot be read."""
    try:
        return Subject.from_path(path).sha256
    except SubjectError:
        return ""


def write_atomically(path: Path, text: str) -> None:
    """Replace `path` by a file that holds `text`: afterwards it holds all of it, or what it held before.

    The caller holds a lock: what a killed writer left behind is written over.

    Raises:
        OSError: it cannot be written; `path` is as it was.
    """
    scratch = path.with_name(f"{INCOMING}{path.name}")
    with scratch.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    scratch.rename(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames and new files in `folder` survive a power failure."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on `path` among processes and threads; the kernel frees it when we die.

    Raises:
        OSError: it cannot be opened or locked.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


@contextmanager
def incoming(folder: Path, lock: Path) -> Iterator[Path]:
    """A scratch folder in `folder`, gone afterwards unless it was renamed away.

    Scratch folders of processes that were killed are removed first. One that is in use is known by the
    lock that its owner holds on it, which is taken before `lock` is let go.
    """
    with locked(lock):
        _remove_abandoned(folder)
        scratch = folder / f"{INCOMING}{uuid.uuid4().hex}"
        scratch.mkdir()
        fd = os.open(scratch, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(fd, fcntl.LOCK_EX)
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        os.close(fd)


def _remove_abandoned(folder: Path) -> None:
    for path in folder.glob(f"{INCOMING}*"):
        if not path.is_dir():
            path.unlink(missing_ok=True)
            continue
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)
        except BlockingIOError:
            pass  # its owner is at work
        finally:
            os.close(fd)
