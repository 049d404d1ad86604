"""Functions of Python whose result, or whose calls of what they are given, can be told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from assay.core.errors import AssayError
from assay.subjects.python_source import (
    calls,
    definitions,
    evaluation,
    holders,
    parsing,
    paths,
    resolvers,
    targets,
    walk,
)
from assay.subjects.python_source.frame import Frame, Source
from assay.subjects.python_source.value import UNKNOWN, Value, attribute, union

Given: TypeAlias = "tuple[Value, ...]"
Keywords: TypeAlias = "Mapping[str, Value]"
Known: TypeAlias = "Callable[[Source, Frame, Given, Keywords, int], Value | None]"
MAX_NESTED = 4  # texts executed by texts executed by texts
MAX_NESTED_SOURCE = 200_000  # characters of an executed text


def of(name: str) -> Known | None:
    """The function that tells what a call of `name` gives."""
    return _KNOWN.get(name)


def _plain(tell: Callable[[Given], Value | None]) -> Known:
    def told(
        source: Source,  # noqa: ARG001  a table's shape
        frame: Frame,  # noqa: ARG001
        args: Given,
        keywords: Keywords,  # noqa: ARG001
        line: int,  # noqa: ARG001
    ) -> Value | None:
        return tell(args)

    return told


def _getattr(source: Source, frame: Frame, args: Given, keywords: Keywords, line: int) -> Value | None:  # noqa: ARG001
    if len(args) < 2:  # noqa: PLR2004  object and name
        return None
    wanted = args[1].constant
    found = evaluation.member(source, frame, args[0], wanted if isinstance(wanted, str) else "?", line)
    return union([found, *args[2:3]]) if args[2:3] else found


def _setattr(source: Source, frame: Frame, args: Given, keywords: Keywords, line: int) -> Value | None:  # noqa: ARG001
    if len(args) > 2 and isinstance(args[1].constant, str):  # noqa: PLR2004  object, name and value
        targets.hold(source, frame, args[0], args[1].constant, args[2], line)
    return None


def _map(source: Source, frame: Frame, args: Given, keywords: Keywords, line: int) -> Value | None:  # noqa: ARG001
    if len(args) < 2:  # noqa: PLR2004  function and elements
        return None
    items = args[1].items
    if items is None and isinstance(args[1].constant, str | bytes):
        items = tuple(Value(constant=letter) for letter in args[1].constant[: evaluation.MAX_ITEMS])
    if not items:
        each = tuple(Value(one.names, marks=one.marks) for one in args[1:])
        return calls.invoke(source, frame, args[0], each, {}, line)
    results = tuple(calls.invoke(source, frame, args[0], (one,), {}, line) for one in items)
    both = union(results)
    return Value(both.names, items=results, marks=both.marks)


def _namespace(args: Given) -> Value | None:
    return attribute(args[0], "__dict__") if args else Value(frozenset({"<globals>"}))


def _getter(kind: str) -> Known:
    def tell(args: Given) -> Value | None:
        wanted = args[0].constant if args else None
        if isinstance(wanted, str | int):
            return Value(frozenset({f"{kind}:{wanted}"}))
        return None

    return _plain(tell)


def picked(source: Source, frame: Frame, name: str, args: Given, line: int) -> Value | None:
    """What the result of `attrgetter`, `methodcaller` or `itemgetter` gives; None for other names."""
    for kind in ("attrgetter:", "methodcaller:", "itemgetter:"):
        if kind not in name or not args:
            continue
        wanted = name.rsplit(kind, 1)[1]
        if kind == "itemgetter:":
            found = holders.entry(args[0], wanted)
            if found is None and wanted.lstrip("-").isdigit():
                found = holders.entry(args[0], int(wanted))
            return found or calls.item(source, frame, args[0], wanted) or Value(args[0].names)
        found = args[0]
        for part in wanted.split("."):
            found = evaluation.member(source, frame, found, part, line)
        return calls.invoke(source, frame, found, (), {}, line) if kind == "methodcaller:" else found
    return None


def _execute(source: Source, frame: Frame, args: Given, keywords: Keywords, line: int) -> Value | None:  # noqa: ARG001
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


def _first(args: Given) -> Value | None:
    return args[0] if args else None


def _same(args: Given) -> Value | None:
    """A container of the same elements, or what its elements are."""
    if not args:
        return Value(table=())
    return Value(args[0].names, items=args[0].items, marks=args[0].marks, table=args[0].table)


def _elements(args: Given) -> Value | None:
    """Elements of one or several containers, in another order or in tuples."""
    if not args:
        return Value(table=())
    both = union(args)
    return Value(both.names, marks=both.marks) if both.names or both.marks else None


def _reversed(args: Given) -> Value | None:
    if args and isinstance(args[0].constant, str | bytes):
        return Value(constant=args[0].constant[::-1], marks=args[0].marks)
    items = args[0].items if args else None
    return Value(args[0].names, items=items[::-1], marks=args[0].marks) if items else None


def _partial(args: Given) -> Value | None:
    return Value(args[0].names, marks=union(args).marks) if args else None


def _call(source: Source, frame: Frame, args: Given, keywords: Keywords, line: int) -> Value | None:
    return calls.invoke(source, frame, args[0], args[1:], keywords, line) if args else None


def _dict(source: Source, frame: Frame, args: Given, keywords: Keywords, line: int) -> Value | None:  # noqa: ARG001
    return holders.table(keywords, args[0] if args else UNKNOWN)


def _property(source: Source, frame: Frame, args: Given, keywords: Keywords, line: int) -> Value | None:  # noqa: ARG001
    functions = union([*args, *keywords.values()]) if args or keywords else UNKNOWN
    source.getters |= {one for one in functions.names if one.startswith("local:")}
    return Value(functions.names)


def _super(source: Source, frame: Frame, args: Given, keywords: Keywords, line: int) -> Value | None:  # noqa: ARG001
    """The bases of the class whose method it is called in; those from elsewhere as classes."""
    scope: Frame | None = frame
    while scope is not None and not scope.owner:
        scope = scope.outer
    found = source.classes.get(scope.owner) if scope is not None else None
    if found is None:
        return None
    return Value(frozenset(f"{base}()" for base in found.bases) | found.foreign or frozenset({"?"}))


def _type(source: Source, frame: Frame, args: Given, keywords: Keywords, line: int) -> Value | None:  # noqa: ARG001
    """`type(name, bases, namespace)` makes a class."""
    if len(args) != 3:  # noqa: PLR2004  told above
        return None
    return definitions.make_class(source, frame, args[1], args[2], line)


def _some_module(args: Given) -> Value:  # noqa: ARG001  a table's shape
    return resolvers.SOME_MODULE


_KNOWN: Mapping[str, Known] = {
    **{name: _plain(tell) for name, tell in {**paths.FUNCTIONS, **resolvers.FUNCTIONS}.items()},
    "builtins.getattr": _getattr, "inspect.getattr_static": _getattr,
    "builtins.object.__getattribute__": _getattr, "builtins.type.__getattribute__": _getattr,
    "builtins.setattr": _setattr, "builtins.object.__setattr__": _setattr,
    "builtins.type.__setattr__": _setattr,
    "functools.partial": _plain(_partial), "functools.partialmethod": _plain(_partial), "builtins.map": _map,
    "builtins.vars": _plain(_namespace),
    "builtins.globals": _plain(_namespace), "builtins.locals": _plain(_namespace),
    "operator.attrgetter": _getter("attrgetter"), "operator.itemgetter": _getter("itemgetter"),
    "operator.methodcaller": _getter("methodcaller"), "operator.call": _call,
    "builtins.exec": _execute, "builtins.eval": _execute, "builtins.compile": _plain(_first),
    **dict.fromkeys(
        ("builtins.list", "builtins.tuple", "builtins.iter", "builtins.staticmethod", "builtins.classmethod",
         "collections.deque", "collections.OrderedDict", "collections.ChainMap", "collections.UserDict",
         "collections.UserList", "copy.copy", "copy.deepcopy",
         "types.MappingProxyType", "contextlib.nullcontext", "contextlib.closing"), _plain(_same)),
    **dict.fromkeys(
        ("builtins.enumerate", "builtins.zip", "builtins.sorted", "builtins.set", "builtins.frozenset",
         "builtins.next", "builtins.max", "builtins.min", "itertools.chain", "itertools.cycle",
         "itertools.repeat", "itertools.chain.from_iterable", "random.choice"), _plain(_elements)),
    **dict.fromkeys(
        [f"sys.modules.{name}" for name in ("get", "pop", "items", "values", "popitem", "__getitem__")],
        _plain(_some_module)),
    "builtins.type": _type, "types.new_class": _type, "builtins.dict": _dict,
    "builtins.reversed": _plain(_reversed),
    "builtins.property": _property, "functools.cached_property": _property, "builtins.super": _super,
}  # fmt: skip
