"""JSON configurations that hydra, or jsonargparse (LightningCLI), would instantiate."""

from __future__ import annotations

from typing import Any

from assay.checks.packaging.artifact_scan import targets
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.documents.walk import values
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection

_MOST = 100
_KEYS = ("_target_", "class_path")


def judge(blob: Blob, document: Any, inspection: Inspection) -> None:
    """Look for `_target_`, `class_path`, and `target` with `params`."""
    named = {(value, key) for key, value in values(document) if key in _KEYS and isinstance(value, str)}
    # Of latent diffusion's instantiate_from_config; in JSON such keys mostly mean something else.
    made = [value for _, value in values(document) if isinstance(value, dict) and "params" in value]
    targeted = [value["target"] for value in made if isinstance(value.get("target"), str)]
    named |= {(name, "target") for name in targeted if targets.is_dangerous(name)}
    for name, key in sorted(named)[:_MOST]:
        targets.judge(blob, name, inspection, how=key)
