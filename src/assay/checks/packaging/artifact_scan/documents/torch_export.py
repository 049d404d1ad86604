"""Graphs of `torch.export` packages: what their nodes call, and expressions that are evaluated.

Source: torch/_export/serde/serialize.py. A node's target is looked up attribute by attribute below `torch`,
`operator` or `math`, so `torch.serialization.os.system` is a target, too. Symbolic expressions go through
`sympy.sympify`, which evaluates them as Python.
"""

from __future__ import annotations

import re
from typing import Any

from assay.checks.packaging.artifact_scan import rules
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.documents.walk import values
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.core.explanation import Explanation, Step
from assay.core.finding import Finding

_QUOTED = re.compile(r"'(?!__)\w+'")
_PLAIN = re.compile(r"[A-Za-z0-9_+\-*/%().,<>=!&|~ ^:]*")
_ATTRIBUTE = re.compile(r"[A-Za-z_)]\s*\.|__")
_CALL = re.compile(r"([A-Za-z_]\w*)\s*\(")
# Classes and functions of sympy and torch.utils._sympy.functions that printed expressions are made of.
_FUNCTIONS = {
    "Symbol", "Integer", "Float", "Rational", "Mul", "Add", "Pow", "Max", "Min", "Mod", "Abs", "sqrt",
    "floor", "ceiling", "exp", "log", "Eq", "Ne", "Gt", "Ge", "Lt", "Le", "Equality", "Unequality",
    "GreaterThan", "StrictGreaterThan", "LessThan", "StrictLessThan", "And", "Or", "Not", "Piecewise",
    "ExprCondPair", "Where", "FloorDiv", "ModularIndexing", "CleanDiv", "CeilDiv", "IntTrueDiv",
    "FloatTrueDiv", "PythonMod", "LShift", "RShift", "PowByNatural", "FloatPow", "TruncToFloat",
    "TruncToInt", "CeilToInt", "FloorToInt", "RoundToInt", "RoundDecimal", "ToFloat", "Identity",
    "IsNonOverlappingAndDenseIndicator", "BooleanTrue", "BooleanFalse", "One", "Zero", "NegativeOne",
    "Half", "Infinity", "BitwiseFn_bitwise_and", "BitwiseFn_bitwise_or",
}  # fmt: skip
_TARGET = re.compile(
    r"torch\.ops\.(?P<namespace>\w+)\.(?P<operator>\w+)(?:\.\w+)*|_operator\.(?!attrgetter|methodcaller)[a-z_]+"
    r"|math\.\w+|torch\.(?:sym_\w+|_sym_\w+|_higher_order_ops\.\w+(?:\.\w+)*|_check\w*)|torch\.utils\._sympy\.\w+\.\w+"
)
_FILES = {"save", "from_file", "load_tensor"}
_MOST = 50


def judge(blob: Blob, document: Any, inspection: Inspection) -> None:
    """Judge the targets and expressions of an exported program; any other document is left alone."""
    if not isinstance(document, dict) or "graph_module" not in document:
        return
    told: set[str] = set()
    for key, value in values(document):
        finding = _judged(blob, key, value) if isinstance(value, str) else None
        if finding is not None and finding.message not in told and len(told) < _MOST:
            told.add(finding.message)
            inspection.report(finding)


def _judged(blob: Blob, key: str, value: str) -> Finding | None:
    if key == "target" and value.startswith(("torch", "_operator", "math")):
        found = _TARGET.fullmatch(value)
        if found is None or found["operator"] in _FILES:
            message = f"Running the graph would call {value[:150]}, which is no operator on tensors."
            called = Explanation(f"{value[:200]}(...)", (Step("the target of a node of the graph"),))
            return rules.classical.EXPORT.finding(message, blob.place(), explanation=called)
    elif key == "expr_str" and not _is_plain(value):
        message = f"Loading the graph would evaluate {value[:150]!r} as Python."
        evaluated = Explanation(f"sympy.sympify({value[:300]!a})", (Step("a symbolic expression"),))
        return rules.classical.EXPORT.finding(message, blob.place(), explanation=evaluated)
    return None


def _is_plain(expression: str) -> bool:
    """Whether an expression is arithmetic on symbols and nothing else."""
    bare = _QUOTED.sub("0", expression)
    called = {name for name in _CALL.findall(bare) if not name.startswith("OpaqueUnaryFn_")}
    return bool(_PLAIN.fullmatch(bare)) and not _ATTRIBUTE.search(bare) and called <= _FUNCTIONS
