"""Which globals a pickle may name, and how it may use them. The deny list only sets severity.

An entry of `allow/*.yaml` has `source`, `module` and `names`, and says in which shape frameworks write them:

| key | meaning |
| --- | --- |
| `use` | `class` (the default: named, made, given a state), or another that `Rule` (below) tells |
| `arguments` | a pattern for each, `... pattern` for all further; or several such lists; without it, none |
| `state` | `none`, `dict`, `slots`, `numpy-dtype`, or patterns for a tuple's items; without it, attributes |
| `attributes` | a pattern for some attributes of its state; `only: true` where there are no others |
| `items` | `any`, or `attributes` where items read as such; without it none can be set |
| `named` | whether it may stand as a value, where that does not follow from `use` |
| `native` | the library whose parser, written in another language, gets bytes of the pickle |
| `callable`, `makes`, `gives`, `result`, `relays`, `watch` | see `Rule` in `subjects/pickles/child/rules` |

Patterns are explained in `subjects/pickles/child/patterns.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from assay.core.data_files import read_data

_HERE = Path(__file__).parent
_LISTS = ("arguments", "result")
_TEXTS = ("items", "gives", "relays")
_FLAGS = ("callable", "makes", "only", "watch")
_DOORS = frozenset({"__builtins__", "__globals__"})  # behind them lies everything that Python has built in
KEYS = {
    "source",
    "module",
    "names",
    "use",
    "state",
    "attributes",
    "named",
    "native",
    *_LISTS,
    *_TEXTS,
    *_FLAGS,
}


@lru_cache(maxsize=1)
def entries() -> tuple[dict[str, Any], ...]:
    """All entries of the allow-list."""
    return tuple(entry for path in sorted((_HERE / "allow").glob("*.yaml")) for entry in read_data(path))


@lru_cache(maxsize=1)
def allowed() -> frozenset[tuple[str, str]]:
    """(module, name) of every global that a framework needs to rebuild data."""
    return frozenset((entry["module"], name) for entry in entries() for name in entry["names"])


@lru_cache(maxsize=1)
def watched() -> frozenset[tuple[str, str]]:
    """Globals of which the streaming machine alone can tell that they are called and nothing else."""
    return frozenset(
        (entry["module"], name) for entry in entries() if entry.get("watch") for name in entry["names"]
    )


@lru_cache(maxsize=1)
def native() -> Mapping[tuple[str, str], str]:
    """Allowed globals that hand bytes to a native parser, and the library that it belongs to."""
    return {
        (entry["module"], name): entry["native"]
        for entry in entries()
        if "native" in entry
        for name in entry["names"]
    }


@lru_cache(maxsize=1)
def shapes() -> str:
    """How every allowed global may be used, a line for each entry, as `child.rules.parse` reads it."""
    return "\n".join(map(_line, entries()))


def _line(entry: dict[str, Any]) -> str:
    flags = [flag for flag in _FLAGS if entry.get(flag)]
    if "named" in entry:
        flags.append("named" if entry["named"] else "unnamed")
    state = entry.get("state", "")
    fields = {
        **{key: _ways(entry[key]) for key in _LISTS if key in entry},
        "parts" if isinstance(state, list) else "state": ";".join(state)
        if isinstance(state, list)
        else state,
        "attributes": ";".join(f"{name}:{pattern}" for name, pattern in entry.get("attributes", {}).items()),
        **{key: str(entry[key]) for key in _TEXTS if key in entry},
        "flags": " ".join(flags),
    }
    told = [f"{key}={value}" for key, value in fields.items() if value or key in _LISTS]
    return "\t".join([entry["module"], " ".join(entry["names"]), entry.get("use", "class"), *told])


def _ways(listed: list[Any]) -> str:
    ways = listed if listed and isinstance(listed[0], list) else [listed]
    return "|".join(";".join(way) for way in ways)


@lru_cache(maxsize=1)
def denied() -> Mapping[str, str]:
    """Modules, and full names, whose import is critical, each with what it makes possible."""
    return {name: entry["effect"] for entry in read_data(_HERE / "deny.yaml") for name in entry["modules"]}


def is_allowed(module: str, name: str, extra: Mapping[str, str]) -> bool:
    """Whether the policy, or the user with a reason, allows this global. Names must match exactly."""
    return (module, name) in allowed() or f"{module}.{name}" in extra


def is_denied(module: str, name: str) -> bool:
    """Whether this, any prefix of it, or a module reached by a dotted name is known to be dangerous."""
    return bool(danger(module, name))


def danger(module: str, name: str) -> str:
    """What a dangerous global makes possible, and "" where this is none that is known."""
    parts = f"{module}.{name}".split(".")
    # The module that is reached says more than the one that it is reached through.
    through = [*name.split(".")[:-1], *(_DOORS & set(parts))][::-1]
    for reached in through:
        if reached in denied():
            return denied()[reached]
        if reached in _DOORS:
            return denied()["builtins"]
    for index in range(len(parts), 0, -1):
        if (prefix := ".".join(parts[:index])) in denied():
            return denied()[prefix]
    return ""
