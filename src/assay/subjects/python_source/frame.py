"""Where code runs: the names it sees, and all that one reading shares."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from assay.subjects.python_source.value import UNKNOWN, Event, Time, Value, Vocabulary, union

Function: TypeAlias = "ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda"
MAX_STEPS = 600_000  # expressions evaluated in one source, repeated ones included
MAX_EVENTS = 20_000
MAX_FOLDED = 32 << 20  # characters that computing constants may touch in one source
_BUILTINS = frozenset(dir(builtins))


@dataclass(slots=True)
class Frame:
    """The names of one scope while it is walked.

    Attributes:
        names: what was bound in it so far.
        outer: the scope around it.
        time: when its code runs.
        function: its qualified name, "" for the module.
        owner: the class whose body it is, or whose method.
        is_class: whether it is a class body.
        line: the line to report for code inside an executed text, 0 elsewhere.
        returns: what its return statements gave.
    """

    names: dict[str, Value]
    outer: Frame | None
    time: Time
    function: str = ""
    owner: str = ""
    is_class: bool = False
    line: int = 0
    returns: list[Value] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Definition:
    """A function of the source, and the frame it was defined in."""

    node: Function
    name: str
    frame: Frame
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Class:
    """A class of the source: its methods by name, and its bases that are classes of the source, too."""

    methods: dict[str, str]
    bases: tuple[str, ...]


@dataclass(slots=True)
class Source:
    """One reading of one source.

    Attributes:
        vocabulary: what the reader of the events asks for.
        events: what was seen, by kind, name and line.
        definitions, classes: of the source, by their `local:` names.
        pending: functions that are still to be walked by themselves.
        walked: what was pending before.
        stars: modules that `from … import *` was used on.
        active: functions and executed texts that are being walked, outermost first.
        results: what a function gave when it was called with nothing known.
        steps: expressions evaluated.
        folded: characters that computing constants touched.
    """

    vocabulary: Vocabulary
    events: dict[tuple[str, str, int, bool], Event] = field(default_factory=dict)
    definitions: dict[str, Definition] = field(default_factory=dict)
    classes: dict[str, Class] = field(default_factory=dict)
    pending: list[tuple[str, Time]] = field(default_factory=list)
    stars: list[str] = field(default_factory=list)
    active: list[str] = field(default_factory=list)
    walked: set[tuple[str, Time]] = field(default_factory=set)
    results: dict[tuple[str, Time], Value] = field(default_factory=dict)
    steps: int = 0
    folded: int = 0

    @property
    def exhausted(self) -> bool:
        """Whether the bounds of the reading were met, so that something may be unseen."""
        return self.steps >= MAX_STEPS or len(self.events) >= MAX_EVENTS

    def later(self, name: str, time: Time) -> None:
        """Walk a function by itself, once at each time."""
        if (name, time) not in self.walked:
            self.walked.add((name, time))
            self.pending.append((name, time))

    def may_fold(self, values: Iterable[Value]) -> bool:
        """Whether computing with these values is within the budget; takes it from there."""
        for value in values:
            for one in (value, *(value.items or ())):
                self.folded += len(one.constant) if isinstance(one.constant, str | bytes) else 1
        return self.folded <= MAX_FOLDED

    def emit(self, event: Event) -> None:
        """Record an event; of the same one at several times, the worst time counts."""
        key = (event.kind, event.name, event.line, event.nested)
        known = self.events.get(key)
        if known is None or event.time > known.time:
            self.events[key] = event

    def method(self, cls: str, name: str, depth: int = 0) -> str:
        """The `local:` name of a method of a class or of its bases in the source; "" where there is none."""
        found = self.classes.get(cls.removesuffix("()"))
        if found is None or depth > 8:  # noqa: PLR2004  no source needs more
            return ""
        if name in found.methods:
            return found.methods[name]
        return next((m for base in found.bases if (m := self.method(base, name, depth + 1))), "")


def lookup(source: Source, frame: Frame, name: str) -> Value:
    """What a bare name refers to."""
    scope: Frame | None = frame
    while scope is not None:
        if name in scope.names and (scope is frame or not scope.is_class):
            return scope.names[name]
        scope = scope.outer
    starred = [Value(frozenset({f"{module}.{name}"})) for module in source.stars]
    if name == "__builtins__":
        return Value(frozenset({"builtins"}))
    if name in _BUILTINS:
        return union([*starred, Value(frozenset({f"builtins.{name}"}))])
    return union(starred) if starred else UNKNOWN


def bind(frame: Frame, name: str, value: Value) -> None:
    """Bind a name. What it was before is kept beside: which branch runs is not known."""
    before = frame.names.get(name)
    if before is None or not (before.names or before.marks):
        frame.names[name] = value
        return
    both = union([before, value])
    frame.names[name] = Value(both.names, value.constant, value.items, both.marks)
