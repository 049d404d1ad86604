"""What a walk over a stream comes to, and how it tells what it sees."""

from __future__ import annotations

from dataclasses import dataclass

from . import misuse
from .recorder import Recorder
from .rules import FREE
from .symbols import UNKNOWN, Call, Global, Symbolic, describe, name_of
from .wire import plausible


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
        self._held: list[tuple[str, int, tuple[str, ...]]] = []
        self.reading = Symbolic(recorder.rules)
        self.watching = False  # whether a global was named that may only be called

    def _hold(self, kind: str, offset: int, *what: str) -> None:
        """Tell at once, or, while it may all be chance, once a STOP showed that this is a stream."""
        if self._strict:
            self._tell(kind, offset, *what)
        elif len(self._held) < 100:  # noqa: PLR2004
            self._held.append((kind, offset, what))

    def confirm(self) -> None:
        """The stream ended by STOP: what was held back counts."""
        for kind, offset, what in self._held:
            self._tell(kind, offset, *what)
        self._held.clear()

    def _tell(self, kind: str, offset: int, *what: str, times: int = 3) -> None:
        key = (kind, what[0] + "\0" + (what[1] if kind in {"global", "misuse"} else ""))
        count = self._told.get(key, 0)
        if count < times and len(self._told) < 20_000:  # noqa: PLR2004
            self._told[key] = count + 1
            self.recorder.tell(kind, *what, offset=offset)

    def imported(self, module: str, name: str, offset: int) -> Global:
        """A global was named."""
        if plausible(module, name):
            self.recorder.plausible = True
        if self._strict or plausible(module, name):
            self._tell("global", offset, module[:1000], name[:1000], times=1)
        rule = self.recorder.rules.get((module, name))
        self.watching |= rule is not None and rule.watch
        return Global(module, name)

    def called(
        self, function: Global, args: tuple[object, ...], how: str, offset: int, *, keywords: bool = False
    ) -> None:
        """A global was called."""
        if self._strict or plausible(function.module, function.name):
            shown = ", ".join(describe(arg) for arg in args[:8])
            self._tell("call", offset, f"{function.module}.{function.name}"[:800], shown[:400], how)
        rule = self.reading.rule(function) or FREE
        self._misused(
            function, misuse.of_call(rule, args, self.reading, keywords=keywords), args, how, offset
        )

    def result_called(self, function: Call, args: tuple[object, ...], offset: int) -> None:
        """What a call gave was called."""
        if misuse.of_result(self.reading.rule(function), args, self.reading):
            self.computed_call(name_of(function), args, offset)

    def built(self, target: Call, state: object, offset: int) -> None:
        """What a call gave was given a state."""
        rule = self.reading.rule(target) or FREE
        reason = misuse.of_state(rule, target, state, self.reading)
        self._misused(target.function, reason, (state,), "BUILD", offset)

    def items_set(self, target: Call, items: list[object], how: str, offset: int) -> None:
        """Items were set on what a call gave."""
        rule = self.reading.rule(target) or FREE
        if rule.items == "any":
            return
        keyed = how.startswith("SETITEM")
        pairs = zip(items[::2], items[1::2], strict=False) if keyed else ((None, item) for item in items)
        for key, value in pairs:
            reason = misuse.of_item(rule, key, value, self.reading)
            self._misused(target.function, reason, (key, value) if keyed else (value,), how, offset)

    def put_aside(self, items: list[object], how: str, offset: int) -> None:
        """Values went into something else; none of them may be a global that is only called."""
        for item in items:
            if isinstance(item, Global):
                self._misused(item, misuse.of_value(item, self.reading), (), how, offset)

    def _misused(self, what: object, reason: str, shown: tuple[object, ...], how: str, offset: int) -> None:
        if reason and isinstance(what, Global):
            told = ", ".join(describe(value) for value in shown[:8])[:400]
            self._hold("misuse", offset, f"{what.module}.{what.name}"[:800], reason, told, how)

    def mutated(self, target: Global, items: list[object], how: str, offset: int) -> None:
        """A global itself was changed."""
        if self._strict or plausible(target.module, target.name):
            shown = ", ".join(describe(item) for item in items[:4])
            self._tell("mutate", offset, f"{target.module}.{target.name}"[:800], shown[:400], how)

    def computed(self, what: str, offset: int) -> None:
        """A global whose name is not a plain string."""
        self._hold("computed-name", offset, what[:400])

    def computed_call(self, function: str, args: tuple[object, ...], offset: int) -> None:
        """Something that is not a plain global was called."""
        self._hold(
            "computed-call", offset, function[:400], ", ".join(describe(arg) for arg in args[:8])[:400]
        )

    def extension(self, code: int, offset: int) -> None:
        """An extension code: what it means stands in the victim's copyreg registry."""
        self._hold("extension", offset, str(code))

    def persistent(self, pid: object) -> None:
        """A persistent id, which may stand for a torch storage."""
        self.recorder.storage(pid, name_of)

    def inside(self, raw: memoryview) -> None:
        """Bytes that look like a pickle were handed to a call."""
        self.recorder.look_inside(raw)
