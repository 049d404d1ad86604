"""Examines one file: what it is, what it holds, and what loading it would do."""

from __future__ import annotations

import mmap
import os
from pathlib import Path

from assay.checks.packaging.artifact_scan import texts
from assay.checks.packaging.artifact_scan.blob import Blob, Outcome
from assay.checks.packaging.artifact_scan.examination import Examination
from assay.checks.packaging.artifact_scan.next_steps import ALONE
from assay.checks.packaging.artifact_scan.options import ArtifactScanOptions
from assay.checks.packaging.artifact_scan.unpacking import Unpacker
from assay.core.report import Skipped
from assay.subjects.pickles.machine import MachinePool


class Scanner:
    """Examines files, any number at the same time.

    Args:
        pool: where pickles are read.
        options: bounds and extra allowed globals.
        workspace: folder for unpacked members.
        folder: where the files lie that are examined together; None for a single file.
    """

    def __init__(
        self, pool: MachinePool, options: ArtifactScanOptions, workspace: Path, folder: Path | None = None
    ) -> None:
        self._pool = pool
        self._options = options
        self._folder = folder
        self._unpacker = Unpacker(str(workspace), options)

    @property
    def unpackable(self) -> int:
        """Bytes that archives may still unpack to."""
        return self._unpacker.left

    @unpackable.setter
    def unpackable(self, left: int) -> None:
        self._unpacker.left = left

    def spend(self, count: int) -> None:
        """Count bytes that archives unpacked to elsewhere."""
        self._unpacker.take(count)

    def file(self, path: Path, name: str) -> Outcome:
        """Examine the file at `path`, reported as `name`; never raises for what is in it."""
        outcome = Outcome()
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            outcome.skipped.append(
                Skipped(name, f"cannot be read: {error.strerror}", "Check its permissions.")
            )
            return outcome
        try:
            self._examine(fd, name, outcome)
        except Exception as error:  # noqa: BLE001  hostile bytes; whatever happens, the file does not read as clean
            reason = f"could not be examined: {type(error).__name__}: {error}"
            outcome.skipped.append(Skipped(name, reason, ALONE))
        finally:
            os.close(fd)
        return outcome

    def _examine(self, fd: int, name: str, outcome: Outcome) -> None:
        size = os.fstat(fd).st_size
        if size == 0 and texts.may_be_empty(name):
            outcome.documents.append({"file": name, "format": "text"})
            return
        if size == 0:
            outcome.skipped.append(Skipped(name, "the file is empty", "Remove it, or get it again."))
            return
        data = mmap.mmap(fd, size, access=mmap.ACCESS_READ)
        outcome.bytes += size
        examination = Examination(self._pool, self._options, self._unpacker, outcome, self._folder)
        examination.examine(Blob(data, fd, 0, size, name))
