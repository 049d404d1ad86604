"""Look at a folder and draft its `assay.yaml`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from assay.core.check import Role, check_names, load_check

WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".gguf", ".onnx", ".h5", ".keras")
DATA = (".jsonl", ".parquet", ".csv", ".tsv")
BESIDE = {"config.json", "tokenizer.json"}
INFRASTRUCTURE = ("terraform", "infra", "infrastructure", "deploy", "k8s", "kubernetes", "helm")
HERE = "."
SKIP = {".git", ".assay", ".venv", "venv", "node_modules", "__pycache__"}
MAX_ENTRIES = 20_000


@dataclass(frozen=True, slots=True)
class Discovery:
    """What was found, as paths relative to the folder; "" where nothing was.

    Attributes:
        model: file or folder with weights.
        data: training data.
        infrastructure: folder of infrastructure code.
        serve: a script that looks like a server.
        suites: behaviour suites.
    """

    model: str = ""
    data: str = ""
    infrastructure: str = ""
    serve: str = ""
    suites: tuple[str, ...] = ()

    def summary(self) -> list[str]:
        """A line for each thing that was looked for."""
        pairs = (
            ("model", self.model),
            ("data", self.data),
            ("infrastructure", self.infrastructure),
            ("server", self.serve),
            ("suites", ", ".join(self.suites)),
        )
        lines = [f"{name}: {value or 'none found'}" for name, value in pairs]
        if self.model == HERE:
            lines[0] += " (this folder: what stands beside the weights belongs to the model)"
        return lines


def discover(root: Path) -> Discovery:
    """Look below `root`, three folders deep."""
    files = sorted(_files(root, 3))
    weights = [file for file in files if file.suffix.lower() in WEIGHTS]
    suites = tuple(
        str(f.relative_to(root)) for f in files if f.parent.name == "suites" and f.suffix == ".jsonl"
    )
    data = [f for f in files if f.suffix.lower() in DATA and f.parent.name != "suites"]
    folders = [root / name for name in INFRASTRUCTURE if (root / name).is_dir()]
    serve = [file for file in files if file.name in ("serve.py", "server.py")]
    return Discovery(
        model=_model(root, weights),
        data=_relative(root, _prefer(data, "train")),
        infrastructure=_relative(root, folders[0] if folders else None),
        serve=_relative(root, serve[0] if serve else None),
        suites=suites,
    )


def draft(found: Discovery, name: str) -> str:
    """The text of an `assay.yaml`, with a comment at each thing a person has to decide."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "model"
    lines = ["# What Assay checks and releases; `assay config show` explains every key.", "version: 1"]
    lines += ["model:", f"  name: {safe}", f"  path: {_quoted(found.model or 'model')}"]
    if not found.model:
        lines[-1] += "  # none was found: correct this path"
    if found.model == HERE:
        state = f"../{safe}.assay"
        lines += ["# This folder is the model, so what Assay writes is kept beside it."]
        lines += ["ledger:", f"  uri: {_quoted(f'{state}/ledger.db')}"]
        lines += ["registry:", f"  uri: {_quoted(f'{state}/registry')}"]
    if found.data:
        lines += ["data:", f"  path: {_quoted(found.data)}"]
    if found.infrastructure:
        lines += [f"infrastructure: {_quoted(found.infrastructure)}"]
    if found.serve:
        command = f'["{{python}}", {_quoted(found.serve)}, "--model", "{{model}}", "--port", "{{port}}"]'
        lines += ["endpoint:", "  serve:", f"    command: {command}"]
    if found.suites:
        joined = ", ".join(_quoted(suite) for suite in found.suites)
        lines += ["checks:", "  model.behavior-diff:", f"    suites: [{joined}]"]
    lines += _declarations(found)
    return "\n".join(lines) + "\n"


def _declarations(found: Discovery) -> list[str]:
    present = {
        Role.MODEL: True,
        Role.ENVIRONMENT: True,
        Role.DATA: bool(found.data),
        Role.ENDPOINT: bool(found.serve),
        Role.INFRASTRUCTURE: bool(found.infrastructure),
        Role.GUARD: False,
        Role.VECTORS: False,
    }
    absent = [name for name in check_names() if not present[load_check(name).info.role]]
    if not absent:
        return []
    lines = ["# Nothing was found for these checks. The gate refuses a release while one that its policy"]
    lines += ["# needs is missing: name the subject above, or declare here why it does not apply.", "#"]
    lines += ["# not_applicable:"]
    for name in absent:
        lines += [f"#   {name}:", "#     reason: say in a sentence why it does not apply here"]
    return lines


def _files(root: Path, depth: int) -> Iterator[Path]:
    count = 0
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(f for f in folders if f not in SKIP and not f.startswith("."))
        if len(Path(folder).relative_to(root).parts) >= depth:
            folders.clear()
        for name in names:
            count += 1
            if count > MAX_ENTRIES:
                return
            yield Path(folder) / name


def _model(root: Path, weights: list[Path]) -> str:
    chosen = _prefer(weights, "candidate") or (weights[0] if weights else None)
    if chosen is None:
        return ""
    alone = chosen.parent == root and not any(_belongs(file) for file in root.iterdir())
    return _relative(root, chosen if alone else chosen.parent)


def _belongs(file: Path) -> bool:
    """Whether a file beside weights is part of the model: shape, tokenizer, template, code."""
    return file.name in BESIDE or file.suffix in (".py", ".jinja")


def _prefer(files: list[Path], word: str) -> Path | None:
    named = [file for file in files if word in str(file).lower()]
    return (named or files or [None])[0]  # type: ignore[list-item]


def _relative(root: Path, path: Path | None) -> str:
    return path.relative_to(root).as_posix() if path else ""


def _quoted(text: str) -> str:
    import json  # noqa: PLC0415

    return json.dumps(text)
