"""Weights of a model: safetensors and PyTorch checkpoints, sharded or not, as one mapping of tensors.

`opening` finds and checks the files of a model · `tensor` one tensor and how its bytes are read · `decode`
stored numbers to float64 · `conversion` to safetensors, by `writing` and `strided`. Nothing here is executed
or mapped: bytes are read by position, so a file that shrinks while it is read is an error and not a crash of
the process (as it is with `mmap`).
"""

from assay.subjects.weights.conversion import Conversion, convert
from assay.subjects.weights.opening import Unreadable, Weights, open_weights
from assay.subjects.weights.tensor import DTYPES, Dtype, Tensor, WeightsFile

__all__ = [
    "DTYPES",
    "Conversion",
    "Dtype",
    "Tensor",
    "Unreadable",
    "Weights",
    "WeightsFile",
    "convert",
    "open_weights",
]
