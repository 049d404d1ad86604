"""Texts and configurations beside the weights."""

from __future__ import annotations

from assay.checks.packaging.artifact_scan.rules.wording import SAFE
from assay.core.finding import Rule, Severity

TEMPLATE = Rule(
    "template/injection",
    "A template reaches for Python internals",
    Severity.CRITICAL,
    "Rendered by an unsandboxed Jinja environment it runs code (CVE-2024-34359 in llama-cpp-python, "
    "CVE-2026-5760 in SGLang). Computed and private names are how such a template gets past a search.",
    SAFE,
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
    SAFE,
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
    "auto_map and trust_remote_code make transformers import Python from the repository.",
    "Use a model that its framework knows natively, or review and pin that code.",
    ("owasp:LLM03", "cwe:CWE-829"),
)
RULES = (TEMPLATE, TEMPLATE_INCLUDE, TEMPLATE_BOMB, TEMPLATE_HIDDEN, HIDDEN, INSTRUCTIONS, REMOTE)
