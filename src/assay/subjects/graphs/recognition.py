"""Which graph format bytes are, told by their structure alone: most of these formats carry no magic.

What their first bytes rule out is not read any further; `messages` tells the protobufs apart.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assay.subjects.graphs.protobuf import Data

FORMATS = frozenset({
    "onnx", "tf-savedmodel", "tf-metagraph", "tf-graphdef", "keras-metadata", "tf-fingerprint",
    "tf-checkpoint", "coreml", "coreml-weights", "paddle", "paddle-tensors", "tflite", "executorch",
    "executorch-data", "ort", "onnx-tensor", "sentencepiece",
})  # fmt: skip
_IDENTIFIERS = {b"TFL3": "tflite", b"ORTM": "ort"}
_MIN = 4
_TABLE = bytes.fromhex("57fb808b247547db")  # how the index of a TensorFlow checkpoint ends
# A pickle's first opcode and its protocol, as a protobuf field: 16 to 80, a number. No format has one there,
# and most files that are looked at are pickles.
_PROTO, _NEWEST = 0x80, 5
_WIRES = {0, 2}  # a number, or a length: what the first field of a message may be


def recognise(data: Data, start: int, end: int) -> str:
    """The name of a format, or "" where it is none of those in `FORMATS`."""
    if end - start < _MIN:
        return ""
    head = bytes(data[start : min(start + 12, end)])
    identifier = head[4:8]
    if identifier in _IDENTIFIERS:
        return _IDENTIFIERS[identifier]
    if identifier[:2] == b"ET" and identifier[2:].isdigit():
        return "executorch"
    if identifier[:2] == b"FT" and _is("executorch_data:is_data", data, start, end):
        return "executorch-data"
    if bytes(data[max(start, end - len(_TABLE)) : end]) == _TABLE:
        return "tf-checkpoint"
    if not any(head[:4]) and _is("paddle_tensors:is_tensors", data, start, end):  # version 0
        return "paddle-tensors"
    if identifier == b"\2\0\0\0" and _is("coreml_weights:is_weights", data, start, end):  # version 2
        return "coreml-weights"
    if head[0] == _PROTO and head[1] <= _NEWEST:
        return ""
    if head[0] & 7 not in _WIRES or not head[0] >> 3:
        return ""
    return str(_reader("messages:recognise")(data, start, end))


def _is(reader: str, data: Data, start: int, end: int) -> bool:
    return bool(_reader(reader)(data, start, end))


def _reader(place: str) -> Callable[[Data, int, int], object]:
    """A reader, imported when the first bytes need it: most files do not."""
    module, name = place.split(":")
    found: Callable[[Data, int, int], object] = getattr(import_module(f"{__package__}.{module}"), name)
    return found
