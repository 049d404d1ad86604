"""Calls: what they give, as far as that can be told, and the events they are."""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping

from assay.subjects.python_source import (
    by_syntax,
    evaluation,
    folding,
    handing,
    holders,
    library,
    paths,
    resolvers,
    targets,
    walk,
)
from assay.subjects.python_source.frame import MAX_STEPS, Frame, Source, lookup
from assay.subjects.python_source.value import (
    MAX_NAME,
    SELF,
    UNBOUND,
    UNKNOWN,
    Event,
    Time,
    Value,
    marked,
    union,
)

MAX_CHAIN = 4  # calls of what calls gave; no name that anything is known of has as many
MAX_DEPTH = 12  # functions of the source called by one another
_ENVIRONMENT = frozenset({"os.environ", "os.environb", "posix.environ"})
_ONE_VARIABLE = frozenset({"os.environ.get", "os.environ.pop", "os.environ.setdefault"})
_MODULES = frozenset({"sys.modules"})


def call(source: Source, frame: Frame, node: ast.Call, *, decorates: bool = False) -> Value:
    """The value of a call; it becomes an event of every name that is called.

    `decorates`: what it gives is a decorator.
    """
    function = node.func
    receiver = evaluation.evaluate(
        source, frame, function.value if isinstance(function, ast.Attribute) else None
    )
    args = tuple(evaluation.evaluate(source, frame, arg) for arg in node.args)
    keywords: Mapping[str, Value] = {
        word.arg or "**": evaluation.evaluate(source, frame, word.value) for word in node.keywords
    }
    if args and any(isinstance(arg, ast.Starred) for arg in node.args):
        args = handing.spread(node, args)
    if "**" in keywords:
        keywords = handing.named(keywords)
    if not isinstance(function, ast.Attribute):
        called = evaluation.evaluate(source, frame, function)
        return invoke(source, frame, called, args, keywords, node.lineno, decorates=decorates)
    return _on(source, frame, function, receiver, args, keywords, decorates=decorates)


def _on(
    source: Source,
    frame: Frame,
    function: ast.Attribute,
    receiver: Value,
    args: tuple[Value, ...],
    keywords: Mapping[str, Value],
    *,
    decorates: bool,
) -> Value:
    """Call a method of a value."""
    name, line = function.attr, function.end_lineno or function.lineno
    if not receiver.names and isinstance(receiver.constant, str | bytes):
        return _method(source, frame, receiver, name, args, line)
    taken = _taken(source, frame, receiver, name, args)
    if taken is not None and not receiver.names:
        return taken
    if (
        name in holders.STORES
        and holders.may_store(receiver)
        and holders.matters((*args, *keywords.values()))
    ):
        _store(source, frame, function, receiver, args, keywords)
    called = evaluation.member(source, frame, receiver, name, line)
    result = invoke(source, frame, called, args, keywords, line, decorates=decorates)
    if taken is not None:
        return taken
    kept = (
        frozenset(one for one in receiver.names if source.vocabulary.watched(one)) if receiver.names else ()
    )
    return Value(result.names | kept, result.constant, result.items, result.marks) if kept else result


def _taken(source: Source, frame: Frame, receiver: Value, name: str, args: tuple[Value, ...]) -> Value | None:
    """What a method gives that takes an element out of a container, or a module out of their table."""
    found = holders.taken(receiver, name, args)
    if found is None and receiver.names & _MODULES and args and isinstance(args[0].constant, str):
        return item(source, frame, receiver, args[0].constant)
    return found


def _store(
    source: Source,
    frame: Frame,
    function: ast.Attribute,
    receiver: Value,
    args: tuple[Value, ...],
    keywords: Mapping[str, Value],
) -> None:
    """A method that stores its arguments in what it is of."""
    grown = holders.grown(receiver, function.attr, args, keywords)
    for key, value in grown.table or ():
        holders.namespace(source, frame, receiver, key, value)
    if not grown.names and receiver.items is None and receiver.table is None:
        return
    if isinstance(function.value, ast.Subscript):
        targets.assign(source, frame, function.value, grown)
        return
    owners = UNKNOWN
    if isinstance(function.value, ast.Attribute):
        owners = evaluation.evaluate(source, frame, function.value.value)
    holders.rebind(source, frame, function.value, owners, grown)


def _method(
    source: Source, frame: Frame, receiver: Value, name: str, args: tuple[Value, ...], line: int
) -> Value:
    """A method of a constant text, folded."""
    values = (receiver, *args)
    folded = folding.method(receiver.constant, name, args) if source.may_fold(values) else None
    marks = union(values).marks
    if folded is None and isinstance(receiver.constant, str):
        if name == "format":
            for arg in args:
                by_syntax.run(source, frame, arg, by_syntax.SHOWN, line)
            return Value(marks=marks, shape=paths.formatted(receiver.constant))
        if name == "join" and args and args[0].items:
            return Value(marks=marks, shape=paths.pieced(args[0].items, receiver.constant))
    return Value(constant=folded, marks=marks)


def invoke(
    source: Source,
    frame: Frame,
    called: Value,
    args: tuple[Value, ...],
    keywords: Mapping[str, Value],
    line: int,
    *,
    decorates: bool = False,
) -> Value:
    """Call a value."""
    at = frame.line or line
    if called.table is not None:
        args = _bound(called, args)
    one = called.names <= _ONE_VARIABLE and bool(called.names)
    given = marked((*(() if one else (called,)), *args, *keywords.values()))
    nested = frame.line > 0
    results: list[Value] = []
    for name in sorted(called.names):
        if name.startswith("local:"):
            results.append(local(source, frame, name, args, keywords, at))
            continue
        if source.is_news("call", name, frame.time, at, nested=nested):
            source.emit(Event("call", name, frame.time, at, args, keywords, frame.function, nested))
        registers = decorates and name.partition(".")[0] not in sys.stdlib_module_names
        results.append(_known(source, frame, name, args, keywords, at, wraps=not registers))
        handing.hand_on(source, frame, name, args, keywords, at, decorates=registers)
    if not called.names:
        return Value(marks=given)
    if one:
        return paths.variable(args[0].constant) if args else UNKNOWN
    result = union(results)
    marks = {source.vocabulary.mark(name) for name in called.names} - {""}
    whole = results[0] if len(results) == 1 else result
    return Value(result.names, whole.constant, whole.items, result.marks | given | marks,
                 whole.table, whole.shape)  # fmt: skip


def _bound(called: Value, args: tuple[Value, ...]) -> tuple[Value, ...]:
    """The arguments of a method, with what it is of."""
    if (own := holders.entry(called, SELF)) is not None:
        return (own, *args)
    if args and (cls := holders.entry(called, UNBOUND)) is not None:
        return (Value(cls.names | args[0].names, marks=args[0].marks), *args[1:])
    return args


def _known(
    source: Source,
    frame: Frame,
    name: str,
    args: tuple[Value, ...],
    keywords: Mapping[str, Value],
    line: int,
    *,
    wraps: bool,
) -> Value:
    special = library.of(name)
    if special is not None:
        result = special(source, frame, args, keywords, line)
        if result is not None:
            return result
    if "getter:" in name or "methodcaller:" in name:
        picked = library.picked(source, frame, name, args, line)
        if picked is not None:
            return picked
    values = (*args, *keywords.values())
    if folding.knows(name):
        folded = folding.call(name, values) if source.may_fold(values) else None
        if folded is not None:
            return Value(constant=folded)
    if name == "builtins.str" and args and (args[0].shape or paths.is_path(args[0])):
        return paths.as_text(args[0])
    found = resolvers.loaded(name, args) or holders.record(name, args, keywords)
    if found is not None:
        return found
    names = handing.wrapped(name, values) if wraps and frame.time > Time.DEFINED else frozenset()
    return Value(names | {_given_by(name)})


def _given_by(name: str) -> str:
    """The name of what a call gave; of a long chain of calls only the end is kept."""
    if name.count("()") < MAX_CHAIN:
        return f"{name}()"[-MAX_NAME:]
    return f"~{name[name.rindex('()') :]}()"[-MAX_NAME:]


def local(
    source: Source,
    frame: Frame,
    name: str,
    args: tuple[Value, ...],
    keywords: Mapping[str, Value],
    line: int = 0,
) -> Value:
    """Call a function of the source, or make an instance of its class."""
    if name in source.classes:
        return _make(source, frame, name, args, keywords, line)
    if name in source.definitions:
        return _enter(source, frame, name, args, keywords)
    called = by_syntax.run(source, frame, Value(frozenset({name})), ("__call__",), line, *args)
    if called is None and not source.methods(name.removesuffix("()"), "__call__"):
        by_syntax.inherited(source, frame, name, line)
    return UNKNOWN if called is None else called


def _make(
    source: Source,
    frame: Frame,
    name: str,
    args: tuple[Value, ...],
    keywords: Mapping[str, Value],
    line: int,
) -> Value:
    """Make an instance of a class of the source."""
    own = Value(frozenset({name}))
    made = Value(frozenset({f"{name}()"}))
    news = source.methods(name, "__new__")
    inits = [one for method in ("__init__", "__post_init__") for one in source.methods(name, method)]
    by_meta = source.methods(by_syntax.metaclass(source, name), "__call__")
    for found in (*by_meta, *news):
        given = local(source, frame, found, (own, *args), keywords, line)
        made = Value(made.names | given.names)
    for found in inits:
        local(source, frame, found, (own, *args), keywords, line)
    family = [source.classes[one] for one in source.family(name)]
    if not (news or inits):
        fields = [field for one in reversed(family) for field in one.fields]
        for field, value in (*zip(fields, args, strict=False), *keywords.items()):
            if holders.matters((value,)):
                source.hold(f"{name}()", field, value)
        foreign = frozenset().union(*(one.foreign for one in family))
        if foreign:
            invoke(source, frame, Value(foreign), args, keywords, line)
    by_syntax.run(source, frame, made, ("__del__",), line)
    return made


def _enter(
    source: Source, frame: Frame, name: str, args: tuple[Value, ...], keywords: Mapping[str, Value]
) -> Value:
    plain = not any(value.constant is not None or value.names for value in (*args, *keywords.values()))
    key = (name, frame.time)
    # Inside a function that runs by itself at no time, what it calls is walked on its own.
    deep = name in source.active or len(source.active) >= MAX_DEPTH or source.steps > MAX_STEPS // 2
    if frame.time is Time.DEFINED:
        return UNKNOWN
    if deep:
        source.later(name, frame.time)
        return UNKNOWN
    if plain and key in source.results and source.results[key][0] == source.changes:
        return source.results[key][1]
    source.active.append(name)
    result = walk.function(source, source.definitions[name], frame.time, args, keywords, frame.line)
    source.active.pop()
    if plain:
        source.results[key] = (source.changes, result)
    return result


def item(source: Source, frame: Frame, value: Value, key: str) -> Value | None:
    """What a namespace, or the table of modules, holds under a text."""
    found = []
    for name in value.names:
        if name in _ENVIRONMENT:
            found.append(paths.variable(key))  # one variable is no harvest
        elif name in _MODULES:
            found.append(Value(frozenset({key})))
        elif name == "<globals>":
            found.append(lookup(source, frame, key))
        elif name == "builtins":
            found.append(Value(frozenset({f"builtins.{key}"})))
        elif name.endswith(".__dict__"):
            owner = Value(frozenset({name[: -len(".__dict__")]}))
            found.append(evaluation.member(source, frame, owner, key, 0))
    return union(found) if found else None
