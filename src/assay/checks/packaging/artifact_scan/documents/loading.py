"""Configurations whose own loaders import what they name: sentence-transformers, PEFT, diffusers.

Sources: sentence-transformers 6.2 (`util/misc.py`, `base/modules/router.py`, `dense.py`), PEFT 0.21
(`auto.py`, `tuners/lora/tp_layer.py`), diffusers 0.42 (`pipelines/pipeline_loading_utils.py`). These import a
name that is not their own only with trust_remote_code, or from a list; older versions import what is named.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from assay.checks.packaging.artifact_scan import references
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.documents.diffusion_pipelines import PIPELINES
from assay.checks.packaging.artifact_scan.documents.walk import values
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection

MAX_NAMES = 50
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.\w+)+\Z")
_SENTENCE = ("sentence_transformers.", "pylate.models.Dense.Dense")  # the second is an alias of the first's
# Settings of modules whose text is imported, where it has dots.
_CLASSES = frozenset({
    "activation_function", "activation_fn", "sbert_ce_default_activation_function", "tokenizer_class",
})  # fmt: skip
# Beside frameworks: libraries that components of published pipelines come from.
_COMPONENTS = ("onnxruntime", "optimum", "controlnet_aux", "invisible_watermark")


def judge(blob: Blob, document: Any, inspection: Inspection) -> None:
    """Judge the names that a document of these libraries has imported."""
    base = blob.name.rsplit("/", 1)[-1]
    for name in _modules(base, document)[:MAX_NAMES]:
        references.judge(blob, name, inspection, how="type", own=_SENTENCE)
    if not isinstance(document, dict):
        return
    if base in {"model_index.json", "modular_model_index.json"}:
        _components(blob, document, inspection)
    if base == "adapter_config.json":
        _adapter(blob, document, inspection)
    named = {item: key for key, item in values(document) if key in _CLASSES and isinstance(item, str)}
    for name, key in list(named.items())[:MAX_NAMES]:
        if _DOTTED.match(name):
            references.judge(blob, name, inspection, how=key, own=_SENTENCE)


def _modules(base: str, document: Any) -> list[str]:
    """The classes of modules that sentence-transformers has loaded."""
    named: list[Any] = []
    if base == "modules.json" and isinstance(document, list):
        named = [module.get("type") for module in document if isinstance(module, dict)]
    elif isinstance(document, dict) and isinstance(document.get("structure"), dict):
        kinds = document.get("types")  # a router's, or an asymmetric model's
        named = list(kinds.values()) if isinstance(kinds, dict) else []
    return [name for name in named if isinstance(name, str)]


def _adapter(blob: Blob, document: Mapping[str, Any], inspection: Inspection) -> None:
    mapping = document.get("auto_mapping")
    mapping = mapping if isinstance(mapping, dict) else {}
    library = mapping.get("parent_library")
    # `__main__` is the program that loads it.
    if isinstance(library, str) and library != "__main__":
        name = f"{library}.{mapping.get('base_model_class') or ''}".rstrip(".")
        references.judge(blob, name, inspection, how="auto_mapping", file=library)
    core = document.get("megatron_core")
    if isinstance(core, str) and core and document.get("megatron_config"):
        references.judge(blob, f"{core}.tensor_parallel", inspection, how="megatron_core", file=core)


def _components(blob: Blob, document: Mapping[str, Any], inspection: Inspection) -> None:
    own = document.get("_class_name")
    if isinstance(own, list) and own and isinstance(own[0], str):
        message = f"`_class_name` asks for a pipeline of the repository to be run: {own[0][:100]!r}."
        references.report(blob, inspection, message, f"import {own[0][:200]}", [own[0]])
    for component, value in list(document.items())[: MAX_NAMES * 2]:
        library = value[0] if isinstance(value, list) and len(value) > 1 else None
        if component == "_class_name" or not isinstance(library, str) or library in PIPELINES:
            continue
        if library.split(".", 1)[0] in _COMPONENTS:
            continue
        # A file of that name in the component's folder goes before a library.
        name = f"{library}.{value[1] or ''}".rstrip(".")
        references.judge(blob, name, inspection, how=component, file=f"{component}.{library}")
