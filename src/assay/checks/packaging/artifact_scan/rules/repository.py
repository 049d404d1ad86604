"""Texts and configurations beside the weights."""

from __future__ import annotations

from assay.checks.packaging.artifact_scan.rules.wording import SOURCE_OF_TEMPLATE
from assay.core.finding import Rule, Severity

TEMPLATE = Rule(
    "template/injection",
    "A template reaches for Python internals",
    Severity.CRITICAL,
    "A program that renders the template without a sandbox runs whatever it reaches, with all rights of the "
    "server, at the first message (CVE-2024-34359 in llama-cpp-python, CVE-2026-5760 in SGLang). No chat "
    "template needs private names such as __class__.",
    SOURCE_OF_TEMPLATE,
    ("owasp:LLM03", "owasp:LLM05", "cwe:CWE-1336"),
)
TEMPLATE_INCLUDE = Rule(
    "template/includes-file",
    "A template takes in another file",
    Severity.MEDIUM,
    "include, import, from and extends read files through the loader of the application that renders it; no "
    "chat template needs them.",
    "Write the template as one, or take the model's own from its source.",
    ("owasp:LLM03", "cwe:CWE-98"),
)
TEMPLATE_BOMB = Rule(
    "template/resource-bomb",
    "Rendering a template takes all time or memory there is",
    Severity.MEDIUM,
    "Huge ranges, loops within loops and multiplied strings stop the server at the first request.",
    SOURCE_OF_TEMPLATE,
    ("owasp:LLM10", "cwe:CWE-400"),
)
TEMPLATE_HIDDEN = Rule(
    "template/hidden-instruction",
    "A template speaks to the model behind the user's back",
    Severity.MEDIUM,
    "What a template adds becomes part of every prompt: orders to drop instructions, addresses that carry "
    "data away, or sentences that are added only when a trigger stands in a message.",
    "Read the whole template, and take the model's own from its source.",
    ("owasp:LLM01", "owasp:LLM03", "atlas:AML.T0051.001", "cwe:CWE-506"),
)
HIDDEN = Rule(
    "text/hidden-characters",
    "A text holds characters that nobody sees",
    Severity.MEDIUM,
    "Tag characters, variation selectors and overrides of direction spell words for a model that no person "
    "sees (CVE-2021-42574).",
    "Remove the characters, and read what they spell.",
    ("owasp:LLM01", "atlas:AML.T0051.001", "cwe:CWE-1007"),
)
INSTRUCTIONS = Rule(
    "text/instructions",
    "A text gives orders to whichever model reads it",
    Severity.LOW,
    "Agents read model cards and configurations; sentences that order them to drop instructions or send data "
    "away reach them there.",
    "Read the sentence; remove it if it is no example.",
    ("owasp:LLM01", "atlas:AML.T0051.001"),
)
REMOTE = Rule(
    "config/remote-code",
    "A configuration asks for code from the repository to be run",
    Severity.MEDIUM,
    "auto_map and trust_remote_code make transformers import Python from the repository, and other loaders "
    "import what their configurations name.",
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
    "Control and direction characters, doubled extensions and names that differ in case only make people "
    "open something else than they think, and read differently from system to system.",
    "Rename it.",
    ("owasp:LLM03", "cwe:CWE-451"),
)
HIDDEN_FILE = Rule(
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
    "Whoever can write to that other name changes the bytes of this file, also after it was examined.",
    "Copy the folder to a place of its own before it is signed.",
    ("owasp:LLM03", "cwe:CWE-62"),
)
RULES = (
    TEMPLATE,
    TEMPLATE_INCLUDE,
    TEMPLATE_BOMB,
    TEMPLATE_HIDDEN,
    HIDDEN,
    INSTRUCTIONS,
    REMOTE,
    SECRET,
    SHADOW,
    REMOTE_MODULE,
    NAME,
    HIDDEN_FILE,
    EXECUTABLE,
    HARD_LINK,
)
