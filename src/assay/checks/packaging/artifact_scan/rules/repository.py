"""Texts and configurations beside the weights."""

from __future__ import annotations

from assay.checks.packaging.artifact_scan.rules.wording import SAFE
from assay.core.finding import Rule, Severity

TEMPLATE = Rule(
    "template/injection",
    "A template reaches for Python internals",
    Severity.CRITICAL,
    "Rendered by an unsandboxed Jinja environment it runs code (CVE-2024-34359).",
    SAFE,
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
SECRET = Rule(
    "repository/secret",
    "A secret lies in the repository",
    Severity.HIGH,
    "Whoever gets the model gets the key; it stays in every copy and in the history.",
    "Revoke the key where it was issued, then remove it from the file and its history.",
    ("owasp:LLM02", "cwe:CWE-798"),
)
SHADOW = Rule(
    "repository/shadowed-module",
    "A file takes the place of a library's module",
    Severity.HIGH,
    "Python looks in the working folder first: run from here, `import` of that name gets this file.",
    "Remove or rename it.",
    ("owasp:LLM03", "atlas:AML.T0010", "cwe:CWE-427"),
)
REMOTE_MODULE = Rule(
    "repository/remote-module",
    "A Python file is named by a configuration to be imported",
    Severity.LOW,
    "transformers imports it when the model is loaded with trust_remote_code.",
    "Review it as code that runs, and pin its revision.",
    ("owasp:LLM03", "cwe:CWE-829"),
)
NAME = Rule(
    "repository/misleading-name",
    "A file's name shows something else than it is",
    Severity.MEDIUM,
    "Control and direction characters, doubled extensions and names that differ in case only mislead people, "
    "and differ from system to system.",
    "Rename it.",
    ("owasp:LLM03", "cwe:CWE-451"),
)
HIDDEN = Rule(
    "repository/hidden-file",
    "A file is hidden from a plain listing",
    Severity.INFO,
    "Reviewers do not see it; tools may read it.",
    "Remove it if nothing needs it.",
    ("owasp:LLM03",),
)
EXECUTABLE = Rule(
    "repository/executable-data",
    "A data file is marked as executable",
    Severity.LOW,
    "No weights or texts are run; the mark makes a planted program one click away.",
    "Remove the mark: chmod a-x.",
    ("owasp:LLM03", "cwe:CWE-732"),
)
HARD_LINK = Rule(
    "repository/hard-link",
    "A file has another name outside the folder",
    Severity.INFO,
    "Its bytes can be changed through that name.",
    "Copy the folder to a place of its own before it is signed.",
    ("owasp:LLM03", "cwe:CWE-62"),
)
RULES = (TEMPLATE, REMOTE, SECRET, SHADOW, REMOTE_MODULE, NAME, HIDDEN, EXECUTABLE, HARD_LINK)
