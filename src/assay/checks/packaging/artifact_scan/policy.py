"""Which globals a pickle may name: allow-list first; the deny list only sets severity."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent


def _load(path: Path) -> list[dict[str, Any]]:
    import yaml  # noqa: PLC0415  start-up

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return list(yaml.load(path.read_text("utf-8"), loader))  # noqa: S506  a safe loader, the C one where built


@lru_cache(maxsize=1)
def allowed() -> frozenset[tuple[str, str]]:
    """(module, name) of every global that a framework needs to rebuild data."""
    entries = [entry for path in sorted((_HERE / "allow").glob("*.yaml")) for entry in _load(path)]
    return frozenset((entry["module"], name) for entry in entries for name in entry["names"])


@lru_cache(maxsize=1)
def denied() -> frozenset[str]:
    """Modules, and full names, whose import is critical."""
    return frozenset(name for entry in _load(_HERE / "deny.yaml") for name in entry["modules"])


def is_allowed(module: str, name: str, extra: Mapping[str, str]) -> bool:
    """Whether the policy, or the user with a reason, allows this global. Names must match exactly."""
    return (module, name) in allowed() or f"{module}.{name}" in extra


def is_denied(module: str, name: str) -> bool:
    """Whether this, any prefix of it, or a module reached by a dotted name is known to be dangerous."""
    parts = f"{module}.{name}".split(".")
    prefixes = {".".join(parts[: index + 1]) for index in range(len(parts))}
    through = set(name.split(".")[:-1]) | ({"__builtins__"} & set(parts))
    return bool(prefixes & denied()) or bool(through & (denied() | {"__builtins__", "__globals__"}))
