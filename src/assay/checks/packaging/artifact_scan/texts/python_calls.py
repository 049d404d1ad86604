"""What a call of a name does, by `calls.yaml`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from assay.core.data_files import read_data
from assay.subjects.python_source import Vocabulary

# Modules that other modules import, so that they are reached through them: `shutil.os.system`.
ROOTS = frozenset({
    "os", "sys", "posix", "nt", "subprocess", "builtins", "importlib", "socket", "pickle", "marshal",
    "ctypes",
    "shutil", "pty", "runpy", "base64", "zlib", "urllib", "requests", "platform", "webbrowser",
    "_posixsubprocess",
})  # fmt: skip
_CALLS = Path(__file__).parents[1] / "calls.yaml"
# What only picks among the entry points of installed packages.
_WITHIN = re.compile(r"(?<=entry_points\(\))(?:\.\w+\(\))+|(?<=entry_map\(\))(?:\.\w+\(\))+")
_MARKS = {"decode": "decoded", "network": "network", "environment": "environ", "open": "file"}


@lru_cache(maxsize=1)
def _kinds() -> Mapping[str, str]:
    return {name: entry["kind"] for entry in read_data(_CALLS) for name in entry["names"]}


@lru_cache(maxsize=4)
def names(kinds: frozenset[str]) -> tuple[str, ...]:
    """Full names of functions of some kinds, without those that stand for many or for methods."""
    return tuple(name for name, kind in _kinds().items() if kind in kinds and not set(name) & set("*?()"))


@lru_cache(maxsize=65_536)
def kind(name: str) -> str:
    """What calling `name` does; `computed` for a computed attribute of a dangerous module, or ""."""
    known = _kinds()
    name = _WITHIN.sub("", name).removesuffix(".__init__")
    for one in (name, through(name)):
        found = known.get(one) or known.get(one.rsplit(".", 1)[0] + ".*")
        if found:
            return found
    module, _, attribute = through(name).rpartition(".")
    if attribute == "?" and module in ROOTS:
        return "computed"
    return "execute" if attribute.startswith("__pyarmor") else ""


def through(name: str) -> str:
    """A name without the modules it is reached through: `torch.serialization.os.system` is `os.system`."""
    parts = name.split(".")
    # `.os` is a module of the source's own package.
    first = 2 if name.startswith(".") else 1
    for at in range(len(parts) - 2, first - 1, -1):
        if parts[at] in ROOTS and ".".join(parts[at - 1 : at + 1]) != "os.path":
            return ".".join(parts[at:])
    return name


@lru_cache(maxsize=65_536)
def _mark(name: str) -> str:
    return _MARKS.get(kind(name), "")


def _watched(name: str) -> bool:
    found = kind(name)
    return found == "process" or (found == "execute" and name.startswith(("builtins.", "runpy.")))


VOCABULARY = Vocabulary(_mark, _watched)
