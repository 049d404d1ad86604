"""Inspectors of binary formats, a module each; `INSPECTORS` names them by `formats.recognise`'s word.

`inspector` is the seam that each of them is written against.
"""

from __future__ import annotations

from collections.abc import Mapping

from assay.checks.packaging.artifact_scan.inspectors import (
    compressed,
    gguf_files,
    numpy_arrays,
    safetensors_files,
    tars,
    zips,
)
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection, Inspector

INSPECTORS: Mapping[str, Inspector] = {
    "zip": zips.inspect,
    "tar": tars.inspect,
    **{kind: compressed.inspector(kind) for kind in ("gzip", "bzip2", "xz", "lzma", "zlib")},
    "npy": numpy_arrays.inspect,
    "safetensors": safetensors_files.inspect,
    "gguf": gguf_files.inspect,
    "ggml": gguf_files.skip_older,
}

__all__ = ["INSPECTORS", "Inspection", "Inspector"]
