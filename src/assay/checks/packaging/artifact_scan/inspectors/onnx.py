"""ONNX: files that tensors lie in, operators of no stock runtime, texts, pickles in attributes."""

from __future__ import annotations

from assay.checks.packaging.artifact_scan import operators, rules
from assay.checks.packaging.artifact_scan.blob import Blob, Claim
from assay.checks.packaging.artifact_scan.inspectors import graph_files
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.inspectors.locations import trouble
from assay.core.explanation import Explanation, Step
from assay.subjects.graphs import messages
from assay.subjects.graphs.flatbuffers import OutsideError
from assay.subjects.graphs.onnx import ExternalTensor, OnnxModel, Operator, read_model
from assay.subjects.graphs.ort import read_ort

MAX_FINDINGS = 50
MAX_OFFSET = 1 << 62


def inspect(blob: Blob, inspection: Inspection) -> None:
    """Judge a model."""
    with graph_files.parsing(blob, inspection, "ONNX model"):
        model = read_model(blob.data, blob.start, blob.end)
        graph_files.unknown_fields(blob, inspection, model.unknown)
        _external(blob, model, inspection)
        _operators(blob, model, inspection)
        for text in model.texts:
            inspection.text(blob, text)
        graph_files.probe_pickles(blob, inspection, (*model.values, *model.raw))
    graph_files.other_readings(blob, inspection, "onnx")


def inspect_ort(blob: Blob, inspection: Inspection) -> None:
    """Judge a model in ONNX Runtime's own format."""
    with graph_files.parsing(blob, inspection, "ORT model"):
        try:
            model = read_ort(blob.data, blob.start, blob.end)
        except OutsideError as error:
            message = f"The ORT model cannot be trusted: {error.cause}."
            inspection.report(rules.graphs.MALFORMED.finding(message, blob.place()))
            return
        graph_files.unknown_fields(blob, inspection, model.unknown)
        _operators(blob, model, inspection)
        for text in model.texts:
            inspection.text(blob, text)
        graph_files.probe_pickles(blob, inspection, (*model.values, *model.raw))
    graph_files.other_readings(blob, inspection, "ort")


def inspect_tensor(blob: Blob, inspection: Inspection) -> None:
    """Judge a tensor, or a list of them, in a file of its own, as test data come."""
    kind = messages.kind_of_tensor(blob.data, blob.start, blob.end)
    with graph_files.parsing(blob, inspection, "ONNX tensor"):
        model = read_model(blob.data, blob.start, blob.end, kind)
        graph_files.unknown_fields(blob, inspection, model.unknown)
        _external(blob, model, inspection)
        for text in model.texts:
            inspection.text(blob, text)
        graph_files.probe_pickles(blob, inspection, (*model.values, *model.raw))
    graph_files.other_readings(blob, inspection, "onnx-tensor")


def _external(blob: Blob, model: OnnxModel, inspection: Inspection) -> None:
    told: set[str] = set()
    for tensor in model.external:
        wrong = trouble(tensor.location)
        if wrong and tensor.location not in told and len(told) < MAX_FINDINGS:
            told.add(tensor.location)
            message = (
                f"Loading it would read tensor {tensor.name[:60]!r} from {tensor.location[:100]!r}: "
                f"the path {wrong}."
            )
            where = graph_files.place(blob, tensor.at, tensor.name)
            inspection.report(rules.graphs.PATH.finding(message, where))
        if not wrong:
            _range(blob, tensor, inspection)


def _range(blob: Blob, tensor: ExternalTensor, inspection: Inspection) -> None:
    """Check offset and length by themselves; the file they count in may be examined at the same time."""
    where = graph_files.place(blob, tensor.at, tensor.name)
    start, length = _natural(tensor.offset or "0"), _natural(tensor.length or str(tensor.size or 0))
    problem = ""
    if not tensor.location:
        problem = "names no file"
    elif start is None or length is None:
        problem = f"has offset {tensor.offset[:30]!r} and length {tensor.length[:30]!r}"
    elif tensor.size is not None and length != tensor.size:
        problem = f"takes {length:,} bytes, but its shape and type need {tensor.size:,}"
    if problem or start is None or length is None:
        message = f"Tensor {tensor.name[:60]!r}, whose data lie in another file, {problem}."
        inspection.report(rules.graphs.RANGE.finding(message, where))
        return
    end = start + length if tensor.length or tensor.size is not None else None
    inspection.outcome.claims.append(Claim(blob.beside(tensor.location), start, end, where))


def _natural(text: str) -> int | None:
    """A number as loaders read it; None for signs, fractions and what no file is long enough for."""
    if not (text.isascii() and text.isdigit()) or len(text) > 20:  # noqa: PLR2004  2**64 has twenty digits
        return None
    return int(text) if int(text) < MAX_OFFSET else None


def _operators(blob: Blob, model: OnnxModel, inspection: Inspection) -> None:
    served = operators.known("onnx", "domains")
    effects = operators.effects("onnx")
    domains: dict[str, list[Operator]] = {}
    for operator in model.operators[:100_000]:
        own = (operator.domain, operator.name) in model.functions
        if operator.name in effects and not own:
            _effect(blob, operator, effects[operator.name], inspection)
        elif operator.domain not in served and not own:
            domains.setdefault(operator.domain, []).append(operator)
    for domain, used in list(domains.items())[:MAX_FINDINGS]:
        names = ", ".join(sorted(operator.name for operator in used)[:5])[:100]
        message = f"Operators of the domain {domain[:60]!r} need a library of their own: {names}."
        where = graph_files.place(blob, used[0].at, used[0].node)
        inspection.report(rules.graphs.CUSTOM.finding(message, where))


def _effect(blob: Blob, operator: Operator, effect: operators.Effect, inspection: Inspection) -> None:
    where = graph_files.place(blob, operator.at, operator.node)
    values = operator.attributes
    function = values.get("func_name") or values.get("name") or values.get("module") or ""
    named = f" ({function[:80]!r})" if function else ""
    message = f"Running the graph {effect.does}{named}: operator {operator.name[:60]}."
    given = ", ".join(f"{key[:40]}={text[:100]!a}" for key, text in list(values.items())[:8])
    explanation = Explanation(
        f"{operator.domain[:60] or 'ai.onnx'}::{operator.name[:60]}({given})",
        (Step(f"node {operator.node[:100]!r} is of this operator", where.offset),),
    )
    inspection.report(
        rules.graphs.OPERATOR.finding(message, where, severity=effect.severity, explanation=explanation)
    )
    path = values.get("ep_cache_context", "")
    if operator.name == "EPContext" and values.get("embed_mode", "1") == "0" and trouble(path):
        message = f"Loading it would hand {path[:100]!r} to an accelerator: the path {trouble(path)}."
        inspection.report(rules.graphs.PATH.finding(message, where))
