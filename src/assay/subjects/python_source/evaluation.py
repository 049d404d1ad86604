"""What an expression may be, told without running it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from assay.subjects.python_source import by_syntax, calls, folding, holders, paths, resolvers, targets
from assay.subjects.python_source.frame import (
    MAX_STEPS,
    Definition,
    Frame,
    Function,
    Source,
    bind,
    lookup,
    module_of,
)
from assay.subjects.python_source.value import UNKNOWN, Constant, Time, Value, attribute, union

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
    return member(source, frame, evaluate(source, frame, node.value), node.attr, node.lineno)


def member(source: Source, frame: Frame, value: Value, name: str, line: int) -> Value:
    """The attribute `name` of a value: what objects hold and the source's own classes define included."""
    if not value.names and value.table is None and name[:2] not in {"__", "f_"}:
        return attribute(value, name)
    found, rest = _known(source, frame, value, name, line)
    if not found or rest:
        plain = attribute(value if not found else Value(rest), name)
        marks = {source.vocabulary.mark(one) for one in plain.names} - {""}
        found.append(Value(plain.names, marks=plain.marks | marks) if marks else plain)
    if len(found) == 1:
        return found[0]
    best = next((one for one in found if one.constant is not None or one.table or one.items), UNKNOWN)
    both = union(found)
    return Value(both.names, best.constant, best.items, both.marks | value.marks, best.table, best.shape)


def _known(
    source: Source, frame: Frame, value: Value, name: str, line: int
) -> tuple[list[Value], frozenset[str]]:
    """What is known of an attribute besides its name, and the names of which nothing is."""
    found: list[Value] = []
    rest: list[str] = []
    for one in value.names:
        held = source.held.get(one)
        before = len(found)
        if held is not None and name in held:
            found.append(held[name])
        if one.startswith("local:"):
            own = by_syntax.attribute(source, frame, one, name, line)
            found += [own] if own is not None else []
        elif one in paths.CLASSES:
            found.append(attribute(Value(frozenset({paths.PATH})), name))
        elif one == resolvers.OWN:
            found.append(lookup(source, module_of(frame), name))
        if len(found) == before or not (one.startswith(("local:", "<")) or one in paths.CLASSES):
            rest.append(one)
    return _special(value, name, found, frozenset(rest))


def _special(
    value: Value, name: str, found: list[Value], rest: frozenset[str]
) -> tuple[list[Value], frozenset[str]]:
    """What containers, paths and the attributes of all objects add to that."""
    if value.table is not None and (entry := holders.entry(value, name)) is not None:
        found.append(entry)
    elif value.items and any(one.endswith("()()") for one in rest):
        found.append(union(value.items))
    if (of_path := paths.member(value, name)) is not None:
        return [*found, of_path], rest - {paths.PATH}
    if name[:2] in {"__", "f_"} and (special := resolvers.introspected(value, name)) is not None:
        return [*found, special], frozenset()
    if name in paths.SEPARATORS:
        found += [paths.SEPARATORS[name]] if rest & paths.SEPARATED else []
    return found, rest


def _subscript(source: Source, frame: Frame, node: ast.Subscript) -> Value:
    value = evaluate(source, frame, node.value)
    key = evaluate(source, frame, node.slice)
    if value.names and frame.time is not Time.DEFINED and source.classes:
        given = by_syntax.run(source, frame, value, by_syntax.ITEM, node.lineno, key)
        by_syntax.run(source, frame, value, ("__class_getitem__",), node.lineno, key)
        value = value if given is None else union([value, given])
    if isinstance(node.slice, ast.Slice):
        return _sliced(value, node.slice)
    by_syntax.run(source, frame, key, by_syntax.KEY, node.lineno)
    if "sys.modules" in value.names and not isinstance(key.constant, str):
        return Value(frozenset({resolvers.OWN})) if "<name>" in key.names else resolvers.SOME_MODULE
    return _item(source, frame, value, key.constant)


def _item(source: Source, frame: Frame, value: Value, key: Any) -> Value:
    entry = holders.entry(value, key)
    if entry is not None:
        return entry
    if isinstance(key, str) and value.names:
        known = calls.item(source, frame, value, key)
        if known is not None:
            return known
    if isinstance(key, int) and isinstance(value.constant, str | bytes):
        return _letter(value, key)
    if paths.is_path(value):
        return Value(value.names, value.constant, marks=value.marks, shape=value.shape)
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
    return combined(source, frame, node, left, right)


def combined(source: Source, frame: Frame, node: ast.BinOp, left: Value, right: Value) -> Value:
    """What an operator gives."""
    marks = left.marks | right.marks
    if isinstance(node.op, ast.Div) and (paths.is_path(left) or paths.is_path(right)):
        return paths.path(left, right)
    own = by_syntax.binary(source, frame, node, left, right)
    known = source.may_fold((left, right))
    folded = folding.binary(node, left.constant, right.constant) if known else None
    if folded is not None:
        return Value(constant=folded, marks=marks)
    names = left.names | right.names | own.names if own else left.names | right.names
    if isinstance(node.op, ast.Add):
        if left.items is not None and right.items is not None:
            return Value(names, items=(*left.items, *right.items)[:MAX_ITEMS], marks=marks)
        if known_items := left.items or right.items:
            return Value(
                names, marks=marks, table=tuple((None, item) for item in known_items[: holders.MAX_DISPLAY])
            )
        return Value(names, marks=marks, shape=_added(left, right))
    if isinstance(node.op, ast.BitOr) and left.table is not None and right.table is not None:
        return Value(names, marks=marks, table=(*left.table, *right.table)[-holders.MAX_DISPLAY :])
    if isinstance(node.op, ast.Mod):
        return Value(names, marks=marks, shape=paths.formatted(left.constant))
    return Value(names, marks=marks)


def _added(left: Value, right: Value) -> str:
    return paths.pieced((left, right)) if left.text or right.text else ""


def _unary(source: Source, frame: Frame, node: ast.UnaryOp) -> Value:
    value = evaluate(source, frame, node.operand)
    given = by_syntax.run(source, frame, value, by_syntax.UNARY[type(node.op)], node.lineno)
    if isinstance(node.op, ast.USub) and isinstance(value.constant, int):
        return Value(constant=-value.constant, marks=value.marks)
    return given or Value(marks=value.marks)


def _compare(source: Source, frame: Frame, node: ast.Compare) -> Value:
    values = [evaluate(source, frame, part) for part in (node.left, *node.comparators)]
    if frame.time is not Time.DEFINED and source.classes:
        for op, left, right in zip(node.ops, values, values[1:], strict=False):
            for side, other in ((left, right), (right, left)):
                by_syntax.run(source, frame, side, by_syntax.COMPARED.get(type(op), ()), node.lineno, other)
    return Value(marks=union(values).marks)


def _joined(source: Source, frame: Frame, node: ast.JoinedStr) -> Value:
    pieces = [evaluate(source, frame, part) for part in node.values]
    marks = union(pieces).marks if pieces else frozenset()
    texts = [piece.constant for piece in pieces]
    if source.may_fold(pieces) and all(isinstance(text, str | int) for text in texts):
        return Value(constant="".join(map(str, texts))[: folding.MAX_CONSTANT], marks=marks)
    return Value(marks=marks, shape=paths.pieced(pieces))


def _formatted(source: Source, frame: Frame, node: ast.FormattedValue) -> Value:
    value = evaluate(source, frame, node.value)
    evaluate(source, frame, node.format_spec)
    by_syntax.run(source, frame, value, by_syntax.SHOWN, node.lineno)
    if node.format_spec is not None or node.conversion != -1:
        return Value(marks=value.marks)
    return Value(constant=value.constant, marks=value.marks, shape=value.shape)


def _sequence(source: Source, frame: Frame, node: ast.List | ast.Tuple | ast.Set) -> Value:
    values = [evaluate(source, frame, item) for item in node.elts]
    for value in values if isinstance(node, ast.Set) else ():
        by_syntax.run(source, frame, value, by_syntax.KEY, node.lineno)
    both = union(values) if values else UNKNOWN
    whole = len(values) <= MAX_ITEMS and not any(isinstance(item, ast.Starred) for item in node.elts)
    return Value(both.names, items=tuple(values) if whole else None, marks=both.marks)


def _dict(source: Source, frame: Frame, node: ast.Dict) -> Value:
    keys = [evaluate(source, frame, key) for key in node.keys]
    values = [evaluate(source, frame, item) for item in node.values]
    for key in keys:
        by_syntax.run(source, frame, key, by_syntax.KEY, node.lineno)
    both = union(values) if values else UNKNOWN
    entries: list[tuple[Constant, Value]] = []
    for at, (key, value) in enumerate(zip(keys, values, strict=True)):
        if node.keys[at] is None:
            by_syntax.run(source, frame, value, by_syntax.MAPPED, node.lineno)
            entries += value.table or ()
        elif key.constant is not None:
            entries.append((key.constant, value))
    keyed = frozenset().union(*(key.names for key in keys)) if keys else frozenset()
    table = tuple(entries) if len(entries) <= holders.MAX_DISPLAY else ()
    return Value(both.names | keyed, marks=both.marks, table=table)


def _lambda(source: Source, frame: Frame, node: ast.Lambda) -> Value:
    values = defaults(source, frame, node)
    name = f"local:{frame.function}.<lambda {node.lineno}:{node.col_offset}>"
    if name not in source.definitions:
        source.definitions[name] = Definition(node, name, frame, frame.owner, defaults=values)
        source.later(name, Time.DEFINED)
    return Value(frozenset({name}))


def defaults(source: Source, frame: Frame, node: Function) -> Mapping[str, Value]:
    """The defaults of a function's parameters, which are evaluated where it is defined."""
    places = [*node.args.posonlyargs, *node.args.args]
    pairs = [
        *zip(places[len(places) - len(node.args.defaults) :], node.args.defaults, strict=True),
        *zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True),
    ]
    return {
        parameter.arg: evaluate(source, frame, default) for parameter, default in pairs if default is not None
    }


def _comprehension(
    source: Source, frame: Frame, node: ast.ListComp | ast.SetComp | ast.GeneratorExp
) -> Value:
    inner = _inner(frame)
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


def _inner(frame: Frame) -> Frame:
    names = (frame.time, frame.function, frame.owner)
    return Frame({}, frame, *names, line=frame.line, is_comprehension=True)


def _elements(value: Value) -> tuple[Value, ...]:
    if value.items is not None:
        return value.items[:MAX_ITEMS]
    if isinstance(value.constant, str | bytes):
        return tuple(Value(constant=letter, marks=value.marks) for letter in value.constant[:MAX_ITEMS])
    return ()


def _generators(source: Source, inner: Frame, generators: list[ast.comprehension]) -> None:
    for generator in generators:
        value = evaluate(source, inner, generator.iter)
        targets.assign(source, inner, generator.target, element(source, inner, value, generator.iter.lineno))
        for condition in generator.ifs:
            test(source, inner, condition)


def element(source: Source, frame: Frame, value: Value, line: int) -> Value:
    """What a loop over a value gives one after the other."""
    given = by_syntax.iterated(source, frame, value, line) if value.names else None
    each = value if given is None else union([value, given])
    first = value.items[0] if value.items else value if paths.is_path(value) else UNKNOWN
    return Value(each.names, first.constant, marks=each.marks, shape=first.shape)


def test(source: Source, frame: Frame, node: ast.expr) -> Value:
    """The value of a condition; asking an object of the source whether it is true runs its code."""
    value = evaluate(source, frame, node)
    if value.names:
        by_syntax.run(source, frame, value, by_syntax.TRUTH, node.lineno)
    return value


def _dict_comprehension(source: Source, frame: Frame, node: ast.DictComp) -> Value:
    inner = _inner(frame)
    _generators(source, inner, node.generators)
    evaluate(source, inner, node.key)
    value = evaluate(source, inner, node.value)
    return Value(value.names, marks=value.marks)


def _either(source: Source, frame: Frame, node: ast.IfExp | ast.BoolOp) -> Value:
    if isinstance(node, ast.IfExp):
        test(source, frame, node.test)
        return union([evaluate(source, frame, node.body), evaluate(source, frame, node.orelse)])
    return union([test(source, frame, value) for value in node.values])


def _walrus(source: Source, frame: Frame, node: ast.NamedExpr) -> Value:
    value = evaluate(source, frame, node.value)
    scope = frame
    while scope.is_comprehension and scope.outer is not None:
        scope = scope.outer
    bind(source, scope, node.target.id, value)
    return value


def _starred(source: Source, frame: Frame, node: ast.Starred) -> Value:
    value = evaluate(source, frame, node.value)
    given = by_syntax.iterated(source, frame, value, node.lineno) if value.names else None
    return value if given is None else union([value, given])


def _await(source: Source, frame: Frame, node: ast.Await) -> Value:
    value = evaluate(source, frame, node.value)
    given = by_syntax.run(source, frame, value, ("__await__",), node.lineno)
    return value if given is None else union([value, given])


def _yield(source: Source, frame: Frame, node: ast.Yield | ast.YieldFrom) -> Value:
    value = evaluate(source, frame, node.value)
    frame.returns.append(value)
    return Value(value.names, marks=value.marks) if isinstance(node, ast.YieldFrom) else UNKNOWN


def _call(source: Source, frame: Frame, node: ast.Call) -> Value:
    return calls.call(source, frame, node)


_HANDLERS: Mapping[type[ast.expr], Callable[[Source, Frame, Any], Value]] = {
    ast.Constant: _constant, ast.Name: _name, ast.Attribute: _attribute, ast.Subscript: _subscript,
    ast.BinOp: _binary, ast.JoinedStr: _joined, ast.FormattedValue: _formatted, ast.List: _sequence,
    ast.Tuple: _sequence, ast.Set: _sequence, ast.Dict: _dict, ast.Lambda: _lambda,
    ast.ListComp: _comprehension,
    ast.SetComp: _comprehension, ast.GeneratorExp: _comprehension, ast.DictComp: _dict_comprehension,
    ast.IfExp: _either, ast.BoolOp: _either, ast.NamedExpr: _walrus, ast.Await: _await,
    ast.Starred: _starred, ast.Call: _call, ast.UnaryOp: _unary, ast.Compare: _compare, ast.Yield: _yield,
    ast.YieldFrom: _yield,
}  # fmt: skip
