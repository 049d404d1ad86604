"""Archives that are known for what they are and cannot be opened here: what is in them was not looked at."""

from __future__ import annotations

from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection, Inspector
from assay.checks.packaging.artifact_scan.next_steps import UNPACK

KINDS = ("rar", "compress", "cpio", "ar", "cab", "iso", "lzip", "lzop", "arj", "lz4 legacy", "xar", "zpaq")


def inspector(kind: str) -> Inspector:
    """The inspector of a format in `KINDS`."""

    def inspect(blob: Blob, inspection: Inspection) -> None:
        inspection.skip(blob, f"{kind} archives cannot be opened", UNPACK)

    return inspect
