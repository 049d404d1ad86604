"""Configurations of Keras objects, wherever they are nested in a JSON document.

`objects` finds them without recursion · `references` what a module and a name lead to · `lambdas` marshalled
code · `layers` layers that reach beyond their model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeAlias

from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.documents.keras import lambdas, layers, references
from assay.checks.packaging.artifact_scan.documents.keras.objects import NestedTextError, Node, nodes
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.next_steps import REVIEW, SMALLER
from assay.core.finding import Finding

MAX_FINDINGS = 200  # of one document; the rest says the same
Look: TypeAlias = Callable[[Node, Blob, Inspection], Iterator[Finding]]
LOOKS: tuple[Look, ...] = (references.look, lambdas.look, layers.look)


def judge(blob: Blob, document: Any, inspection: Inspection) -> None:
    """Look at every dictionary of the document that could be a Keras object."""
    count = 0
    try:
        for node in nodes(document):
            for look in LOOKS:
                for finding in look(node, blob, inspection):
                    count += 1
                    place = replace(finding.location, name=node.path)
                    inspection.report(replace(finding, location=place))
            if count >= MAX_FINDINGS:
                reason = f"only the first {count} findings of its Keras objects are told"
                inspection.skip(blob, reason, REVIEW)
                return
    except NestedTextError as error:
        inspection.skip(blob, str(error), SMALLER)
