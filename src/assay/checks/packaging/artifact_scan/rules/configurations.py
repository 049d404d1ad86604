"""What YAML and other configurations can make their readers do."""

from __future__ import annotations

from assay.checks.packaging.artifact_scan.rules.wording import AGAIN, CODE
from assay.core.finding import Rule, Severity

TAG = Rule(
    "config/python-tag",
    "A YAML file asks for Python objects to be made",
    Severity.CRITICAL,
    "yaml.load with an unsafe loader imports and calls what a python/ tag names "
    "(CVE-2017-18342, CVE-2020-14343).",
    "Do not load it, or with yaml.safe_load only. Get the file from its source again.",
    CODE,
)
DANGEROUS = Rule(
    "config/dangerous-target",
    "A configuration asks for something to be called that can run code",
    Severity.CRITICAL,
    "Instantiating it (hydra `_target_`, jsonargparse `class_path`, `!new:`) imports and calls a name that "
    "runs code, reads files or reaches the network (CVE-2025-23304).",
    "Do not instantiate it. Get the configuration from its source again.",
    CODE,
)
UNKNOWN = Rule(
    "config/unknown-target",
    "A configuration asks for a class of no known framework",
    Severity.MEDIUM,
    "Instantiating it imports that module and calls that name, with arguments of the file's choice.",
    "Review the class, then allow it with a reason in the check's options.",
    CODE,
)
PATH = Rule(
    "config/path-leaves-folder",
    "A configuration names a file that is no part of the model",
    Severity.HIGH,
    "Loading the model opens that file, and unpickles it where it is one: it lies outside of the folder, or "
    "where no signature covers it.",
    AGAIN,
    ("owasp:LLM03", "cwe:CWE-22"),
)
BOMB = Rule(
    "config/alias-bomb",
    "A YAML file unfolds to far more than it is",
    Severity.MEDIUM,
    "Aliases of aliases grow to millions of values in whoever walks the document.",
    "Do not load it. Get the file from its source again.",
    ("owasp:LLM03", "owasp:LLM10", "cwe:CWE-776"),
)
RULES = (TAG, DANGEROUS, UNKNOWN, PATH, BOMB)
