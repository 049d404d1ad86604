"""The gateway's records: one JSON line for each request, whatever became of it."""

from __future__ import annotations

import json
import os
import threading
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from assay.core.codec import to_json
from assay.gateway.records import TextRecord
from assay.guard.verdict import Action

MAX_WAITING = 10_000
MAX_TEXTS = 500  # of one request that a record names one by one


class Outcome(StrEnum):
    """What became of a request."""

    ALLOWED = "allowed"
    FLAGGED = "flagged"
    REDACTED = "redacted"
    BLOCKED = "blocked"
    REFUSED = "refused"  # it never reached the guard, or the model
    FAILED = "failed"  # the upstream, the client or the gateway failed


@dataclass(frozen=True, slots=True)
class SkipRecord:
    """A part that no guard looked at, and what was done about it."""

    place: str
    kind: str
    reason: str
    action: str


@dataclass(slots=True)
class SideRecord:
    """What was judged on the way in, or on the way out.

    Attributes:
        texts: at most `MAX_TEXTS`; the ones that were let through as they are go first out of the list.
        scanned: texts that every layer looked at.
        incomplete: texts that some layer did not look at.
        skipped: parts that no layer looked at.
        action: the gravest.
        seconds: spent in the guard.
    """

    texts: list[TextRecord] = field(default_factory=list)
    scanned: int = 0
    incomplete: int = 0
    skipped: list[SkipRecord] = field(default_factory=list)
    action: Action = Action.ALLOW
    seconds: float = 0.0

    def note(self, texts: list[TextRecord]) -> None:
        """Add texts that were judged."""
        for one in texts:
            self.scanned += not one.gaps
            self.incomplete += bool(one.gaps)
            self.action = max(self.action, one.action, key=lambda action: action.rank)
        grave = sorted([*self.texts, *texts], key=lambda one: -one.action.rank)
        self.texts = grave[:MAX_TEXTS]


@dataclass(slots=True)
class Record:
    """One request.

    Attributes:
        id: as in the header `x-request-id`.
        time: when it came, UTC.
        endpoint: `chat`, `completions`, `responses`, `embeddings`, `models`.
        key, tenant: who asked; the key's id.
        model: what was asked for.
        stream: the answer came in pieces.
        upstream: who answered, "" where nobody did.
        status: the HTTP status that the client got.
        outcome: what became of it.
        code: of the error, or "".
        reason: why it failed, for people.
        input, output: what was judged.
        tokens: as the upstream counts them.
        finish: why the answer ended.
        seconds: in all, until the first byte of the upstream's answer, and until the first byte left.
        policy: SHA-256 of the policy in force.
    """

    id: str
    time: datetime
    endpoint: str
    key: str = ""
    tenant: str = ""
    model: str = ""
    stream: bool = False
    upstream: str = ""
    status: int = 0
    outcome: Outcome = Outcome.FAILED
    code: str = ""
    reason: str = ""
    input: SideRecord = field(default_factory=SideRecord)
    output: SideRecord = field(default_factory=SideRecord)
    tokens: dict[str, Any] = field(default_factory=dict)
    finish: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    policy: str = ""

    def settle(self) -> None:
        """Derive the outcome of a request that was answered."""
        action = max(self.input.action, self.output.action, key=lambda one: one.rank)
        flagged = any(one.action == "flag" for one in (*self.input.skipped, *self.output.skipped))
        named = {
            Action.ALLOW: Outcome.FLAGGED if flagged else Outcome.ALLOWED,
            Action.FLAG: Outcome.FLAGGED,
            Action.REDACT: Outcome.REDACTED,
            Action.BLOCK: Outcome.BLOCKED,
        }
        self.outcome = named[action]


class AuditLog:
    """Appends records to a file, from a thread of its own.

    What waits is one `write` at the file's end, and the file is opened anew for each: whoever rotates it
    loses nothing, and several processes may share it.

    Args:
        file: where to.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._waiting: deque[bytes] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self.failure = ""
        self.failed = 0
        self._thread = threading.Thread(target=self._run, name="assay-audit", daemon=True)
        self._thread.start()

    @property
    def ready(self) -> bool:
        """Whether records can be written, as far as is known; tries again where the last one could not."""
        if self.failure:
            self._write([])
        return not self.failure and len(self._waiting) < MAX_WAITING

    def append(self, record: Record) -> None:
        """Have a record written."""
        line = line_of(
            record
        )  # here, and not in the thread: it would keep the interpreter from the event loop
        with self._changed:
            self._waiting.append(line)
            self._changed.notify()

    def flush(self) -> None:
        """Wait until all that was appended is written."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting)

    def close(self) -> None:
        """Write the rest and end."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closing)
                batch = list(self._waiting)
                if not batch:
                    return
            self._write(batch)
            with self._changed:
                for _ in batch:
                    self._waiting.popleft()
                self._changed.notify_all()

    def _write(self, batch: list[bytes]) -> None:
        try:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            descriptor = os.open(self._file, flags, 0o600)
            try:
                if batch:
                    _append(descriptor, b"".join(batch))
            finally:
                os.close(descriptor)
            self.failure = ""
        except OSError as error:
            self.failure = error.strerror or "unknown"
            self.failed += len(batch)


def _append(descriptor: int, lines: bytes) -> None:
    if os.write(descriptor, lines) != len(lines):
        raise OSError(28, "No space left on device")


def line_of(record: Record) -> bytes:
    """A record as a line of JSON; what is empty is left out."""
    document = _dense(to_json(record))
    return json.dumps(document, separators=(",", ":"), ensure_ascii=True).encode() + b"\n"


def _dense(value: Any) -> Any:
    if isinstance(value, dict):
        found = {key: _dense(item) for key, item in value.items()}
        return {key: item for key, item in found.items() if item not in (None, "", [], {}, ())}
    if isinstance(value, list):
        return [_dense(item) for item in value]
    return round(value, 6) if isinstance(value, float) else value
