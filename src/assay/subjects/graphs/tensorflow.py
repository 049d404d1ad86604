"""TensorFlow graphs: nodes of graphs and function libraries, the constants they are fed, assets, metadata.

Source: tensorflow/core/protobuf/saved_model.proto, meta_graph.proto, framework/graph.proto, function.proto.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from assay.core.errors import LimitError
from assay.subjects.graphs.protobuf import Data, Message, Reader
from assay.subjects.graphs.schemas import schema

ROOTS = {
    "tf-savedmodel": "SavedModel", "tf-metagraph": "MetaGraphDef", "tf-graphdef": "GraphDef",
    "keras-metadata": "KerasMetadata", "tf-fingerprint": "FingerprintDef",
}  # fmt: skip
MAX_TEXTS = 20_000
MAX_NODES = 2_000_000
MAX_SOURCES = 64
MAX_PATH = 4096
DT_STRING = 7
# Operators that call a function of the library by an attribute.
CALLERS = frozenset({
    "PartitionedCall", "StatefulPartitionedCall", "TPUPartitionedCall", "If", "StatelessIf", "While",
    "StatelessWhile", "Case", "StatelessCase", "RemoteCall", "SymbolicGradient", "XlaLaunch", "MapDataset",
})  # fmt: skip
# What hands its input on unchanged, or puts texts together, by the inputs that count (None: all).
_THROUGH: Mapping[str, int | None] = {
    "Identity": 1, "IdentityN": None, "PlaceholderWithDefault": 1, "StringJoin": None, "Pack": None,
    "ShardedFilename": 1, "Reshape": 1, "ExpandDims": 1, "Squeeze": 1, "StopGradient": 1, "Fill": None,
    "ConcatV2": None, "AsString": 1, "Cast": 1, "Select": None, "SelectV2": None, "Where": None, "Switch": 1,
    "Merge": None, "EnsureShape": 1, "Snapshot": 1, "StringLower": 1, "StringUpper": 1, "StringStrip": 1,
}  # fmt: skip

_UNCHANGED = frozenset({"Identity", "Reshape", "ExpandDims", "Squeeze", "StopGradient", "EnsureShape"})


@dataclass(frozen=True, slots=True)
class Node:
    """One node of a graph or of a function.

    Attributes:
        name, operator: as written.
        scope: the function it lies in, "" for the graph itself.
        inputs: names of the nodes that feed it.
        at: its byte in the file.
        end: where it ends.
    """

    name: str
    operator: str
    scope: str
    inputs: tuple[str, ...]
    at: int
    end: int


@dataclass(slots=True)
class TensorFlowFile:
    """What a judge needs of a graph file.

    Attributes:
        nodes: all that have one of the operators asked for, and those that lead to their inputs.
        operators: the first node of every operator.
        functions: what the library defines, and the names of each function's arguments.
        calls: by function, the nodes that name it in an attribute or are called like it.
        assets: file names of assets.
        asset_tensors: names of the nodes that a loader feeds with the path of an asset.
        metadata: JSON that Keras wrote.
        unknown: fields that this version does not know.
    """

    nodes: dict[tuple[str, str], Node] = field(default_factory=dict)
    operators: dict[str, Node] = field(default_factory=dict)
    functions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    calls: dict[str, list[Node]] | None = None
    assets: list[str] = field(default_factory=list)
    asset_tensors: set[str] = field(default_factory=set)
    metadata: list[str] = field(default_factory=list)
    unknown: tuple[str, ...] = ()
    reader: Reader | None = None


def read_graphs(data: Data, start: int, end: int, kind: str) -> TensorFlowFile:
    """Read the file in `data[start:end]`, of a `kind` in `ROOTS`, to its last byte.

    Raises:
        SubjectError: it is not valid.
        LimitError: it holds more than we are willing to follow.
    """
    reader = Reader(data, schema("tensorflow"))
    found = TensorFlowFile(reader=reader)
    scope, inside = "", range(0)
    for message in reader.walk(ROOTS[kind], start, end):
        if message.start not in inside:
            scope = ""
        match message.kind:
            case "FunctionDef":
                signature = reader.child(message, 1)
                scope = signature.text(1, 1000) if signature else ""
                inside = range(message.start, message.end)
                arguments = reader.children(signature, 2) if signature else ()
                found.functions[scope] = tuple(argument.text(1, 1000) for argument in arguments)
            case "NodeDef":
                _node(found, message, scope)
            case "google_protobuf_Any" if message.text(1).endswith("/tensorflow.AssetFileDef"):
                # TensorFlow 1 keeps them in a collection.
                for span in message.spans.get(2, ()):
                    _asset(found, reader, reader.read("AssetFileDef", *span, message.depth + 1))
            case "AssetFileDef":
                _asset(found, reader, message)
            case "SavedUserObject":
                _metadata(found, message.text(3, 16 << 20))
            case "KerasObject":
                _metadata(found, message.text(5, 64 << 20))
    found.unknown = tuple(reader.unknown)
    return found


def _node(found: TensorFlowFile, message: Message, scope: str) -> None:
    if len(found.nodes) >= MAX_NODES:
        raise LimitError(f"more than {MAX_NODES:,} nodes")
    inputs = tuple(message.texts(3, 1000))
    name, operator = message.text(1, 1000), message.text(2, 300)
    node = Node(name, operator, scope, inputs, message.start, message.end)
    # Two nodes of one name are refused by TensorFlow; both are kept here, for the place is part of the key.
    key = (scope, name)
    found.nodes[key if key not in found.nodes else (scope, f"{name}\0{message.start}")] = node
    found.operators.setdefault(operator, node)


def _asset(found: TensorFlowFile, reader: Reader, message: Message) -> None:
    found.assets.append(message.text(2, MAX_PATH))
    for tensor in reader.children(message, 1):
        found.asset_tensors.add(tensor.text(1, 1000).split(":")[0])


def _metadata(found: TensorFlowFile, text: str) -> None:
    if text:
        if len(found.metadata) >= MAX_TEXTS:
            raise LimitError(f"more than {MAX_TEXTS:,} texts of Keras")
        found.metadata.append(text)


def attributes(found: TensorFlowFile, node: Node) -> dict[str, Message]:
    """The attributes of a node, by name."""
    reader = found.reader
    if reader is None:
        return {}
    message = reader.read("NodeDef", node.at, node.end)
    result = {}
    for entry in reader.children(message, 5):
        value = reader.child(entry, 2)
        if value is not None:
            result[entry.text(1, 300)] = value
    return result


def attribute_texts(found: TensorFlowFile, node: Node, name: str) -> list[str]:
    """The texts of one attribute, a single one or a list."""
    value = attributes(found, node).get(name)
    if value is None or found.reader is None:
        return []
    texts = list(value.texts(2, MAX_PATH))
    for values in found.reader.children(value, 1):
        texts += values.texts(2, MAX_PATH)
    return texts


def constants(found: TensorFlowFile, node: Node, inputs: Sequence[int]) -> Iterator[tuple[str, str]]:
    """The constant texts that reach some of a node's inputs (all, where none is named), and who holds each.

    Followed back through what hands texts on, and through calls of functions; what is fed is no constant.
    """
    chosen = [name for index, name in enumerate(node.inputs) if not inputs or index in inputs]
    pending = [(node.scope, name) for name in chosen]
    seen = set[tuple[str, str]]()
    while pending and len(seen) < MAX_SOURCES:
        scope, name = pending.pop()
        key = (scope, name.split(":")[0].lstrip("^"))
        if key in seen:
            continue
        seen.add(key)
        source = found.nodes.get(key)
        if source is None:
            pending += _passed(found, *key)
        elif source.operator == "Const":
            for text in _texts(found, source):
                yield source.name, text
        elif source.operator in _THROUGH:
            pending += [(scope, one) for one in source.inputs[: _THROUGH[source.operator]]]


def only_constants(found: TensorFlowFile, node: Node, inputs: Sequence[int]) -> list[tuple[str, str]] | None:
    """The constants that alone decide some inputs of a node, unchanged; None where anything else does."""
    chosen = [name for index, name in enumerate(node.inputs) if not inputs or index in inputs]
    pending = [(node.scope, name) for name in chosen if not name.startswith("^")]
    decided: list[tuple[str, str]] = []
    for _ in range(MAX_SOURCES):
        if not pending:
            return decided or None
        scope, name = pending.pop()
        source = found.nodes.get((scope, name.split(":")[0]))
        passed = _passed(found, scope, name.split(":")[0]) if source is None else []
        if passed:
            pending += passed
        elif source is not None and source.operator in _UNCHANGED:
            pending += [(scope, one) for one in source.inputs[:1]]
        elif source is not None and source.operator == "Const" and (texts := list(_texts(found, source))):
            decided += [(source.name, text) for text in texts]
        else:
            return None
    return None


def _passed(found: TensorFlowFile, function: str, argument: str) -> list[tuple[str, str]]:
    """What the callers of a function give for one of its arguments."""
    arguments = found.functions.get(function, ())
    if argument not in arguments:
        return []
    index = arguments.index(argument)
    if found.calls is None:
        found.calls = _calls(found)
    passed: list[tuple[str, str]] = []
    for caller in found.calls.get(function, ())[:MAX_SOURCES]:
        # Conditions and loops have inputs of their own before those of the function.
        exact = caller.operator == function or caller.operator.endswith("PartitionedCall")
        inputs = caller.inputs[index : index + 1] if exact else caller.inputs[index:]
        passed += [(caller.scope, name) for name in inputs]
    return passed


def _calls(found: TensorFlowFile) -> dict[str, list[Node]]:
    calls: dict[str, list[Node]] = {}
    for node in found.nodes.values():
        names = {node.operator} & found.functions.keys()
        if node.operator in CALLERS and found.reader is not None:
            for value in attributes(found, node).values():
                names |= {function.text(1, 1000) for function in found.reader.children(value, 10)}
        for name in names:
            calls.setdefault(name, []).append(node)
    return calls


def _texts(found: TensorFlowFile, node: Node) -> Iterator[str]:
    value, reader = attributes(found, node).get("value"), found.reader
    if value is None or reader is None:
        return
    for tensor in reader.children(value, 8):
        if tensor.number(1) == DT_STRING:
            yield from list(tensor.texts(8, MAX_PATH))[:MAX_SOURCES]
