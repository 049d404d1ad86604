"""What objects and containers hold: attributes that were set, items that were stored or taken out."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping

from assay.subjects.python_source.frame import Frame, Source, bind, holder, module_of
from assay.subjects.python_source.value import UNKNOWN, Constant, Value, later, union

MAX_TABLE = 64  # entries of a container that is filled piece by piece
MAX_DISPLAY = 256  # entries of one that is written out; of a larger one it is known what, not where
STORES = frozenset({
    "append", "add", "insert", "extend", "update", "setdefault", "appendleft", "extendleft", "__setitem__",
    "set", "put",
})  # fmt: skip
_KEYED = frozenset({"get", "pop", "setdefault", "__getitem__"})
_WHOLE = frozenset({"values", "items", "popitem", "copy", "popleft", "keys", "__iter__"})
_MADE = frozenset({
    "collections.defaultdict()", "collections.Counter()", "queue.Queue()", "contextvars.ContextVar()",
})  # fmt: skip
# Of containers; what holds an object and the object are not told apart.
METHODS = STORES | _KEYED | _WHOLE | {"remove", "clear", "sort", "index", "count", "discard", "reverse"}
# Calls whose result holds what attributes of these names were given.
_RECORDS = ("types.SimpleNamespace", "argparse.Namespace", "collections.namedtuple()", "typing.NamedTuple()")


def may_store(receiver: Value) -> bool:
    """Whether a value may be a container; `numpy.append` and the like store nothing in `numpy`."""
    if receiver.items is not None or receiver.table is not None or not receiver.names:
        return True
    return any(one in _MADE or one.endswith((".__dict__", "<globals>")) for one in receiver.names)


def entry(container: Value, key: Constant) -> Value | None:
    """What a container holds under a key; None where that is not known."""
    if container.table is not None and key is not None:
        found = [value for one, value in container.table if one == key and type(one) is type(key)]
        return union(found) if found else None
    items = container.items
    if items is not None and isinstance(key, int) and -len(items) <= key < len(items):
        return items[key]
    return None


def taken(container: Value, name: str, args: tuple[Value, ...]) -> Value | None:
    """What a method that takes something out of a container gives; None for other methods."""
    if container.table is None and container.items is None:
        return None
    if name in _KEYED:
        key = args[0].constant if args else -1
        return entry(container, key) or union([Value(container.names, marks=container.marks), *args[1:2]])
    return Value(container.names, marks=container.marks) if name in _WHOLE else None


def contents(value: Value) -> tuple[Value, ...]:
    """The elements of a container that are known one by one."""
    if value.items is not None:
        return value.items
    return tuple(one for _, one in value.table) if value.table is not None else ()


def table(keywords: Mapping[str, Value], base: Value = UNKNOWN) -> Value:
    """A container that holds the keywords of a call, and what another held."""
    entries = (*(base.table or ()), *((key, value) for key, value in keywords.items() if key != "**"))
    spread = [keywords["**"]] if "**" in keywords else []
    both = union([base, *keywords.values()])
    more = tuple(pair for value in spread for pair in value.table or ())
    return Value(both.names, marks=both.marks, table=(*entries, *more)[-MAX_DISPLAY:])


def record(name: str, args: tuple[Value, ...], keywords: Mapping[str, Value]) -> Value | None:
    """What a call gives that keeps its arguments as attributes; None for other calls."""
    if not name.endswith(_RECORDS):
        return None
    marks = union([*args, *keywords.values()]).marks if args or keywords else frozenset()
    return Value(frozenset({f"{name}()"}), items=args or None, marks=marks, table=tuple(keywords.items()))


def stored(container: Value, key: Constant, value: Value) -> Value:
    """The container after a value was stored in it; `key` None where it is not known."""
    both = union([container, value])
    known = container.table if container.table is not None else ()
    if container.items is not None or len(known) >= MAX_TABLE:
        return Value(both.names, marks=both.marks, table=())
    kept = tuple(pair for pair in known if pair[0] != key)
    entries = (*kept, (key, value)) if key is not None else kept
    return Value(both.names, marks=both.marks, table=entries)


def grown(container: Value, name: str, args: tuple[Value, ...], keywords: Mapping[str, Value]) -> Value:
    """The container after a method stored something in it."""
    if name in {"setdefault", "__setitem__"} and len(args) > 1:
        return stored(container, args[0].constant, args[1])
    if name == "update" and (keywords or container.table is not None):
        more = table(keywords, args[0] if args else UNKNOWN)
        both = union([container, more])
        entries = (*(container.table or ()), *(more.table or ()))
        return Value(both.names, marks=both.marks, table=entries if len(entries) <= MAX_TABLE else ())
    both = union([container, *args, *keywords.values()])
    items = container.items
    if name in {"append", "appendleft"} and items is not None and len(items) < MAX_TABLE and len(args) == 1:
        items = (*items, args[0]) if name == "append" else (args[0], *items)
        return Value(both.names, items=items, marks=both.marks)
    return Value(both.names, marks=both.marks, table=())


def matters(values: Iterable[Value]) -> bool:
    """Whether anything is known of one of these values that is worth to be kept."""
    return any(one.names or one.constant is not None or one.marks or one.table for one in values)


def namespace(source: Source, frame: Frame, container: Value, key: Constant, value: Value) -> None:
    """Store in the namespaces among what a container may be: `globals()`, `x.__dict__`, `vars(x)`."""
    if not isinstance(key, str):
        return
    for name in container.names:
        if name == "<globals>":
            bind(source, module_of(frame), key, value)
        elif name.endswith(".__dict__"):
            source.hold(name.removesuffix(".__dict__"), key, value)


def rebind(source: Source, frame: Frame, target: ast.expr, owners: Value, value: Value) -> None:
    """Let the name or the attribute that a container came from be the container as it is now.

    `owners`: what an attribute is of.
    """
    if isinstance(target, ast.Name):
        scope = holder(frame, target.id)
        before = scope.names.get(target.id, UNKNOWN)
        scope.names[target.id] = value if before.table or before.items else later(before, value)
        source.changes += 1
    elif isinstance(target, ast.Attribute):
        for name in owners.names:
            if not name.startswith("?"):
                source.hold(name, target.attr, value)
