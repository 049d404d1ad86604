"""ONNX Runtime's own format (`.ort`): an ONNX graph as a FlatBuffer.

Source: onnxruntime/core/flatbuffers/schema/ort.fbs. What it names is told in the words of `onnx`.
"""

from __future__ import annotations

from collections.abc import Iterator

from assay.core.errors import LimitError
from assay.subjects.graphs.flatbuffers import Buffer, Table
from assay.subjects.graphs.onnx import EVERY, OnnxModel, Operator
from assay.subjects.graphs.protobuf import Data

IDENTIFIER = b"ORTM"
MAX_PARTS = 2_000_000
_ELSEWHERE = -1  # the offset that stands for "inside"


def read_ort(data: Data, start: int, end: int) -> OnnxModel:
    """Read the model in `data[start:end]`.

    Raises:
        OutsideError: an offset leads out of the file.
        LimitError: it holds more than we are willing to follow.
    """
    found = OnnxModel()
    root = Buffer(data, start, end).root()
    found.texts += [root.text(0)]
    model = root.table(1)
    if model is None:
        return found
    found.texts += [model.text(slot) for slot in (2, 4, 6, 8)]
    found.texts += [entry.text(1) for entry in model.tables(9)]
    graph = model.table(7)
    seen: set[tuple[str, str]] = set()
    for number, part in enumerate(_graphs(graph)):
        if number > MAX_PARTS:
            raise LimitError(f"more than {MAX_PARTS:,} graphs and nodes")
        _graph(part, found, seen)
    return found


def _graphs(first: Table | None) -> Iterator[Table]:
    """A graph and all graphs in attributes of its nodes, each once."""
    pending, met = [first] if first is not None else [], set[int]()
    while pending:
        graph = pending.pop()
        if graph.at in met:
            continue
        met.add(graph.at)
        yield graph
        for node in graph.tables(2):
            for attribute in node.tables(10):
                inner = attribute.table(7)
                pending += [*([inner] if inner else []), *attribute.tables(12)]


def _graph(graph: Table, found: OnnxModel, seen: set[tuple[str, str]]) -> None:
    for tensor in graph.tables(0):
        _tensor(tensor, found)
    for sparse in graph.tables(7):
        for slot in (0, 1):
            inner = sparse.table(slot)
            if inner is not None:
                _tensor(inner, found)
    for node in graph.tables(2):
        _node(node, found, seen)


def _node(node: Table, found: OnnxModel, seen: set[tuple[str, str]]) -> None:
    key = (node.text(2), node.text(5))
    attributes: dict[str, str] = {}
    for attribute in node.tables(10):
        if key[1] in EVERY:
            attributes[attribute.text(0)] = attribute.text(5)[:1000] or str(attribute.number(4, "q"))
        found.values += [span for span in (attribute.vector(5, 1),) if span]
        tensor = attribute.table(6)
        for one in (*([tensor] if tensor else []), *attribute.tables(11)):
            _tensor(one, found)
    if key not in seen or key[1] in EVERY:
        seen.add(key)
        found.texts += [text for text in (node.text(1),) if text]
        found.operators.append(Operator(*key, node.at, node.text(0)[:200], attributes))


def _tensor(tensor: Table, found: OnnxModel) -> None:
    raw = tensor.vector(4, 1)
    if raw is not None:
        found.raw.append(raw)
    if tensor.number(6, "q", _ELSEWHERE) != _ELSEWHERE:
        found.unknown = (*found.unknown[:4], f"numbers of {tensor.text(0)[:60]!r} in another file")
