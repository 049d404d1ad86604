"""What a walk over a stream comes to, and how it tells what it sees."""

from __future__ import annotations

from dataclasses import dataclass

from . import misuse, source
from .recorder import Recorder, Trace, kind_of
from .rules import FREE
from .symbols import UNKNOWN, Call, Global, Items, Symbolic, describe, name_of
from .wire import plausible

MAX_COMPUTED = 1_000
TARGET = "_target_"


class WalkLimitError(Exception):
    """The stream needs more memory than the walk may take."""


@dataclass(slots=True)
class Walk:
    """One stream walked.

    Attributes:
        end: where the next stream would start.
        stopped: whether a STOP was reached.
        steps: opcodes read.
        result: what was on top of the stack at STOP.
        value_errors: what real machines would have refused, first ones only.
    """

    end: int
    stopped: bool = False
    steps: int = 0
    result: object = UNKNOWN
    problem: str = ""


class WalkRecorder:
    """Tells what a walk meets, each place once, with its offset."""

    def __init__(self, recorder: Recorder, *, strict: bool = True) -> None:
        self.recorder = recorder
        self._strict = strict
        self._told: dict[tuple[str, str], int] = {}
        self._held: list[tuple[str, int, tuple[str, ...], Trace | None]] = []
        self.reading = Symbolic(recorder.rules)
        self._persistent: set[str] = set()
        self._computed = 0  # names that were written out
        self.watching = False  # whether a global was named that may only be called

    def _hold(self, kind: str, offset: int, *what: str, trace: Trace | None = None) -> None:
        """Tell at once, or, while it may all be chance, once a STOP showed that this is a stream."""
        if self._strict:
            self._tell(kind, offset, *what, trace=trace)
        elif len(self._held) < 100:  # noqa: PLR2004
            self._held.append((kind, offset, what, trace))

    def confirm(self) -> None:
        """The stream ended by STOP: what was held back counts."""
        for kind, offset, what, trace in self._held:
            self._tell(kind, offset, *what, trace=trace)
        self._held.clear()

    def _tell(self, kind: str, offset: int, *what: str, times: int = 3, trace: Trace | None = None) -> None:
        key = (kind, what[0] + "\0" + (what[1] if kind in {"global", "misuse"} else ""))
        count = self._told.get(key, 0)
        if count < times and len(self._told) < 20_000:  # noqa: PLR2004
            self._told[key] = count + 1
            self.recorder.tell(kind, *what, offset=offset, trace=trace)

    def imported(self, module: str, name: str, how: str, offset: int) -> Global:
        """A global was named."""
        met = Global(module, name, offset, how)
        if plausible(module, name):
            self.recorder.plausible = True
        if self._strict or plausible(module, name):
            trace = (lambda: (source.named(met), source.steps_of(met))) if how != "INST" else None
            self._tell("global", offset, module[:1000], name[:1000], times=1, trace=trace)
        rule = self.recorder.rules.get((module, name))
        self.watching |= rule is not None and rule.watch
        return met

    def called(
        self, made: Call, function: Global, args: tuple[object, ...], *, keywords: bool = False
    ) -> None:
        """A global was called with `args`; `made` is the call, with as many of them as are kept."""
        how, offset, trace = made.how, made.at, _of_call(made)
        if self._strict or plausible(function.module, function.name):
            shown = ", ".join(describe(arg) for arg in args[:8])
            name = f"{function.module}.{function.name}"[:800]
            self._tell("call", offset, name, shown[:400], how, trace=trace)
        rule = self.reading.rule(function) or FREE
        reason = misuse.of_call(rule, args, self.reading, how=how, keywords=keywords)
        self._misused(function, reason, args, how, offset, trace)

    def result_called(self, made: Call, function: Call, args: tuple[object, ...]) -> None:
        """What a call gave was called."""
        if misuse.of_result(self.reading.rule(function), args, self.reading):
            self.computed_call(made, args)

    def built(self, target: Call, state: object, offset: int) -> None:
        """What a call gave was given a state."""
        rule = self.reading.rule(target) or FREE
        reason = misuse.of_state(rule, target, state, self.reading)
        self._misused(target.function, reason, (state,), "BUILD", offset, _of_state(target, state, offset))

    def items_set(self, target: Call, items: list[object], how: str, offset: int) -> None:
        """Items were set on what a call gave."""
        rule = self.reading.rule(target) or FREE
        if rule.items == "any":
            return
        keyed = how.startswith("SETITEM")
        pairs = zip(items[::2], items[1::2], strict=False) if keyed else ((None, item) for item in items)
        for key, value in pairs:
            reason = misuse.of_item(rule, key, value, self.reading)
            given = (key, value) if keyed else (value,)
            self._misused(target.function, reason, given, how, offset, _of_items(target, given, how, offset))

    def keyed(self, items: list[object], offset: int) -> None:
        """Keys and values went into a mapping: one of them may say what a setting would be made of."""
        if TARGET not in items:
            return
        for key, value in zip(items[::2], items[1::2], strict=False):
            name = _value_of(value) if key == TARGET else None
            if isinstance(name, str):
                self._hold("target", offset, TARGET, name[:400])

    def put_aside(self, items: list[object], how: str, offset: int) -> None:
        """Values went into something else; none of them may be a global that is only called."""
        for item in items:
            if isinstance(item, Global):
                reason = misuse.of_value(item, self.reading)
                self._misused(item, reason, (), how, offset, _of_value(item, how, offset))

    def _misused(
        self,
        what: object,
        reason: str,
        shown: tuple[object, ...],
        how: str,
        offset: int,
        trace: Trace | None,
    ) -> None:
        if reason and isinstance(what, Global):
            told = ", ".join(describe(value) for value in shown[:8])[:400]
            self._hold("misuse", offset, f"{what.module}.{what.name}"[:800], reason, told, how, trace=trace)

    def mutated(self, target: Global, items: list[object], how: str, offset: int) -> None:
        """A global itself was changed."""
        if self._strict or plausible(target.module, target.name):
            shown = ", ".join(describe(item) for item in items[:4])
            name = f"{target.module}.{target.name}"[:800]
            given = tuple(items)
            built = how == "BUILD"
            trace = _of_state(target, items[0], offset) if built else _of_items(target, given, how, offset)
            self._tell("mutate", offset, name, shown[:400], how, trace=trace)

    def computed(self, module: object, name: object, offset: int) -> Global:
        """A global whose name is not a plain string."""
        shown = "<computed>"
        if self._computed < MAX_COMPUTED:
            self._computed += 1
            shown = f"getattr(import_module({source.source_of(module)}), {source.source_of(name)})"
        met = Global("?", "?", offset, "STACK_GLOBAL", shown, (module, name))
        told = f"{describe(module)} + {describe(name)}"[:400]
        self._hold("computed-name", offset, told, trace=lambda: (shown, source.steps_of(met)))
        return met

    def computed_call(self, made: Call, args: tuple[object, ...]) -> None:
        """Something that is not a plain global was called."""
        shown = ", ".join(describe(arg) for arg in args[:8])[:400]
        self._hold("computed-call", made.at, name_of(made.function)[:400], shown, trace=_of_call(made))

    def extension(self, code: int, how: str, offset: int) -> Global:
        """An extension code: what it means stands in the victim's copyreg registry."""
        met = Global("?", "?", offset, how, f"copyreg._inverted_registry[{code}]")
        self._hold("extension", offset, str(code), trace=lambda: (met.shown, source.steps_of(met)))
        return met

    def persistent(self, pid: object, offset: int) -> None:
        """A persistent id, which may stand for a torch storage; the first of each kind is told."""
        self.recorder.storage(pid, name_of)
        kind = kind_of(pid)
        if kind not in self._persistent:
            self._persistent.add(kind)
            self._hold("persistent", offset, describe(pid)[:400])

    def inside(self, raw: memoryview) -> None:
        """Bytes that look like a pickle were handed to a call."""
        self.recorder.look_inside(raw)


def _value_of(value: object) -> object:
    """What a setting is, as itself or in a node of OmegaConf's."""
    state = value.state if isinstance(value, Call) else None
    if not isinstance(state, Items):
        return value
    return next(
        (held for key, held in zip(state.items[::2], state.items[1::2], strict=False) if key == "_val"), None
    )


def _of_call(made: Call) -> Trace:
    return lambda: (source.source_of(made), source.steps_of(made))


def _of_state(target: object, state: object, offset: int) -> Trace:
    return lambda: (source.built(target, state), _then(target, state, offset, "BUILD sets the state"))


def _of_items(target: object, given: tuple[object, ...], how: str, offset: int) -> Trace:
    return lambda: (
        source.items_set(target, given, how),
        _then(target, given, offset, f"{how} sets an item"),
    )


def _of_value(item: Global, how: str, offset: int) -> Trace:
    return lambda: (source.named(item), _then(item, (), offset, f"{how} puts it aside"))


def _then(target: object, given: object, offset: int, does: str) -> str:
    """The steps to what is used, and the last one."""
    return "\n".join(filter(None, (source.steps_of(target, given), f"{offset} {does}")))
