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
EXPORT = Rule(
    "torch-export/foreign-target",
    "An exported PyTorch graph calls what is no operator, or has an expression that is code",
    Severity.CRITICAL,
    "Targets are looked up below `torch`, from where every Python module is reached, and symbolic "
    "expressions are evaluated while the graph is loaded.",
    SAFE,
    CODE,
)
SKOPS_DANGEROUS = Rule(
    "skops/dangerous-type",
    "A skops file reaches what can run code",
    Severity.CRITICAL,
    "Loading it imports and uses something that runs code, or a node claims another type than it reaches, "
    "which passed the audit of skops before 0.12 (CVE-2025-54412, CVE-2025-54413).",
    "Do not load it. Get the model from its source again.",
    CODE,
)
SKOPS_UNKNOWN = Rule(
    "skops/unknown-type",
    "A skops file imports a type that is not known to be safe",
    Severity.HIGH,
    "skops imports every type that its user trusts; who trusts all that `get_untrusted_types` lists trusts "
    "this one.",
    "Review the type, then allow it with a reason in the check's options.",
    CODE,
)
R_PROMISE = Rule(
    "r/promise",
    "An R file holds a value that runs code when it is touched",
    Severity.CRITICAL,
    "Before R 4.4 reading the file is enough to have code in it run as soon as the value is used: a promise "
    "or an active binding is no data (CVE-2024-27322).",
    "Do not read it. Ask for the data as CSV, Parquet or safetensors.",
    CODE,
)
R_CODE = Rule(
    "r/code",
    "An R file holds code",
    Severity.MEDIUM,
    "Functions and expressions in it run when they are called, printed or evaluated, and can do all that "
    "R can.",
    "Review the functions before they are called, or ask for the data in a format that holds none.",
    CODE,
)
LUA_CODE = Rule(
    "torch7/lua-code",
    "A Torch7 file holds Lua functions",
    Severity.HIGH,
    "Torch7 makes functions of byte code while it reads the file, and LuaJIT checks none of it: whatever "
    "calls such a function runs it with all rights of the user.",
    "Do not read it. Ask for the weights as safetensors, or get the file from its source again.",
    CODE,
)
RULES = (LUA_CODE, R_PROMISE, R_CODE, OPERATOR, FOREIGN_OPERATOR, EXPORT, SKOPS_DANGEROUS, SKOPS_UNKNOWN)
