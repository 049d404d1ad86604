"""Where code runs: the names it sees, and all that one reading shares."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from assay.subjects.python_source.value import UNKNOWN, Event, Time, Value, Vocabulary, later, union

Function: TypeAlias = "ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda"
MAX_STEPS = 600_000  # expressions evaluated in one source, repeated ones included
MAX_EVENTS = 20_000  # beyond them the reading is not complete
MOST_EVENTS = 80_000  # beyond them none is kept
MAX_FOLDED = 32 << 20  # characters that computing constants may touch in one source
MAX_FAMILY = 64  # classes above one
MAX_HELD = 4_096  # attributes of one object
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
        returns: what its return and yield statements gave.
        elsewhere: the scopes of its `global` and `nonlocal` names.
        is_comprehension: whether it is one's, whose `:=` binds outside of it.
    """

    names: dict[str, Value]
    outer: Frame | None
    time: Time
    function: str = ""
    owner: str = ""
    is_class: bool = False
    line: int = 0
    returns: list[Value] = field(default_factory=list)
    elsewhere: dict[str, Frame] = field(default_factory=dict)
    is_comprehension: bool = False


@dataclass(frozen=True, slots=True)
class Definition:
    """A function of the source, and the frame it was defined in.

    Attributes:
        owner: the class whose method it is.
        bound: "instance" or "class" where that is its first parameter.
        defaults: of its parameters.
    """

    node: Function
    name: str
    frame: Frame
    owner: str = ""
    bound: str = ""
    defaults: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Class:
    """A class of the source.

    Attributes:
        methods: by name; several where branches define one differently.
        bases: those that are classes of the source, too.
        foreign: its other bases.
        metaclass: of the source, or "".
        fields: its annotated attributes, in order.
    """

    methods: dict[str, tuple[str, ...]]
    bases: tuple[str, ...]
    foreign: frozenset[str] = frozenset()
    metaclass: str = ""
    fields: tuple[str, ...] = ()


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
        results: what a function gave when it was called with nothing known, and at which of the `changes`.
        held: what was stored in attributes, by the name of the object and of the attribute.
        getters: functions that reading an attribute calls.
        changes: how often something was bound that functions called before might see.
        cut: whether something was left out.
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
    results: dict[tuple[str, Time], tuple[int, Value]] = field(default_factory=dict)
    held: dict[str, dict[str, Value]] = field(default_factory=dict)
    getters: set[str] = field(default_factory=set)
    changes: int = 0
    cut: bool = False
    steps: int = 0
    folded: int = 0

    @property
    def exhausted(self) -> bool:
        """Whether the bounds of the reading were met, so that something may be unseen."""
        return self.cut or self.steps >= MAX_STEPS or len(self.events) >= MAX_EVENTS

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

    def is_news(self, kind: str, name: str, time: Time, line: int, *, nested: bool) -> bool:
        """Whether such an event is not known yet, or at no such bad time."""
        known = self.events.get((kind, name, line, nested))
        return known is None or time > known.time

    def emit(self, event: Event) -> None:
        """Record an event; of the same one at several times, the worst time counts."""
        key = (event.kind, event.name, event.line, event.nested)
        known = self.events.get(key)
        if known is None and len(self.events) >= MOST_EVENTS:
            self.cut = True
        elif known is None or event.time > known.time:
            self.events[key] = event

    def family(self, cls: str) -> list[str]:
        """A class of the source and its bases in the source, nearest first; nothing where it is not one."""
        found = [cls] if cls in self.classes else []
        for one in found:
            found += [base for base in self.classes[one].bases if base not in found]
            if len(found) > MAX_FAMILY:
                self.cut = True
                break
        return found

    def methods(self, cls: str, name: str) -> tuple[str, ...]:
        """The functions that a method of a class, or of the nearest base that has it, may be."""
        return next((m for one in self.family(cls) if (m := self.classes[one].methods.get(name))), ())

    def hold(self, owner: str, name: str, value: Value) -> None:
        """Store a value in an attribute of the object called `owner`."""
        held = self.held.setdefault(owner, {})
        if len(held) < MAX_HELD or name in held:
            held[name] = later(held.get(name, UNKNOWN), value)
            self.changes += 1
        else:
            self.cut = True


def lookup(source: Source, frame: Frame, name: str) -> Value:
    """What a bare name refers to."""
    scope: Frame | None = frame
    while scope is not None:
        if name in scope.names and (scope is frame or not scope.is_class):
            return scope.names[name]
        scope = scope.outer
    added = source.held.get("builtins", {}).get(name)
    if added is not None:
        return added
    starred = [Value(frozenset({f"{module}.{name}"})) for module in source.stars]
    if name == "__builtins__":
        return Value(frozenset({"builtins"}))
    if name in _BUILTINS:
        return union([*starred, Value(frozenset({f"builtins.{name}"}))])
    return union(starred) if starred else UNKNOWN


def bind(source: Source, frame: Frame, name: str, value: Value) -> None:
    """Bind a name. What it was before is kept beside: which branch runs is not known."""
    frame = frame.elsewhere.get(name, frame)
    before = frame.names.get(name)
    after = value if before is None else later(before, value)
    frame.names[name] = after
    if value.names and (before is None or after.names != before.names):
        source.changes += 1


def module_of(frame: Frame) -> Frame:
    """The scope of the module that a scope stands in."""
    while frame.outer is not None:
        frame = frame.outer
    return frame


def holder(frame: Frame, name: str) -> Frame:
    """The scope that a name which code reads is bound in, or the scope itself."""
    scope: Frame | None = frame.elsewhere.get(name, frame)
    while scope is not None:
        if name in scope.names and (scope is frame or not scope.is_class):
            return scope
        scope = scope.outer
    return frame
