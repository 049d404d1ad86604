"""Computation graphs: what running one would do, and which files it reaches for."""

from __future__ import annotations

from assay.checks.packaging.artifact_scan.rules.wording import AGAIN, FILE
from assay.core.finding import Rule, Severity

OPERATOR = Rule(
    "graph/dangerous-operator",
    "A graph does more than compute",
    Severity.HIGH,
    "Operators that read or write files, call Python or reach the network run with the rights of whoever "
    "runs the model; a graph is a program (TensorFlow's SECURITY.md).",
    "Do not run it. Ask for a model without these operators, or run it in a sandbox without network.",
    ("owasp:LLM03", "atlas:AML.T0018.002", "cwe:CWE-829"),
)
CUSTOM = Rule(
    "graph/custom-operator",
    "A graph needs operators that no stock runtime has",
    Severity.LOW,
    "It runs only with a native library or with code of the application, which this file does not hold.",
    "Get that library from a source you trust, and scan and pin it; be wary of a model that comes with one.",
    ("owasp:LLM03", "cwe:CWE-829"),
)
PATH = Rule(
    "graph/path-leaves-folder",
    "A graph names a file outside of its folder",
    Severity.HIGH,
    "Loading it reads, or running it writes, a file that is no part of the model, such as a key "
    "(CVE-2022-25882, CVE-2024-27318, CVE-2024-5187).",
    AGAIN,
    ("owasp:LLM03", "cwe:CWE-22"),
)
RANGE = Rule(
    "graph/external-data-range",
    "A tensor names bytes that its file does not have",
    Severity.HIGH,
    "Offsets and lengths that do not fit make a loader read past the end, or bytes that are not meant.",
    AGAIN,
    FILE,
)
MALFORMED = Rule(
    "graph/malformed",
    "Parts of a graph file lie outside of it",
    Severity.HIGH,
    "A loader that trusts the offsets reads memory that is not the file's.",
    AGAIN,
    ("owasp:LLM03", "cwe:CWE-125"),
)
AMBIGUOUS = Rule(
    "graph/ambiguous",
    "The same bytes are models of two frameworks",
    Severity.HIGH,
    "Loaders of protobufs step over what they do not know, so that one file can show a scanner one model "
    "and a framework another.",
    AGAIN,
    FILE,
)
RULES = (OPERATOR, CUSTOM, PATH, RANGE, MALFORMED, AMBIGUOUS)
