"""Names, links and archives that mislead."""

from __future__ import annotations

from assay.checks.packaging.artifact_scan.rules.wording import AGAIN, FILE
from assay.core.finding import Rule, Severity

LYING = Rule(
    "artifact/lying-extension",
    "A file is not what its name says",
    Severity.MEDIUM,
    "Scanners and people that go by the name look at the wrong thing.",
    "Rename it, or get it from its source again.",
    FILE,
)
LINK = Rule(
    "artifact/link-leaves-folder",
    "A link leads out of the folder",
    Severity.MEDIUM,
    "The model depends on a file outside of its folder, which differs from machine to machine and is not "
    "shipped with it.",
    "Replace the link by a copy of the file.",
    ("owasp:LLM03", "cwe:CWE-59"),
)
ARCHIVE = Rule(
    "archive/inconsistent",
    "An archive reads differently in different readers",
    Severity.HIGH,
    "Doubled, overlapping or misnamed members and foreign bytes hide contents from scanners "
    "(CVE-2025-1944, CVE-2025-1945, CVE-2025-10156, CVE-2025-62518).",
    AGAIN,
    FILE,
)
POLYGLOT = Rule(
    "archive/polyglot",
    "A file is of two formats at once",
    Severity.HIGH,
    "What one reader takes for a picture or a tensor file, another opens as an archive: scanners that "
    "decide by the first bytes see the harmless half only.",
    AGAIN,
    FILE,
)
TRAILING = Rule(
    "archive/trailing-data",
    "Bytes follow the end of an archive or of compressed data",
    Severity.MEDIUM,
    "Most readers stop before them, and some read on: they hide contents.",
    "Get the file from its source again, or cut it where its data end.",
    FILE,
)
TRAVERSAL = Rule(
    "archive/path-traversal",
    "An archive member leaves its folder",
    Severity.HIGH,
    "Unpacking it writes outside of the target folder, for example over a program or a start-up file of the "
    "user.",
    AGAIN,
    ("owasp:LLM03", "cwe:CWE-22"),
)
RULES = (LYING, LINK, ARCHIVE, POLYGLOT, TRAILING, TRAVERSAL)
