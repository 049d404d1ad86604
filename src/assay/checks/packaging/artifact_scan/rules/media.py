"""Documents, tables and lists of packages beside the weights."""

from __future__ import annotations

from assay.checks.packaging.artifact_scan.rules.wording import CODE
from assay.core.finding import Rule, Severity

ACTIVE = Rule(
    "media/active-document",
    "A PDF acts by itself, or carries files",
    Severity.MEDIUM,
    "Scripts, launch actions and embedded files run or unpack in viewers that allow them.",
    "Open it in a viewer without scripts, or remove it.",
    ("owasp:LLM03", "cwe:CWE-506"),
)
PICKLED_TYPE = Rule(
    "arrow/pickled-type",
    "A table's schema holds a pickled type",
    Severity.HIGH,
    "pyarrow 0.14 to 14.0.0 unpickles it when the file is opened (CVE-2023-47248).",
    "Do not open it with pyarrow before 14.0.1. Write the table again without extension types.",
    CODE,
)
PACKAGES = Rule(
    "repository/package-source",
    "A list of packages takes them from elsewhere than the default index",
    Severity.MEDIUM,
    "Who controls the other place, or the network to it where it is not protected, chooses the code that is "
    "installed.",
    "Install from an index that you trust over HTTPS, with versions and hashes pinned.",
    ("owasp:LLM03", "cwe:CWE-829", "cwe:CWE-494"),
)
RULES = (ACTIVE, PICKLED_TYPE, PACKAGES)
