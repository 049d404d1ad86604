"""Judges of JSON documents, a module each, by what they hold and wherever they lie.

Every judge sees every document, for a configuration may be nested in any file: each looks for its own keys.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.documents import (
    autorun,
    graphs,
    hub_config,
    instantiation,
    keras,
    notebook,
    secrets,
    skops,
    strings,
    torch_export,
)
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection

Judge: TypeAlias = Callable[[Blob, Any, Inspection], None]
JUDGES: tuple[Judge, ...] = (
    hub_config.judge,
    instantiation.judge,
    graphs.judge,
    keras.judge,
    skops.judge,
    torch_export.judge,
    strings.judge,
    secrets.judge,
    notebook.judge,
    autorun.judge,
)


def judge(blob: Blob, document: Any, inspection: Inspection) -> None:
    """Let every judge look at `document`, which lies in `blob`."""
    for one in JUDGES:
        one(blob, document, inspection)
