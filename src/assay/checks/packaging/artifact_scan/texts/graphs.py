"""Graphs in the text form of protobufs, which TensorFlow and ONNX load like the binary one.

Texts may be escaped and put together from parts, so that names found in them are no proof of what is missing:
what is recognised is never clean.
"""

from __future__ import annotations

import re

from assay.checks.packaging.artifact_scan import operators, rules
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection

MAX_FINDINGS = 20
# The first field of a model, after comments.
_START = re.compile(
    r"\s*(?:#[^\n]*\n\s*)*(?:saved_model_schema_version|meta_graphs|meta_info_def|graph_def|saver_def|node|versions?"
    r"|library|collection_def|signature_def|asset_file_def|object_graph_def|debug_info|ir_version|opset_import"
    r"|producer_name|producer_version|graph|functions|domain|model_version|doc_string|metadata_props)\s*[:{<]"
)
_NODE = re.compile(r"\b(?:node|node_def|graph_def|meta_graphs|initializer|external_data)\s*:?\s*[{<]")
_OPERATOR = re.compile(r"""\bop(?:_type)?\s*:\s*["']([A-Za-z_]\w{0,100})["']""")


def judge(blob: Blob, text: str, inspection: Inspection) -> None:
    """Look for the operators of a graph, and never call it clean."""
    if not _START.match(text) or not _NODE.search(text):
        return
    effects = operators.effects("tensorflow") | operators.effects("onnx")
    found = dict.fromkeys(match.group(1) for match in _OPERATOR.finditer(text))
    for name in [name for name in found if name in effects and not effects[name].ordinary][:MAX_FINDINGS]:
        message = f"Running the graph {effects[name].does}: operator {name[:60]}."
        inspection.report(
            rules.graphs.OPERATOR.finding(message, blob.place(), severity=effects[name].severity)
        )
    inspection.skip(blob, "a graph in text form is not judged in full", "Save it in its binary form.")
