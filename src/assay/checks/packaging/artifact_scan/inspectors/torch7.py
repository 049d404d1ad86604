"""Torch7's files: numbers and texts pass; Lua functions, which they hold as byte code, are told."""

from __future__ import annotations

from collections.abc import Iterator

from assay.checks.packaging.artifact_scan import rules
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors import media
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.next_steps import CONVERT
from assay.core.errors import SubjectError
from assay.core.finding import Finding
from assay.subjects.torch7 import Torch7Content, read_torch7

MAX_FINDINGS = 20


def inspect(blob: Blob, inspection: Inspection) -> None:
    """Follow the objects to the end."""
    try:
        content = read_torch7(blob.data, blob.start, blob.end)
    except SubjectError as error:
        inspection.skip(blob, f"the Torch7 file cannot be read to its end: {error.cause}", CONVERT)
        return
    for finding in _findings(blob, content):
        inspection.report(finding)
    inspection.text(blob, "\n".join(content.texts))
    media.report_rest(blob, content.end, inspection)


def _findings(blob: Blob, content: Torch7Content) -> Iterator[Finding]:
    for at, size in content.functions[:MAX_FINDINGS]:
        message = f"Reading it makes a Lua function of {size:,} bytes of byte code, which its model may call."
        yield rules.classical.LUA_CODE.finding(message, blob.place(at))
    for at in content.hidden[:MAX_FINDINGS]:
        message = "A string or a storage of numbers holds Lua byte code, which its model may load and call."
        yield rules.classical.LUA_CODE.finding(message, blob.place(at))
    more = max(0, len(content.functions) - MAX_FINDINGS) + max(0, len(content.hidden) - MAX_FINDINGS)
    if more:
        message = f"It holds {more:,} more pieces of Lua byte code."
        yield rules.classical.LUA_CODE.finding(message, blob.place())
