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
GGUF = Rule(
    "gguf/malformed",
    "A GGUF file claims what it does not hold",
    Severity.HIGH,
    "Counts, sizes and offsets that do not fit make readers overflow and read or write out of bounds "
    "(CVE-2024-21802, CVE-2024-21825, CVE-2024-21836, CVE-2024-23496, CVE-2024-23605, CVE-2025-53630, "
    "CVE-2026-33298, CVE-2026-7482); doubled names read differently in different readers.",
    "Do not load it. Get it from its source again, or convert it again from the original weights.",
    ("owasp:LLM03", "cwe:CWE-20", "cwe:CWE-190", "cwe:CWE-787"),
)
GGUF_UNUSED = Rule(
    "gguf/unused-bytes",
    "Bytes of a GGUF file belong to no tensor",
    Severity.HIGH,
    "No reader of tensors looks at them: a payload that something else picks up can lie there.",
    "Write the file again from its tensors.",
    ("owasp:LLM03", "cwe:CWE-20"),
)
RULES = (SAFETENSORS, GGUF, GGUF_UNUSED)
