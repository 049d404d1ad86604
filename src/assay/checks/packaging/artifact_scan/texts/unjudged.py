"""Programs, graphs and notebooks as text: not judged by this version, and never clean."""

from __future__ import annotations

from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection

_CODE = (".py", ".pyc", ".ipynb", ".sh", ".bat", ".ps1", ".js", ".rb", ".pl", ".so", ".dll", ".dylib",
         ".exe")  # fmt: skip


def is_code(blob: Blob) -> bool:
    """Whether name or first bytes say that it is a program, or a graph this version cannot judge."""
    return blob.name.lower().endswith(_CODE) or blob.head(2) == b"#!"


def judge(blob: Blob, text: str, inspection: Inspection) -> None:  # noqa: ARG001  the seam's shape
    """Say that it was not judged."""
    inspection.skip(blob, "a program, graph or notebook is not judged by this version")
