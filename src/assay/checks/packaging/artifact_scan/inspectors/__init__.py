"""Inspectors of binary formats, a module each; `INSPECTORS` names them by `formats.recognise`'s word.

`inspector` is the seam that each of them is written against. They are imported when a file calls for them.
"""

from __future__ import annotations

from collections.abc import Mapping

from assay.checks.packaging.artifact_scan.formats import COMPRESSED
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection, Inspector
from assay.checks.packaging.artifact_scan.inspectors.unopened import KINDS as UNOPENED
from assay.checks.packaging.artifact_scan.late import late
from assay.subjects.programs import KINDS as PROGRAMS

_ONE = {
    "zip": "zips:inspect", "tar": "tars:inspect", "7z": "seven_zips:inspect",
    "npy": "numpy_arrays:inspect", "safetensors": "safetensors_files:inspect",
    "gguf": "gguf_files:inspect", "ggml": "gguf_files:skip_older", "hdf5": "hdf5:inspect",
    "onnx": "onnx:inspect", "tflite": "tflite:inspect", "executorch": "executorch:inspect",
    "executorch-data": "executorch:inspect_data", "ort": "onnx:inspect_ort",
    "onnx-tensor": "onnx:inspect_tensor", "sentencepiece": "sentencepiece:inspect",
    "coreml": "coreml:inspect", "paddle": "paddle:inspect", "tf-checkpoint": "tensorflow:inspect_checkpoint",
    "torch7": "torch7:inspect", "rdata": "r_files:inspect", "ubjson": "boosted_trees:inspect_ubjson",
    "python-bytecode": "bytecode:inspect", "msgpack": "tables:inspect_msgpack", "pdf": "tables:inspect_pdf",
    "catboost": "boosted_trees:inspect_catboost", "xgboost binary": "boosted_trees:inspect_old_xgboost",
}  # fmt: skip
_TENSORFLOW = ("tf-savedmodel", "tf-metagraph", "tf-graphdef", "keras-metadata", "tf-fingerprint")
_FAMILIES = {
    "compressed:inspector": sorted(COMPRESSED),
    "unopened:inspector": UNOPENED,
    "native:inspector": sorted(PROGRAMS - {"python-bytecode"}),
    "tensorflow:inspector": _TENSORFLOW,
    "media:inspector": ("png", "jpeg", "gif", "wav", "webp", "ogg", "mp4", "mp3", "flac"),
    "tables:inspector": ("parquet", "arrow"),
    "graph_files:inspector_of_numbers": ("coreml-weights", "paddle-tensors"),
}
INSPECTORS: Mapping[str, Inspector] = {
    **{kind: late(__name__, place) for kind, place in _ONE.items()},
    **{kind: late(__name__, place, kind) for place, kinds in _FAMILIES.items() for kind in kinds},
}

__all__ = ["INSPECTORS", "Inspection", "Inspector"]
