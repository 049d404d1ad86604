"""Functions that syntax calls: operators, attributes, loops and tests on objects of own classes."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping

from assay.subjects.python_source import calls, holders
from assay.subjects.python_source.frame import Frame, Source
from assay.subjects.python_source.value import UNBOUND, UNKNOWN, Time, Value, union

BINARY: Mapping[type[ast.operator], str] = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.MatMult: "matmul", ast.Div: "truediv",
    ast.Mod: "mod", ast.Pow: "pow", ast.LShift: "lshift", ast.RShift: "rshift", ast.BitOr: "or",
    ast.BitXor: "xor", ast.BitAnd: "and", ast.FloorDiv: "floordiv",
}  # fmt: skip
UNARY: Mapping[type[ast.unaryop], tuple[str, ...]] = {
    ast.USub: ("__neg__",), ast.UAdd: ("__pos__",), ast.Invert: ("__invert__",),
    ast.Not: ("__bool__", "__len__"),
}  # fmt: skip
COMPARED: Mapping[type[ast.cmpop], tuple[str, ...]] = {
    ast.Eq: ("__eq__",), ast.NotEq: ("__ne__", "__eq__"), ast.Lt: ("__lt__", "__gt__"),
    ast.Gt: ("__gt__", "__lt__"), ast.LtE: ("__le__", "__ge__"), ast.GtE: ("__ge__", "__le__"),
    ast.In: ("__contains__", "__iter__", "__getitem__", "__eq__", "__hash__"),
    ast.NotIn: ("__contains__", "__iter__", "__getitem__", "__eq__", "__hash__"),
}  # fmt: skip
MAPPED = ("keys", "__iter__", "__getitem__")
TRUTH = ("__bool__", "__len__")
ITERATED = ("__iter__", "__getitem__", "__aiter__", "__len__")
NEXT = ("__next__", "__anext__")
SHOWN = ("__format__", "__str__", "__repr__")
ITEM = ("__getitem__", "__missing__")
KEY = ("__hash__", "__eq__", "__index__")
_INTO_TEXT = ("__rmod__", "__str__", "__repr__", "__getitem__", "__int__", "__float__", "__index__")
# What a function of Python does with an object; any other may do whatever an object can.
_BUILT_IN: Mapping[str, tuple[str, ...]] = {
    "builtins.len": ("__len__",), "builtins.isinstance": ("__class__", "__instancecheck__"),
    "builtins.issubclass": ("__subclasscheck__",), "builtins.bool": TRUTH, "builtins.id": (),
    "builtins.callable": (), "builtins.type": (), "builtins.super": (), "typing.cast": (),
    "builtins.hasattr": ("__getattr__", "__getattribute__"), "builtins.dir": ("__dir__",),
    "builtins.delattr": ("__delattr__",), "builtins.setattr": ("__setattr__",),
    "builtins.getattr": ("__getattr__", "__getattribute__"), "builtins.vars": (), "builtins.property": (),
}  # fmt: skip
_CALLING = frozenset(f"builtins.{name}" for name in ("filter", "iter", "map", "max", "min", "sorted"))
# What is not run by handing an object on, or stands in a class for its own purposes.
_NOT_HANDED = frozenset({
    "__init__", "__new__", "__post_init__", "__init_subclass__", "__class_getitem__", "__set_name__",
    "__prepare__", "__del__",
})  # fmt: skip


# Bases whose methods call none of a subclass.
_INERT = frozenset({
    "builtins.object", "abc.ABC", "typing.Generic", "typing.Protocol", "typing.Generic[]", "enum.Enum",
    "typing_extensions.Protocol", "builtins.Exception", "builtins.ValueError", "builtins.RuntimeError",
})  # fmt: skip


def run(
    source: Source, frame: Frame, value: Value, methods: Iterable[str], line: int, *args: Value
) -> Value | None:
    """Run methods of the source's own classes on what a value may be; what they give, None where none ran."""
    if frame.time is Time.DEFINED or not source.classes:
        return None
    results = [
        calls.invoke(source, frame, found, args, {}, line)
        for name in sorted(value.names)
        if name.startswith("local:")
        for method in methods
        if (found := _special(source, name, method)) is not None
    ]
    return union(results) if results else None


def _special(source: Source, name: str, method: str) -> Value | None:
    """A method that syntax looks for in the class of an object, and for a class in its metaclass."""
    cls = name[:-2] if name.endswith("()") else metaclass(source, name)
    return _in_class(source, cls, method) if cls in source.classes else None


def metaclass(source: Source, cls: str) -> str:
    """The metaclass of a class of the source, where it is of the source as well; "" else."""
    return next((meta for one in source.family(cls) if (meta := source.classes[one].metaclass)), "")


def _in_class(source: Source, cls: str, name: str) -> Value | None:
    """What a class or the nearest of its bases has under a name."""
    for one in source.family(cls):
        found = source.classes[one].methods.get(name)
        held = source.held.get(one, {}).get(name)
        if found or held:
            return union([Value(frozenset(found or ())), *([held] if held else [])]) if found else held
    return None


def attribute(source: Source, frame: Frame, name: str, wanted: str, line: int) -> Value | None:
    """The attribute of an object or class of the source, read as Python does; None where it has none."""
    instance = name.endswith("()")
    cls = name[:-2] if instance else name
    if cls not in source.classes:
        return None
    own = Value(frozenset({name}))
    if instance and wanted == "__class__":
        return Value(frozenset({cls}))
    run(source, frame, own, ("__getattribute__",), line)
    found = _in_class(source, cls, wanted)
    if found is None and not instance and (meta := metaclass(source, cls)):
        found = _in_class(source, meta, wanted)
    if found is None:
        return run(source, frame, own, ("__getattr__",), line)
    got = _got(source, frame, found, line)
    if got is not None:
        return got
    if any(one.startswith("enum.") for base in source.family(cls) for one in source.classes[base].foreign):
        return Value(found.names, found.constant, found.items, found.marks, (("value", found),))
    return found if instance else _unbound(source, name, found)


def _unbound(source: Source, cls: str, found: Value) -> Value:
    """A method read from the class: its first argument is what it is of."""
    methods = [source.definitions[one] for one in found.names if one in source.definitions]
    if not any(one.bound == "instance" for one in methods):
        return found
    return Value(found.names, marks=found.marks, table=((UNBOUND, Value(frozenset({f"{cls}()"}))),))


def _got(source: Source, frame: Frame, found: Value, line: int) -> Value | None:
    """What a property or another descriptor gives when it is read; None for other attributes."""
    results = [
        calls.invoke(source, frame, Value(frozenset({one})), (), {}, line)
        for one in sorted(found.names)
        if one in source.getters
    ]
    read = run(source, frame, found, ("__get__",), line)
    return union([*results, *([read] if read else [])]) if results or read else None


def assigned(source: Source, frame: Frame, owner: Value, name: str, value: Value, line: int) -> None:
    """Run what setting an attribute of an object of the source calls."""
    if frame.time is Time.DEFINED or not source.classes:
        return
    run(source, frame, owner, ("__setattr__",), line, UNKNOWN, value)
    for one in sorted(owner.names):
        cls = one.removesuffix("()")
        found = _in_class(source, cls, name) if one.startswith("local:") else None
        if found is None:
            continue
        run(source, frame, found, ("__set__",), line, UNKNOWN, value)
        if one.endswith("()") and (setters := found.names & source.getters):
            calls.invoke(source, frame, Value(setters), (value,), {}, line)


def iterated(source: Source, frame: Frame, value: Value, line: int) -> Value | None:
    """Run what a loop over a value calls; what its elements may be."""
    given = run(source, frame, value, ITERATED, line)
    each = run(source, frame, union([value, given]) if given else value, NEXT, line)
    return union([one for one in (given, each) if one is not None]) if given or each else None


def binary(source: Source, frame: Frame, node: ast.BinOp, left: Value, right: Value) -> Value | None:
    """Run what an operator calls."""
    if frame.time is Time.DEFINED or not source.classes or not (left.names or right.names):
        return None
    name = BINARY[type(node.op)]
    forward = run(source, frame, left, (f"__{name}__", f"__i{name}__"), node.lineno, right)
    reflected = run(source, frame, right, (f"__r{name}__",), node.lineno, left)
    if isinstance(node.op, ast.Mod) and isinstance(left.constant, str | bytes):
        run(source, frame, right, _INTO_TEXT, node.lineno)
    results = [one for one in (forward, reflected) if one is not None]
    return union(results) if results else None


def handed(source: Source, frame: Frame, values: Iterable[Value], name: str, line: int) -> None:
    """Run what a function called `name` may call of the objects that it is given."""
    if frame.time is not Time.IMPORT or not source.classes:
        return
    methods = _BUILT_IN.get(name)
    for value in values:
        for one in sorted(value.names) if value.names else ():
            if one.startswith("local:"):
                wanted = _handed(source, one, name) if methods is None else methods
                run(source, frame, Value(frozenset({one})), wanted, line)


def _handed(source: Source, name: str, function: str) -> tuple[str, ...]:
    """The methods of an object that a function may call."""
    cls = name[:-2] if name.endswith("()") else metaclass(source, name)
    spared = _NOT_HANDED
    if function.startswith("builtins.") and function not in _CALLING:
        spared |= {"__call__"}
    found = {method for one in source.family(cls) for method in source.classes[one].methods}
    found |= {method for one in source.family(cls) for method in source.held.get(one, ())}
    return tuple(
        sorted(one for one in found if (one.startswith("__") or one == "keys") and one not in spared)
    )


def inherited(source: Source, frame: Frame, name: str, line: int) -> None:
    """Run what a method that an object has from a class outside of the source may call: its own methods."""
    if frame.time is not Time.IMPORT:
        return
    owner, _, method = (name, "", "") if name.endswith("()") else name.rpartition(".")
    if method in _NOT_HANDED or method in holders.METHODS:
        return
    cls = owner.removesuffix("()")
    scope: Frame | None = frame
    while scope is not None:
        if scope.owner == cls:
            return  # its own methods call it; who calls those from outside is what matters
        scope = scope.outer
    if any(active.startswith(f"{cls}.") for active in source.active) or not any(
        source.classes[one].foreign - _INERT for one in source.family(cls)
    ):
        return
    framed(source, frame, cls, line)


def framed(source: Source, frame: Frame, cls: str, line: int) -> None:
    """Run the methods of a class, which something outside of the source may call."""
    if frame.time is not Time.IMPORT:
        return
    own = {method for one in source.family(cls) for method in source.classes[one].methods}
    for method in sorted(own - _NOT_HANDED):
        for found in source.methods(cls, method):
            calls.invoke(source, frame, Value(frozenset({found})), (), {}, line)
