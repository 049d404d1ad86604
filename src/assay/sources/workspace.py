"""The folder that a source's files land in: bounded in bytes, files and time; no name leads out of it."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from assay.core.check import Progress, SilentProgress
from assay.core.errors import LimitError, SubjectError

MAX_PATH = 1_000  # bytes of a name
MAX_PART = 255


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much one source may bring.

    Attributes:
        bytes: of all files together.
        files: how many.
        seconds: from the first request to the last byte.
    """

    bytes: int = 100 << 30
    files: int = 20_000
    seconds: float = 2 * 3600.0


@dataclass(frozen=True, slots=True)
class Expected:
    """What a source says of a file before it is fetched.

    Attributes:
        name: POSIX path below the source.
        size: bytes.
        sha256: digest in hex, or "".
        git: git's SHA-1 of the file as a blob, in hex, or "".
    """

    name: str
    size: int
    sha256: str = ""
    git: str = ""


class Workspace:
    """Where files land.

    Args:
        folder: an empty folder that nobody else may write to.
        bounds: how much may come.
        progress: told of every chunk, in bytes.
        source: the name that is fetched, for errors.
    """

    def __init__(
        self, folder: Path, bounds: Bounds, *, source: str, progress: Progress | None = None
    ) -> None:
        self.folder = folder
        self.bounds = bounds
        self.source = source
        self._progress = progress or SilentProgress()
        self._end = time.monotonic() + bounds.seconds
        self._taken = 0
        self._total: int | None = None

    @property
    def remaining(self) -> float:
        """Seconds that are left.

        Raises:
            LimitError: none are.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise LimitError(
                f"was not fetched within {self.bounds.seconds:,.0f} seconds",
                subject=self.source,
                remedy="Download it yourself, then scan the folder.",
            )
        return left

    def enter(self, *parts: str) -> Path:
        """Let files land in a new folder below, whose path tells where they came from."""
        self.folder = self.folder.joinpath(*parts)
        self.folder.mkdir(parents=True)
        return self.folder

    def expect(self, files: Sequence[Expected]) -> None:
        """Refuse before the first byte what does not fit: the bounds, the disk, or the folder.

        Raises:
            LimitError: too many files, too many bytes.
            SubjectError: there are none, a name leaves the folder, or two are in each other's way.
        """
        if not files:
            raise SubjectError("holds no files", subject=self.source, remedy="Check the name.")
        total = sum(file.size for file in files)
        if len(files) > self.bounds.files:
            raise too_many_files(self.source, self.bounds)
        if total > self.bounds.bytes:
            raise _too_large(self.source, self.bounds, total)
        names = {place_of(file.name, self.source) for file in files}
        if len(names) != len(files) or any(parent in names for name in names for parent in name.parents):
            raise SubjectError("two of its files have the same place", subject=self.source, remedy=_REPORT)
        if total > shutil.disk_usage(self.folder).free:
            raise LimitError(
                f"is {total:,} bytes, and the disk has no room for them",
                subject=self.source,
                remedy=f"Free some space, or set XDG_CACHE_HOME to a larger disk than that of {self.folder}.",
            )
        self._total = total

    def write(self, file: Expected, chunks: Iterable[bytes]) -> Path:
        """Write a file as it comes, and verify it against what the source said of it.

        Raises:
            SubjectError: it is shorter or longer than announced, its digest differs, or it cannot be written.
            LimitError: a bound was reached.
        """
        path = self.folder / place_of(file.name, self.source)
        sha256 = hashlib.sha256()
        git = hashlib.sha1(b"blob %d\0" % file.size, usedforsecurity=False) if file.git else None
        size = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as opened:
                for chunk in chunks:
                    size += len(chunk)
                    self._count(file, size, len(chunk))
                    sha256.update(chunk)
                    if git is not None:
                        git.update(chunk)
                    opened.write(chunk)
        except OSError as error:
            raise self.unwritable(error) from error
        if size != file.size:
            raise self._differs(file, f"ended after {size:,} of {file.size:,} bytes")
        if file.sha256 and sha256.hexdigest() != file.sha256:
            raise self._differs(file, "its SHA-256 is not the one that the source states")
        if git is not None and git.hexdigest() != file.git:
            raise self._differs(file, "its git digest is not the one that the source states")
        return path

    def unwritable(self, error: OSError) -> SubjectError:
        """The error for a file that the disk refuses."""
        return SubjectError(
            f"cannot be kept: {(error.strerror or str(error)).lower()}",
            subject=self.source,
            remedy=f"Check that {self.folder.parent} is writable and has room; nothing was left behind.",
        )

    def _count(self, file: Expected, size: int, more: int) -> None:
        self._taken += more
        if size > file.size:
            raise self._differs(file, f"is longer than the {file.size:,} bytes that the source states")
        self.tell(self._taken, self._total, file.name)

    def tell(self, taken: int, total: int | None, name: str) -> None:
        """Show progress and hold the bounds, in bytes of all files.

        Raises:
            LimitError: a bound was reached.
        """
        if taken > self.bounds.bytes:
            raise _too_large(self.source, self.bounds, taken)
        _ = self.remaining
        self._progress.update(taken, total, name[-60:])

    def _differs(self, file: Expected, cause: str) -> SubjectError:
        return SubjectError(
            f"{file.name[:150]!r}: {cause}",
            subject=self.source,
            remedy="Try again; if it stays so, somebody between you and the source changes files.",
        )


def place_of(name: str, source: str) -> PurePosixPath:
    """The relative path that a file of that name gets.

    Raises:
        SubjectError: the name leaves the folder, or no file can have it.
    """
    parts = name.split("/")
    fits = len(name.encode("utf-8", "replace")) <= MAX_PATH and all(_fits(part) for part in parts)
    if not fits or "\\" in name or not name.isprintable():
        raise SubjectError(
            f"the name of one of its files, {name[:100]!r}, cannot be kept or leaves the folder",
            subject=source,
            remedy=_REPORT,
        )
    return PurePosixPath(*parts)


def too_many_files(source: str, bounds: Bounds) -> LimitError:
    """The error for a source with more files than allowed."""
    return LimitError(
        f"has more than {bounds.files:,} files", subject=source, remedy="Name a folder or file of it."
    )


_REPORT = "Do not use it; tell whoever runs the source."


def _fits(part: str) -> bool:
    return part not in {"", ".", ".."} and len(part.encode("utf-8", "replace")) <= MAX_PART


def _too_large(source: str, bounds: Bounds, size: int) -> LimitError:
    return LimitError(
        f"has {size:,} bytes or more, and {bounds.bytes:,} are allowed",
        subject=source,
        remedy="Name a folder or file of it, or allow more: --max-download GB.",
    )
