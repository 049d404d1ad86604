"""What archives of every kind share: where their members would be written, and where links lead."""

from __future__ import annotations

import posixpath
import unicodedata
from collections.abc import Sequence
from pathlib import PurePosixPath

from assay.checks.packaging.artifact_scan import rules
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.next_steps import AGAIN
from assay.checks.packaging.artifact_scan.unpacking import TrailingError
from assay.core.errors import AssayError
from assay.core.finding import Severity
from assay.subjects.archives.optional_codecs import HINT, MissingCodecError

MAX_TOLD = 20


def report_traversal(blob: Blob, name: str, inspection: Inspection) -> None:
    """Report a member that leaves the folder the archive is unpacked to."""
    if leaves_folder(name):
        message = f"Member {name[:100]!r} leaves the folder it is unpacked to."
        inspection.report(rules.files.TRAVERSAL.finding(message, blob.place()))


def report_link(blob: Blob, name: str, target: str, inspection: Inspection) -> None:
    """Report a symbolic link that leads out of the folder the archive is unpacked to."""
    plain = target.replace("\\", "/")
    inside = posixpath.normpath(posixpath.join(posixpath.dirname(name.replace("\\", "/")), plain))
    if plain.startswith("/") or plain[1:2] == ":" or inside.split("/")[0] == ".." or "\0" in target:
        message = f"Link {name[:100]!r} leads to {target[:100]!r}, outside the folder it is unpacked to."
        inspection.report(rules.files.TRAVERSAL.finding(message, blob.place()))


def report_names(blob: Blob, kind: str, names: Sequence[str], inspection: Inspection) -> None:
    """Report names that stand twice: the last one wins when unpacked, the first when looked up."""
    exact: set[str] = set()
    folded: dict[str, str] = {}
    told = 0
    for name in names:
        plain = "/".join(part for part in name.replace("\\", "/").split("/") if part not in {"", "."})
        plain = unicodedata.normalize("NFC", plain)
        sentence, severity = "", None
        if plain in exact:
            sentence = f"member {name[:100]!r} stands twice"
        elif plain.casefold() in folded:
            other = folded[plain.casefold()]
            sentence, severity = (
                f"members {other[:100]!r} and {name[:100]!r} differ by case only",
                Severity.LOW,
            )
        exact.add(plain)
        folded.setdefault(plain.casefold(), name)
        if sentence and told < MAX_TOLD:
            told += 1
            message = f"The {kind} is inconsistent: {sentence}."
            inspection.report(rules.files.ARCHIVE.finding(message, blob.place(), severity=severity))


def report_unpacking(blob: Blob, reason: Exception, inspection: Inspection, what: str) -> None:
    """Say why not all of `blob` could be unpacked; bytes that follow its data are a finding and examined."""
    if isinstance(reason, MissingCodecError):
        inspection.skip(blob, f"{what} is packed by {reason}, whose library is not installed", HINT)
    elif isinstance(reason, TrailingError):
        message = f"{reason.left:,} bytes follow the end of the packed data."
        inspection.report(rules.files.TRAILING.finding(message, blob.place()))
        inspection.examine(blob.member_at("(after the data)", blob.end - reason.left, reason.left))
    else:
        inspection.skip(
            blob, f"{what} cannot be unpacked: {reason or type(reason).__name__}", _next_step(reason)
        )


def _next_step(reason: Exception) -> str:
    return reason.remedy if isinstance(reason, AssayError) and reason.remedy else AGAIN


def leaves_folder(name: str) -> bool:
    """Whether a relative path, of POSIX or Windows, is absolute or climbs."""
    path = PurePosixPath(name.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or name[1:2] == ":"
