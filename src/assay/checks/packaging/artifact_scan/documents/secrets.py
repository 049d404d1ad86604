"""Secrets in JSON documents: strings together with the key they stand under, as one text."""

from __future__ import annotations

from typing import Any

from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.documents.walk import values
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.texts import secrets

SHORTEST = 16  # characters; no rule matches less


def judge(blob: Blob, document: Any, inspection: Inspection) -> None:
    """Look at every string that is long enough to be a secret."""
    pieces = []
    for key, value in values(document):
        if isinstance(value, str):
            if len(value) >= SHORTEST:
                pieces.append(f"{key}: {value}")
        elif len(key) >= SHORTEST and not isinstance(value, list):
            pieces.append(key)
    secrets.judge(blob, "\n".join(pieces), inspection, lines=False)
