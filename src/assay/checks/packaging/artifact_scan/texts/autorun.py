"""Lines of `.pth` files, which Python runs at every start (site module documentation)."""

from __future__ import annotations

import re

from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.rules import code
from assay.core.finding import Severity

_LINE = re.compile(r"^import[ \t].*", re.MULTILINE)


def judge(blob: Blob, text: str, inspection: Inspection) -> None:
    """Look for import lines of a path configuration file."""
    if not blob.name.lower().endswith(".pth"):
        return
    for found in _LINE.finditer(text):
        message = f"In a folder of packages Python runs this line at every start: {found.group()[:120]!r}."
        line = text.count("\n", 0, found.start()) + 1
        inspection.report(code.AUTORUN.finding(message, blob.at_line(line), severity=Severity.HIGH))
        return
