"""GGUF files, read strictly and without trusting a number in them.

`header` what a file says and what is wrong with it · `metadata` its keys · `tensors` its tensors and how they
lie · `types` the sizes of ggml's types · `cursor` bounded reading.
"""

from assay.subjects.gguf.cursor import Span
from assay.subjects.gguf.header import GgufHeader, UnknownVersionError, read_gguf
from assay.subjects.gguf.metadata import Array, Entry, string_spans
from assay.subjects.gguf.tensors import Gap, TensorInfo

__all__ = [
    "Array",
    "Entry",
    "Gap",
    "GgufHeader",
    "Span",
    "TensorInfo",
    "UnknownVersionError",
    "read_gguf",
    "string_spans",
]
