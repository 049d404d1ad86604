"""What an expression may be, told without running it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from assay.subjects.python_source import calls, folding
from assay.subjects.python_source.frame import MAX_STEPS, Definition, Frame, Source, bind, lookup
from assay.subjects.python_source.value import UNKNOWN, Event, Time, Value, attribute, union

MAX_ITEMS = 4_096  # elements of a display or comprehension that are computed one by one


def evaluate(source: Source, frame: Frame, node: ast.expr | None) -> Value:
    """The value of an expression; the calls in it become events."""
    if node is None or source.steps >= MAX_STEPS:
        return UNKNOWN
    source.steps += 1
    handler = _HANDLERS.get(type(node))
    return handler(source, frame, node) if handler else _children(source, frame, node)


def _children(source: Source, frame: Frame, node: ast.AST) -> Value:
    values = [evaluate(source, frame, child) for child in _expressions(node)]
    both = union(values) if values else UNKNOWN
    return Value(marks=both.marks)


def _expressions(node: ast.AST) -> Iterator[ast.expr]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            yield child


def _constant(source: Source, frame: Frame, node: ast.Constant) -> Value:  # noqa: ARG001  a handler's shape
    plain = isinstance(node.value, str | bytes | int)
    return Value(constant=node.value) if plain else UNKNOWN  # type: ignore[arg-type]


def _name(source: Source, frame: Frame, node: ast.Name) -> Value:
    return lookup(source, frame, node.id)


def _attribute(source: Source, frame: Frame, node: ast.Attribute) -> Value:
    return member(source, evaluate(source, frame, node.value), node.attr)


def member(source: Source, value: Value, name: str) -> Value:
    """The attribute `name` of a value, methods of the source's own classes included."""
    methods = {source.method(one, name) for one in value.names if one.startswith("local:")} - {""}
    if methods:
        return Value(frozenset(methods), marks=value.marks)
    found = attribute(value, name)
    marks = {source.vocabulary.mark(one) for one in found.names} - {""}
    return Value(found.names, marks=found.marks | marks) if marks else found


def _subscript(source: Source, frame: Frame, node: ast.Subscript) -> Value:
    value = evaluate(source, frame, node.value)
    if isinstance(node.slice, ast.Slice):
        evaluate(source, frame, node.slice)
        return _sliced(value, node.slice)
    key = evaluate(source, frame, node.slice).constant
    if isinstance(key, str) and value.names:
        known = calls.item(source, frame, value, key)
        if known is not None:
            return known
    if isinstance(key, int) and value.items is not None and -len(value.items) <= key < len(value.items):
        return value.items[key]
    if isinstance(key, int) and isinstance(value.constant, str | bytes):
        return _letter(value, key)
    return Value(value.names, marks=value.marks)


def _letter(value: Value, key: int) -> Value:
    text = value.constant
    if not isinstance(text, str | bytes) or not -len(text) <= key < len(text):
        return UNKNOWN
    return Value(constant=text[key], marks=value.marks)


def _sliced(value: Value, node: ast.Slice) -> Value:
    bounds = []
    for part in (node.lower, node.upper, node.step):
        try:
            bounds.append(None if part is None else ast.literal_eval(part))
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return Value(marks=value.marks)
    try:
        cut = slice(*bounds)
        if isinstance(value.constant, str | bytes):
            return Value(constant=value.constant[cut], marks=value.marks)
        if value.items is not None:
            return Value(value.names, items=value.items[cut], marks=value.marks)
    except (TypeError, ValueError):
        pass
    return Value(value.names, marks=value.marks)


def _binary(source: Source, frame: Frame, node: ast.BinOp) -> Value:
    left, right = evaluate(source, frame, node.left), evaluate(source, frame, node.right)
    known = source.may_fold((left, right))
    folded = folding.binary(node, left.constant, right.constant) if known else None
    if folded is None and left.items is not None and right.items is not None and isinstance(node.op, ast.Add):
        items = (*left.items, *right.items)[:MAX_ITEMS]
        return Value(left.names | right.names, items=items, marks=left.marks | right.marks)
    return Value(
        left.names | right.names if folded is None else frozenset(), folded, marks=left.marks | right.marks
    )


def _joined(source: Source, frame: Frame, node: ast.JoinedStr) -> Value:
    pieces = [evaluate(source, frame, part) for part in node.values]
    marks = union(pieces).marks if pieces else frozenset()
    texts = [piece.constant for piece in pieces]
    if source.may_fold(pieces) and all(isinstance(text, str | int) for text in texts):
        return Value(constant="".join(map(str, texts))[: folding.MAX_CONSTANT], marks=marks)
    return Value(marks=marks)


def _formatted(source: Source, frame: Frame, node: ast.FormattedValue) -> Value:
    value = evaluate(source, frame, node.value)
    plain = node.format_spec is None and node.conversion == -1
    return Value(constant=value.constant if plain else None, marks=value.marks)


def _sequence(source: Source, frame: Frame, node: ast.List | ast.Tuple | ast.Set) -> Value:
    values = [evaluate(source, frame, item) for item in node.elts]
    both = union(values) if values else UNKNOWN
    whole = len(values) <= MAX_ITEMS and not any(isinstance(item, ast.Starred) for item in node.elts)
    return Value(both.names, items=tuple(values) if whole else None, marks=both.marks)


def _dict(source: Source, frame: Frame, node: ast.Dict) -> Value:
    for key in node.keys:
        evaluate(source, frame, key)
    values = [evaluate(source, frame, item) for item in node.values]
    both = union(values) if values else UNKNOWN
    return Value(both.names, marks=both.marks)


def _lambda(source: Source, frame: Frame, node: ast.Lambda) -> Value:
    for default in (*node.args.defaults, *node.args.kw_defaults):
        evaluate(source, frame, default)
    name = f"local:{frame.function}.<lambda {node.lineno}:{node.col_offset}>"
    if name not in source.definitions:
        source.definitions[name] = Definition(node, name, frame, frame.owner)
        source.later(name, Time.DEFINED)
    return Value(frozenset({name}))


def _comprehension(
    source: Source, frame: Frame, node: ast.ListComp | ast.SetComp | ast.GeneratorExp
) -> Value:
    inner = Frame({}, frame, frame.time, frame.function, frame.owner, line=frame.line)
    first = node.generators[0]
    spread = _elements(evaluate(source, frame, first.iter))
    if len(node.generators) == 1 and not first.ifs and spread and isinstance(first.target, ast.Name):
        values = []
        for item in spread:
            inner.names[first.target.id] = item
            values.append(evaluate(source, inner, node.elt))
        both = union(values)
        return Value(both.names, items=tuple(values), marks=both.marks)
    _generators(source, inner, node.generators)
    value = evaluate(source, inner, node.elt)
    return Value(value.names, marks=value.marks)


def _elements(value: Value) -> tuple[Value, ...]:
    if value.items is not None:
        return value.items[:MAX_ITEMS]
    if isinstance(value.constant, str | bytes):
        return tuple(Value(constant=letter, marks=value.marks) for letter in value.constant[:MAX_ITEMS])
    return ()


def _generators(source: Source, inner: Frame, generators: list[ast.comprehension]) -> None:
    for generator in generators:
        value = evaluate(source, inner, generator.iter)
        assign(source, inner, generator.target, Value(value.names, marks=value.marks))
        for condition in generator.ifs:
            evaluate(source, inner, condition)


def _dict_comprehension(source: Source, frame: Frame, node: ast.DictComp) -> Value:
    inner = Frame({}, frame, frame.time, frame.function, frame.owner, line=frame.line)
    _generators(source, inner, node.generators)
    evaluate(source, inner, node.key)
    value = evaluate(source, inner, node.value)
    return Value(value.names, marks=value.marks)


def _either(source: Source, frame: Frame, node: ast.IfExp | ast.BoolOp) -> Value:
    if isinstance(node, ast.IfExp):
        evaluate(source, frame, node.test)
        return union([evaluate(source, frame, node.body), evaluate(source, frame, node.orelse)])
    return union([evaluate(source, frame, value) for value in node.values])


def _walrus(source: Source, frame: Frame, node: ast.NamedExpr) -> Value:
    value = evaluate(source, frame, node.value)
    bind(frame, node.target.id, value)
    return value


def _through(source: Source, frame: Frame, node: ast.Await | ast.Starred) -> Value:
    return evaluate(source, frame, node.value)


def assign(source: Source, frame: Frame, target: ast.expr, value: Value) -> None:
    """Bind a target to a value; what is assigned to inside a module or object becomes an event."""
    if isinstance(target, ast.Name):
        bind(frame, target.id, value)
    elif isinstance(target, ast.Tuple | ast.List):
        whole = value.items is not None and len(value.items) == len(target.elts)
        for at, part in enumerate(target.elts):
            each = value.items[at] if whole and value.items else Value(value.names, marks=value.marks)
            assign(source, frame, part, each)
    elif isinstance(target, ast.Starred):
        assign(source, frame, target.value, Value(value.names, marks=value.marks))
    elif isinstance(target, ast.Attribute):
        for name in evaluate(source, frame, target).names:
            _assigned(source, frame, target, name, value)
    elif isinstance(target, ast.Subscript):
        key = evaluate(source, frame, target.slice)
        for name in evaluate(source, frame, target.value).names:
            _assigned(source, frame, target, f"{name}[]", value, key)


def _assigned(source: Source, frame: Frame, node: ast.expr, name: str, *args: Value) -> None:
    line = frame.line or node.lineno
    event = Event("assign", name, frame.time, line, args, function=frame.function, nested=frame.line > 0)
    source.emit(event)


def _call(source: Source, frame: Frame, node: ast.Call) -> Value:
    return calls.call(source, frame, node)


_HANDLERS: Mapping[type[ast.expr], Callable[[Source, Frame, Any], Value]] = {
    ast.Constant: _constant, ast.Name: _name, ast.Attribute: _attribute, ast.Subscript: _subscript,
    ast.BinOp: _binary, ast.JoinedStr: _joined, ast.FormattedValue: _formatted, ast.List: _sequence,
    ast.Tuple: _sequence, ast.Set: _sequence, ast.Dict: _dict, ast.Lambda: _lambda,
    ast.ListComp: _comprehension,
    ast.SetComp: _comprehension, ast.GeneratorExp: _comprehension, ast.DictComp: _dict_comprehension,
    ast.IfExp: _either, ast.BoolOp: _either, ast.NamedExpr: _walrus, ast.Await: _through,
    ast.Starred: _through, ast.Call: _call,
}  # fmt: skip
