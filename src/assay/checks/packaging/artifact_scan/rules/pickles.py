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
    "Loading the file imports this module, and calls or makes what is named there. Frameworks do not need it "
    "to rebuild data, so nobody has said that it is harmless.",
    "Find out what it is. Ask for the weights as safetensors, or allow the name with a reason in the check's "
    "options.",
    CODE,
)
OBFUSCATED = Rule(
    "pickle/obfuscated",
    "A pickle hides what it imports or calls",
    Severity.HIGH,
    "The name of what runs stands nowhere in the file: it is put together while the file is loaded, or "
    "looked up in a table of the loading process (copyreg). No framework writes that; scanners that search "
    "for names miss it.",
    SAFE,
    CODE,
)
TAMPERED = Rule(
    "pickle/tampered-class",
    "A pickle changes a class or function itself",
    Severity.HIGH,
    "The file sets attributes or items on a class or function of Python or a library: all code of the "
    "process that uses it later does what the file says.",
    SAFE,
    CODE,
)
MISUSED = Rule(
    "pickle/misused-global",
    "A pickle uses a known global as no framework does",
    Severity.HIGH,
    "The class or function is harmless as frameworks write it. Used in another way it can call methods that "
    "the file names, take bytes for memory addresses, or make scanner and loader read different bytes.",
    SAFE,
    CODE,
)
NATIVE = Rule(
    "pickle/native-parser",
    "A pickle hands bytes to a parser in native code",
    Severity.LOW,
    "No code of the file runs by itself, but a library written in C++ parses bytes that the file holds: a "
    "defect in that parser can be used against whoever loads it.",
    "Keep the library up to date; load models of others in a sandbox.",
    FILE,
)
FRAMES = Rule(
    "pickle/machines-disagree",
    "Unpicklers read this stream differently",
    Severity.HIGH,
    "A pickle may be cut into frames, and here an instruction crosses the end of one. Python's C unpickler, "
    "when it reads from a file, then runs what other readers, and scanners, do not see (CPython issue "
    "154848).",
    SAFE,
    CODE,
)
TRAILING = Rule(
    "pickle/trailing-data",
    "Bytes that are no pickle follow the last stream",
    Severity.MEDIUM,
    "Programs that read several pickles from one file, or start in its middle, load what stands there. "
    "Frameworks write nothing after the last pickle.",
    SAFE,
    CODE,
)
PERSISTENT = Rule(
    "pickle/persistent-id",
    "A pickle asks its loader for objects by ids",
    Severity.LOW,
    "What stands behind a persistent id is not in the file: the program that loads it decides, and "
    "pickle.load refuses the file. What such a program makes of an id of an attacker's choice is not known.",
    "Load it only with the program that it was written for, and only if you know what that does with ids.",
    FILE,
)
RULES = (PERSISTENT, GLOBAL, UNKNOWN, OBFUSCATED, TAMPERED, MISUSED, NATIVE, FRAMES, TRAILING)
