"""Which messages bytes are by their fields alone, and which operators other loaders would find in them.

A protobuf counts as recognised when every field of its outermost message has a number and type that the
format has, down to the last byte, the fields that no writer leaves out are there, and what lies in the first
of them has the shape that it must have. Chance bytes and texts do not come that far.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from assay.core.errors import SubjectError
from assay.subjects.graphs.onnx import is_whole
from assay.subjects.graphs.protobuf import Data, Message, Reader
from assay.subjects.graphs.schemas import schema

_NAME = re.compile(r"[A-Za-z0-9_.>^][\w.\\/>:^$@+=,\[\]\- ]*", re.ASCII)
_OPERATOR = re.compile(r"[A-Za-z_][\w.>:]*", re.ASCII)
_LOOKED_AT = 32  # messages of a repeated field
_MIN = 4
MAX_VERSION = 1000


def recognise(data: Data, start: int, end: int) -> str:
    """The name of a format, or "" where the bytes are none of these messages."""
    for name, framework, kind, fits in _KINDS:
        if _fits(data, start, end, framework, kind, fits):
            return name
    return ""


def kind_of_tensor(data: Data, start: int, end: int) -> str:
    """The message that bytes recognised as `onnx-tensor` are."""
    whole = _fits(data, start, end, "onnx", "TensorProto", lambda _, tensor: is_whole(tensor))
    return "TensorProto" if whole else "SequenceProto"


def others(data: Data, start: int, end: int, recognised: str) -> list[str]:
    """Formats other than the recognised one whose loaders would find operators in the same bytes.

    A loader of protobufs steps over fields that it does not know, so that one file can be two models.
    """
    if end - start < _MIN:
        return []
    return [
        name
        for name, framework, kind, path in _OPERATORS
        if name != recognised and _holds(data, start, end, framework, kind, path)
    ]


def _holds(data: Data, start: int, end: int, framework: str, kind: str, path: tuple[int, ...]) -> bool:
    """Whether the fields of `path` lead to a text that may be the type of an operator."""
    reader = Reader(data, schema(framework), lenient=True)
    try:
        messages = [reader.read(kind, start, end)]
        for number in path[:-1]:
            messages = [child for message in messages for child in _some(reader, message, number)][
                :_LOOKED_AT
            ]
        return any(_OPERATOR.fullmatch(message.text(path[-1])) for message in messages)
    except SubjectError:
        return False


def _some(reader: Reader, message: Message, number: int) -> list[Message]:
    """The messages in the first and last occurrences of a field."""
    spans = message.spans.get(number, [])
    kind = reader.schema[message.kind][number]
    return [reader.read(kind, *span) for span in dict.fromkeys((*spans[:_LOOKED_AT], *spans[-_LOOKED_AT:]))]


# Where an operator's type lies: the fields to follow from the outermost message.
_OPERATORS = (
    ("onnx", "onnx", "ModelProto", (7, 1, 4)),
    ("onnx", "onnx", "ModelProto", (25, 7, 4)),
    ("tf-savedmodel", "tensorflow", "SavedModel", (2, 2, 1, 2)),
    ("tf-savedmodel", "tensorflow", "SavedModel", (2, 2, 2, 1, 3, 2)),
    ("tf-metagraph", "tensorflow", "MetaGraphDef", (2, 1, 2)),
    ("tf-metagraph", "tensorflow", "MetaGraphDef", (2, 2, 1, 3, 2)),
    ("tf-graphdef", "tensorflow", "GraphDef", (1, 2)),
    ("tf-graphdef", "tensorflow", "GraphDef", (2, 1, 3, 2)),
    ("paddle", "paddle", "ProgramDesc", (1, 4, 3)),
    ("coreml", "coreml", "Model", (555, 10)),
    ("coreml", "coreml", "Model", (556, 1, 1, 1)),
    ("coreml", "coreml", "Model", (500, 1, 500, 10)),
)


def _fits(
    data: Data, start: int, end: int, framework: str, kind: str, fits: Callable[[Reader, Message], bool]
) -> bool:
    reader = Reader(data, schema(framework))
    try:
        message = reader.read(kind, start, end)
        return not reader.unknown and fits(reader, message)
    except SubjectError:
        return False


def _onnx(reader: Reader, model: Message) -> bool:
    if not 0 < model.number(1) < MAX_VERSION or not (model.spans.get(7) or model.spans.get(25)):
        return False
    graphs = [*reader.children(model, 7), *reader.children(model, 25), *reader.children(model, 8)]
    return not reader.unknown and len(graphs) > 0


def _tensors(reader: Reader, values: Message) -> bool:
    tensors = list(reader.children(values, 3))
    return bool(tensors) and all(is_whole(one) for one in tensors) and not reader.unknown


def _sentencepiece(reader: Reader, model: Message) -> bool:
    spans = model.spans.get(1, [])
    pieces = [reader.read("ModelProto_SentencePiece", *span) for span in spans[:_LOOKED_AT]]
    specs = [*reader.children(model, 2), *reader.children(model, 3)]
    named = bool(pieces) and all(piece.spans.get(1) and len(piece.numbers) < _LOOKED_AT for piece in pieces)
    return named and len(specs) > 1 and not reader.unknown


def _saved_model(reader: Reader, model: Message) -> bool:
    graphs = list(reader.children(model, 2))
    return 0 < model.number(1) < MAX_VERSION and bool(graphs) and all(_metagraph(reader, g) for g in graphs)


def _metagraph(reader: Reader, graph: Message) -> bool:
    about, graphs = list(reader.children(graph, 1)), list(reader.children(graph, 2))
    if not about or not graphs or reader.unknown:
        return False
    # Writers say their version, and list operators or functions; a loader asks for neither.
    said = any(message.spans.get(5) or message.spans.get(2) for message in (*about, *graphs))
    return said or all(_graphdef(reader, one) for one in graphs)


def _graphdef(reader: Reader, graph: Message) -> bool:
    spans = graph.spans.get(1, [])
    nodes = [reader.read("NodeDef", *span) for span in (*spans[:_LOOKED_AT], *spans[-_LOOKED_AT:])]
    shaped = all(_NAME.fullmatch(n.text(1)) and _OPERATOR.fullmatch(n.text(2)) for n in nodes)
    return bool(nodes) and shaped and not reader.unknown


def _keras(reader: Reader, metadata: Message) -> bool:
    nodes = list(reader.children(metadata, 1))[:_LOOKED_AT]
    return bool(nodes) and all(n.text(3)[:4] == "root" and n.text(5, 1) == "{" for n in nodes)


def _fingerprint(reader: Reader, print_: Message) -> bool:
    return len(print_.numbers) >= 4 and print_.end - print_.start < 200 and not reader.unknown  # noqa: PLR2004


def _coreml(reader: Reader, model: Message) -> bool:
    kinds = [number for number in model.spans if number >= 200]  # noqa: PLR2004  the oneof of model types
    inner = [*reader.children(model, 2), *(reader.child(model, number) for number in kinds)]
    return 0 < model.number(1) < MAX_VERSION and bool(kinds) and bool(inner) and not reader.unknown


def _paddle(reader: Reader, program: Message) -> bool:
    blocks = list(reader.children(program, 1))
    first = [op for block in blocks[:1] for op in list(reader.children(block, 4))[:_LOOKED_AT]]
    shaped = all(_OPERATOR.fullmatch(op.text(3)) for op in first)
    return bool(blocks) and all({1, 2} <= b.numbers.keys() for b in blocks) and shaped and not reader.unknown


_KINDS = (
    ("onnx", "onnx", "ModelProto", _onnx),
    ("tf-savedmodel", "tensorflow", "SavedModel", _saved_model),
    ("tf-graphdef", "tensorflow", "GraphDef", _graphdef),
    ("tf-metagraph", "tensorflow", "MetaGraphDef", _metagraph),
    ("keras-metadata", "tensorflow", "KerasMetadata", _keras),
    ("paddle", "paddle", "ProgramDesc", _paddle),
    ("tf-fingerprint", "tensorflow", "FingerprintDef", _fingerprint),
    ("coreml", "coreml", "Model", _coreml),
    ("sentencepiece", "sentencepiece", "ModelProto", _sentencepiece),
    ("onnx-tensor", "onnx", "TensorProto", lambda _, tensor: is_whole(tensor)),
    ("onnx-tensor", "onnx", "SequenceProto", _tensors),
)
