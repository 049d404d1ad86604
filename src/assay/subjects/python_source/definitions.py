"""Functions and classes: when they run, what decorates them, what the making of a class runs."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from assay.subjects.python_source import by_syntax, calls, evaluation, handing, walk
from assay.subjects.python_source.evaluation import evaluate
from assay.subjects.python_source.frame import Class, Definition, Frame, Source, bind
from assay.subjects.python_source.value import UNKNOWN, Event, Time, Value

# Methods that run when an object is made, loaded, called or thrown away.
_ON_USE = frozenset({
    "__init__", "__new__", "__post_init__", "__call__", "forward", "from_pretrained", "_from_config",
    "_load_pretrained_model", "_init_weights", "post_init", "__del__", "__enter__", "__reduce__",
    "__reduce_ex__", "__setstate__", "__getattr__", "__getattribute__", "call", "build", "from_config",
})  # fmt: skip
# Methods that the making of a class runs.
_ON_CLASS = frozenset(
    {"__init_subclass__", "__set_name__", "__prepare__", "__class_getitem__", "__mro_entries__"}
)
_OF_CLASS = frozenset({"__new__", "__init_subclass__", "__class_getitem__"})
_ON_METACLASS = frozenset({"__new__", "__init__", "__call__", "__prepare__", "mro"})
_METACLASSES = frozenset({"builtins.type", "abc.ABCMeta", "enum.EnumMeta", "enum.EnumType"})
# Decorators by which reading an attribute, or setting it, calls the function.
_GETTERS = frozenset({"builtins.property", "functools.cached_property", "abc.abstractproperty"})
_ACCESSORS = (".setter", ".getter", ".deleter")
_ON_MODULE = frozenset({"__getattr__", "__dir__"})


def define(source: Source, frame: Frame, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    """Define a function, and run what its definition runs: defaults, annotations, decorators."""
    name = _local(source, frame, node.name)
    owner = frame.owner if frame.is_class else ""
    plain = {one.id for one in node.decorator_list if isinstance(one, ast.Name)}
    places = (*node.args.posonlyargs, *node.args.args)
    bound = "class" if "classmethod" in plain or node.name in _OF_CLASS else "instance"
    bound = bound if owner and places and "staticmethod" not in plain else ""
    values = evaluation.defaults(source, frame, node)
    source.definitions[name] = Definition(node, name, frame, owner, bound, values)
    evaluate(source, frame, node.returns)
    for parameter in (*places, *node.args.kwonlyargs):
        evaluate(source, frame, parameter.annotation)
    source.later(name, _time(frame, node.name))
    bind(source, frame, node.name, Value(frozenset({name})))
    _decorate(source, frame, node, name)


def _local(source: Source, frame: Frame, name: str) -> str:
    """A name of its own: two branches may define the same function differently."""
    full = f"local:{frame.function}.{name}" if frame.function else f"local:{name}"
    while full in source.definitions or full in source.classes:
        full += "'"
    return full


def _time(frame: Frame, name: str) -> Time:
    if frame.is_class:
        if name in _ON_CLASS or (name in _ON_METACLASS and frame.names.get("<metaclass>") is not None):
            return Time.IMPORT
        return Time.USE if name in _ON_USE else Time.DEFINED
    module_level = frame.outer is None and frame.time is Time.IMPORT
    return Time.IMPORT if module_level and name in _ON_MODULE else Time.DEFINED


def _decorate(
    source: Source, frame: Frame, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, name: str
) -> None:
    decorated = Value(frozenset({name}))
    given = []
    for decorator in reversed(node.decorator_list):
        if isinstance(decorator, ast.Call):
            value = calls.call(source, frame, decorator, decorates=True)
        else:
            value = evaluate(source, frame, decorator)
        line = frame.line or decorator.lineno
        for one in sorted(value.names):
            own = one.startswith("local:")
            if one in _GETTERS or one.endswith(_ACCESSORS) or (one.endswith("property") and not own):
                source.getters.add(name)
            elif own:
                given.append(calls.invoke(source, frame, Value(frozenset({one})), (decorated,), {}, line))
            else:
                handing.hand_on(source, frame, one, (decorated,), {}, line, decorates=True)
            if source.vocabulary.watched(one):
                source.emit(Event("reference", one, frame.time, line, function=frame.function))
    for result in given:
        if result.names:
            bind(source, frame, node.name, result)


def define_class(source: Source, frame: Frame, node: ast.ClassDef) -> None:
    """Define a class, and run what its definition runs: its body, hooks of its bases, its metaclass."""
    bases = [evaluate(source, frame, base) for base in node.bases]
    keywords = {word.arg or "**": evaluate(source, frame, word.value) for word in node.keywords}
    name = _local(source, frame, node.name)
    above = frozenset().union(*(base.names for base in bases)) if bases else frozenset()
    inner = Frame({}, frame, frame.time, name.removeprefix("local:"), name, is_class=True, line=frame.line)
    methods: dict[str, tuple[str, ...]] = {}
    meta = [one for one in sorted(keywords.get("metaclass", UNKNOWN).names) if one in source.classes]
    own = tuple(one for one in sorted(above) if one in source.classes)
    fields = tuple(
        part.target.id
        for part in node.body
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)
    )
    source.classes[name] = Class(methods, own, above - frozenset(own), meta[0] if meta else "", fields)
    if above & _METACLASSES or any("<metaclass>" in source.classes[one].methods for one in own):
        inner.names["<metaclass>"] = UNKNOWN
        methods["<metaclass>"] = ()
    walk.block(source, inner, node.body)
    for attribute_name, value in inner.names.items():
        _member(source, frame, name, methods, attribute_name, value, node.lineno)
    bind(source, frame, node.name, Value(frozenset({name})))
    _made(source, frame, name, (*bases, *keywords.values()))
    _decorate(source, frame, node, name)


def make_class(source: Source, frame: Frame, bases: Value, namespace: Value, line: int) -> Value:
    """A class made by `type(name, bases, namespace)`."""
    name = _local(source, frame, f"<type {line}>")
    own = tuple(one for one in sorted(bases.names) if one in source.classes)
    methods: dict[str, tuple[str, ...]] = {}
    source.classes[name] = Class(methods, own, bases.names - frozenset(own))
    for key, value in namespace.table or ():
        if isinstance(key, str):
            _member(source, frame, name, methods, key, value, line)
    _made(source, frame, name, (bases,))
    return Value(frozenset({name}))


def _member(
    source: Source,
    frame: Frame,
    cls: str,
    methods: dict[str, tuple[str, ...]],
    name: str,
    value: Value,
    line: int,
) -> None:
    """Put what a class body bound into the class: methods, and other attributes."""
    own = tuple(one for one in sorted(value.names) if one in source.definitions)
    if own:
        methods[name] = own
    rest = value.names.difference(own)
    if rest or value.items or value.table or (not own and isinstance(value.constant, str | bytes)):
        source.hold(
            cls, name, Value(rest, value.constant, value.items, value.marks, value.table, value.shape)
        )
        by_syntax.run(source, frame, value, ("__set_name__",), line, Value(frozenset({cls})))


def _made(source: Source, frame: Frame, name: str, above: Iterable[Value]) -> None:
    """Run what the bases and the metaclass do when this class is made."""
    for base in {one for value in above for one in value.names if one in source.classes}:
        for method in ("__init_subclass__", "__new__", "__init__") if base != name else ():
            for found in source.methods(base, method):
                metaclass = "<metaclass>" in source.definitions[found].frame.names
                if method == "__init_subclass__" or metaclass:
                    calls.local(source, frame, found, (Value(frozenset({name})),), {})
    for one in {one for value in above for one in value.names if one in source.definitions}:
        calls.local(source, frame, one, (), {})
