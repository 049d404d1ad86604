"""Texts inside JSON documents, such as chat templates."""

from __future__ import annotations

from typing import Any

from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.documents.walk import values
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection


def judge(blob: Blob, document: Any, inspection: Inspection) -> None:
    """Judge every text that could be a template."""
    for _, value in values(document):
        if isinstance(value, str) and ("{{" in value or "{%" in value):
            inspection.text(blob, value)
