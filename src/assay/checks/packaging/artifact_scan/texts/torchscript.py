"""TorchScript sources: a language of its own, whose built-in operators can write and read files.

`torch.jit.load` compiles these sources; `__setstate__` methods run while it loads, the rest when the model
is called. torch.load went on to torch.jit.load even with `weights_only` (CVE-2025-32434). The judge works on
tokens: names, joined over dots as the compiler joins them, and never text or comments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.checks.packaging.artifact_scan import rules
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.core.explanation import Explanation, Step
from assay.core.finding import Severity

_TOKEN = re.compile(
    r"""(?P<text>[rRbBuUfF]{0,2}(?:'''.*?'''|\"\"\".*?\"\"\"|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"))"""
    r"""|(?P<comment>\#[^\n]*)|(?P<name>[^\W\d]\w*(?:(?:[ \t\f]|\\\n)*\.(?:[ \t\f]|\\\n)*[^\W\d]\w*)*)"""
    r"""|(?P<line>\n[ \t]*)|(?P<other>\S)""",
    re.DOTALL,
)
_SPACE = re.compile(r"[\s\\]")
# Operators that reach files: torch/csrc/jit/runtime/register_prim_ops.cpp, native_functions.yaml.
_FILES = {
    "save": "writes a file that it names", "from_file": "maps a file that it names into memory",
    "load_tensor": "reads a file that it names",
}  # fmt: skip
_PYTHON = {"import", "__import__", "exec", "eval", "compile", "globals"}  # no word of TorchScript
# Namespaces that torch itself, torchvision and torchaudio register.
_KNOWN = {
    "aten", "prim", "prims", "quantized", "_quantized", "sparse", "static_runtime", "mkldnn", "onednn",
    "mkldnn_prepacked", "mkl", "c10d", "_c10d_functional", "inductor", "profiler", "quantization", "onnx",
    "prepacked", "xnnpack", "metal_prepack", "vulkan_prepack", "torchvision", "torchaudio", "image",
    "_caffe2", "fb", "rngprims", "export", "cuda", "_native", "torch_sparse", "torch_scatter",
    "torch_cluster", "tensorrt", "symm_mem", "_nnapi", "neuron", "torchtext", "torch_ipex", "xpu", "mps",
    "higher_order", "_test",
}  # fmt: skip
_REMEMBERED = 100


def is_torchscript(text: str) -> bool:
    """Whether a source holds classes and functions only: an import or a statement makes it Python."""
    if any(name in _PYTHON for name, _ in _names(text)):
        return False
    return all(first in {"class", "def", "@", "op_version_set"} for first in _first_words(text))


def judge(blob: Blob, text: str, inspection: Inspection) -> None:
    """Report operators that reach outside the model."""
    told: set[str] = set()
    for name, line in _names(text):
        if name in told or len(told) > _REMEMBERED:
            continue
        told.add(name)
        parts = name.split(".")
        operator = parts[-1]
        if parts[0] == "torch" and len(parts) > 1 and operator in _FILES:
            _report(blob, name, _FILES[operator], line, inspection)
        elif parts[0] == "ops" and len(parts) > 2:  # noqa: PLR2004  ops.namespace.operator
            _operator(blob, name, line, inspection)


def _operator(blob: Blob, name: str, line: int, inspection: Inspection) -> None:
    _, namespace, operator = name.split(".")[:3]
    if operator in _FILES:
        _report(blob, name, _FILES[operator], line, inspection)
    elif namespace not in _KNOWN:
        message = (
            f"Running the model would call {name[:100]} (line {line}), an operator of a library that is no "
            "part of PyTorch."
        )
        inspection.report(rules.classical.FOREIGN_OPERATOR.finding(message, blob.place()))


def _report(blob: Blob, name: str, what: str, line: int, inspection: Inspection) -> None:
    message = f"Running the model would call {name[:100]} (line {line}), which {what}."
    explanation = Explanation(f"{name[:100]}(...)", (Step(f"line {line} of the TorchScript source"),))
    finding = rules.classical.OPERATOR.finding(
        message, blob.place(), severity=Severity.CRITICAL, explanation=explanation
    )
    inspection.report(finding)


def _names(text: str) -> Iterator[tuple[str, int]]:
    """Dotted names that are code, each with its line."""
    line = 1
    for token in _TOKEN.finditer(text):
        if token.lastgroup == "name":
            yield _SPACE.sub("", token.group()), line
        line += token.group().count("\n")


def _first_words(text: str) -> Iterator[str]:
    """The first token of every line that is not indented, outside brackets and texts."""
    depth, fresh = 0, True
    for token in _TOKEN.finditer(text):
        kind, value = token.lastgroup, token.group()
        if kind == "line":
            fresh = depth == 0 and value == "\n"
        elif kind != "comment":
            if fresh:
                yield value
            fresh = False
            depth += (value in "([{") - (value in ")]}") if kind == "other" else 0
            depth = max(depth, 0)
