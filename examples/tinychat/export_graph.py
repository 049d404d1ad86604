"""Write ``graph.onnx``: the architecture with a key-value cache and without any weights.

Every weight is an external initializer under its safetensors name, which the server replaces at
session creation. So one small graph runs all models, and the bytes that were checked are the
bytes that run. Needs the ``onnx`` package; serving does not.

Inputs: ``input_ids`` and ``position_ids`` ``[batch, length]``, ``mask`` ``[batch, 1, length,
past + length]`` (added to the attention scores) and per layer ``past.N.key`` and ``past.N.value``
``[batch, heads, past, head_size]``. Outputs: ``logits`` and ``present.N.key``, ``present.N.value``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnx
from model import Shape
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
FLOAT, INT = TensorProto.FLOAT, TensorProto.INT64


class GraphWriter:
    """Collects nodes, weights and constants; every method returns the name of its result."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def op(self, kind: str, *inputs: str, name: str = "", **attributes: object) -> str:
        """Add a node with one output."""
        output = name or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def split(self, value: str, parts: int, axis: int) -> list[str]:
        """Cut a tensor into equal parts."""
        outputs = [f"split_{len(self.nodes)}_{part}" for part in range(parts)]
        self.nodes.append(helper.make_node("Split", [value], outputs, axis=axis))
        return outputs

    def constant(self, name: str, values: object, kind: type = np.float32) -> str:
        """Add a small constant once."""
        if all(one.name != name for one in self.initializers):
            self.initializers.append(numpy_helper.from_array(np.asarray(values, dtype=kind), name))
        return name

    def weight(self, name: str, *dims: int) -> str:
        """Declare a weight that the server supplies; ``location`` says where it belongs."""
        tensor = TensorProto(name=name, data_type=FLOAT, dims=dims)
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="model.safetensors")
        self.initializers.append(tensor)
        return name

    def linear(self, value: str, *weights: str) -> str:
        """Multiply by one or more ``[out, in]`` weights, stacked so that it is one product."""
        stacked = self.op("Concat", *weights, axis=0) if len(weights) > 1 else weights[0]
        return self.op("MatMul", value, self.op("Transpose", stacked, perm=[1, 0]))

    def norm(self, value: str, name: str) -> str:
        """Root-mean-square norm."""
        scale = self.weight(name, self.shape.hidden_size)
        two = self.constant("two", 2.0)
        squares = self.op("ReduceMean", self.op("Pow", value, two), axes=[-1], keepdims=1)
        shifted = self.op("Add", squares, self.constant("epsilon", self.shape.norm_epsilon))
        scaled = self.op("Div", value, self.op("Sqrt", shifted))
        return self.op("Mul", scaled, scale)

    def rotary_tables(self) -> tuple[str, str]:
        """Cosine and sine of the positions, ``[batch, 1, length, head_size]``."""
        half = np.arange(0, self.shape.head_size, 2) / self.shape.head_size
        steps = np.concatenate([self.shape.rope_theta**-half] * 2)
        positions = self.op("Cast", "position_ids", to=FLOAT)
        axes = self.constant("position_axes", [1, 3], np.int64)
        wide = self.op("Unsqueeze", positions, axes)
        angles = self.op("Mul", wide, self.constant("rotary_steps", steps))
        return self.op("Cos", angles), self.op("Sin", angles)

    def rotate(self, states: str, cos: str, sin: str) -> str:
        """Apply rotary positions in Llama's half-split layout."""
        first, second = self.split(states, 2, axis=-1)
        turned = self.op("Concat", self.op("Neg", second), first, axis=-1)
        return self.op("Add", self.op("Mul", states, cos), self.op("Mul", turned, sin))

    def heads(self, states: str) -> str:
        """``[batch, length, hidden]`` to ``[batch, heads, length, head_size]``."""
        dims = [0, 0, self.shape.heads, self.shape.head_size]
        split = self.op("Reshape", states, self.constant("head_dims", dims, np.int64))
        return self.op("Transpose", split, perm=[0, 2, 1, 3])

    def attention(self, states: str, layer: int, cos: str, sin: str) -> str:
        """Attend over the cache and the new tokens; emits the grown cache."""
        size, prefix = self.shape.hidden_size, f"model.layers.{layer}.self_attn"
        weights = [self.weight(f"{prefix}.{part}_proj.weight", size, size) for part in "qkv"]
        query, key, value = self.split(self.linear(states, *weights), 3, axis=-1)
        query = self.rotate(self.heads(query), cos, sin)
        new_key = self.rotate(self.heads(key), cos, sin)
        past = f"past.{layer}"
        key = self.op("Concat", f"{past}.key", new_key, axis=2, name=f"present.{layer}.key")
        value = self.op("Concat", f"{past}.value", self.heads(value), axis=2, name=f"present.{layer}.value")
        scale = self.constant("score_scale", self.shape.head_size**-0.5)
        scores = self.op("MatMul", query, self.op("Transpose", key, perm=[0, 1, 3, 2]))
        masked = self.op("Add", self.op("Mul", scores, scale), "mask")
        mixed = self.op("MatMul", self.op("Softmax", masked, axis=-1), value)
        flat = self.op("Transpose", mixed, perm=[0, 2, 1, 3])
        joined = self.op("Reshape", flat, self.constant("joined_dims", [0, 0, size], np.int64))
        return self.linear(joined, self.weight(f"{prefix}.o_proj.weight", size, size))

    def feed_forward(self, states: str, layer: int) -> str:
        """SwiGLU."""
        size, inner = self.shape.hidden_size, self.shape.intermediate_size
        prefix = f"model.layers.{layer}.mlp"
        gate = self.weight(f"{prefix}.gate_proj.weight", inner, size)
        up = self.weight(f"{prefix}.up_proj.weight", inner, size)
        gated, raised = self.split(self.linear(states, gate, up), 2, axis=-1)
        swish = self.op("Mul", gated, self.op("Sigmoid", gated))
        down = self.weight(f"{prefix}.down_proj.weight", size, inner)
        return self.linear(self.op("Mul", swish, raised), down)

    def write(self) -> onnx.GraphProto:
        """The whole decoder."""
        shape = self.shape
        embedding = self.weight("model.embed_tokens.weight", shape.vocab_size, shape.hidden_size)
        states = self.op("Gather", embedding, "input_ids")
        cos, sin = self.rotary_tables()
        for layer in range(shape.layers):
            prefix = f"model.layers.{layer}"
            normed = self.norm(states, f"{prefix}.input_layernorm.weight")
            states = self.op("Add", states, self.attention(normed, layer, cos, sin))
            normed = self.norm(states, f"{prefix}.post_attention_layernorm.weight")
            states = self.op("Add", states, self.feed_forward(normed, layer))
        normed = self.norm(states, "model.norm.weight")
        turned = self.op("Transpose", embedding, perm=[1, 0])
        self.op("MatMul", normed, turned, name="logits")
        return helper.make_graph(self.nodes, "tinychat", _inputs(shape), _outputs(shape), self.initializers)


def _cache(shape: Shape, prefix: str, length: str) -> list[onnx.ValueInfoProto]:
    dims = ["batch", shape.heads, length, shape.head_size]
    names = [f"{prefix}.{layer}.{part}" for layer in range(shape.layers) for part in ("key", "value")]
    return [helper.make_tensor_value_info(name, FLOAT, dims) for name in names]


def _inputs(shape: Shape) -> list[onnx.ValueInfoProto]:
    return [
        helper.make_tensor_value_info("input_ids", INT, ["batch", "length"]),
        helper.make_tensor_value_info("position_ids", INT, ["batch", "length"]),
        helper.make_tensor_value_info("mask", FLOAT, ["batch", 1, "length", "total"]),
        *_cache(shape, "past", "past"),
    ]


def _outputs(shape: Shape) -> list[onnx.ValueInfoProto]:
    logits = helper.make_tensor_value_info("logits", FLOAT, ["batch", "length", shape.vocab_size])
    return [logits, *_cache(shape, "present", "total")]


def main() -> None:
    """Command line: ``export_graph.py [--out graph.onnx]``."""
    parser = argparse.ArgumentParser(description="Write tinychat's weightless ONNX graph.")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "graph.onnx")
    options = parser.parse_args()
    graph = GraphWriter(Shape()).write()
    opset = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8, producer_name="tinychat")
    options.out.write_bytes(model.SerializeToString())
    print(f"wrote {options.out} ({options.out.stat().st_size:,} bytes)")


if __name__ == "__main__":
    main()
