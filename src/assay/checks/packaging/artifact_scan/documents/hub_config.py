"""Configurations of model hubs that ask for Python from the repository to be run."""

from __future__ import annotations

from typing import Any

from assay.checks.packaging.artifact_scan import rules
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.documents.walk import values
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.core.canonical import JSON
from assay.core.explanation import Explanation, Step

MAX_MODULES = 50  # that a finding lists


def judge(blob: Blob, document: Any, inspection: Inspection) -> None:
    """Look for `auto_map`, `custom_pipelines` and `trust_remote_code`."""
    for key, value in values(document):
        shown = ""
        if key == "trust_remote_code" and (value is True or value == "true"):
            shown = "true"
        elif key == "auto_map" and isinstance(value, dict):
            shown = str(sorted(value.items(), key=str))[:300]
        elif key == "auto_map" and isinstance(value, str):
            shown = value
        elif key == "custom_pipelines" and isinstance(value, dict):
            value = [item for name, item in values(value) if name == "impl"]  # noqa: PLW2901
            shown = str(value)[:300] if value else ""
        if shown:
            message = f"`{key}` asks for Python from the repository to be run: {shown[:120]!r}."
            data = {"modules": _modules(value)}
            explanation = Explanation(
                f"get_class_from_dynamic_module({shown[:200]!a}, repository)", (Step(f"`{key}` asks for it"),)
            )
            inspection.report(
                rules.repository.REMOTE.finding(message, blob.place(), data=data, explanation=explanation)
            )


def _modules(value: Any) -> list[JSON]:
    """The modules that an `auto_map` names: `modeling.Model`, `owner/name--modeling.Model`, or lists."""
    found = {
        one.rpartition(".")[0] for _, one in values(value) if isinstance(one, str) and one.rpartition(".")[0]
    }
    return list(sorted(found)[:MAX_MODULES])
