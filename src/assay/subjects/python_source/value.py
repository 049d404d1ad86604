"""What is known of a value without running anything: its names, its constant, where it came from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TypeAlias

Constant: TypeAlias = "str | bytes | int | None"
MAX_NAMES = 16
MAX_NAME = 200


class Time(IntEnum):
    """When code runs: never by itself, once its object is made or called, or as soon as it is imported."""

    DEFINED = 0
    USE = 1
    IMPORT = 2


@dataclass(frozen=True, slots=True)
class Value:
    """What an expression may be.

    Attributes:
        names: full dotted names of what it may refer to; `a.b()` is what calling `a.b` gave, `local:f` a
            function or class of the source, `?.m` the attribute `m` of something unknown.
        constant: the text, bytes or number that it is, where that could be computed.
        items: the elements of a list or tuple, where each is known.
        marks: what flowed into it, in the words of the `Vocabulary`.
        table: what it holds under which key or name, as far as that is known; under `SELF` what a method is
            of, under `UNBOUND` what its first argument is, under None what it holds somewhere.
        shape: a text of which only parts are known, with `GAP` for the others; "" where nothing is.
    """

    names: frozenset[str] = frozenset()
    constant: Constant = None
    items: tuple[Value, ...] | None = None
    marks: frozenset[str] = frozenset()
    table: tuple[tuple[Constant, Value], ...] | None = None
    shape: str = ""

    @property
    def text(self) -> str:
        """What is known of it as a text; "" where nothing is."""
        return self.constant if isinstance(self.constant, str) else self.shape


UNKNOWN = Value()
SELF = "<self>"
UNBOUND = "<unbound>"
GAP = "\u2026"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that the source does.

    Attributes:
        kind: `call`, `reference` (handed on without being called) or `assign`.
        name: the full name of what is called, handed on or assigned to.
        time: when.
        line: 1-based.
        args, keywords: of a call; the value of an assignment.
        function: the function or method it stands in, "" for the module itself.
        nested: whether it stands in a text that the source executes.
    """

    kind: str
    name: str
    time: Time
    line: int
    args: tuple[Value, ...] = ()
    keywords: Mapping[str, Value] = field(default_factory=dict)
    function: str = ""
    nested: bool = False


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Which names matter to whoever reads the events.

    Attributes:
        mark: the mark that the result of a call, or an attribute, of this name carries; "" for none.
        watched: whether handing on a reference to this name is worth an event.
    """

    mark: Callable[[str], str]
    watched: Callable[[str], bool]


def union(values: Iterable[Value]) -> Value:
    """What one of several values may be."""
    several = list(values)
    if len(several) == 1:
        return several[0]
    names: frozenset[str] = frozenset()
    marks: frozenset[str] = frozenset()
    for value in several:
        if value.names:
            names = names | value.names if names else value.names
        if value.marks:
            marks = marks | value.marks if marks else value.marks
    return Value(_few(names), marks=marks) if names or marks else UNKNOWN


def _few(names: frozenset[str]) -> frozenset[str]:
    """Known names before unknown ones: what is dropped must not be what matters."""
    if len(names) <= MAX_NAMES:
        return names
    return frozenset(sorted(names, key=lambda name: (name.startswith("?"), "()" in name, name))[:MAX_NAMES])


def marked(values: Iterable[Value]) -> frozenset[str]:
    """What flowed into any of these values."""
    marks: frozenset[str] = frozenset()
    for value in values:
        if value.marks:
            marks = marks | value.marks if marks else value.marks
    return marks


EITHER = "either:"  # begins the mark of a text that a value may be instead of the one that is told
MAX_EITHER = 6
_NONE: frozenset[str] = frozenset()


def later(before: Value, value: Value) -> Value:
    """What a name may be that was one thing and is set to another: which branch runs is not known."""
    text = _dropped(before, value)
    other = frozenset({EITHER + text}) if text and _count(before.marks) < MAX_EITHER else _NONE
    if not (before.names or before.marks or other):
        return value
    both = union([before, value])
    return Value(both.names, value.constant, value.items, both.marks | other, value.table, value.shape)


def alternatives(value: Value) -> tuple[str, ...]:
    """The texts that a value, or what it is made of, may be as well: what its name was bound to before."""
    return tuple(mark.removeprefix(EITHER) for mark in value.marks if mark.startswith(EITHER))


def _count(marks: frozenset[str]) -> int:
    return sum(mark.startswith(EITHER) for mark in marks)


def _dropped(before: Value, value: Value) -> str:
    """The text, or the words of a command, that `before` was and `value` is not, nor goes on from."""
    if isinstance(before.constant, str) and before.constant and before.constant != value.constant:
        goes_on = isinstance(value.constant, str) and value.constant.startswith(before.constant)
        return "" if goes_on else before.constant[:MAX_NAME]
    if before.items and value.items is not None and value.items[: len(before.items)] != before.items:
        return " ".join(one.constant for one in before.items if isinstance(one.constant, str))[:MAX_NAME]
    return ""


def attribute(value: Value, name: str) -> Value:
    """The attribute `name` of a value."""
    names = frozenset([f"{one}.{name}"[-MAX_NAME:] for one in value.names if one[:1] != "?"])
    return Value(_few(names or frozenset({f"?.{name}"})), marks=value.marks)
