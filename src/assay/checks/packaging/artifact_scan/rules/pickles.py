"""What pickles can do."""

from __future__ import annotations

from assay.checks.packaging.artifact_scan.rules.wording import CODE, FILE, SAFE
from assay.core.finding import Rule, Severity

GLOBAL = Rule(
    "pickle/dangerous-global",
    "A pickle imports what can run code",
    Severity.CRITICAL,
    "Loading the file imports, and mostly calls, something that runs code, reads files or reaches "
    "the network.",
    SAFE,
    CODE,
)
UNKNOWN = Rule(
    "pickle/unknown-global",
    "A pickle imports something that is not known to be safe",
    Severity.HIGH,
    "Only what frameworks need to rebuild data is known; all else may run code.",
    "Convert to safetensors, or allow the global with a reason in the check's options.",
    CODE,
)
OBFUSCATED = Rule(
    "pickle/obfuscated",
    "A pickle hides what it imports or calls",
    Severity.HIGH,
    "Computed names, extension codes and computed callables are written by no framework.",
    SAFE,
    CODE,
)
TAMPERED = Rule(
    "pickle/tampered-class",
    "A pickle changes a class or function itself",
    Severity.HIGH,
    "BUILD or items set on a global change what later code of the process does.",
    SAFE,
    CODE,
)
MISUSED = Rule(
    "pickle/misused-global",
    "A pickle uses a known global as no framework does",
    Severity.HIGH,
    "What is safe in the shape that frameworks write it in may otherwise call methods that the pickle names, "
    "take bytes for pointers, or make scanners and loaders read different bytes (see allow/*.yaml).",
    SAFE,
    CODE,
)
NATIVE = Rule(
    "pickle/native-parser",
    "A pickle hands bytes to a native parser",
    Severity.LOW,
    "No code runs by itself, but a library written in C++ parses what the pickle holds, as it parses its own "
    "model files.",
    "Keep the library up to date; load models of others in a sandbox.",
    FILE,
)
FRAMES = Rule(
    "pickle/machines-disagree",
    "Unpicklers read this stream differently",
    Severity.HIGH,
    "An opcode crosses the end of its frame: C reading a file runs what others do not see "
    "(CPython issue 154848).",
    SAFE,
    CODE,
)
TRAILING = Rule(
    "pickle/trailing-data",
    "Bytes that are no pickle follow the last stream",
    Severity.MEDIUM,
    "A loader that seeks or reads on would meet them.",
    SAFE,
    CODE,
)
RULES = (GLOBAL, UNKNOWN, OBFUSCATED, TAMPERED, MISUSED, NATIVE, FRAMES, TRAILING)
