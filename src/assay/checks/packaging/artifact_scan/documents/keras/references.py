"""What the module and name of a Keras object lead to when it is loaded.

Source: keras/src/saving/serialization_lib.py `_retrieve_class_or_fn`. Keras 3.0 to 3.8 imports any module
that is named; 3.9 and later only those of the Keras family, from which 3.11 and later takes no function.
"""

from __future__ import annotations

from collections.abc import Iterator

from assay.checks.packaging.artifact_scan import policy, rules
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.documents.keras.objects import Node
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.core.explanation import Explanation, Step
from assay.core.finding import Finding, Severity

_FAMILY = ("keras", "keras_hub", "keras_nlp", "keras_cv", "keras_core", "tf_keras", "tensorflow.keras",
           "tensorflow.python.keras")  # fmt: skip
# Parts of Keras that models are not made of, and the few classes there that they are.
_NOT_MODELS = frozenset({"utils", "config", "saving", "datasets", "callbacks", "export", "testing",
                         "distribution", "wrappers", "api_export", "preprocessing",
                         "visualization"})  # fmt: skip
_PREFIXES = frozenset({"src", "api", "_tf_keras", "keras", "legacy", "_legacy"})
_PARTS_OF_MODELS = frozenset({"FeatureSpace", "Feature", "Cross", "TorchModuleWrapper", "JaxLayer",
                              "FlaxLayer", "TFSMLayer", "ExportArchive"})  # fmt: skip
_DANGEROUS = frozenset({
    "get_file", "extract_archive", "load_model", "load_weights", "save_model", "save_weights", "load_data",
    "model_from_json", "model_from_yaml", "model_from_config", "enable_unsafe_deserialization",
    "deserialize_keras_object", "serialize_keras_object", "register_keras_serializable", "clear_session",
    "func_load", "func_dump", "load_img", "save_img", "image_dataset_from_directory",
    "text_dataset_from_directory", "audio_dataset_from_directory", "set_backend", "download_file",
    "_extract_archive", "validate_file", "load_json", "load_serialized_object", "get_custom_objects",
})  # fmt: skip
# Python's own, which Keras before 3.9 took from `builtins` for a function that it did not know.
_BUILTINS = frozenset({
    "eval", "exec", "compile", "__import__", "open", "input", "getattr", "setattr", "delattr", "globals",
    "locals", "vars", "breakpoint", "help", "exit", "quit", "__build_class__", "memoryview", "type",
})  # fmt: skip
# Keras 2.11 to 2.15 writes its own optimizers so into HDF5 files.
_OPTIMIZERS = frozenset({"Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lion",
                         "Nadam", "RMSprop", "SGD", "LossScaleOptimizer"})  # fmt: skip
_TYPE_SPECS = ("tensorflow.python.", "tensorflow.", "keras.", "tf_keras.")


def look(node: Node, blob: Blob, inspection: Inspection) -> Iterator[Finding]:
    """Judge the module and name of a class, function or type specification."""
    if not node.class_name:
        return
    module = node.values.get("module")
    module = module if isinstance(module, str) else ""
    names = _names(node)
    if any(f"{module}.{name}" in inspection.options.allow for name in names):
        return
    if module == "__main__" or not module:
        yield from _unnamed(node, module, names, blob)
    elif module == "builtins":
        if node.class_name != "function" or not _BUILTINS.isdisjoint(names):
            yield _dangerous(node, module, names, blob)
    elif _area(module) is not None:
        yield from _keras(node, module, names, blob)
    elif not _is_type_spec(node, module):
        yield _foreign(node, module, names, blob)


def _names(node: Node) -> list[str]:
    """What could be looked up in the module; a function stands in `config`, some versions take the other."""
    if node.class_name == "function":
        keys = ("config", "registered_name")
    elif node.class_name == "__typespec__":
        keys = ("spec_name", "registered_name")
    else:
        keys = ("class_name", "registered_name")
    named = [node.values.get(key) for key in keys]
    return [name.rpartition(">")[2] for name in named if isinstance(name, str) and name != "function"]


def _area(module: str) -> str | None:
    """The part of Keras that a module belongs to; None where it is not of the Keras family."""
    for root in _FAMILY:
        if module == root or module.startswith(root + "."):
            parts = module[len(root) + 1 :].split(".")
            return next((part for part in parts if part not in _PREFIXES), "")
    return None


def _unnamed(node: Node, module: str, names: list[str], blob: Blob) -> Iterator[Finding]:
    dangerous = [name for name in names if name in _DANGEROUS or (module and name in _BUILTINS)]
    if dangerous:
        yield _dangerous(node, module, dangerous, blob)
    elif module or (_package(node) and not (_package(node) == "Custom" and _OPTIMIZERS.issuperset(names))):
        message = (
            f"Loading {node.title} would use {_shown(node, module, names)}, if the program registered it."
        )
        yield rules.keras.CUSTOM.finding(message, blob.place())


def _keras(node: Node, module: str, names: list[str], blob: Blob) -> Iterator[Finding]:
    # Module and name are looked up as one dotted text first, so a name may bring its own module.
    split = [f"{module}.{name}".rpartition(".") for name in names]
    last = {name for _, _, name in split}
    areas = {_area(whole) for whole, _, _ in split}
    if not last.isdisjoint(_DANGEROUS | _BUILTINS) or any("__" in name.strip("_") for name in last):
        yield _dangerous(node, module, names, blob)
    elif not _NOT_MODELS.isdisjoint(areas) and _PARTS_OF_MODELS.isdisjoint(last):
        shown = _shown(node, module, names)
        message = f"Loading {node.title} would use {shown}, a part of Keras that models are not made of."
        yield rules.keras.DANGEROUS.finding(message, blob.place(), severity=Severity.HIGH)


def _foreign(node: Node, module: str, names: list[str], blob: Blob) -> Finding:
    if any(policy.is_denied(module, name) for name in names or [""]):
        return _dangerous(node, module, names, blob)
    message = f"Loading {node.title} would import {_shown(node, module, names)}, which is no part of Keras."
    if _package(node):
        return rules.keras.CUSTOM.finding(message, blob.place(), severity=Severity.MEDIUM)
    return rules.keras.UNKNOWN.finding(message, blob.place(), explanation=_explained(node, module, names))


def _package(node: Node) -> str:
    """The package that a registered class or function says it is of."""
    for key in ("registered_name", "class_name"):
        name = node.values.get(key)
        if isinstance(name, str) and ">" in name:
            return name.partition(">")[0]
    return ""


def _is_type_spec(node: Node, module: str) -> bool:
    spec = node.values.get("spec_name")
    return (
        node.class_name == "__typespec__"
        and isinstance(spec, str)
        and spec.endswith("Spec")
        and module.startswith(_TYPE_SPECS)
    )


def _dangerous(node: Node, module: str, names: list[str], blob: Blob) -> Finding:
    message = f"Loading {node.title} would import {_shown(node, module, names)}, and call it."
    return rules.keras.DANGEROUS.finding(message, blob.place(), explanation=_explained(node, module, names))


def _explained(node: Node, module: str, names: list[str]) -> Explanation:
    name = (names or [node.class_name])[0][:80]
    found = f"import_module({module[:80]!a}).{name}" if module else f"keras' registered {name}"
    called = "(...)" if node.class_name == "function" else ".from_config(config)"
    return Explanation(found + called, (Step(f"{node.path or 'the document'} names it"),))


def _shown(node: Node, module: str, names: list[str]) -> str:
    kind = "the function" if node.class_name == "function" else "the class"
    name = (names or [node.class_name])[0][:60]
    package = _package(node)
    origin = f" of the package {package[:40]!r}" if package else ""
    return f"{kind} {module[:80] + '.' if module else ''}{name}{origin}"
