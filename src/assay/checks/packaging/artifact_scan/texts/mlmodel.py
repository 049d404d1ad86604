"""MLflow's `MLmodel`: what loading the model imports, and which files it opens.

Source: MLflow 3.17: `mlflow/pyfunc/__init__.py` (`loader_module` is imported as it stands), `pyfunc/model.py`
(`model_code_path` is run), `utils/model_utils.py` (`code` goes first on Python's path).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from assay.checks.packaging.artifact_scan import references
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.next_steps import REVIEW, SMALLER
from assay.checks.packaging.artifact_scan.texts import yaml_document

MAX_FLAVORS = 50
MAX_FILES = 200
_FILES = ("data", "code", "env", "python_model", "pickled_model", "model_data", "model_path", "artifacts")


def judge(blob: Blob, text: str, inspection: Inspection) -> None:
    """Judge a file of that name, which is YAML and may be JSON."""
    if blob.name.rsplit("/", 1)[-1].lower() != "mlmodel":
        return
    try:
        document = yaml_document.parse(text)
    except ValueError as error:
        inspection.skip(blob, f"it cannot be read as an MLmodel: {error}", REVIEW)
        return
    flavors = document.get("flavors") if isinstance(document, dict) else None
    if not isinstance(flavors, dict):
        return
    if len(flavors) > MAX_FLAVORS:
        inspection.skip(blob, f"of its flavors only {MAX_FLAVORS} were judged", SMALLER)
    for flavor in list(flavors.values())[:MAX_FLAVORS]:
        if isinstance(flavor, dict):
            _flavor(blob, flavor, inspection)


def _flavor(blob: Blob, flavor: dict[str, Any], inspection: Inspection) -> None:
    module = flavor.get("loader_module")
    if isinstance(module, str) and module:
        code = flavor.get("code")
        prefix = f"{code.strip('/')}/" if isinstance(code, str) and code else ""
        file = f"{prefix}{module}"
        references.judge(
            blob, f"{module}._load_pyfunc", inspection, how="loader_module", own=("mlflow.",), file=file
        )
    for key, does in (("code", "first on Python's path"), ("model_code_path", "to be run")):
        named = flavor.get(key)
        if isinstance(named, str) and named:
            message = f"`{key}` puts {named[:100]!r} of the model {does}."
            references.report(blob, inspection, message, f"{key}: {named[:200]}", [])
    for finding in references.opened(blob, _paths(flavor)):
        inspection.report(finding)


def _paths(flavor: dict[str, Any]) -> Iterator[str]:
    for key in _FILES:
        named = flavor.get(key)
        for item in list(named.values())[:MAX_FILES] if isinstance(named, dict) else [named]:
            path = item.get("path") if isinstance(item, dict) else item
            if isinstance(path, str):
                yield path
