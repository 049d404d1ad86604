"""Functions and objects handed to calls of what is not in the source: which of them run, and with what."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from assay.subjects.python_source import by_syntax, calls, holders
from assay.subjects.python_source.frame import Frame, Source
from assay.subjects.python_source.value import UNKNOWN, Event, Time, Value, union

# What calls a function that it is given, now or soon.
_CALLS_BACK = frozenset({
    "threading.Thread", "threading.Timer", "_thread.start_new_thread", "atexit.register",
    "multiprocessing.Process", "asyncio.run", "curses.wrapper",
    "builtins.map", "builtins.filter", "builtins.sorted",
    "builtins.list", "builtins.max", "builtins.min", "functools.reduce", "signal.signal", "sys.settrace",
    "sys.setprofile", "weakref.finalize", "builtins.next", "contextvars.Context.run", "asyncio.create_task",
    "codecs.register", "gc.callbacks.append",
    "os.register_at_fork", "builtins.iter", "threading.settrace",
})  # fmt: skip
_CALLS_BACK_METHODS = (
    ".submit", ".add_done_callback",
    ".apply_async", ".apply", ".map", ".run_until_complete", ".call_soon", ".run",
)  # fmt: skip
# What takes a function without calling it.
_LOOKS_ONLY = frozenset({
    "builtins.isinstance", "builtins.issubclass", "builtins.getattr", "builtins.hasattr", "builtins.callable",
    "builtins.id", "builtins.repr", "builtins.type", "inspect.signature", "inspect.isfunction", "typing.cast",
})  # fmt: skip
# What keeps a function, or makes another of it, for later calls.
_KEEPS = frozenset({
    "functools.wraps", "functools.update_wrapper", "functools.wraps()", "functools.lru_cache",
    "functools.lru_cache()", "functools.cache", "functools.partial", "functools.partialmethod",
    "functools.singledispatch", "functools.cmp_to_key", "builtins.property", "functools.cached_property",
    "builtins.staticmethod", "builtins.classmethod", "builtins.setattr", "builtins.print", "builtins.str",
    "contextlib.contextmanager", "dataclasses.field", "types.MethodType", "abc.abstractmethod",
    "typing.overload", "builtins.super", "builtins.dict", "builtins.tuple", "builtins.set",
    "builtins.frozenset", "builtins.hash", "builtins.zip", "builtins.enumerate", "inspect.getsource",
    "inspect.getdoc", "inspect.getfullargspec", "builtins.vars", "builtins.dir",
})  # fmt: skip
_KEEPS_METHODS = (
    *(f".{name}" for name in sorted(holders.STORES)), ".register", ".get", ".parametrize",
    ".Option", ".Argument", ".option", ".argument",
)  # fmt: skip
_DEFERS = ("wrap", "lazy", "decorat", "defer")
_REGISTERS = ("register", "add_", "set_")
# Libraries whose declarations take functions for when what is declared is used.
_KEEPS_LIBRARIES = (
    "pytest.mark.",
    "pytest.param",
    "pytest.fixture",
    "pydantic.",
    "click.",
    "typer.",
    "attrs.",
)
_WRAPS_NOTHING = frozenset(
    {"functools.wraps", "builtins.print", "builtins.str", "builtins.vars", "builtins.dir"}
)


def hand_on(
    source: Source,
    frame: Frame,
    name: str,
    args: Sequence[Value],
    keywords: Mapping[str, Value],
    line: int,
    *,
    decorates: bool = False,
) -> None:
    """Functions among the arguments: watched ones become events, own ones may be called by `name`."""
    values = (*args, *keywords.values())
    if not any(value.names for value in values):
        return
    back = _is_called(frame, name, args, decorates=decorates)
    for one in {one for value in values for one in value.names}:
        if one.startswith("local:"):
            if back and frame.time > Time.DEFINED and one in source.definitions:
                calls.invoke(source, frame, Value(frozenset({one})), _given(source, one, values), {}, line)
        elif source.vocabulary.watched(one) and name not in _LOOKS_ONLY:
            event = Event("reference", one, frame.time, line, values, {}, frame.function, frame.line > 0)
            source.emit(event)
    by_syntax.handed(source, frame, values, name, line)


def _is_called(frame: Frame, name: str, args: Sequence[Value], *, decorates: bool) -> bool:
    """Whether a function handed to `name` runs: surely, or at import where nothing says that it does not."""
    if name in _CALLS_BACK or name.endswith(_CALLS_BACK_METHODS):
        return True
    if decorates or frame.time is not Time.IMPORT:
        return False
    if name in _KEEPS or name in _LOOKS_ONLY:
        return False
    return not (_declares(name) or _sets(args))


def _declares(name: str) -> bool:
    """Whether a function keeps what it is given, told by its name."""
    last = name.rpartition(".")[2].lower()
    if last.startswith(_REGISTERS) or any(word in last for word in _DEFERS):
        return True
    return name.endswith(_KEEPS_METHODS) or name.startswith(_KEEPS_LIBRARIES)


def _sets(args: Sequence[Value]) -> bool:
    """Whether the arguments are an object, a name and a function, as those of `setattr` are."""
    if len(args) != 3 or not args[0].names:  # noqa: PLR2004  told above
        return False
    name = args[1].constant
    return isinstance(name, str) and name.isidentifier() and not args[0].names & args[2].names


def _given(source: Source, name: str, values: Sequence[Value]) -> tuple[Value, ...]:
    """What a function is called with by a function that was given these values."""
    others = [
        each for value in values for each in (value, *holders.contents(value)) if name not in value.names
    ]
    each = union([UNKNOWN, UNKNOWN, *others])
    if not each.names and not each.marks:
        return ()
    node = source.definitions[name].node
    return (each,) * len((*node.args.posonlyargs, *node.args.args))


def wrapped(name: str, values: Sequence[Value]) -> frozenset[str]:
    """Own functions and classes among the arguments, which the result may be or call."""
    if name in _WRAPS_NOTHING or name in _LOOKS_ONLY or _declares(name):
        return frozenset()
    return frozenset(
        one for value in values for one in value.names if one.startswith("local:") and not one.endswith("()")
    )


def spread(node: ast.Call, args: Sequence[Value]) -> tuple[Value, ...]:
    """The arguments of a call, with `*` ones taken apart where their elements are known."""
    found: list[Value] = []
    for part, value in zip(node.args, args, strict=True):
        if isinstance(part, ast.Starred) and value.items is not None:
            found += value.items
        else:
            found.append(value)
    return tuple(found)


def named(keywords: Mapping[str, Value]) -> Mapping[str, Value]:
    """The keywords of a call, with a `**` one taken apart where its keys are known."""
    spread_out = keywords.get("**")
    if spread_out is None or not spread_out.table:
        return keywords
    return {**keywords, **{key: value for key, value in spread_out.table if isinstance(key, str)}}
