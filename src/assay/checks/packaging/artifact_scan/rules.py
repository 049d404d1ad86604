"""All that `artifact.scan` can find."""

from __future__ import annotations

from assay.core.finding import Rule, Severity

_CODE = ("owasp:LLM03", "atlas:AML.T0018.002", "cwe:CWE-502")
_FILE = ("owasp:LLM03", "cwe:CWE-345")
_SAFE = "Do not load it. Ask for safetensors, which hold no code; get the file from its source again."

GLOBAL = Rule(
    "pickle/dangerous-global",
    "A pickle imports what can run code",
    Severity.CRITICAL,
    "Loading the file imports, and mostly calls, something that runs code, reads files or reaches "
    "the network.",
    _SAFE,
    _CODE,
)
UNKNOWN = Rule(
    "pickle/unknown-global",
    "A pickle imports something that is not known to be safe",
    Severity.HIGH,
    "Only what frameworks need to rebuild data is known; all else may run code.",
    "Convert to safetensors, or allow the global with a reason in the check's options.",
    _CODE,
)
OBFUSCATED = Rule(
    "pickle/obfuscated",
    "A pickle hides what it imports or calls",
    Severity.HIGH,
    "Computed names, extension codes and computed callables are written by no framework.",
    _SAFE,
    _CODE,
)
TAMPERED = Rule(
    "pickle/tampered-class",
    "A pickle changes a class or function itself",
    Severity.HIGH,
    "BUILD or items set on a global change what later code of the process does.",
    _SAFE,
    _CODE,
)
FRAMES = Rule(
    "pickle/machines-disagree",
    "Unpicklers read this stream differently",
    Severity.HIGH,
    "An opcode crosses the end of its frame: C reading a file runs what others do not see "
    "(CPython issue 154848).",
    _SAFE,
    _CODE,
)
TRAILING = Rule(
    "pickle/trailing-data",
    "Bytes that are no pickle follow the last stream",
    Severity.MEDIUM,
    "A loader that seeks or reads on would meet them.",
    _SAFE,
    _CODE,
)
LYING = Rule(
    "artifact/lying-extension",
    "A file is not what its name says",
    Severity.MEDIUM,
    "Scanners and people that go by the name look at the wrong thing.",
    "Rename it, or get it from its source again.",
    _FILE,
)
ARCHIVE = Rule(
    "archive/inconsistent",
    "An archive reads differently in different readers",
    Severity.HIGH,
    "Doubled, overlapping or misnamed members and foreign bytes hide contents from scanners "
    "(CVE-2025-1944, CVE-2025-1945, CVE-2025-10156).",
    _SAFE,
    _FILE,
)
TRAVERSAL = Rule(
    "archive/path-traversal",
    "An archive member leaves its folder",
    Severity.HIGH,
    "Unpacking it writes outside the target folder.",
    _SAFE,
    ("owasp:LLM03", "cwe:CWE-22"),
)
SAFETENSORS = Rule(
    "safetensors/malformed",
    "A safetensors header is wrong",
    Severity.HIGH,
    "Bytes that no tensor covers, or that two cover, can hide a payload or crash a loader.",
    "Write the file again from its tensors.",
    ("owasp:LLM03", "cwe:CWE-20"),
)
TEMPLATE = Rule(
    "template/injection",
    "A template reaches for Python internals",
    Severity.CRITICAL,
    "Rendered by an unsandboxed Jinja environment it runs code (CVE-2024-34359).",
    _SAFE,
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
LINK = Rule(
    "artifact/link-leaves-folder",
    "A link leads out of the folder",
    Severity.MEDIUM,
    "What it reaches differs from machine to machine.",
    "Replace the link by the file.",
    ("owasp:LLM03", "cwe:CWE-59"),
)
RULES = (GLOBAL, UNKNOWN, OBFUSCATED, TAMPERED, FRAMES, TRAILING, LYING, ARCHIVE, TRAVERSAL, SAFETENSORS,
         TEMPLATE, REMOTE, LINK)  # fmt: skip
