"""XML: what a parser would fetch, grow or run, and graphs that need foreign code."""

from __future__ import annotations

from assay.core.finding import Rule, Severity

_SOURCE = (
    "Remove the declaration, or get the file from its source again; parse it with external entities off."
)
ENTITY = Rule(
    "xml/external-entity",
    "An XML document fetches other files",
    Severity.HIGH,
    "A parser that resolves external entities, document types or inclusions reads local files or calls "
    "addresses as the document says.",
    _SOURCE,
    ("owasp:LLM03", "cwe:CWE-611", "cwe:CWE-827"),
)
EXPANSION = Rule(
    "xml/entity-expansion",
    "An XML document grows without bound",
    Severity.HIGH,
    "Entities made of entities fill the memory of whatever parses it.",
    _SOURCE,
    ("owasp:LLM10", "cwe:CWE-776"),
)
CODE = Rule(
    "xml/code",
    "An XML document carries code or names classes to be made",
    Severity.HIGH,
    "Scripts, style sheets, object graphs and look-ups in it run where its reader follows them.",
    "Do not load it. Get the file from its source again.",
    ("owasp:LLM03", "cwe:CWE-94", "cwe:CWE-502"),
)
CUSTOM_LAYER = Rule(
    "openvino/custom-layer",
    "A model needs a native library of its own",
    Severity.MEDIUM,
    "A layer that is no operation of OpenVINO loads only with an extension library, whose code then runs.",
    "Use a model of standard operations, or review and pin the library.",
    ("owasp:LLM03", "cwe:CWE-829"),
)
OPENVINO = Rule(
    "openvino/malformed",
    "An OpenVINO graph claims data that cannot be",
    Severity.HIGH,
    "Offsets, sizes and shapes that contradict each other make readers reach past the weights.",
    "Convert the model again from the original weights.",
    ("owasp:LLM03", "cwe:CWE-20"),
)
FUNCTION = Rule(
    "pmml/foreign-function",
    "A PMML model calls what PMML does not define",
    Severity.MEDIUM,
    "Evaluators load a function by the name of its Java class.",
    "Use PMML's own functions, or review and pin the library that defines this one.",
    ("owasp:LLM03", "cwe:CWE-470"),
)
RULES = (ENTITY, EXPANSION, CODE, CUSTOM_LAYER, OPENVINO, FUNCTION)
