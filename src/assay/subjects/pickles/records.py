"""What the machine brings back about the pickles in a region of a file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """One thing a stream does.

    Attributes:
        kind: `global`, `call`, `state`, `mutate` (a global itself is changed), `misuse` (against its rule),
            `computed-name`, `computed-call`, `extension`, `persistent`, `frame`, `limit`, `junk`, `stream`,
            `end`, `target` (a key and the name that a setting would be made of), `asks` (for the walk) …
        offset: 0-based byte in the file, where the reading machine knows it.
        what: texts; for `global` module and name, for `call` callable, arguments and opcode; for `misuse`
            global, what is wrong, arguments or state, and opcode. `plain` follows a global or misuse that
            was met past a joblib array of objects by a reader that knows no such arrays.
        depth: how many pickles deep it lies in bytes of another pickle.
        source: the call as Python, where the streaming machine met it; pure ASCII.
        steps: the opcodes that lead to it, as (offset, text), in the order of the stream.
    """

    kind: str
    offset: int | None
    what: tuple[str, ...]
    depth: int = 0
    source: str = ""
    steps: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PickleRecord:
    """What was recorded of one region.

    Attributes:
        is_pickle: whether the bytes are a pickle, or would at least import something when read as one.
        events: what its streams do, in order.
        streams: how many there are, nested ones included.
        machines: which machines read them: `c`, `walk`, `plain`.
        incomplete: why not all of it was read; empty when it was.
        notes: what a reviewer should know.
    """

    is_pickle: bool
    events: tuple[Event, ...]
    streams: int
    machines: tuple[str, ...]
    incomplete: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def of(self, *kinds: str) -> list[Event]:
        """The events of some kinds."""
        return [event for event in self.events if event.kind in kinds]
