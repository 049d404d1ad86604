"""What HDF5 files can do."""

from __future__ import annotations

from assay.checks.packaging.artifact_scan.rules.wording import AGAIN, FILE
from assay.core.finding import Rule, Severity

OUTSIDE = Rule(
    "hdf5/external-file",
    "An HDF5 file takes data from other files",
    Severity.HIGH,
    "External links, external raw storage and virtual datasets read files of the machine that loads the "
    "model, and hand their bytes on as weights (CVE-2026-1669).",
    "Do not load it. Have it saved again as one whole file.",
    ("owasp:LLM03", "cwe:CWE-73", "cwe:CWE-200"),
)
SOFT = Rule(
    "hdf5/soft-link",
    "An HDF5 file has a soft link",
    Severity.LOW,
    "It leads to another object of the same file, or, through an external link, into another file.",
    "Keras writes none: ask why it is there.",
    FILE,
)
FILTER = Rule(
    "hdf5/filter-plugin",
    "Reading a dataset loads a native filter plug-in",
    Severity.MEDIUM,
    "HDF5 looks for a shared library with this filter number in its plug-in folder and runs it.",
    "Have it saved again without compression, or with gzip.",
    ("owasp:LLM03", "cwe:CWE-114"),
)
FOREIGN = Rule(
    "hdf5/foreign-bytes",
    "Bytes that are no part of the HDF5 file stand before or after it",
    Severity.MEDIUM,
    "HDF5 readers do not see them; a loader of another format may.",
    AGAIN,
    FILE,
)
SHAPE = Rule(
    "hdf5/shape-bomb",
    "A dataset claims far more data than it has",
    Severity.MEDIUM,
    "Reading it sets aside that much memory, until the process or the machine has none left (CVE-2026-0897).",
    "Do not load it where other programs share the memory. Get it from its source again.",
    ("owasp:LLM10", "cwe:CWE-770"),
)
RULES = (OUTSIDE, SOFT, FILTER, FOREIGN, SHAPE)
