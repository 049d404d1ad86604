"""Layers that reach beyond their model: pickles, SavedModels, vocabularies, file operations.

Sources: keras/src/utils/torch_utils.py, keras/src/export/tfsm_layer.py,
keras/src/layers/preprocessing/index_lookup.py, Keras 2's keras/layers/core/tf_op_layer.py.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from assay.checks.packaging.artifact_scan import embedded, rules
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.documents.keras.objects import Node
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.core.finding import Finding

_OPERATIONS = frozenset(
    {"TFOpLambda", "SlicingOpLambda", "ClassMethod", "InstanceMethod", "TensorFlowOpLayer"}
)
_REACHES_OUT = re.compile(
    r"(?:read|write|append)_?files?\b|matching_?files|gfile|py_?(?:func|function)\b|numpy_function"
    r"|load_(?:op_)?library|load_file_system|(?:save|restore)(?:_?v2|_?slices?)?\b|table_?from_?text_?file"
    r"|load_and_remap|merge_v2_checkpoints|summary_?writer",
    re.IGNORECASE,
)
_FILES = ("vocabulary", "merges")


def look(node: Node, blob: Blob, inspection: Inspection) -> Iterator[Finding]:
    """Judge one Keras object by its class."""
    if not node.class_name:
        return
    if node.bare_class == "TorchModuleWrapper":
        yield _torch(node, blob, inspection)
    elif node.bare_class == "TFSMLayer":
        path = node.config.get("filepath")
        message = f"Loading {node.title} would run the SavedModel at {str(path)[:100]!r}, outside this file."
        yield rules.keras.OUTSIDE.finding(message, blob.place())
    elif node.bare_class in _OPERATIONS:
        yield from _operation(node, blob)
    for key in _FILES:
        path = node.config.get(key)
        if isinstance(path, str) and path:
            message = f"Loading {node.title} would read its {key} from {path[:100]!r}, outside this file."
            yield rules.keras.OUTSIDE.finding(message, blob.place())


def _torch(node: Node, blob: Blob, inspection: Inspection) -> Finding:
    text = node.config.get("module")
    try:
        content = base64.b64decode(text.encode("ascii")) if isinstance(text, str) else b""
    except (UnicodeEncodeError, binascii.Error):
        content = b""
    if content:
        with embedded.region(blob, f"{node.path}.config.module", content, inspection) as inner:
            if inner is not None:
                inspection.examine(inner)
    message = f"Loading {node.title} would unpickle {len(content):,} bytes with torch.load."
    return rules.keras.TORCH.finding(message, blob.place())


def _operation(node: Node, blob: Blob) -> Iterator[Finding]:
    for key in ("function", "node_def", "method", "attr_name"):
        named = node.config.get(key)
        found = _REACHES_OUT.search(named) if isinstance(named, str) else None
        if found:
            message = f"Calling {node.title} would run the TensorFlow operation {found.group()[:60]!r}."
            yield rules.keras.OPERATION.finding(message, blob.place())
            return
