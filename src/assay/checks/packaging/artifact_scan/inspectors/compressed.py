"""gzip, bzip2, xz, LZMA and zlib: what is packed in them is examined as a file of its own."""

from __future__ import annotations

from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection, Inspector
from assay.checks.packaging.artifact_scan.unpacking import MAKERS


def inspector(kind: str) -> Inspector:
    """The inspector of a compressed format in `MAKERS`."""

    def inspect(blob: Blob, inspection: Inspection) -> None:
        with inspection.unpacker.unpacked(blob, "data", MAKERS[kind]) as (inner, reason):
            if reason:
                inspection.skip(blob, f"the {kind} data cannot be unpacked: {reason}")
            if inner is not None:
                inspection.examine(inner)

    return inspect
