"""The parsers of graphs: chance bytes are no graph, and hostile ones end in an error of ours."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.core.errors import LimitError, SubjectError
from assay.subjects.graphs import protobuf
from assay.subjects.graphs.checkpoints import read_index
from assay.subjects.graphs.coreml import read_coreml
from assay.subjects.graphs.executorch import read_program
from assay.subjects.graphs.executorch_data import read_data
from assay.subjects.graphs.messages import kind_of_tensor, others
from assay.subjects.graphs.onnx import read_model
from assay.subjects.graphs.ort import read_ort
from assay.subjects.graphs.protobuf import Reader, packed_varints, varint
from assay.subjects.graphs.recognition import FORMATS, recognise
from assay.subjects.graphs.schemas import schema
from assay.subjects.graphs.sentencepiece import read_sentencepiece
from assay.subjects.graphs.tensorflow import constants, read_graphs
from assay.subjects.graphs.tflite import read_tflite
from fixtures import graphs

SAMPLES = {
    "onnx": graphs.onnx_model(),
    "tf-savedmodel": graphs.saved_model(graphs.graph_def(graphs.tf_node("p", "Placeholder"))),
    "tf-graphdef": graphs.graph_def(graphs.tf_constant("c", "x"), graphs.tf_node("s", "SaveV2", ["c"])),
    "tf-checkpoint": graphs.checkpoint_index({"a": (0, 4)}),
    "tflite": graphs.tflite("FlexReadFile"),
    "executorch": graphs.executorch(segment=b"1234"),
    "coreml": graphs.coreml(),
    "paddle": graphs.paddle_program(graphs.paddle_operator("relu")),
    "paddle-tensors": graphs.paddle_tensor(2),
    "ort": graphs.ort(),
    "executorch-data": graphs.executorch_data(),
    "onnx-tensor": graphs.tensor(),
    "sentencepiece": graphs.sentencepiece("<s>"),
}


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_samples_are_told_apart(name: str) -> None:
    content = SAMPLES[name]
    assert recognise(content, 0, len(content)) == name
    assert recognise(b"abc" + content + b"xyz", 3, 3 + len(content)) == name
    assert others(content, 0, len(content), name) == []
    assert name in FORMATS


@given(st.one_of(st.binary(min_size=1, max_size=200), st.text(min_size=1, max_size=200).map(str.encode)))
@settings(max_examples=500, deadline=None)
def test_chance_bytes_and_texts_are_no_graph(content: bytes) -> None:
    assert recognise(content, 0, len(content)) == ""


def read_tensor(data: bytes, start: int, end: int) -> object:
    return read_model(data, start, end, kind_of_tensor(data, start, end))


def _read(name: str, content: bytes) -> None:
    if name in {"tf-savedmodel", "tf-graphdef"}:
        found = read_graphs(content, 0, len(content), name)
        for node in found.nodes.values():
            list(constants(found, node, ()))
    elif name in _READERS:
        _READERS[name](content, 0, len(content))


_READERS: dict[str, Callable[[bytes, int, int], object]] = {
    "onnx": read_model, "tf-checkpoint": read_index, "tflite": read_tflite, "executorch": read_program,
    "coreml": read_coreml, "ort": read_ort, "executorch-data": read_data, "onnx-tensor": read_tensor,
    "sentencepiece": read_sentencepiece,
}  # fmt: skip


@given(st.sampled_from(sorted(SAMPLES)), st.data())
@settings(max_examples=600, deadline=None)
def test_changed_bytes_end_in_a_result_or_an_error_of_ours(name: str, data: st.DataObject) -> None:
    content = bytearray(SAMPLES[name])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(content[: data.draw(st.integers(1, len(content)))])
    recognise(cut, 0, len(cut))
    with contextlib.suppress(SubjectError):
        _read(name, cut)


@pytest.mark.parametrize("value", [0, 1, 127, 128, 300, 2**32, 2**64 - 1])
def test_varint(value: int) -> None:
    raw = graphs.varint(value)
    assert varint(raw + b"\1", 0, len(raw) + 1) == (value, len(raw))
    assert packed_varints(raw * 2, (0, len(raw) * 2), 2) == [value, value]
    with pytest.raises(SubjectError):
        varint(raw[:-1], 0, len(raw) - 1)


@pytest.mark.parametrize("raw", [b"\xff" * 11, b"\xff" * 9 + b"\x02", b"\x80" * 10 + b"\0"])
def test_varint_beyond_64_bits(raw: bytes) -> None:
    with pytest.raises(SubjectError):
        varint(raw, 0, len(raw))


def test_singular_fields_are_read_as_parsers_do() -> None:
    content = graphs.message((4, "First"), (4, "Last"))
    node = Reader(content, schema("onnx")).read("NodeProto", 0, len(content))
    assert node.text(4) == "Last"
    assert list(node.texts(4)) == ["First", "Last"]


def test_fields_and_depth_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    content = graphs.message(*((1, "x") for _ in range(100)))
    reader = Reader(content, schema("onnx"), left=99)
    with pytest.raises(LimitError):
        reader.read("NodeProto", 0, len(content))
    monkeypatch.setattr(protobuf, "MAX_DEPTH", 1)
    model = graphs.onnx_model()
    with pytest.raises(LimitError):
        list(Reader(model, schema("onnx")).walk("ModelProto", 0, len(model)))


@pytest.mark.parametrize("name", ["onnx", "tensorflow", "coreml", "paddle"])
def test_schemas_are_closed(name: str) -> None:
    found = schema(name)
    kinds = {kind for fields in found.values() for kind in fields.values() if len(kind) > 1}
    assert kinds <= found.keys()
    assert {kind for fields in found.values() for kind in fields.values()} - kinds <= set("vVqQdDs")
