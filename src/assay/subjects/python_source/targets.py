"""What is assigned to: names, parts of containers, attributes; the last two become events."""

from __future__ import annotations

import ast

from assay.subjects.python_source import by_syntax, evaluation, holders, resolvers
from assay.subjects.python_source.frame import Frame, Source, bind, module_of
from assay.subjects.python_source.value import UNKNOWN, Event, Value, attribute, union

# Objects of `sys` that the interpreter calls methods of.
_STREAMS = frozenset({"stdout", "stderr", "stdin"})


def assign(source: Source, frame: Frame, target: ast.expr, value: Value) -> None:
    """Bind a target to a value; what is assigned to inside a module or object becomes an event."""
    if isinstance(target, ast.Name):
        bind(source, frame, target.id, value)
    elif isinstance(target, ast.Tuple | ast.List):
        _unpack(source, frame, target, value)
    elif isinstance(target, ast.Starred):
        assign(source, frame, target.value, Value(value.names, marks=value.marks))
    elif isinstance(target, ast.Attribute):
        owner = evaluation.evaluate(source, frame, target.value)
        for name in attribute(owner, target.attr).names:
            _assigned(source, frame, target, name, value)
        hold(source, frame, owner, target.attr, value, target.lineno)
    elif isinstance(target, ast.Subscript):
        _into(source, frame, target, value)


def _unpack(source: Source, frame: Frame, target: ast.Tuple | ast.List, value: Value) -> None:
    given = by_syntax.iterated(source, frame, value, target.lineno) if value.names else None
    value = value if given is None else union([value, given])
    whole = value.items is not None and len(value.items) == len(target.elts)
    whole = whole and not any(isinstance(part, ast.Starred) for part in target.elts)
    for at, part in enumerate(target.elts):
        each = value.items[at] if whole and value.items else Value(value.names, marks=value.marks)
        assign(source, frame, part, each)


def _into(source: Source, frame: Frame, target: ast.Subscript, value: Value) -> None:
    """Store a value in a container, which is then another one."""
    key = evaluation.evaluate(source, frame, target.slice)
    container = evaluation.evaluate(source, frame, target.value)
    for name in container.names:
        _assigned(source, frame, target, f"{name}[]", value, key)
    by_syntax.run(source, frame, container, ("__setitem__",), target.lineno, key, value)
    by_syntax.run(source, frame, key, by_syntax.KEY, target.lineno)
    if isinstance(target.slice, ast.Slice) or not holders.matters((value,)):
        return
    if not holders.may_store(container):
        # An array takes numbers; what can be called and is put into one is no result of a call.
        called = frozenset(one for one in value.names if "()" not in one or one.startswith("local:"))
        value = Value(called, value.constant, marks=value.marks)
        if not called:
            return
    holders.namespace(source, frame, container, key.constant, value)
    stored = holders.stored(container, key.constant, value)
    source.steps += len(stored.table or ()) // 16
    if isinstance(target.value, ast.Subscript):
        if value.names:
            _into(source, frame, target.value, stored)
        return
    owners = UNKNOWN
    if isinstance(target.value, ast.Attribute):
        owners = evaluation.evaluate(source, frame, target.value.value)
    holders.rebind(source, frame, target.value, owners, stored)


def _assigned(source: Source, frame: Frame, node: ast.expr, name: str, *args: Value) -> None:
    line = frame.line or node.lineno
    event = Event("assign", name, frame.time, line, args, function=frame.function, nested=frame.line > 0)
    source.emit(event)


def hold(source: Source, frame: Frame, owner: Value, name: str, value: Value, line: int) -> None:
    """Store a value in an attribute of an object, and run what that calls."""
    by_syntax.assigned(source, frame, owner, name, value, line)
    if resolvers.OWN in owner.names:
        bind(source, module_of(frame), name, value)
    if "sys" in owner.names and name in _STREAMS:
        for one in sorted(value.names):
            by_syntax.framed(source, frame, one.removesuffix("()"), line)
    if holders.matters((value,)) or value.items is not None:
        for one in owner.names:
            if not one.startswith("?"):
                source.hold(one, name, value)
