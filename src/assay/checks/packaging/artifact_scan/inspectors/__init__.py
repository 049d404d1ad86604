"""Inspectors of binary formats, a module each; `INSPECTORS` names them by `formats.recognise`'s word.

`inspector` is the seam that each of them is written against.
"""

from __future__ import annotations

from collections.abc import Mapping

from assay.checks.packaging.artifact_scan.formats import COMPRESSED
from assay.checks.packaging.artifact_scan.inspectors import (
    boosted_trees,
    compressed,
    coreml,
    executorch,
    gguf_files,
    graph_files,
    hdf5,
    native,
    numpy_arrays,
    onnx,
    paddle,
    r_files,
    safetensors_files,
    seven_zips,
    tars,
    tensorflow,
    tflite,
    unopened,
    zips,
)
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection, Inspector
from assay.subjects import programs
from assay.subjects.graphs.tensorflow import ROOTS

INSPECTORS: Mapping[str, Inspector] = {
    "zip": zips.inspect,
    "tar": tars.inspect,
    "hdf5": hdf5.inspect,
    "rdata": r_files.inspect,
    "ubjson": boosted_trees.inspect_ubjson,
    "catboost": boosted_trees.inspect_catboost,
    "xgboost binary": boosted_trees.inspect_old_xgboost,
    "7z": seven_zips.inspect,
    **{kind: compressed.inspector(kind) for kind in sorted(COMPRESSED)},
    **{kind: unopened.inspector(kind) for kind in unopened.KINDS},
    **{kind: native.inspector(kind) for kind in programs.KINDS},
    "npy": numpy_arrays.inspect,
    "safetensors": safetensors_files.inspect,
    "onnx": onnx.inspect,
    **{kind: tensorflow.inspector(kind) for kind in ROOTS},
    "tf-checkpoint": tensorflow.inspect_checkpoint,
    "tflite": tflite.inspect,
    "executorch": executorch.inspect,
    "coreml": coreml.inspect,
    **{kind: graph_files.inspector_of_numbers(kind) for kind in ("coreml-weights", "paddle-tensors")},
    "paddle": paddle.inspect,
    "gguf": gguf_files.inspect,
    "ggml": gguf_files.skip_older,
}

__all__ = ["INSPECTORS", "Inspection", "Inspector"]
