"""The child processes that read pickles, and the pool they wait in."""

from __future__ import annotations

import base64
import os
import queue
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from assay.core.errors import SubjectError
from assay.subjects.child_answers import answers
from assay.subjects.child_process import ChildDiedError, ChildProcess
from assay.subjects.pickles.listening import listen
from assay.subjects.pickles.records import Event, PickleRecord

_CHILD = Path(__file__).parent / "child"
# The child package is named on its own, so that nothing else of Assay is imported there.
_BOOT = (
    "import sys,types;p=types.ModuleType('assay_child');p.__path__=[sys.argv[1]];"
    "sys.modules['assay_child']=p;from assay_child.loop import main;main()"
)
MAX_ANSWER = 64 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one job: bytes of memory, seconds of processor and wall time, events."""

    memory: int = 4 << 30
    seconds: int = 120
    events: int = 50_000


def reading_process(limits: Limits, shapes: str = "") -> ChildProcess:
    """A confined child that reads pickles, not started yet; `shapes` as for `Machine`."""
    packed = base64.b64encode(zlib.compress(shapes.encode())).decode()  # one argument is 128 KiB at most
    command = [sys.executable, "-I", "-S", "-c", _BOOT, str(_CHILD), packed]
    return ChildProcess(command, {}, seconds=limits.seconds, most=MAX_ANSWER)


class Machine:
    """One child process. It is started on first use and again after its death.

    Args:
        limits: bounds on each job.
        shapes: in what shape globals may be used, as `child.rules` reads it.
    """

    def __init__(self, limits: Limits, shapes: str = "") -> None:
        self._limits = limits
        self._child = reading_process(limits, shapes)

    def read(
        self, fd: int, start: int, length: int, *, probe: bool = False, walk: bool = False
    ) -> PickleRecord:
        """Read `length` bytes from `start` of an open file as pickles.

        Args:
            fd: the open file; it is mapped, never copied.
            start: first byte.
            length: how many bytes, at least one.
            probe: it is not known whether these bytes are a pickle.
            walk: use the streaming machine alone, which knows offsets.

        Raises:
            SubjectError: no child process can be started.
        """
        mode = ("w" if walk else "c") + ("p" if probe else "")
        events, death = self._ask(fd, f"{mode} {start} {length}")
        if death and not walk:
            more, second = self._ask(fd, f"w{mode} {start} {length}")
            death = f"{death}; then the streaming pass: {second}" if second else f"{death}; walked instead"
            events += more
        return _record(events, death, self._child.note)

    def _ask(self, fd: int, job: str) -> tuple[list[Event], str]:
        self._child.start()
        bounds = f" {self._limits.memory} {self._limits.seconds} {self._limits.events}"
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


class MachinePool:
    """Up to `size` machines, lent to one thread each; `shapes` as for `Machine`.

    Inside `with`, their processes start beside whatever is done until they are needed.
    """

    def __init__(self, limits: Limits | None = None, size: int | None = None, *, shapes: str = "") -> None:
        count = size or os.cpu_count() or 1
        self._machines = [Machine(limits or Limits(), shapes) for _ in range(count)]
        self._free: queue.LifoQueue[Machine] = queue.LifoQueue()
        for machine in self._machines:
            self._free.put(machine)

    @contextmanager
    def lend(self) -> Iterator[Machine]:
        """A machine for the time being; waits for one."""
        machine = self._free.get()
        try:
            yield machine
        finally:
            self._free.put(machine)

    def __enter__(self) -> Self:
        for machine in self._machines:
            machine.launch()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for machine in self._machines:
            machine.close()


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
