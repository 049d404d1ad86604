"""Statements: what a source does, and when it does it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence

from assay.subjects.python_source import by_syntax, calls, definitions, evaluation, patterns
from assay.subjects.python_source.evaluation import evaluate
from assay.subjects.python_source.frame import (
    MAX_STEPS,
    Definition,
    Frame,
    Source,
    bind,
    holder,
    module_of,
)
from assay.subjects.python_source.targets import assign
from assay.subjects.python_source.value import UNKNOWN, Event, Time, Value, union

_FIRST = frozenset({"self", "cls", "mcs", "mcls"})


def module(source: Source, tree: ast.Module, *, main: bool) -> None:
    """Walk a whole source. `main`: it is run as a program, not imported."""
    frame = Frame({}, None, Time.IMPORT)
    if not main:
        frame.names["__name__"] = Value(frozenset({"<name>"}))
    block(source, frame, tree.body)
    while source.pending and source.steps < MAX_STEPS:
        name, time = source.pending.pop()
        function(source, source.definitions[name], time, (), {}, 0)


def function(
    source: Source,
    definition: Definition,
    time: Time,
    args: Sequence[Value],
    keywords: Mapping[str, Value],
    line: int,
) -> Value:
    """Walk the body of a function that runs at `time` with these arguments; what it returns."""
    node = definition.node
    scope = definition.frame
    name = definition.name.removeprefix("local:")
    frame = Frame({}, scope, time, name, definition.owner, line=line)
    _parameters(frame, definition, args, keywords)
    if isinstance(node, ast.Lambda):
        return evaluate(source, frame, node.body)
    block(source, frame, node.body)
    return union(frame.returns) if frame.returns else UNKNOWN


def _parameters(
    frame: Frame, definition: Definition, args: Sequence[Value], keywords: Mapping[str, Value]
) -> None:
    node = definition.node
    names = [parameter.arg for parameter in (*node.args.posonlyargs, *node.args.args)]
    given = list(args)
    if definition.bound or (frame.owner and names and names[0] in _FIRST):
        own = frozenset({frame.owner, f"{frame.owner}()"})
        # A call through an instance does not state it.
        stated = bool(given) and bool(given[0].names) and bool(given[0].names & own)
        given = given if stated else [Value(frozenset({f"{frame.owner}()"})), *given]
    for extra in (*node.args.kwonlyargs, node.args.vararg, node.args.kwarg):
        if extra is not None:
            frame.names[extra.arg] = UNKNOWN
    frame.names.update(dict.fromkeys(names, UNKNOWN))
    frame.names.update(definition.defaults)
    frame.names.update(zip(names, given, strict=False))
    if node.args.vararg is not None and len(given) > len(names):
        rest = tuple(given[len(names) :])
        frame.names[node.args.vararg.arg] = Value(union(rest).names, items=rest, marks=union(rest).marks)
    if node.args.kwarg is not None and (
        more := [pair for pair in keywords.items() if pair[0] not in frame.names]
    ):
        both = union(value for _, value in more)
        frame.names[node.args.kwarg.arg] = Value(both.names, marks=both.marks, table=tuple(more))
    frame.names.update({name: value for name, value in keywords.items() if name in frame.names})


def block(source: Source, frame: Frame, body: Iterable[ast.stmt]) -> Value:
    """Walk statements in order; the value of the last one where it is an expression."""
    value = UNKNOWN
    for statement in body:
        if source.steps >= MAX_STEPS:
            break
        source.steps += 1
        value = _statement(source, frame, statement)
    return value


def _statement(source: Source, frame: Frame, node: ast.stmt) -> Value:  # noqa: C901, PLR0912  one case a kind
    match node:
        case ast.Expr():
            return evaluate(source, frame, node.value)
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            definitions.define(source, frame, node)
        case ast.ClassDef():
            definitions.define_class(source, frame, node)
        case ast.Import() | ast.ImportFrom():
            _imports(source, frame, node)
        case ast.Assign():
            value = _stored(source, frame, node, node.value)
            for target in node.targets:
                assign(source, frame, target, value)
        case ast.AnnAssign():
            evaluate(source, frame, node.annotation)
            if node.value is not None:
                assign(source, frame, node.target, _stored(source, frame, node, node.value))
        case ast.AugAssign():
            _augment(source, frame, node)
        case ast.Return():
            frame.returns.append(evaluate(source, frame, node.value))
        case ast.If():
            _if(source, frame, node)
        case ast.For() | ast.AsyncFor():
            _for(source, frame, node)
        case ast.With() | ast.AsyncWith():
            _with(source, frame, node)
        case _:
            _other(source, frame, node)
    return UNKNOWN


def _stored(source: Source, frame: Frame, node: ast.stmt, expression: ast.expr) -> Value:
    """A value that is stored; a watched function kept in a class turns an operator into a call of it."""
    value = evaluate(source, frame, expression)
    for name in value.names if frame.is_class else ():
        if source.vocabulary.watched(name):
            line = frame.line or node.lineno
            source.emit(Event("reference", name, frame.time, line, function=frame.function))
    return value


def _augment(source: Source, frame: Frame, node: ast.AugAssign) -> None:
    target = ast.Name(node.target.id, ast.Load()) if isinstance(node.target, ast.Name) else node.target
    before = evaluate(source, frame, ast.copy_location(target, node.target))
    operands = ast.copy_location(ast.BinOp(target, node.op, node.value), node)
    added = evaluate(source, frame, node.value)
    assign(source, frame, node.target, evaluation.combined(source, frame, operands, before, added))


def _with(source: Source, frame: Frame, node: ast.With | ast.AsyncWith) -> None:
    entered = []
    for part in node.items:
        value = evaluate(source, frame, part.context_expr)
        line = part.context_expr.lineno
        given = by_syntax.run(source, frame, value, ("__enter__", "__aenter__"), line)
        entered.append((value, line))
        for one in sorted(value.names) if given is None else ():
            if one.startswith("local:"):
                by_syntax.inherited(source, frame, f"{one}.__enter__", line)
        if part.optional_vars is not None:
            assign(source, frame, part.optional_vars, value if given is None else union([value, given]))
    block(source, frame, node.body)
    for value, line in entered:
        by_syntax.run(source, frame, value, ("__exit__", "__aexit__"), line)


def _other(source: Source, frame: Frame, node: ast.AST) -> None:
    """A statement of which only the parts matter: while, try, match, raise, assert, del."""
    if _told(source, frame, node):
        return
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            evaluate(source, frame, child)
        elif isinstance(child, ast.stmt):
            block(source, frame, [child])
        elif isinstance(child, ast.ExceptHandler | ast.match_case):
            _other(source, frame, child)


def _told(source: Source, frame: Frame, node: ast.AST) -> bool:
    """What a statement does besides evaluating its parts; whether that is all."""
    match node:
        case ast.Global():
            frame.elsewhere.update(dict.fromkeys(node.names, module_of(frame)))
        case ast.Nonlocal():
            frame.elsewhere.update({name: holder(frame.outer or frame, name) for name in node.names})
        case ast.Delete():
            for target in node.targets:
                _delete(source, frame, target)
        case ast.Match():
            patterns.capture(source, frame, node)
            return False
        case ast.While() | ast.Assert():
            evaluation.test(source, frame, node.test)
            return False
        case ast.Raise():
            raised = evaluate(source, frame, node.exc)
            made = frozenset(one for one in raised.names if one in source.classes)
            calls.invoke(source, frame, Value(made), (), {}, node.lineno)
            evaluate(source, frame, node.cause)
            by_syntax.run(source, frame, raised, ("__init__", *by_syntax.SHOWN), node.lineno)
        case _:
            return False
    return True


def _delete(source: Source, frame: Frame, target: ast.expr) -> None:
    match target:
        case ast.Attribute():
            owner = evaluate(source, frame, target.value)
            by_syntax.run(source, frame, owner, ("__delattr__",), target.lineno)
        case ast.Subscript():
            owner = evaluate(source, frame, target.value)
            evaluate(source, frame, target.slice)
            by_syntax.run(source, frame, owner, ("__delitem__",), target.lineno)
        case ast.Tuple() | ast.List():
            for part in target.elts:
                _delete(source, frame, part)


def _for(source: Source, frame: Frame, node: ast.For | ast.AsyncFor) -> None:
    value = evaluate(source, frame, node.iter)
    assign(source, frame, node.target, evaluation.element(source, frame, value, node.iter.lineno))
    block(source, frame, node.body)
    block(source, frame, node.orelse)


def _if(source: Source, frame: Frame, node: ast.If) -> None:
    evaluation.test(source, frame, node.test)
    test = node.test
    named = test.id if isinstance(test, ast.Name) else test.attr if isinstance(test, ast.Attribute) else ""
    if named == "TYPE_CHECKING":
        block(source, frame, node.orelse)
        return
    if _is_main(source, frame, node.test):
        inner = Frame(frame.names, frame.outer, Time.DEFINED, "__main__", frame.owner, line=frame.line)
        block(source, inner, node.body)
    else:
        block(source, frame, node.body)
    block(source, frame, node.orelse)


def _is_main(source: Source, frame: Frame, test: ast.expr) -> bool:
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return any(_is_main(source, frame, part) for part in test.values)
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not isinstance(test.ops[0], ast.Eq):
        return False
    sides = [evaluate(source, frame, side) for side in (test.left, *test.comparators)]
    return any("<name>" in side.names for side in sides) and any(s.constant == "__main__" for s in sides)


def _imports(source: Source, frame: Frame, node: ast.Import | ast.ImportFrom) -> None:
    if isinstance(node, ast.Import):
        for alias in node.names:
            name = alias.name if alias.asname else alias.name.split(".")[0]
            bind(source, frame, alias.asname or name, Value(frozenset({name})))
        return
    origin = "." * node.level + (node.module or "")
    for alias in node.names:
        if alias.name == "*":
            source.stars.append(origin)
        else:
            name = f"{origin}.{alias.name}" if not origin.endswith(".") else origin + alias.name
            marks = frozenset({source.vocabulary.mark(name)}) - {""}
            bind(source, frame, alias.asname or alias.name, Value(frozenset({name}), marks=marks))
