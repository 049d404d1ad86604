"""JSON configurations that hydra would instantiate."""

from __future__ import annotations

from typing import Any

from assay.checks.packaging.artifact_scan import targets
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.documents.walk import values
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection

_MOST = 100


def judge(blob: Blob, document: Any, inspection: Inspection) -> None:
    """Look for `_target_`."""
    named = {value for key, value in values(document) if key == "_target_" and isinstance(value, str)}
    for name in sorted(named)[:_MOST]:
        targets.judge(blob, name, inspection, how="_target_")
