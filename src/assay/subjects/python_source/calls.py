"""Calls: what they give, as far as that can be told, and the events they are."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence

from assay.core.errors import AssayError
from assay.subjects.python_source import evaluation, folding, parsing, walk
from assay.subjects.python_source.frame import MAX_STEPS, Frame, Source, lookup
from assay.subjects.python_source.value import UNKNOWN, Event, Time, Value, attribute, union

MAX_NESTED = 4  # texts executed by texts executed by texts
MAX_DEPTH = 12  # functions of the source called by one another
MAX_NESTED_SOURCE = 200_000  # characters of an executed text
# What calls a function that it is given, now or soon.
_CALLS_BACK = frozenset({
    "threading.Thread", "threading.Timer", "_thread.start_new_thread", "atexit.register",
    "multiprocessing.Process", "asyncio.run", "builtins.map", "builtins.filter", "builtins.sorted",
    "builtins.list", "builtins.max", "builtins.min", "functools.reduce", "signal.signal", "sys.settrace",
    "sys.setprofile", "weakref.finalize", "builtins.next", "contextvars.Context.run", "asyncio.create_task",
    "codecs.register", "builtins.iter", "threading.settrace",
})  # fmt: skip
# What takes a function without calling it.
_LOOKS_ONLY = frozenset({
    "builtins.isinstance", "builtins.issubclass", "builtins.getattr", "builtins.hasattr", "builtins.callable",
    "builtins.id", "builtins.repr", "builtins.type", "inspect.signature", "inspect.isfunction", "typing.cast",
})  # fmt: skip
_ENVIRONMENT = frozenset({"os.environ", "os.environb", "posix.environ"})
_ONE_VARIABLE = frozenset({"os.environ.get", "os.environ.pop", "os.environ.setdefault"})
_CALLS_BACK_METHODS = (
    ".submit",
    ".apply_async",
    ".apply",
    ".map",
    ".run_until_complete",
    ".call_soon",
    ".run",
)


def call(source: Source, frame: Frame, node: ast.Call) -> Value:
    """The value of a call; it becomes an event of every name that is called."""
    receiver = evaluation.evaluate(
        source, frame, node.func.value if isinstance(node.func, ast.Attribute) else None
    )
    args = tuple(evaluation.evaluate(source, frame, arg) for arg in node.args)
    keywords = {word.arg or "**": evaluation.evaluate(source, frame, word.value) for word in node.keywords}
    if not isinstance(node.func, ast.Attribute):
        called = evaluation.evaluate(source, frame, node.func)
    elif isinstance(receiver.constant, str | bytes):
        return _method(source, receiver, node.func.attr, args)
    else:
        called = evaluation.member(source, receiver, node.func.attr)
    return invoke(source, frame, called, args, keywords, node.lineno)


def _method(source: Source, receiver: Value, name: str, args: tuple[Value, ...]) -> Value:
    """A method of a constant text, folded."""
    values = (receiver, *args)
    folded = folding.method(receiver.constant, name, args) if source.may_fold(values) else None
    return Value(constant=folded, marks=union(values).marks)


def invoke(
    source: Source,
    frame: Frame,
    called: Value,
    args: tuple[Value, ...],
    keywords: Mapping[str, Value],
    line: int,
) -> Value:
    """Call a value."""
    at = frame.line or line
    one = called.names <= _ONE_VARIABLE and bool(called.names)
    given = union([*([] if one else [called]), *args, *keywords.values()])
    results: list[Value] = []
    for name in sorted(called.names):
        if name.startswith("local:"):
            results.append(local(source, frame, name, args, keywords))
            continue
        source.emit(Event("call", name, frame.time, at, args, keywords, frame.function, frame.line > 0))
        results.append(_known(source, frame, name, args, keywords, at))
        _hand_on(source, frame, name, (*args, *keywords.values()), at)
    if not called.names:
        return Value(marks=given.marks)
    if one:
        return UNKNOWN
    result = union(results)
    marks = {source.vocabulary.mark(name) for name in called.names} - {""}
    whole = results[0] if len(results) == 1 else result
    return Value(result.names, whole.constant, whole.items, result.marks | given.marks | marks)


def _hand_on(source: Source, frame: Frame, name: str, values: Sequence[Value], line: int) -> None:
    """Functions among the arguments: watched ones become events, own ones may be called by `name`."""
    calls_back = name in _CALLS_BACK or name.endswith(_CALLS_BACK_METHODS)
    for one in {one for value in values for one in value.names}:
        if one.startswith("local:"):
            if calls_back and frame.time > Time.DEFINED:
                local(source, frame, one, (), {})
        elif source.vocabulary.watched(one) and name not in _LOOKS_ONLY:
            event = Event(
                "reference", one, frame.time, line, tuple(values), {}, frame.function, frame.line > 0
            )
            source.emit(event)


def _known(
    source: Source,
    frame: Frame,
    name: str,
    args: tuple[Value, ...],
    keywords: Mapping[str, Value],
    line: int,
) -> Value:
    special = _SPECIAL.get(name)
    if special is not None:
        result = special(source, frame, args, line)
        if result is not None:
            return result
    if "attrgetter:" in name and args:
        return evaluation.member(source, args[0], name.rsplit("attrgetter:", 1)[1])
    if "methodcaller:" in name and args:
        wanted = evaluation.member(source, args[0], name.rsplit("methodcaller:", 1)[1])
        return invoke(source, frame, wanted, (), {}, line)
    values = [*args, *keywords.values()]
    folded = folding.call(name, values) if source.may_fold(values) else None
    if folded is not None:
        return Value(constant=folded)
    return Value(frozenset({f"{name}()"[-200:]}))


def local(
    source: Source, frame: Frame, name: str, args: tuple[Value, ...], keywords: Mapping[str, Value]
) -> Value:
    """Call a function of the source, or make an instance of its class."""
    if name in source.classes:
        for method in ("__new__", "__init__", "__post_init__"):
            if found := source.method(name, method):
                local(source, frame, found, (Value(frozenset({name})), *args), keywords)
        return Value(frozenset({f"{name}()"}))
    if name not in source.definitions:
        method = source.method(name, "__call__")
        return (
            local(source, frame, method, (Value(frozenset({name})), *args), keywords) if method else UNKNOWN
        )
    return _enter(source, frame, name, args, keywords)


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
    if plain and key in source.results:
        return source.results[key]
    source.active.append(name)
    result = walk.function(source, source.definitions[name], frame.time, args, keywords, frame.line)
    source.active.pop()
    source.results.setdefault(key, result)
    return result


def item(source: Source, frame: Frame, value: Value, key: str) -> Value | None:
    """What a namespace, or the table of modules, holds under a text."""
    found = []
    for name in value.names:
        if name in _ENVIRONMENT:
            found.append(UNKNOWN)  # one variable is no harvest
        elif name == "sys.modules":
            found.append(Value(frozenset({key})))
        elif name == "<globals>":
            found.append(lookup(source, frame, key))
        elif name == "builtins":
            found.append(Value(frozenset({f"builtins.{key}"})))
        elif name.endswith(".__dict__"):
            found.append(attribute(Value(frozenset({name[: -len(".__dict__")]})), key))
    return union(found) if found else None


def _import(source: Source, frame: Frame, args: tuple[Value, ...], line: int) -> Value | None:  # noqa: ARG001
    wanted = args[0].constant if args else None
    if not isinstance(wanted, str):
        return None
    # `__import__("a.b")` gives `a`, the other importers `a.b`.
    return Value(frozenset({wanted.replace(":", "."), wanted.split(".")[0]}))


def _getattr(source: Source, frame: Frame, args: tuple[Value, ...], line: int) -> Value | None:  # noqa: ARG001
    if len(args) < 2:  # noqa: PLR2004  object and name
        return None
    wanted = args[1].constant
    found = evaluation.member(source, args[0], wanted if isinstance(wanted, str) else "?")
    return union([found, *args[2:3]])


def _partial(source: Source, frame: Frame, args: tuple[Value, ...], line: int) -> Value | None:  # noqa: ARG001
    return Value(args[0].names, marks=union(args).marks) if args else None


def _map(source: Source, frame: Frame, args: tuple[Value, ...], line: int) -> Value | None:
    if len(args) < 2:  # noqa: PLR2004  function and elements
        return None
    items = args[1].items
    if items is None and isinstance(args[1].constant, str | bytes):
        items = tuple(Value(constant=letter) for letter in args[1].constant[: evaluation.MAX_ITEMS])
    if not items:
        return invoke(source, frame, args[0], (UNKNOWN,), {}, line)
    results = tuple(invoke(source, frame, args[0], (one,), {}, line) for one in items)
    return Value(union(results).names, items=results, marks=union(results).marks)


def _namespace(source: Source, frame: Frame, args: tuple[Value, ...], line: int) -> Value | None:  # noqa: ARG001
    if not args:
        return Value(frozenset({"<globals>"}))
    return attribute(args[0], "__dict__")


def _getter(kind: str) -> Callable[[Source, Frame, tuple[Value, ...], int], Value | None]:
    def made(source: Source, frame: Frame, args: tuple[Value, ...], line: int) -> Value | None:  # noqa: ARG001
        wanted = args[0].constant if args else None
        return Value(frozenset({f"{kind}:{wanted}"})) if isinstance(wanted, str) else None

    return made


def _execute(source: Source, frame: Frame, args: tuple[Value, ...], line: int) -> Value | None:
    """Read a text that is executed, where it is known, as code of its own."""
    text = args[0].constant if args else None
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    depth = sum(name == "<executed>" for name in source.active)
    if not isinstance(text, str) or depth >= MAX_NESTED or len(text) > MAX_NESTED_SOURCE:
        return None
    try:
        tree = parsing.parse(text.strip())
    except AssayError:
        return None
    inner = Frame(frame.names, frame.outer, frame.time, frame.function, frame.owner, line=line)
    source.active.append("<executed>")
    value = walk.block(source, inner, tree.body)
    source.active.pop()
    return value


def _compile(source: Source, frame: Frame, args: tuple[Value, ...], line: int) -> Value | None:  # noqa: ARG001
    return args[0] if args else None


def _same(source: Source, frame: Frame, args: tuple[Value, ...], line: int) -> Value | None:  # noqa: ARG001
    return Value(args[0].names, items=args[0].items, marks=args[0].marks) if args else None


def _reversed(source: Source, frame: Frame, args: tuple[Value, ...], line: int) -> Value | None:  # noqa: ARG001
    if args and isinstance(args[0].constant, str | bytes):
        return Value(constant=args[0].constant[::-1], marks=args[0].marks)
    items = args[0].items if args else None
    return Value(args[0].names, items=items[::-1], marks=args[0].marks) if items else None


_SPECIAL: Mapping[str, Callable[[Source, Frame, tuple[Value, ...], int], Value | None]] = {
    **dict.fromkeys(
        ("builtins.__import__", "importlib.import_module", "importlib.__import__", "pkgutil.resolve_name",
         "pydoc.locate", "builtins.builtins.__import__"), _import),
    "builtins.getattr": _getattr, "inspect.getattr_static": _getattr,
    "builtins.object.__getattribute__": _getattr,
    "functools.partial": _partial, "builtins.map": _map, "builtins.vars": _namespace,
    "builtins.globals": _namespace, "builtins.locals": _namespace,
    "operator.attrgetter": _getter("attrgetter"),
    "operator.methodcaller": _getter("methodcaller"), "builtins.exec": _execute, "builtins.eval": _execute,
    "builtins.compile": _compile, "builtins.list": _same, "builtins.tuple": _same, "builtins.iter": _same,
    "builtins.staticmethod": _same, "builtins.classmethod": _same, "builtins.reversed": _reversed,
}  # fmt: skip
