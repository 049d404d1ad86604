"""What `supply.sbom` can find."""

from __future__ import annotations

from assay.core.finding import Rule, Severity

_SUPPLY = ("owasp:LLM03", "atlas:AML.T0010")

MODIFIED_FILE = Rule(
    "sbom/modified-file",
    "Installed code differs from what was installed",
    Severity.HIGH,
    "The file's SHA-256 is not the one its package recorded at installation: it was edited or replaced "
    "afterwards, which is how a backdoor is put into an environment that was clean.",
    "Make the environment anew from the lock file, and find out who wrote the file.",
    (*_SUPPLY, "cwe:CWE-353", "cwe:CWE-506"),
)
MISSING_FILE = Rule(
    "sbom/missing-file",
    "Installed code is missing",
    Severity.LOW,
    "Files that the package recorded at installation are gone, so it may not do what its version says.",
    "Reinstall the package.",
    _SUPPLY,
)
UNRECORDED_CODE = Rule(
    "sbom/unrecorded-code",
    "Start-up code that no package owns",
    Severity.MEDIUM,
    "Python runs every `.pth` file with an import line, `sitecustomize` and `usercustomize` at each start. "
    "One that no installed package recorded was put there by hand.",
    "Read it. Remove it unless you know who wrote it.",
    (*_SUPPLY, "cwe:CWE-506"),
)
DIRECT_URL = Rule(
    "sbom/direct-url",
    "Package that did not come from an index",
    Severity.MEDIUM,
    "It was installed from a repository, an archive or a folder. Without a pinned commit or hash nobody can "
    "say which bytes the next installation gets.",
    "Install a released version, or pin the commit or the archive's SHA-256.",
    (*_SUPPLY, "cwe:CWE-829"),
)
DUPLICATE_DISTRIBUTION = Rule(
    "sbom/duplicate-distribution",
    "Package that is installed twice",
    Severity.MEDIUM,
    "Two versions' files overlie each other; which code runs is not what either version's record says, and "
    "scanners look at one of the two.",
    "Uninstall the package until none is left, then install it once.",
    _SUPPLY,
)
MISSING_LICENCE = Rule(
    "sbom/missing-licence",
    "Package without a licence",
    Severity.INFO,
    "Its metadata states no licence, so nobody can say on which terms it may be used.",
    "Ask its authors, or record the licence you were given.",
)
RULES = (
    MODIFIED_FILE,
    MISSING_FILE,
    UNRECORDED_CODE,
    DIRECT_URL,
    DUPLICATE_DISTRIBUTION,
    MISSING_LICENCE,
)
