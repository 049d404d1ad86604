"""tar: members are regions of the same file, examined in turn."""

from __future__ import annotations

import tarfile
from typing import IO

from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.inspectors.members import report_traversal
from assay.checks.packaging.artifact_scan.unpacking import BROKEN
from assay.core.errors import LimitError


def inspect(blob: Blob, inspection: Inspection) -> None:
    """Examine the members."""
    most = inspection.options.max_members
    try:
        with tarfile.TarFile(fileobj=_window(blob)) as archive:
            for count, member in enumerate(archive, 1):
                if count > most:
                    raise LimitError(f"the tar has more than {most:,} members")  # noqa: TRY301  told below
                _member(blob, member, inspection)
    except (*BROKEN, tarfile.TarError, LimitError) as error:
        inspection.skip(blob, f"the tar cannot be read to its end: {error}")


def _member(blob: Blob, member: tarfile.TarInfo, inspection: Inspection) -> None:
    report_traversal(blob, member.name, inspection)
    inner = blob.member_at(member.name, blob.start + member.offset_data, member.size)
    if member.issym() or member.islnk():
        report_traversal(blob, member.linkname, inspection)
    elif member.isreg() and not member.sparse and inner.end <= blob.end:
        inspection.examine(inner)
    elif not member.isdir():
        inspection.skip(inner, "a member that is no plain file")


def _window(blob: Blob) -> IO[bytes]:
    return _Window(blob)  # type: ignore[return-value]


class _Window:
    """Just enough of a file for `tarfile`: the region at a position of its own, without a copy."""

    mode = "rb"
    name = ""

    def __init__(self, blob: Blob) -> None:
        self._blob = blob
        self._at = 0

    def read(self, size: int = -1) -> bytes:
        start = self._blob.start + self._at
        end = self._blob.end if size < 0 else min(self._blob.end, start + size)
        self._at += max(0, end - start)
        return bytes(self._blob.data[start:end]) if end > start else b""

    def seek(self, offset: int, whence: int = 0) -> int:
        base = {0: 0, 1: self._at, 2: self._blob.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        """Nothing to close."""
