"""Which call a recorded event ends in, and what it would have done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from assay.checks.packaging.artifact_scan import policy
from assay.core.explanation import Explanation, Step
from assay.subjects.pickles.records import Event

MAX_CALLS = 3  # of one global
MAX_STEPS = 16
# Callables of which the first argument is a command line, or Python source.
_COMMANDS = frozenset({
    "os.system", "posix.system", "nt.system", "os.popen", "subprocess.Popen", "subprocess.run",
    "subprocess.call", "subprocess.check_call", "subprocess.check_output", "subprocess.getoutput",
    "subprocess.getstatusoutput", "commands.getoutput", "pty.spawn",
})  # fmt: skip
_SOURCES = frozenset({
    "builtins.exec", "builtins.eval", "__builtin__.exec", "__builtin__.eval", "__builtin__.execfile",
    "code.interact", "timeit.timeit", "cProfile.run", "profile.run", "bdb.Bdb.run", "pdb.run",
})  # fmt: skip


@dataclass(slots=True)
class Traces:
    """The calls of a record, by the global that is called and by the opcodes that lead to them.

    Args:
        events: of the record; those that know their offset first.
    """

    events: Iterable[Event]
    _named: dict[str, list[Event]] = field(default_factory=dict)
    _through: dict[tuple[int, int], Event] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for event in self.events:
            if event.kind == "call":
                self._named.setdefault(event.what[0], []).append(event)
            if event.kind in {"call", "computed-call"}:
                for offset, _ in event.steps:
                    self._through.setdefault((event.depth, offset), event)

    def call_of(self, event: Event) -> Event | None:
        """The first call of the global that `event` names."""
        return next(iter(self._named.get(".".join(event.what[:2]), [])), None)

    def explain(self, event: Event, effect: str) -> Explanation:
        """What `event` leads to."""
        ends = self._ends(event)
        steps = dict(sorted({step for end in ends for step in end.steps}))
        shown = list(steps.items())[-MAX_STEPS:]
        inside = " of a pickle inside the bytes of this one" if event.depth else ""
        return Explanation(
            source="\n".join(dict.fromkeys(end.source or _plain(end) for end in ends)),
            steps=tuple(
                Step(f"{text} (byte {at}{inside})", None) if inside else Step(text, at) for at, text in shown
            ),
            effect=effect,
        )

    def _ends(self, event: Event) -> list[Event]:
        if event.kind == "global":
            called = self._named.get(".".join(event.what[:2]), [])
            traced = [call for call in called if call.source] or called
            if traced:
                return traced[:MAX_CALLS]
        if event.kind in {"global", "computed-name", "extension"} and event.offset is not None:
            through = self._through.get((event.depth, event.offset))
            return [through] if through else [event]
        return [event]


def _plain(event: Event) -> str:
    """A call as the C machine, which keeps no trace, recorded it."""
    if event.kind in {"call", "computed-call"}:
        return f"{event.what[0]}({event.what[1]})"
    return ".".join(event.what[:2]) if event.kind == "global" else ""


def effect_of(module: str, name: str, call: Event | None) -> str:
    """What a global that is on no allow-list would have done."""
    full = f"{module}.{name}"[:150]
    if call is None:
        return _imported(module, name, full)
    made = call.what[2].startswith("NEWOBJ")  # by __new__ alone
    if full in _COMMANDS and not made:
        return "The command runs with all rights of whoever loads the file."
    if full in _SOURCES and not made:
        return "The Python code in the argument runs with all rights of whoever loads the file."
    danger = policy.danger(module, name)
    if danger:
        return f"Through {full}, {danger}."
    return (
        f"The module of {full} is imported and {full} is called with what the file says; no framework needs "
        "it to rebuild data, so it may do anything."
    )


def _imported(module: str, name: str, full: str) -> str:
    danger = policy.danger(module, name)
    if danger:
        return f"The file gets hold of {full}: {danger}."
    return (
        f"Python imports the module of {full}, which runs that module's own code. No framework needs it to "
        "rebuild data."
    )
