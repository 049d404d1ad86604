"""What reads pickles: plain data here, all else in child processes, and the pool that they wait in."""

from __future__ import annotations

import os
import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Self

from assay.subjects.pickles import plain
from assay.subjects.pickles.limits import Limits
from assay.subjects.pickles.records import Event, PickleRecord

if TYPE_CHECKING:
    from assay.subjects.pickles.asking import Reader

__all__ = ["Limits", "Machine", "MachinePool"]
_PLAIN = PickleRecord(
    is_pickle=True,
    events=(
        Event("stream", None, ("0", "0")),
        Event("kind", None, ("pickle",)),
        Event("end", None, (plain.NAME, "")),
    ),
    streams=1,
    machines=(plain.NAME,),
)


class Machine:
    """Reads pickles, in one child process that is started where it is needed first.

    Args:
        limits: bounds on each job.
        shapes: gives in what shape globals may be used, as `child.rules` reads it.
    """

    def __init__(self, limits: Limits, shapes: Callable[[], str] = str) -> None:
        self._limits = limits
        self._shapes = shapes

    @cached_property
    def _reader(self) -> Reader:
        from assay.subjects.pickles.asking import Reader  # noqa: PLC0415  start-up

        return Reader(self._limits, self._shapes())

    def read(
        self, fd: int, start: int, length: int, *, probe: bool = False, walk: bool = False
    ) -> PickleRecord:
        """Read `length` bytes from `start` of an open file as pickles; small plain data without the child.

        Args:
            fd: the open file; it is mapped, never copied.
            start: first byte.
            length: how many bytes, at least one.
            probe: it is not known whether these bytes are a pickle.
            walk: use the streaming machine alone, which knows offsets.

        Raises:
            SubjectError: no child process can be started.
        """
        if not walk and length <= plain.MOST and plain.is_plain(os.pread(fd, length, start)):
            return _PLAIN
        return self._reader.read(fd, start, length, probe=probe, walk=walk)

    def launch(self) -> None:
        """Let the child process begin to start; where it cannot, reading says so."""
        self._reader.launch()

    def close(self) -> None:
        """End the child process."""
        if "_reader" in self.__dict__:
            self._reader.close()


class MachinePool:
    """Up to `size` machines, lent to one thread each; `shapes` as for `Machine`.

    Inside `with`, the process of the first starts beside whatever is done until it is needed, if it is
    needed `soon`.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        size: int | None = None,
        *,
        shapes: Callable[[], str] = str,
        soon: bool = True,
    ) -> None:
        count = size or os.cpu_count() or 1
        self._soon = soon
        self._machines = [Machine(limits or Limits(), shapes) for _ in range(count)]
        self._free: queue.LifoQueue[Machine] = queue.LifoQueue()
        for machine in reversed(self._machines):
            self._free.put(machine)  # the first of them comes out first

    @contextmanager
    def lend(self) -> Iterator[Machine]:
        """A machine for the time being; waits for one."""
        machine = self._free.get()
        try:
            yield machine
        finally:
            self._free.put(machine)

    def __enter__(self) -> Self:
        if self._soon:
            self._machines[0].launch()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for machine in self._machines:
            machine.close()
