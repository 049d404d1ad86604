"""Many texts, one JSON object a line, judged in order on all cores.

A line `{"id", "text"}` becomes a line of `rows.row`. Texts are judged as they come: a pipe that stands still
is answered in full before more is waited for. Memory does not grow with the number of lines.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any, NamedTuple

from assay.core.errors import EngineError
from assay.core.strict_json import MalformedError, parse_object
from assay.guard.guard import Guard
from assay.guard.policy import GuardPolicy
from assay.guard.rows import row, unjudged
from assay.guard.verdict import Action, GuardVerdict, Source

CHUNK = 1 << 16  # bytes that are read at once, and so of a batch
ALONE = 0.5  # seconds before more processes are worth their start
TOLD = 20  # bad lines, and reasons, that are kept
_ESCAPED = 12  # bytes that one character takes at most in JSON
_BESIDE = 1 << 16  # bytes of a line beside its text
_BOM = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """A line of the input, by number from 1; `raw` is None where it is longer than any that is judged."""

    number: int
    raw: bytes | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What all texts are judged by."""

    policy: GuardPolicy
    source: Source = Source.USER
    route: str = ""

    @property
    def longest(self) -> int:
        """Bytes of a line; the text of a longer one is too long for the policy."""
        return _ESCAPED * self.policy.max_characters + _BESIDE


@dataclass(slots=True)
class Tally:
    """What became of texts.

    Attributes:
        actions: how many were judged, by action.
        gaps: what was not looked at and why, with the number of texts; the first `TOLD` reasons.
        incomplete: how many were not looked at in full.
        bad: lines that were not judged, by number, and why; the first `TOLD`.
        unjudged: how many there are.
    """

    actions: Counter[Action] = field(default_factory=Counter)
    gaps: Counter[str] = field(default_factory=Counter)
    incomplete: int = 0
    bad: list[tuple[int, str]] = field(default_factory=list)
    unjudged: int = 0

    def add(self, other: Tally) -> None:
        """Take in what came later."""
        self.actions += other.actions
        self.incomplete += other.incomplete
        self.unjudged += other.unjudged
        self.bad = (self.bad + other.bad)[:TOLD]
        for gap, count in other.gaps.items():
            if gap in self.gaps or len(self.gaps) < TOLD:
                self.gaps[gap] += count

    def judged(self, verdict: GuardVerdict) -> None:
        """Count a verdict."""
        self.actions[verdict.action] += 1
        self.incomplete += not verdict.complete
        for gap in verdict.gaps:
            if gap in self.gaps or len(self.gaps) < TOLD:
                self.gaps[gap] += 1

    @property
    def total(self) -> int:
        """How many texts there were."""
        return sum(self.actions.values()) + self.unjudged

    def missed(self, number: int, why: str) -> None:
        """Count a line that was not judged."""
        self.unjudged += 1
        self.bad = [*self.bad, (number, why)][:TOLD]


Judged = tuple[str, Tally]


def judged(
    read: Callable[[int], bytes], asked: Asked, *, processes: int | None = None, alone: float = ALONE
) -> Iterator[Judged]:
    """The lines of verdicts and what they come to, a batch at a time, in order.

    Args:
        read: gives at most so many bytes of JSON lines, at least one unless they are over.
        asked: what the texts are judged by.
        processes: how many judge; as many as there are cores.
        alone: seconds that this process judges by itself.

    Raises:
        ConfigError: a layer that the policy asks for cannot be made.
        EngineError: a process that judges died.
    """
    here = Judge(asked)
    batches = _batches(read, asked.longest)
    began = time.monotonic()
    for lines, _ in batches:
        yield here.lines(lines)
        if time.monotonic() - began > alone:
            break
    count = processes or os.cpu_count() or 1
    if count < 2:  # noqa: PLR2004  nobody to share with
        yield from (here.lines(lines) for lines, _ in batches)
    else:
        yield from _shared(batches, asked, count)


def _shared(batches: Iterator[tuple[list[Line], bool]], asked: Asked, count: int) -> Iterator[Judged]:
    first = next(batches, None)
    if first is None:
        return
    pool = ProcessPoolExecutor(count, get_context("spawn"), _open, (asked,))
    waiting: deque[Future[Judged]] = deque()
    try:
        for lines, more in _chained(first, batches):
            waiting.append(pool.submit(_lines, lines))
            while waiting and (not more or len(waiting) > 2 * count):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise EngineError(
            "a process that judges texts died; what was written before is whole",
            remedy="Judge the texts that are missing one by one; if one does it again, report it.",
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _chained(
    first: tuple[list[Line], bool], rest: Iterable[tuple[list[Line], bool]]
) -> Iterator[tuple[list[Line], bool]]:
    yield first
    yield from rest


def _batches(read: Callable[[int], bytes], longest: int) -> Iterator[tuple[list[Line], bool]]:
    """Lines as they come, and whether more stands ready behind them."""
    parts: list[bytes] = []  # of a line whose end did not come yet
    size = number = 0
    while chunk := read(CHUNK):
        *ended, rest = chunk.split(b"\n")
        lines = []
        for piece in ended:
            number += 1
            whole = b"".join((*parts, piece)) if size <= longest else None
            lines.append(Line(number, whole))
            parts, size = [], 0
        size += len(rest)
        parts = [*parts, rest] if size <= longest else []
        if lines:
            yield lines, len(chunk) == CHUNK
    if size:
        yield [Line(number + 1, b"".join(parts) if size <= longest else None)], False


class Judge:
    """Judges lines in this process."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._guard = Guard(asked.policy)

    def lines(self, lines: Iterable[Line]) -> Judged:
        """The lines of verdicts, and what they come to; blank lines are none."""
        tally = Tally()
        told = [self._line(line, tally) for line in lines if line.raw is None or line.raw.strip()]
        return "".join(told), tally

    def _line(self, line: Line, tally: Tally) -> str:
        identity: str | int | None = None
        try:
            document = _parsed(line, self._asked.longest)
            identity = _identity(document)
            text = _text(document)
        except MalformedError as error:
            tally.missed(line.number, str(error))
            return _dumped(unjudged(identity, f"line {line.number}: {error}"))
        verdict = self._guard.judge(text, self._asked.source, self._asked.route)
        tally.judged(verdict)
        return _dumped(row(identity, verdict))


def _parsed(line: Line, longest: int) -> dict[str, Any]:
    if line.raw is None:
        raise MalformedError(f"it is longer than the {longest:,} bytes that are read")
    raw = line.raw.removeprefix(_BOM) if line.number == 1 else line.raw
    return parse_object(raw, limit=longest, what="line", lone_surrogates=True)


def _identity(document: dict[str, Any]) -> str | int:
    identity = document.get("id")
    if not isinstance(identity, str | int) or isinstance(identity, bool):
        raise MalformedError("it has no id that is a text or a whole number")
    return identity


def _text(document: dict[str, Any]) -> str:
    text = document.get("text")
    if not isinstance(text, str):
        raise MalformedError("it has no text")
    return text


def _dumped(document: object) -> str:
    return json.dumps(document) + "\n"


_JUDGE: list[Judge] = []  # of a process of the pool


def _open(asked: Asked) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is the parent's to answer
    _JUDGE[:] = [Judge(asked)]


def _lines(lines: list[Line]) -> Judged:
    return _JUDGE[0].lines(lines)
