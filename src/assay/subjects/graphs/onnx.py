"""ONNX models: which operators they name, which files they take tensors from, and the texts in them.

Source: https://github.com/onnx/onnx/blob/main/docs/IR.md and docs/ExternalData.md. Every message is visited,
whatever it is nested in: subgraphs in attributes, functions, sparse tensors, training graphs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from assay.core.errors import LimitError
from assay.subjects.graphs.protobuf import Data, Message, Reader, Span, packed_varints
from assay.subjects.graphs.schemas import schema

MAX_EXTERNAL = 200_000
MAX_TEXTS = 10_000
MAX_RANK = 64
# Bits of one element by TensorProto.DataType; strings have none.
BITS = {
    1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64, 14: 64, 15: 128,
    16: 16, 17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4, 23: 4, 24: 8, 25: 2, 26: 2,
}  # fmt: skip


_TEXTS = 8  # the type of tensors of text


@dataclass(frozen=True, slots=True)
class ExternalTensor:
    """A tensor whose numbers lie in another file.

    Attributes:
        name: of the tensor.
        at: byte of the tensor in the file.
        location: the other file, as written.
        offset, length: the range in it, as written; "" where it is left out.
        size: bytes that its shape and type take; None where they do not say.
    """

    name: str
    at: int
    location: str
    offset: str
    length: str
    size: int | None


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator that some node names.

    Attributes:
        domain: "" is `ai.onnx`.
        name: its type.
        at: byte of the first node.
        node: that node's name.
        attributes: that node's short texts and integers.
    """

    domain: str
    name: str
    at: int
    node: str
    attributes: Mapping[str, str]


@dataclass(slots=True)
class OnnxModel:
    """What a judge needs of a model.

    Attributes:
        operators: the first node of each (domain, name); of those in `EVERY` each node.
        functions: (domain, name) that the model defines itself.
        external: tensors with data elsewhere.
        texts: documentation and metadata, with their byte.
        values: bytes of attributes and tensors of text.
        raw: bytes of tensors.
        unknown: fields that this version does not know.
    """

    operators: list[Operator] = field(default_factory=list)
    functions: set[tuple[str, str]] = field(default_factory=set)
    external: list[ExternalTensor] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    values: list[Span] = field(default_factory=list)
    raw: list[Span] = field(default_factory=list)
    unknown: tuple[str, ...] = ()


# Each node of these says something of its own: a path, a function.
EVERY = frozenset({"EPContext", "PythonOp", "PythonOpGrad", "PyOp", "PyCustomOp"})


def read_model(data: Data, start: int, end: int, kind: str = "ModelProto") -> OnnxModel:
    """Read the model, or the message of another `kind`, in `data[start:end]` to its last byte.

    Raises:
        SubjectError: it is no valid model.
        LimitError: it holds more than we are willing to follow.
    """
    model, seen = OnnxModel(), set[tuple[str, str]]()
    reader = Reader(data, schema("onnx"))
    for message in reader.walk(kind, start, end):
        match message.kind:
            case "NodeProto":
                _node(model, seen, reader, message)
            case "TensorProto":
                _tensor(model, reader, message)
            case "AttributeProto":
                model.values += message.spans.get(4, []) + message.spans.get(9, [])
            case "FunctionProto":
                model.functions.add((message.text(10), message.text(1)))
            case "StringStringEntryProto":
                _text(model, message.text(2))
        for number in _DOCUMENTATION.get(message.kind, ()):
            _text(model, message.text(number))
    model.unknown = tuple(reader.unknown)
    return model


_DOCUMENTATION = {
    "ModelProto": (2, 6), "GraphProto": (10,), "NodeProto": (6,), "TensorProto": (12,),
    "ValueInfoProto": (3,), "FunctionProto": (8,), "AttributeProto": (13,),
}  # fmt: skip


def _text(model: OnnxModel, text: str) -> None:
    # A text without a space or bracket says nothing: names of tensors, numbers.
    if text and not text.isalnum():
        if len(model.texts) >= MAX_TEXTS:
            raise LimitError(f"it has more than {MAX_TEXTS:,} texts")
        model.texts.append(text)


def _node(model: OnnxModel, seen: set[tuple[str, str]], reader: Reader, node: Message) -> None:
    key = (node.text(7, 300), node.text(4, 300))
    if key in seen and key[1] not in EVERY:
        return
    seen.add(key)
    attributes: dict[str, str] = {}
    if key[1] in EVERY:
        for attribute in reader.children(node, 5):
            value = attribute.text(4, 1000) or str(attribute.number(3))
            attributes[attribute.text(1, 100)] = value
    model.operators.append(Operator(*key, node.start, node.text(3, 200), attributes))


def _tensor(model: OnnxModel, reader: Reader, tensor: Message) -> None:
    model.values += tensor.spans.get(6, [])
    model.raw += tensor.spans.get(9, [])
    if not tensor.spans.get(13) and tensor.number(14) != 1:
        return
    pairs = {entry.text(1, 100): entry.text(2, 5000) for entry in reader.children(tensor, 13)}
    if len(model.external) >= MAX_EXTERNAL:
        raise LimitError(f"more than {MAX_EXTERNAL:,} tensors lie in other files")
    names = (pairs.get("location", ""), pairs.get("offset", ""), pairs.get("length", ""))
    model.external.append(ExternalTensor(tensor.text(8, 200), tensor.start, *names, _size(tensor)))


def is_whole(tensor: Message) -> bool:
    """Whether a tensor has its numbers in one place, as many raw bytes as shape and type take."""
    places = [
        number for number in (4, 5, 6, 7, 9, 10, 11) if tensor.numbers.get(number) or tensor.spans.get(number)
    ]
    if tensor.number(2) not in {*BITS, _TEXTS} or len(places) > 1:
        return False
    raw = tensor.spans.get(9)
    size = _size(tensor)
    if raw is not None:
        return len(raw) == 1 and raw[0][1] - raw[0][0] == size
    return bool(places) or bool(tensor.spans.get(13)) or size == 0


def _size(tensor: Message) -> int | None:
    dims = list(tensor.numbers.get(1, []))
    for span in tensor.spans.get(1, ()):
        dims += packed_varints(tensor.data, span, MAX_RANK)
    bits = BITS.get(tensor.number(2))
    if bits is None or len(dims) > MAX_RANK or any(dim >> 48 for dim in dims):
        return None
    return -(-math.prod(dims) * bits // 8)
