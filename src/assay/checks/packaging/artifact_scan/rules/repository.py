"""Texts and configurations beside the weights."""

from __future__ import annotations

from assay.checks.packaging.artifact_scan.rules.wording import SAFE
from assay.core.finding import Rule, Severity

TEMPLATE = Rule(
    "template/injection",
    "A template reaches for Python internals",
    Severity.CRITICAL,
    "Rendered by an unsandboxed Jinja environment it runs code (CVE-2024-34359).",
    SAFE,
    ("owasp:LLM03", "owasp:LLM05", "cwe:CWE-1336"),
)
REMOTE = Rule(
    "config/remote-code",
    "A configuration asks for code from the repository to be run",
    Severity.MEDIUM,
    "auto_map and trust_remote_code make transformers import Python from the repository.",
    "Use a model that its framework knows natively, or review and pin that code.",
    ("owasp:LLM03", "cwe:CWE-829"),
)
RULES = (TEMPLATE, REMOTE)
