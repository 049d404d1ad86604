"""Ways to a module or a function other than its name: importers, specs, what objects tell of themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from assay.subjects.python_source.value import Value

SOME_MODULE = Value(frozenset({"builtins.__import__()"}))  # one whose name is computed
OWN = "<module>"  # the module that the source is
_SPEC = ".__spec__"
_LOADERS = (".loader.load_module", ".loader.create_module")
# Attributes that are, or lead to, the object itself.
_ITSELF = frozenset({"__call__", "__wrapped__", "__func__"})


def _named(text: str) -> Value:
    # `__import__("a.b")` gives `a`, the other importers `a.b`.
    return Value(frozenset({text.replace(":", "."), text.partition(".")[0]}))


def _import(args: tuple[Value, ...]) -> Value | None:
    if args and "<name>" in args[0].names:
        return Value(frozenset({OWN}))
    wanted = args[0].constant if args else None
    return _named(wanted) if isinstance(wanted, str) else None


def _spec(args: tuple[Value, ...]) -> Value | None:
    wanted = args[0].constant if args else None
    return Value(frozenset({wanted + _SPEC})) if isinstance(wanted, str) else None


def _of_spec(args: tuple[Value, ...]) -> Value | None:
    names = frozenset(one.removesuffix(_SPEC) for one in args[0].names if one.endswith(_SPEC)) if args else ()
    return Value(names) if names else None


def _module(args: tuple[Value, ...]) -> Value | None:
    """The module of an object: itself where it is one, what it is an attribute of where it is none."""
    if not args:
        return None
    names = {part for one in args[0].names for part in (one, one.rpartition(".")[0]) if part}
    return Value(frozenset(names), marks=args[0].marks) if names else None


def loaded(name: str, args: tuple[Value, ...]) -> Value | None:
    """What the loader of a module gives; None for calls of anything else."""
    if not name.endswith("load_module"):
        return None
    if args:
        return _import(args)
    module = next((name.removesuffix(_SPEC + end) for end in _LOADERS if name.endswith(_SPEC + end)), "")
    return Value(frozenset({module})) if module else None


def introspected(value: Value, name: str) -> Value | None:
    """What an attribute with underscores leads to from functions outside of the source; None for others."""
    if name in _ITSELF:
        known = frozenset(one for one in value.names if not one.startswith("?"))
        return Value(known, marks=value.marks) if known else None
    if name in {"__builtins__", "f_builtins"}:
        return Value(frozenset({"builtins"}), marks=value.marks)
    if name in {"f_globals", "f_locals"} or (name == "__dict__" and OWN in value.names):
        return Value(frozenset({"<globals>"}), marks=value.marks)
    if name in {"__self__", "__globals__"} and value.names:
        above = frozenset(one.rpartition(".")[0] for one in value.names if "." in one)
        own = name == "__globals__" and any(one.startswith("local:") for one in value.names)
        names = above if name == "__self__" else frozenset(f"{one}.__dict__" for one in above)
        return Value(names | ({"<globals>"} if own else frozenset()), marks=value.marks)
    return None


# Functions that give a module or what is in one, by full name; each takes the arguments.
FUNCTIONS: Mapping[str, Callable[[tuple[Value, ...]], Value | None]] = {
    **dict.fromkeys(
        ("builtins.__import__", "importlib.import_module", "importlib.__import__", "pkgutil.resolve_name",
         "pydoc.locate", "builtins.builtins.__import__"), _import),
    "importlib.util.find_spec": _spec, "importlib._bootstrap._find_spec": _spec,
    "importlib.machinery.PathFinder.find_spec": _spec, "importlib.util.module_from_spec": _of_spec,
    "inspect.getmodule": _module,
}  # fmt: skip
