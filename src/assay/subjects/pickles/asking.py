"""The confined child that reads pickles: how it is started, asked, and understood."""

from __future__ import annotations

import base64
import sys
import zlib
from contextlib import suppress
from pathlib import Path

from assay.core.errors import SubjectError
from assay.subjects.child_answers import answers
from assay.subjects.child_process import ChildDiedError, ChildProcess
from assay.subjects.pickles.limits import Limits
from assay.subjects.pickles.listening import listen
from assay.subjects.pickles.records import Event, PickleRecord

_CHILD = Path(__file__).parent / "child"
# The child package is named on its own, so that nothing else of Assay is imported there.
_BOOT = (
    "import sys,types;p=types.ModuleType('assay_child');p.__path__=[sys.argv[1]];"
    "sys.modules['assay_child']=p;from assay_child.loop import main;main()"
)
MAX_ANSWER = 64 << 20
# What reading may take at most, whatever the user allows: an honest pickle needs about five times its size.
# One that asks for a memo of gigabytes in a few bytes is refused before they are written full of zeros.
LEAST_MEMORY, MEMORY_PER_BYTE = 256 << 20, 64


def reading_process(limits: Limits, shapes: str = "") -> ChildProcess:
    """A confined child that reads pickles, not started yet; `shapes` as `child.rules` reads it."""
    packed = base64.b64encode(zlib.compress(shapes.encode())).decode()  # one argument is 128 KiB at most
    command = [sys.executable, "-I", "-S", "-c", _BOOT, str(_CHILD), packed]
    return ChildProcess(command, {}, seconds=limits.seconds, most=MAX_ANSWER)


class Reader:
    """One child process. It is started on first use and again after its death.

    Args:
        limits: bounds on each job.
        shapes: in what shape globals may be used, as `child.rules` reads it.
    """

    def __init__(self, limits: Limits, shapes: str) -> None:
        self._limits = limits
        self._child = reading_process(limits, shapes)

    def read(self, fd: int, start: int, length: int, *, probe: bool, walk: bool) -> PickleRecord:
        """As `Machine.read`."""
        mode = ("w" if walk else "c") + ("p" if probe else "")
        memory = min(self._limits.memory, LEAST_MEMORY + MEMORY_PER_BYTE * length)
        events, death = self._ask(fd, f"{mode} {start} {length} {memory}")
        if death and not walk:
            more, second = self._ask(fd, f"w{mode} {start} {length} {memory}")
            death = f"{death}; then the streaming pass: {second}" if second else f"{death}; walked instead"
            events += more
        return _record(events, death, self._child.note)

    def _ask(self, fd: int, job: str) -> tuple[list[Event], str]:
        self._child.start()
        bounds = f" {self._limits.seconds} {self._limits.events}"
        events: list[Event] = []
        try:
            self._child.send(job + bounds, fd)
            listen(answers(self._child), events)
        except ChildDiedError as death:
            self._child.close()
            return events, str(death)
        return events, ""

    def launch(self) -> None:
        """Let the child process begin to start; where it cannot, reading says so."""
        with suppress(SubjectError):
            self._child.launch()

    def close(self) -> None:
        """End the child process."""
        self._child.close()


def _record(events: list[Event], death: str, note: str) -> PickleRecord:
    kept = _confirmed(events)
    ends = [event for event in kept if event.kind == "end"]
    reasons = [f"{event.what[0]}: {event.what[1]}" for event in kept if event.kind == "limit"]
    reasons += [event.what[1] for event in ends if event.what[1]]
    if death:
        reasons.append(death)
    kinds = [event.what[0] for event in events if event.kind == "kind" and event.depth == 0]
    plausible = "pickle" in kinds or (bool(reasons) and not kinds)
    return PickleRecord(
        is_pickle=plausible,
        events=tuple(kept),
        streams=sum(event.kind == "stream" for event in kept),
        machines=tuple(sorted({event.what[0] for event in ends})),
        incomplete=tuple(dict.fromkeys(reasons)),
        notes=(note,) if note else (),
    )


def _confirmed(events: list[Event]) -> list[Event]:
    """Without what bytes inside a pickle gave that turned out to be no pickle themselves."""
    kept: list[Event] = []
    begun = 0
    for event in events:
        if event.kind == "stream":
            begun = len(kept)
        kept.append(event)
        if event.kind == "kind" and event.depth and event.what[0] == "none":
            del kept[begun:]
    return kept
