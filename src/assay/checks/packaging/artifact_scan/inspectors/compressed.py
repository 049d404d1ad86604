"""gzip, bzip2, xz, LZMA, zlib, zstd and lz4: what is packed in them is examined as a file of its own."""

from __future__ import annotations

from assay.checks.packaging.artifact_scan import rules
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection, Inspector
from assay.checks.packaging.artifact_scan.inspectors.members import report_traversal, report_unpacking
from assay.checks.packaging.artifact_scan.next_steps import AGAIN
from assay.checks.packaging.artifact_scan.unpacking import CONTINUED, MAKERS
from assay.core.errors import SubjectError
from assay.core.finding import Severity
from assay.subjects.archives.gzip_header import read_gzip_header

_KNOWN_EXTRA = {b"BC", b"RA", b"AP"}  # BGZF, dictzip, Apollo


def inspector(kind: str) -> Inspector:
    """The inspector of a compressed format in `MAKERS`."""

    def inspect(blob: Blob, inspection: Inspection) -> None:
        if kind == "gzip":
            _gzip_header(blob, inspection)
        made = inspection.unpacker.unpacked(blob, "data", MAKERS[kind], CONTINUED.get(kind))
        with made as (inner, reason):
            if reason:
                report_unpacking(blob, reason, inspection, f"the {kind} data")
            if inner is not None:
                inspection.examine(inner)

    return inspect


def _gzip_header(blob: Blob, inspection: Inspection) -> None:
    """Judge what the first member's header holds next to the data: a name, a comment, extra fields."""
    try:
        header = read_gzip_header(blob.data, blob.start, blob.end)
    except SubjectError as error:
        inspection.skip(blob, f"the gzip header cannot be read: {error.cause}", AGAIN)
        return
    report_traversal(blob, header.name, inspection)
    if header.comment:
        inspection.text(blob, header.comment)
    foreign = sorted(kind for kind in header.extra if kind not in _KNOWN_EXTRA)
    if foreign:
        message = f"The gzip header has extra fields {foreign[:5]!r} that no known tool writes."
        inspection.report(rules.files.TRAILING.finding(message, blob.place(), severity=Severity.LOW))
