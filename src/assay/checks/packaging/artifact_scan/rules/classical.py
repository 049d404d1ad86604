"""What models of other frameworks can do: TorchScript, exported graphs, classical learners, R."""

from __future__ import annotations

from assay.checks.packaging.artifact_scan.rules.wording import CODE, SAFE
from assay.core.finding import Rule, Severity

OPERATOR = Rule(
    "torchscript/file-access",
    "A TorchScript model reads or writes files",
    Severity.CRITICAL,
    "Its built-in operators reach the disk: a model can overwrite what its user may write, start-up files "
    "included, while it is loaded or called (CVE-2025-32434).",
    SAFE,
    CODE,
)
FOREIGN_OPERATOR = Rule(
    "torchscript/foreign-operator",
    "A model calls an operator of a library that is not part of PyTorch",
    Severity.LOW,
    "The operator runs native code of a library that must be loaded next to the model.",
    "Make sure that you know the library, and get it from its own source.",
    ("owasp:LLM03",),
)
RULES = (OPERATOR, FOREIGN_OPERATOR)
