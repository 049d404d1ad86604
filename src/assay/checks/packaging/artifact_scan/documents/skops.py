"""skops files: a tree of nodes, each of which names a class or function to import and the loader to use.

Source: skops/io `_audit`, `_general`. skops asks for unknown types to be trusted by name; before 0.12 two
loaders imported something else than they told (CVE-2025-54412, CVE-2025-54413), and what is no zip was handed
to joblib (CVE-2025-54886): so what a node truly reaches is judged here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from assay.checks.packaging.artifact_scan import policy, rules
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.documents.walk import values
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.next_steps import SAVE_AGAIN
from assay.core.explanation import Explanation, Step
from assay.core.finding import Finding, Severity

_KNOWN = {
    "DictNode", "DefaultDictNode", "ListNode", "SetNode", "TupleNode", "FunctionNode", "PartialNode",
    "TypeNode", "SliceNode", "ConstructorFromReduceNode", "ObjectNode", "MethodNode", "JsonNode", "BytesNode",
    "BytearrayNode", "OperatorFuncNode", "NdArrayNode", "MaskedArrayNode", "RandomStateNode",
    "RandomGeneratorNode", "DTypeNode", "QuantileForestNode", "SparseMatrixNode", "TreeNode", "LossNode",
    "SGDNode", "CachedNode", "ZoneInfoNode", "_DictWithDeprecatedKeysNode",
}  # fmt: skip
# What these nodes name is not imported: the loader itself makes the object.
_MADE_BY_LOADER = {"JsonNode", "BytesNode", "BytearrayNode", "SliceNode", "CachedNode", "DTypeNode"}
_MADE_PAIRS = {("PartialNode", "functools.partial"), ("ZoneInfoNode", "zoneinfo.ZoneInfo")}
_OPERATORS = {"attrgetter", "itemgetter", "methodcaller"}
# Universal functions compute on arrays alone; skops names scipy's by whatever module has them first.
_UNIVERSAL_FUNCTIONS = {"scipy.special", "scipy.special._ufuncs", "scipy.special._special_ufuncs"}
_GENERATORS = {("numpy.random.mtrand", "RandomState"), ("numpy.random._generator", "Generator")}
_MOST = 100


def judge(blob: Blob, document: Any, inspection: Inspection) -> None:
    """Judge the nodes of a `schema.json`; any other document is left alone."""
    if not isinstance(document, dict) or "__loader__" not in document:
        return
    found: dict[str, Finding] = {}
    unknown: set[str] = set()
    for node in _nodes(document):
        loader = str(node["__loader__"])
        if loader not in _KNOWN:
            unknown.add(loader)
        finding = _judged(blob, node, loader, inspection)
        if finding is not None and len(found) < _MOST:
            found.setdefault(finding.message, finding)
    for finding in found.values():
        inspection.report(finding)
    if unknown:
        inspection.skip(blob, f"nodes of kind {', '.join(sorted(unknown))[:200]} are not known", SAVE_AGAIN)


def _nodes(document: Any) -> Iterator[dict[str, Any]]:
    for _, value in values(document):
        if isinstance(value, dict) and "__loader__" in value:
            yield value


def _judged(blob: Blob, node: dict[str, Any], loader: str, inspection: Inspection) -> Finding | None:
    module, name = str(node.get("__module__", "")), str(node.get("__class__", ""))
    full = f"{module}.{name}"
    if loader == "OperatorFuncNode":
        return _operator(blob, module, name)
    if loader == "MethodNode":
        return _method(blob, node, full)
    if loader in _MADE_BY_LOADER or (loader, full) in _MADE_PAIRS:
        return None
    if _allowed(module, name, inspection):
        return None
    data = {"global": full, "loader": loader}
    explanation = Explanation(f"{full[:200]}(...)", (Step(f"a node of kind {loader[:60]} names it"),))
    if policy.is_denied(module, name):
        message = f"Loading it would import and use {full[:150]} ({loader})."
        return rules.classical.SKOPS_DANGEROUS.finding(
            message, blob.place(), data=data, explanation=explanation
        )
    message = f"Loading it would import {full[:150]} ({loader}), which is not known to be safe."
    return rules.classical.SKOPS_UNKNOWN.finding(message, blob.place(), data=data, explanation=explanation)


def _allowed(module: str, name: str, inspection: Inspection) -> bool:
    if policy.is_allowed(module, name, inspection.options.allow):
        return True
    plain = name.isidentifier() and not name.startswith("_")
    return plain and (module in _UNIVERSAL_FUNCTIONS or (module, name) in _GENERATORS)


def _operator(blob: Blob, module: str, name: str) -> Finding | None:
    if module == "operator" and name in _OPERATORS - {"methodcaller"}:
        return None
    if module == "operator" and name == "methodcaller":
        message = "Loading it would make operator.methodcaller, which calls any method of what it is given."
        return rules.classical.SKOPS_UNKNOWN.finding(message, blob.place())
    message = (
        f"Loading it would use operator.{name[:60]}, where its OperatorFuncNode claims "
        f"{f'{module}.{name}'[:100]} (CVE-2025-54412)."
    )
    return rules.classical.SKOPS_DANGEROUS.finding(message, blob.place())


def _method(blob: Blob, node: dict[str, Any], claimed: str) -> Finding:
    content = node.get("content")
    inner = content.get("obj") if isinstance(content, dict) else None
    function = str(content.get("func", "")) if isinstance(content, dict) else ""
    true = f"{inner.get('__module__')}.{inner.get('__class__')}" if isinstance(inner, dict) else "nothing"
    if true != claimed:
        message = (
            f"Loading it would use {f'{true}.{function}'[:120]}, where its MethodNode claims {claimed[:80]} "
            "(CVE-2025-54413)."
        )
        return rules.classical.SKOPS_DANGEROUS.finding(message, blob.place())
    message = f"Loading it would use the method {f'{true}.{function}'[:150]} (MethodNode)."
    severity = Severity.CRITICAL if function.startswith("_") else None
    return rules.classical.SKOPS_UNKNOWN.finding(message, blob.place(), severity=severity)
