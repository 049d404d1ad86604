"""What a walk over a stream comes to, and how it tells what it sees."""

from __future__ import annotations

from dataclasses import dataclass

from .recorder import Recorder
from .symbols import UNKNOWN, Global, describe, name_of
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
        self._held: list[tuple[str, int, str, str]] = []

    def _hold(self, kind: str, offset: int, what: str, more: str = "") -> None:
        """Tell at once, or, while it may all be chance, once a STOP showed that this is a stream."""
        if self._strict:
            self._tell(kind, offset, what, more)
        elif len(self._held) < 100:  # noqa: PLR2004
            self._held.append((kind, offset, what, more))

    def confirm(self) -> None:
        """The stream ended by STOP: what was held back counts."""
        for kind, offset, what, more in self._held:
            self._tell(kind, offset, what, more)
        self._held.clear()

    def _tell(self, kind: str, offset: int, *what: str, times: int = 3) -> None:
        key = (kind, what[0] + "\0" + (what[1] if kind == "global" else ""))
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
        return Global(module, name)

    def called(self, function: Global, args: tuple[object, ...], how: str, offset: int) -> None:
        """A global was called."""
        if self._strict or plausible(function.module, function.name):
            shown = ", ".join(describe(arg) for arg in args[:8])
            self._tell("call", offset, f"{function.module}.{function.name}"[:800], shown[:400], how)

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
