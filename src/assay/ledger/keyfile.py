"""Key files on disk: created whole or not at all, private to their owner, read with bounds."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from assay.core.errors import SigningKeyError

LIMIT = 64 * 1024
PRIVATE = 0o600
PRIVATE_FOLDER = 0o700
OTHERS = 0o077


def create_private(path: Path, content: bytes) -> bool:
    """Create `path` with mode 0600, whole, unless it exists; say whether we made it.

    The bytes go to a file of our own first and are then *linked* to their name: a reader never sees half a
    key, and of several processes exactly one wins.

    Raises:
        SigningKeyError: the folder or file cannot be written.
    """
    try:
        _private_folder(path.parent)
        draft = _write_draft(path, content)
        try:
            os.link(draft, path, follow_symlinks=False)
        except FileExistsError:
            return False
        finally:
            draft.unlink()
        _sync_folder(path.parent)
    except OSError as error:
        raise _cannot("cannot be created", path, error) from error
    return True


def replace_private(path: Path, content: bytes) -> None:
    """Put `content` in the place of `path` in one step, mode 0600.

    Raises:
        SigningKeyError: it cannot be written; the old file is then untouched.
    """
    try:
        _private_folder(path.parent)
        draft = _write_draft(path, content)
        try:
            draft.replace(path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
    except OSError as error:
        raise _cannot("cannot be written", path, error) from error


def write_public(path: Path, content: bytes) -> None:
    """Write a file that anybody may read, in one step.

    Raises:
        SigningKeyError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = _write_draft(path, content)
        draft.chmod(0o644)
        draft.replace(path)
    except OSError as error:
        raise _cannot("cannot be written", path, error) from error


def read_private(path: Path) -> bytes:
    """The bytes of a private key file.

    Raises:
        SigningKeyError: it is missing, not a regular file of ours, or open to group or world.
    """
    return _read(path, private=True)


def read_bounded(path: Path) -> bytes:
    """The bytes of a small regular file.

    Raises:
        SigningKeyError: it is missing, not a regular file, or too large to be a key.
    """
    return _read(path, private=False)


def is_there(path: Path) -> bool:
    """Whether there is such a file or folder.

    Raises:
        SigningKeyError: that cannot be told. `Path.exists` would say no, and a list of revocations that
            cannot be reached must not read as empty.
    """
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise _cannot("cannot be reached", path, error) from error
    return True


def listed(folder: Path, suffix: str) -> list[Path]:
    """The files in `folder` whose names end in `suffix`, sorted; none where there is no such folder.

    Raises:
        SigningKeyError: it cannot be read.
    """
    if not is_there(folder):
        return []
    try:
        return sorted(path for path in folder.iterdir() if path.name.endswith(suffix))
    except OSError as error:
        raise _cannot("cannot be read", folder, error) from error


def _read(path: Path, *, private: bool) -> bytes:
    try:
        # O_NONBLOCK: a FIFO in the key's place must not hang us.
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(fd, "rb") as file:  # noqa: PTH123  from a descriptor
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                raise SigningKeyError("not a regular file", subject=str(path), remedy="Name a key file.")
            if private:
                _require_private(path, status)
            content = file.read(LIMIT + 1)
    except OSError as error:
        raise _cannot("cannot be read", path, error) from error
    if len(content) > LIMIT:
        raise SigningKeyError("too large to be a key", subject=str(path), remedy="Name a key file.")
    return content


def _require_private(path: Path, status: os.stat_result) -> None:
    mode = stat.S_IMODE(status.st_mode)
    if mode & OTHERS:
        raise SigningKeyError(
            f"other users can read or write this private key (mode {mode:04o})",
            subject=str(path),
            remedy=f"Run `chmod 600 {path}`. If others use this machine, run `assay key rotate` after that.",
        )
    if status.st_uid not in (os.geteuid(), 0):
        raise SigningKeyError(
            "this private key belongs to another user",
            subject=str(path),
            remedy="Name your own key with $ASSAY_KEY or `signing.key`.",
        )


def _private_folder(folder: Path) -> None:
    # Only what we create is made private: a folder that the user named keeps its mode.
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)


def _write_draft(path: Path, content: bytes) -> Path:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE)
    try:
        with open(fd, "wb") as file:  # noqa: PTH123  from a descriptor
            file.write(content)
            file.flush()
            os.fsync(fd)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    return draft


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _cannot(what: str, path: Path, error: OSError) -> SigningKeyError:
    reason = (error.strerror or type(error).__name__).lower()
    remedy = "Check the path and its permissions, or name another key with $ASSAY_KEY or `signing.key`."
    return SigningKeyError(f"{what}: {reason}", subject=str(path), remedy=remedy)
