"""Entries for `artifact_scan/allow`: the classes of a package that derive from a known one and add no hook.

    python scripts/list_classes.py torch.nn.Module torchvision.models torchvision.ops

A class is listed where it derives from the first class named and where nothing of what unpickling runs by
itself is written below that class: see HOOKS. What is left out is named on standard error. Run it where the
packages are installed, for it imports all of them, and read what it prints before it is committed.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import pkgutil
import sys
import textwrap
from collections.abc import Iterator
from types import ModuleType

# The unpickler calls these, or they are called for it: by BUILD, APPEND, SETITEM, and for keys of a dict.
HOOKS = (
    "__setstate__", "__new__", "__del__", "__getattr__", "__getattribute__", "__hash__",
    "append", "extend", "add", "__setitem__",
)  # fmt: skip
_REVIEWED = ("torch.nn.", "typing", "abc", "collections.abc", "builtins")  # whose own hooks are known
_WIDTH = 110


def modules(package: str) -> Iterator[ModuleType]:
    """`package` and what lies below it, as far as it can be imported."""
    root = importlib.import_module(package)
    found = pkgutil.walk_packages(getattr(root, "__path__", []), f"{package}.", onerror=lambda _: None)
    for name in (package, *(module.name for module in found)):
        try:
            with contextlib.redirect_stdout(sys.stderr):
                yield importlib.import_module(name)
        except Exception as error:  # noqa: BLE001  of the package: it asks for what is not installed
            print(f"{name}: {error}", file=sys.stderr)


def hooks(found: type, base: type) -> list[str]:
    """What of HOOKS the classes between `found` and `base` define."""
    between = [
        one for one in found.__mro__ if one not in base.__mro__ and not one.__module__.startswith(_REVIEWED)
    ]
    return [f"{one.__name__}.{hook}" for one in between for hook in HOOKS if vars(one).get(hook) is not None]


def listed(module: ModuleType, base: type) -> list[str]:
    """The names of the classes that `module` defines and that may be allowed."""
    names = []
    for name, value in vars(module).items():
        if not inspect.isclass(value) or not issubclass(value, base) or value.__module__ != module.__name__:
            continue
        if own := hooks(value, base):
            print(f"{module.__name__}.{name}: {', '.join(own)}", file=sys.stderr)
        elif value.__qualname__ == name:
            names.append(name)
    return sorted(names)


def main() -> None:
    """Print the entries of the packages named on the command line."""
    known, *packages = sys.argv[1:]
    module, _, name = known.rpartition(".")
    base = getattr(importlib.import_module(module), name)
    entries = {one.__name__: listed(one, base) for package in packages for one in modules(package)}
    for defined_in, names in sorted(entries.items()):
        if names:
            print(f'- source: "{defined_in.replace(".", "/")}.py"\n  module: {defined_in}')
            text = f"names: [{', '.join(names)}]"
            print(textwrap.fill(text, _WIDTH, initial_indent="  ", subsequent_indent=" " * 10))
            print("  use: instance\n  callable: true")


if __name__ == "__main__":
    main()
