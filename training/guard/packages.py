"""Data files of published packages, read out of their wheels: nothing is installed, imported or kept here.

`packages.txt` pins each wheel by version and SHA-256 and says how to fetch them; the folder they lie in is
named by `ASSAY_TRAINING_PACKAGES`.
"""

from __future__ import annotations

import ast
import csv
import hashlib
import io
import json
import os
import re
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_PINS = Path(__file__).parent / "packages.txt"
_PIN = re.compile(r"^([\w-]+)==([\w.]+) --hash=sha256:([0-9a-f]{64})$", re.MULTILINE)


class PackageError(Exception):
    """A package is missing or not the one that is pinned."""


def folder() -> Path | None:
    """Where the wheels lie: `ASSAY_TRAINING_PACKAGES`; None where it is not set."""
    named = os.environ.get("ASSAY_TRAINING_PACKAGES")
    return Path(named) if named else None


class Package:
    """One wheel, checked against its pin when it is opened.

    Args:
        name: as `packages.txt` spells it.

    Raises:
        PackageError: it is not in the folder, or its SHA-256 is another.
    """

    def __init__(self, name: str) -> None:
        pins = {pin[1]: (pin[2], pin[3]) for pin in _PIN.finditer(_PINS.read_text(encoding="utf-8"))}
        version, digest = pins[name]
        found = sorted((folder() or Path()).glob(f"{name.replace('-', '_')}-{version}-*.whl"))
        if not found:
            raise PackageError(f"{name} {version} is not in {folder()}: fetch it as {_PINS.name} says")
        data = found[0].read_bytes()
        if hashlib.sha256(data).hexdigest() != digest:
            raise PackageError(f"{found[0]} is not the {name} {version} that is pinned")
        self._archive = zipfile.ZipFile(io.BytesIO(data))
        self.names = sorted(self._archive.namelist())

    def text(self, name: str) -> str:
        """A file's text."""
        return self._archive.read(name).decode("utf-8-sig", errors="replace")

    def matching(self, pattern: str) -> Iterator[tuple[str, str]]:
        """Name and text of every file whose whole name matches."""
        for name in self.names:
            if re.fullmatch(pattern, name):
                yield name, self.text(name)

    def json(self, name: str) -> Any:
        """A JSON file."""
        return json.loads(self.text(name))

    def lines(self, name: str) -> list[dict[str, Any]]:
        """A file of JSON lines; lines that are none are left out."""
        found = []
        for line in self.text(name).splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
        return [one for one in found if isinstance(one, dict)]

    def rows(self, name: str) -> list[dict[str, str]]:
        """A CSV file."""
        csv.field_size_limit(1 << 30)
        return list(csv.DictReader(io.StringIO(self.text(name))))

    def yaml(self, name: str) -> Any:
        """A YAML file."""
        return yaml.safe_load(self.text(name))


@cache
def package(name: str) -> Package:
    """The package, opened once."""
    return Package(name)


def constants(source: str) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """What Python source assigns to names, as far as it is text and lists of text; nothing is run.

    Returns:
        the module's names, and those of each class.
    """
    top: dict[str, Any] = {}
    classes: dict[str, dict[str, Any]] = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef):
            own = classes.setdefault(node.name, {})
            for inner in node.body:
                _assign(inner, own, top)
        else:
            _assign(node, top, top)
    return top, classes


def _assign(node: ast.stmt, names: dict[str, Any], known: dict[str, Any]) -> None:
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        value = value_of(node.value, {**known, **names})
        if value is not None:
            names[node.targets[0].id] = value


def value_of(node: ast.expr, known: dict[str, Any]) -> Any:
    """Text, a number, or a list of such; None for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str | int):
        return node.value
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value if isinstance(part, ast.Constant) else value_of(part.value, known) or "")
            for part in node.values
            if isinstance(part, ast.Constant | ast.FormattedValue)
            and isinstance(getattr(part, "value", None), str | ast.expr)
        )
    if isinstance(node, ast.List | ast.Tuple):
        values = [value_of(one, known) for one in node.elts]
        return [one for one in values if one is not None]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mult):
        left, right = value_of(node.left, known), value_of(node.right, known)
        if left is None or right is None:
            return None
        return (
            left + right
            if isinstance(node.op, ast.Add) and type(left) is type(right)
            else (left * right if isinstance(node.op, ast.Mult) and isinstance(right, int) else None)
        )
    return None


def strings(value: Any, least: int) -> Iterator[str]:
    """Every text of at least so many characters in nested lists and mappings."""
    if isinstance(value, str):
        if len(value) >= least:
            yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from strings(one, least)
    elif isinstance(value, list):
        for one in value:
            yield from strings(one, least)
