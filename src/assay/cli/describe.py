"""What `assay check NAME --rules` prints: a check's rules, and its options with default and meaning."""

from __future__ import annotations

import dataclasses
import inspect
import re
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assay.core.check import Check

INDENT = " " * 6


def describe(check: Check) -> str:
    """The check's rules and options, for people."""
    info = check.info
    lines = [f"{info.name}: {info.title} ({info.stage.value}, version {info.version})", "", "Rules"]
    lines += [f"  {rule.id:<34} {rule.severity.value:<9} {rule.title}" for rule in info.rules]
    lines += ["", "Options"]
    told = _attributes(info.options)
    for field in _own_first(info.options):
        lines.append(f"  {field.name} = {_plain(_default(field))}")
        if told.get(field.name):
            lines.append(INDENT + told[field.name])
    return "\n".join(lines) + "\n"


def _own_first(options: type[Any]) -> list[dataclasses.Field[Any]]:
    """The fields, and what other checks have too at the end."""
    fields = {field.name: field for field in dataclasses.fields(options)}
    named = [name for one in options.__mro__ for name in vars(one).get("__annotations__", ())]
    return [fields[name] for name in dict.fromkeys(named) if name in fields]


def _default(field: dataclasses.Field[Any]) -> object:
    if field.default is not dataclasses.MISSING:
        return field.default
    return field.default_factory() if callable(field.default_factory) else "(required)"


def _plain(value: object) -> str:
    """A default as it would be written in assay.yaml."""
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "null"
    if isinstance(value, str):
        return value or '""'
    if isinstance(value, tuple | list | set | frozenset):
        return f"[{', '.join(_plain(item) for item in value)}]"
    return str(value)


def _attributes(options: type[Any]) -> dict[str, str]:
    """What the class and its bases say of their attributes, a line each; its own word counts."""
    told: dict[str, str] = {}
    for one in reversed(options.__mro__[:-1]):
        told |= _section(one)
    return told


def _section(options: type[Any]) -> dict[str, str]:
    """The `Attributes` section of a class's docstring."""
    _, _, section = inspect.cleandoc(options.__doc__ or "").partition("Attributes:\n")
    told: dict[str, str] = {}
    names: list[str] = []
    for line in section.splitlines():
        if line and not line.startswith(" "):
            break  # the next section
        entry = re.fullmatch(r" {4}(\w+(?:, \w+)*): (.*)", line)
        if entry:
            names = entry[1].split(", ")
            told |= dict.fromkeys(names, entry[2])
        elif names and line.strip():
            told |= dict.fromkeys(names, f"{told[names[0]]} {line.strip()}")
    return told
