"""TensorFlow: operators that do more than compute, in graphs and functions; paths; Keras' metadata."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

from assay.checks.packaging.artifact_scan import operators, rules
from assay.checks.packaging.artifact_scan.blob import Blob, Claim
from assay.checks.packaging.artifact_scan.inspectors import graph_files
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection, Inspector
from assay.checks.packaging.artifact_scan.inspectors.locations import trouble
from assay.checks.packaging.artifact_scan.next_steps import AGAIN
from assay.core.explanation import Explanation, Step
from assay.core.finding import Finding, Severity
from assay.subjects.graphs.checkpoints import CheckpointIndex, read_index
from assay.subjects.graphs.tensorflow import (
    Node,
    TensorFlowFile,
    attribute_texts,
    constants,
    only_constants,
    read_graphs,
)

MAX_FINDINGS = 20  # of one operator; the rest says the same
MAX_CUSTOM = 100
_ASSETS = ("assets/", "assets.extra/")  # where a SavedModel keeps them
_STANDARD_STREAMS = ("stdout", "stderr", "log(info)", "log(warning)", "log(error)")


def inspector(kind: str) -> Inspector:
    """The inspector of one kind of graph file."""

    def inspect(blob: Blob, inspection: Inspection) -> None:
        with graph_files.parsing(blob, inspection, f"{kind} file"):
            found = read_graphs(blob.data, blob.start, blob.end, kind)
            graph_files.unknown_fields(blob, inspection, found.unknown)
            for finding in (*_operators(blob, found), *_custom(blob, found), *_assets(blob, found)):
                inspection.report(finding)
            for text in found.metadata:
                _document(blob, text, inspection)
        graph_files.other_readings(blob, inspection, kind)

    return inspect


def _operators(blob: Blob, found: TensorFlowFile) -> Iterator[Finding]:
    effects = operators.effects("tensorflow")
    told: Counter[str] = Counter()
    if effects.keys().isdisjoint(found.operators):
        return
    for node in found.nodes.values():
        effect = effects.get(node.operator)
        if effect is None or told[node.operator] >= MAX_FINDINGS:
            continue
        for finding in _node(blob, found, node, effect):
            told[node.operator] += 1
            yield finding


def _node(blob: Blob, found: TensorFlowFile, node: Node, effect: operators.Effect) -> Iterator[Finding]:
    where = graph_files.place(blob, node.at, _full_name(node))
    tail = f": operator {node.operator[:60]}, node {node.name[:60]!r}"
    texts = list(dict.fromkeys(text for _, text in constants(found, node, ()) if text))[:8]
    explanation = Explanation(
        f"tf.raw_ops.{node.operator[:60]}({', '.join(ascii(text[:200]) for text in texts) or '...'})",
        (Step(f"node {_full_name(node)[:100]!r} is of this operator", where.offset),),
    )
    if effect.only == "outside":
        for source, text in constants(found, node, effect.paths):
            wrong = trouble(text) if text and source not in found.asset_tensors else ""
            if wrong:
                message = f"Running the graph {effect.does} at {text[:80]!r}: the path {wrong}{tail}."
                yield rules.graphs.PATH.finding(
                    message, where, severity=effect.severity, explanation=explanation
                )
        return
    if effect.only == "elsewhere" and _reads_assets(found, node, effect):
        return
    if effect.only.startswith("attribute:"):
        shown = _addresses(found, node, effect.only.removeprefix("attribute:"))
        if not shown:
            return
    else:
        shown = sorted({text for _, text in constants(found, node, ()) if "/" in text or "\\" in text})
    tail = f" ({shown[0][:80]!r}){tail}" if shown else tail
    message = f"Running the graph {effect.does}{tail}."
    yield rules.graphs.OPERATOR.finding(message, where, severity=effect.severity, explanation=explanation)


def _reads_assets(found: TensorFlowFile, node: Node, effect: operators.Effect) -> bool:
    """Whether all that a node may read are files that the model brings along, named by constants."""
    paths = only_constants(found, node, effect.paths)
    return paths is not None and all(
        source in found.asset_tensors or (text.startswith(_ASSETS) and not trouble(text))
        for source, text in paths
    )


def _addresses(found: TensorFlowFile, node: Node, attribute: str) -> list[str]:
    texts = attribute_texts(found, node, attribute)
    return [text for text in texts if text and text not in _STANDARD_STREAMS]


def _custom(blob: Blob, found: TensorFlowFile) -> Iterator[Finding]:
    stock = operators.stock_tensorflow()
    unknown = [n for name, n in found.operators.items() if name not in stock and name not in found.functions]
    for node in unknown[:MAX_CUSTOM]:
        message = f"Operator {node.operator[:80]!r} is in no stock TensorFlow: it needs a library of its own."
        where = graph_files.place(blob, node.at, _full_name(node))
        yield rules.graphs.CUSTOM.finding(message, where)


def _assets(blob: Blob, found: TensorFlowFile) -> Iterator[Finding]:
    for name in found.assets:
        wrong = trouble(name)
        if wrong:
            message = f"Loading it would open {name[:100]!r} as an asset: the path {wrong}."
            yield rules.graphs.PATH.finding(message, blob.place(), severity=Severity.HIGH)


def _full_name(node: Node) -> str:
    return f"{node.scope}/{node.name}" if node.scope else node.name


def _document(blob: Blob, text: str, inspection: Inspection) -> None:
    """Judge what Keras wrote about a layer."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        inspection.skip(blob, "metadata of Keras that are no JSON", AGAIN)
        return
    inspection.document(blob, document)


def inspect_checkpoint(blob: Blob, inspection: Inspection) -> None:
    """Judge the index of a checkpoint, and claim for its tensors the shards beside it."""
    with graph_files.parsing(blob, inspection, "index of the checkpoint"):
        index = read_index(blob.data, blob.start, blob.end)
        graph_files.unknown_fields(blob, inspection, index.unknown)
        inspection.outcome.claims += _claims(blob, index)
    graph_files.other_readings(blob, inspection, "tf-checkpoint")


def _claims(blob: Blob, index: CheckpointIndex) -> Iterator[Claim]:
    stem = blob.name.rpartition("/")[2].removesuffix(".index")
    shards = [blob.beside(f"{stem}.data-{shard:05d}-of-{index.shards:05d}") for shard in range(index.shards)]
    for tensor in index.tensors:
        if tensor.shard < index.shards:
            where = graph_files.place(blob, blob.start, tensor.name)
            yield Claim(shards[tensor.shard], tensor.offset, tensor.offset + tensor.size, where)
