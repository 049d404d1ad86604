"""Judges of JSON documents, a module each, by what they hold and wherever they lie.

Every judge sees every document, for a configuration may be nested in any file: each looks for its own keys.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.late import late

Judge: TypeAlias = Callable[[Blob, Any, Inspection], None]
JUDGES: tuple[Judge, ...] = tuple(
    late(__name__, f"{name}:judge")
    for name in (
        "hub_config",
        "instantiation",
        "loading",
        "paths",
        "graphs",
        "keras",
        "skops",
        "torch_export",
        "strings",
        "pickled",
        "secrets",
        "notebook",
        "autorun",
    )
)


def judge(blob: Blob, document: Any, inspection: Inspection) -> None:
    """Let every judge look at `document`, which lies in `blob`."""
    for one in JUDGES:
        one(blob, document, inspection)
