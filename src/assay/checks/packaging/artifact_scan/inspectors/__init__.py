"""Inspectors of binary formats, a module each; `INSPECTORS` names them by `formats.recognise`'s word.

`inspector` is the seam that each of them is written against.
"""

from __future__ import annotations

from collections.abc import Mapping

from assay.checks.packaging.artifact_scan.inspectors import (
    compressed,
    native,
    numpy_arrays,
    safetensors_files,
    tars,
    zips,
)
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection, Inspector
from assay.subjects import programs

INSPECTORS: Mapping[str, Inspector] = {
    "zip": zips.inspect,
    "tar": tars.inspect,
    **{kind: compressed.inspector(kind) for kind in ("gzip", "bzip2", "xz", "lzma", "zlib")},
    **{kind: native.inspector(kind) for kind in programs.KINDS},
    "npy": numpy_arrays.inspect,
    "safetensors": safetensors_files.inspect,
}

__all__ = ["INSPECTORS", "Inspection", "Inspector"]
