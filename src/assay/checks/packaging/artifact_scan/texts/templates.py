"""Templates that reach for Python internals: server-side template injection (CVE-2024-34359)."""

from __future__ import annotations

import re

from assay.checks.packaging.artifact_scan import rules
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection

_GADGET = re.compile(
    r"__(?:class|globals|subclasses|builtins|import|mro|bases?|init|dict|getattribute|code|self|loader)__"
    r"|\battr\s*\(\s*['\"]\s*_|\b(?:popen|os\.system|subprocess)\b|\\x5f\\x5f|\|\s*attr\s*\(\s*[^)]*(?:~|\+)"
    r"|\b(?:lipsum|cycler|joiner)\s*[.\[|]"
)
_BLOCK = re.compile(r"\{[{%].{0,20000}?[}%]\}", re.DOTALL)


def judge(blob: Blob, text: str, inspection: Inspection) -> None:
    """Look for template gadgets inside `{{ }}` and `{% %}`."""
    for block in _BLOCK.finditer(text):
        gadget = _GADGET.search(block.group())
        if gadget:
            message = f"A template reaches for {gadget.group()[:60]!r}: {block.group()[:100]!r}."
            inspection.report(rules.repository.TEMPLATE.finding(message, blob.place()))
            return
