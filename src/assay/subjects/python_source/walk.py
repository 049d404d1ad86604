"""Statements: what a source does, and when it does it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence

from assay.subjects.python_source import calls
from assay.subjects.python_source.evaluation import assign, evaluate
from assay.subjects.python_source.frame import MAX_STEPS, Class, Definition, Frame, Function, Source, bind
from assay.subjects.python_source.value import UNKNOWN, Event, Time, Value, union

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
_ON_METACLASS = frozenset({"__new__", "__init__", "__call__", "__prepare__", "mro"})
_ON_MODULE = frozenset({"__getattr__", "__dir__"})


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
    _parameters(frame, node, args, keywords)
    if isinstance(node, ast.Lambda):
        return evaluate(source, frame, node.body)
    block(source, frame, node.body)
    return union(frame.returns) if frame.returns else UNKNOWN


def _parameters(frame: Frame, node: Function, args: Sequence[Value], keywords: Mapping[str, Value]) -> None:
    names = [parameter.arg for parameter in (*node.args.posonlyargs, *node.args.args)]
    given = list(args)
    if frame.owner and names and names[0] in {"self", "cls", "mcs", "mcls"}:
        own = frozenset({frame.owner, f"{frame.owner}()"})
        # A call through an instance does not state it.
        stated = bool(given) and bool(given[0].names) and given[0].names <= own
        given = given if stated else [Value(frozenset({f"{frame.owner}()"})), *given]
    frame.names.update(dict.fromkeys(names, UNKNOWN))
    frame.names.update(zip(names, given, strict=False))
    for extra in (*node.args.kwonlyargs, node.args.vararg, node.args.kwarg):
        if extra is not None:
            frame.names[extra.arg] = UNKNOWN
    if node.args.vararg is not None and len(given) > len(names):
        rest = tuple(given[len(names) :])
        frame.names[node.args.vararg.arg] = Value(union(rest).names, items=rest, marks=union(rest).marks)
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
            _define(source, frame, node)
        case ast.ClassDef():
            _class(source, frame, node)
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
            operands = ast.BinOp(_loaded(node.target), node.op, node.value)
            assign(source, frame, node.target, evaluate(source, frame, ast.copy_location(operands, node)))
        case ast.Return():
            frame.returns.append(evaluate(source, frame, node.value))
        case ast.If():
            _if(source, frame, node)
        case ast.For() | ast.AsyncFor():
            _for(source, frame, node)
        case ast.With() | ast.AsyncWith():
            for part in node.items:
                value = evaluate(source, frame, part.context_expr)
                if part.optional_vars is not None:
                    assign(source, frame, part.optional_vars, value)
            block(source, frame, node.body)
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


def _loaded(target: ast.expr) -> ast.expr:
    match target:
        case ast.Name():
            return ast.copy_location(ast.Name(target.id, ast.Load()), target)
        case _:
            return ast.copy_location(ast.Constant(None), target)


def _other(source: Source, frame: Frame, node: ast.AST) -> None:
    """A statement of which only the parts matter: while, try, match, raise, assert, del."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            evaluate(source, frame, child)
        elif isinstance(child, ast.stmt):
            block(source, frame, [child])
        elif isinstance(child, ast.ExceptHandler | ast.match_case):
            _other(source, frame, child)


def _for(source: Source, frame: Frame, node: ast.For | ast.AsyncFor) -> None:
    value = evaluate(source, frame, node.iter)
    first = value.items[0] if value.items else UNKNOWN
    assign(source, frame, node.target, Value(value.names, first.constant, marks=value.marks))
    block(source, frame, node.body)
    block(source, frame, node.orelse)


def _if(source: Source, frame: Frame, node: ast.If) -> None:
    evaluate(source, frame, node.test)
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
            bind(frame, alias.asname or name, Value(frozenset({name})))
        return
    origin = "." * node.level + (node.module or "")
    for alias in node.names:
        if alias.name == "*":
            source.stars.append(origin)
        else:
            name = f"{origin}.{alias.name}" if not origin.endswith(".") else origin + alias.name
            marks = frozenset({source.vocabulary.mark(name)}) - {""}
            bind(frame, alias.asname or alias.name, Value(frozenset({name}), marks=marks))


def _define(source: Source, frame: Frame, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    name = _local(source, frame, node.name)
    source.definitions[name] = Definition(node, name, frame, frame.owner if frame.is_class else "")
    for part in (*node.args.defaults, *node.args.kw_defaults, node.returns):
        evaluate(source, frame, part)
    for parameter in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
        evaluate(source, frame, parameter.annotation)
    source.later(name, _time(frame, node.name))
    bind(frame, node.name, Value(frozenset({name})))
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
    for decorator in node.decorator_list:
        value = evaluate(source, frame, decorator)
        own = Value(frozenset({one for one in value.names if one.startswith("local:")}))
        if own.names:
            calls.invoke(source, frame, own, (Value(frozenset({name})),), {}, decorator.lineno)
        for one in value.names:
            if source.vocabulary.watched(one):
                line = frame.line or decorator.lineno
                source.emit(Event("reference", one, frame.time, line, function=frame.function))


def _class(source: Source, frame: Frame, node: ast.ClassDef) -> None:
    bases = [evaluate(source, frame, base) for base in node.bases]
    keywords = {word.arg or "**": evaluate(source, frame, word.value) for word in node.keywords}
    name = _local(source, frame, node.name)
    above = frozenset().union(*(base.names for base in bases)) if bases else frozenset()
    methods: dict[str, str] = {}
    source.classes[name] = Class(methods, tuple(one for one in above if one in source.classes))
    inner = Frame({}, frame, frame.time, name.removeprefix("local:"), name, is_class=True, line=frame.line)
    if "builtins.type" in above:
        inner.names["<metaclass>"] = UNKNOWN
    block(source, inner, node.body)
    for method, value in inner.names.items():
        own = next((one for one in sorted(value.names) if one in source.definitions), "")
        if own:
            methods[method] = own
    bind(frame, node.name, Value(frozenset({name})))
    _made(source, frame, name, (*bases, *keywords.values()))
    _decorate(source, frame, node, name)


def _made(source: Source, frame: Frame, name: str, above: Iterable[Value]) -> None:
    """Run what the bases and the metaclass do when this class is made."""
    for base in {one for value in above for one in value.names if one in source.classes}:
        for method in ("__init_subclass__", "__new__", "__init__") if base != name else ():
            found = source.method(base, method)
            metaclass = found and "<metaclass>" in source.definitions[found].frame.names
            if found and (method == "__init_subclass__" or metaclass):
                calls.local(source, frame, found, (), {})
    for one in {one for value in above for one in value.names if one in source.definitions}:
        calls.local(source, frame, one, (), {})
