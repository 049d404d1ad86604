"""What archives of every kind share: where their members would be written."""

from __future__ import annotations

from pathlib import PurePosixPath

from assay.checks.packaging.artifact_scan import rules
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection


def report_traversal(blob: Blob, name: str, inspection: Inspection) -> None:
    """Report a member, or the target of a link, that leaves the folder the archive is unpacked to."""
    if leaves_folder(name):
        message = f"Member {name[:100]!r} leaves the folder it is unpacked to."
        inspection.report(rules.files.TRAVERSAL.finding(message, blob.place()))


def leaves_folder(name: str) -> bool:
    """Whether a relative path, of POSIX or Windows, is absolute or climbs."""
    path = PurePosixPath(name.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or name[1:2] == ":"
