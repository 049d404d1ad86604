"""The network as an ONNX graph, node by node: no tracing, so that the file holds what we mean and no more."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

_OPSET, _IR = 20, 9
_HEADS, _WIDTH, _LAYERS, _EPSILON = 12, 384, 6, 1e-12


class _Graph:
    """Nodes and constants in the making."""

    def __init__(self, weights: dict[str, Tensor]) -> None:
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}

    def add(self, kind: str, inputs: Sequence[str], name: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        self.constants.setdefault(name, numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def weight(self, name: str, *, transposed: bool = False) -> str:
        value = self.weights[name].float().numpy()
        return self.constant(name, value.T if transposed else value)

    def linear(self, states: str, layer: str, name: str) -> str:
        product = self.add(
            "MatMul", [states, self.weight(f"{layer}.weight", transposed=True)], f"{name}.product"
        )
        return self.add("Add", [product, self.weight(f"{layer}.bias")], name)

    def norm(self, states: str, layer: str, name: str) -> str:
        inputs = [states, self.weight(f"{layer}.weight"), self.weight(f"{layer}.bias")]
        return self.add("LayerNormalization", inputs, name, axis=-1, epsilon=_EPSILON)

    def integers(self, *values: int) -> str:
        return self.constant("i" + "_".join(map(str, values)), np.array(values, np.int64))


def embedding_graph(weights: dict[str, Tensor]) -> onnx.ModelProto:
    """Ids and mask to sentence vectors of length 1."""
    graph = _Graph(weights)
    states, mask = _states(graph, "encoder.")
    mean = _mean(graph, states, mask)
    graph.add("LpNormalization", [mean], "vectors", axis=-1, p=2)
    return _model(graph, "vectors", _WIDTH)


def guard_graph(weights: dict[str, Tensor]) -> onnx.ModelProto:
    """Ids and mask to one logit a head."""
    graph = _Graph(weights)
    states, mask = _states(graph, "encoder.")
    mean = _mean(graph, states, mask)
    one = graph.constant("one", np.array(1.0, np.float32))
    away = graph.add(
        "Mul",
        [graph.add("Sub", [mask, one], "absent"), graph.constant("far", np.array(1e4, np.float32))],
        "away",
    )
    highest = graph.add(
        "ReduceMax", [graph.add("Add", [states, away], "present"), graph.integers(1)], "highest", keepdims=0
    )
    graph.linear(graph.add("Concat", [mean, highest], "pooled", axis=-1), "heads", "logits")
    return _model(graph, "logits", len(weights["heads.bias"]))


def _states(graph: _Graph, prefix: str) -> tuple[str, str]:
    """The states, and the mask of shape (texts, places, 1)."""
    words = graph.add("Gather", [graph.weight(f"{prefix}words.weight"), "input_ids"], "words")
    shape = graph.add("Shape", ["input_ids"], "shape")
    count = graph.add("Slice", [shape, graph.integers(1), graph.integers(2)], "count")
    table = graph.weight(f"{prefix}places.weight")
    places = graph.add("Slice", [table, graph.integers(0), count, graph.integers(0)], "places")
    states = graph.norm(graph.add("Add", [words, places], "embedded"), f"{prefix}norm", "embedded_norm")
    mask = graph.add("Cast", ["attention_mask"], "mask", to=TensorProto.FLOAT)
    wide = graph.add("Unsqueeze", [mask, graph.integers(1, 2)], "mask_wide")
    absent = graph.add("Sub", [wide, graph.constant("one", np.array(1.0, np.float32))], "absent_wide")
    bias = graph.add("Mul", [absent, graph.constant("far", np.array(1e4, np.float32))], "bias")
    for number in range(_LAYERS):
        states = _block(graph, states, bias, f"{prefix}blocks.{number}")
    return states, graph.add("Unsqueeze", [mask, graph.integers(2)], "mask_tall")


def _block(graph: _Graph, states: str, bias: str, name: str) -> str:
    asked = graph.linear(states, f"{name}.asked", f"{name}/asked")
    outputs = [f"{name}/{part}" for part in ("query", "key", "value")]
    graph.nodes.append(
        helper.make_node("Split", [asked], outputs, name=f"{name}/split", axis=-1, num_outputs=3)
    )
    shaped = [
        graph.add("Reshape", [one, graph.integers(0, 0, _HEADS, _WIDTH // _HEADS)], f"{one}/shaped")
        for one in outputs
    ]
    turns = ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3])  # the key is turned once more, for the product
    query, key, value = (
        graph.add("Transpose", [one], f"{one}/turned", perm=turn)
        for one, turn in zip(shaped, turns, strict=True)
    )
    product = graph.add("MatMul", [query, key], f"{name}/product")
    scaled = graph.add(
        "Mul",
        [product, graph.constant("scale", np.array((_WIDTH // _HEADS) ** -0.5, np.float32))],
        f"{name}/scaled",
    )
    weights = graph.add(
        "Softmax", [graph.add("Add", [scaled, bias], f"{name}/masked")], f"{name}/weights", axis=-1
    )
    mixed = graph.add(
        "Transpose",
        [graph.add("MatMul", [weights, value], f"{name}/mixed")],
        f"{name}/back",
        perm=[0, 2, 1, 3],
    )
    flat = graph.add("Reshape", [mixed, graph.integers(0, 0, _WIDTH)], f"{name}/flat")
    attended = graph.add(
        "Add", [states, graph.linear(flat, f"{name}.attended", f"{name}/attended")], f"{name}/sum1"
    )
    states = graph.norm(attended, f"{name}.norm_attended", f"{name}/norm1")
    wide = graph.add("Gelu", [graph.linear(states, f"{name}.widen", f"{name}/widen")], f"{name}/gelu")
    narrow = graph.add(
        "Add", [states, graph.linear(wide, f"{name}.narrow", f"{name}/narrow")], f"{name}/sum2"
    )
    return graph.norm(narrow, f"{name}.norm_narrow", f"{name}/norm2")


def _mean(graph: _Graph, states: str, mask: str) -> str:
    total = graph.add(
        "ReduceSum", [graph.add("Mul", [states, mask], "kept"), graph.integers(1)], "total", keepdims=0
    )
    return graph.add(
        "Div", [total, graph.add("ReduceSum", [mask, graph.integers(1)], "lengths", keepdims=0)], "mean"
    )


def _model(graph: _Graph, output: str, width: int) -> onnx.ModelProto:
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "places"])
        for name in ("input_ids", "attention_mask")
    ]
    outputs = [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["texts", width])]
    made = helper.make_graph(graph.nodes, "assay", inputs, outputs, list(graph.constants.values()))
    model = helper.make_model(
        made, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR, producer_name="assay"
    )
    onnx.checker.check_model(model)
    return model
