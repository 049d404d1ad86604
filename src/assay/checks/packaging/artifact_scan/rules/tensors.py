"""Files that should hold numbers only."""

from __future__ import annotations

from assay.core.finding import Rule, Severity

SAFETENSORS = Rule(
    "safetensors/malformed",
    "A safetensors header is wrong",
    Severity.HIGH,
    "Bytes that no tensor covers, or that two cover, can hide a payload or crash a loader.",
    "Write the file again from its tensors.",
    ("owasp:LLM03", "cwe:CWE-20"),
)
RULES = (SAFETENSORS,)
