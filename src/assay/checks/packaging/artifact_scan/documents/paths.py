"""Paths in configurations whose files a loader opens: shards of an index, parts of a model."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from assay.checks.packaging.artifact_scan import references
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.documents.walk import values
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection

MAX_TOLD = 20
# Keys whose texts are opened, by the file that they stand in.
_KEYS = {
    "modules.json": "path",  # sentence-transformers: base/model.py
    "config.json": "transformers_weights",  # transformers: modeling_utils.py
    "genai_config.json": "filename",  # onnxruntime-genai
    "ndarray-cache.json": "dataPath",  # MLC
    "tensor-cache.json": "dataPath",
}


def judge(blob: Blob, document: Any, inspection: Inspection) -> None:
    """Report paths that lead out of the folder, or to what is in no signature."""
    for finding in islice(references.opened(blob, _paths(blob, document)), MAX_TOLD):
        inspection.report(finding)


def _paths(blob: Blob, document: Any) -> Iterator[str]:
    base = blob.name.rsplit("/", 1)[-1]
    if isinstance(document, dict):
        yield from _texts(document.get("weight_map"))
        manifest = document.get("weightsManifest")  # TensorFlow.js
        for group in manifest if isinstance(manifest, list) else ():
            yield from _texts(group.get("paths") if isinstance(group, dict) else None)
        if base in {"model_index.json", "modular_model_index.json"}:
            yield from (key for key, value in document.items() if isinstance(value, list))
    if base in _KEYS:
        yield from (item for key, item in values(document) if key == _KEYS[base] and isinstance(item, str))


def _texts(named: Any) -> Iterator[str]:
    items: Any = named.values() if isinstance(named, dict) else named if isinstance(named, list) else ()
    yield from (item for item in items if isinstance(item, str))
