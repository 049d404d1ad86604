"""Find a report of the same bytes, or keep one."""

from __future__ import annotations

import hashlib
import os
import stat
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from assay.core.canonical import canonical_digest
from assay.core.ignoring import ignore_findings
from assay.core.report import Report
from assay.pipeline.report_cache.entry import decode, encode, keepable
from assay.pipeline.report_cache.facts import Facts, facts_of
from assay.pipeline.report_cache.tool import environment, tool_digest
from assay.pipeline.runner import Task
from assay.sources.private_folder import require_private

MAX_ENTRY = 4 << 20  # bytes
MAX_BYTES = 64 << 20  # of all entries
MAX_ENTRIES = 2_000


def _now() -> datetime:
    return datetime.now(UTC)


class ReportCache:
    """Reports of earlier scans.

    An entry counts for the same bytes (SHA-256), names, marks and links, check and its version, options,
    files of Assay, Python and libraries. Anything else, damage included, and it is scanned again.

    Args:
        folder: where entries lie; made with mode 0700 once there is something to keep.
        clock: the time.
    """

    def __init__(self, folder: Path, *, clock: Callable[[], datetime] = _now) -> None:
        self._folder = folder
        self._clock = clock
        self._facts: dict[str, Facts] = {}

    def look(self, path: Path, facts: Facts) -> bool:
        """Note what `path` was like before it was hashed; whether its report may be here.

        False says nothing of a folder, which is hashed before it is scanned anyway.

        Raises:
            UsageError: the cache's folder is not the user's alone.
        """
        require_private(self._folder)
        self._facts[str(path.absolute())] = facts
        return bool(facts.identity) and (self._folder / facts.identity).is_file()

    def report(self, task: Task, run: Callable[[Task], Report], *, known: bool = True) -> Report:
        """The report of `task`: an earlier one of the same bytes, else that of `run`, which is kept.

        Args:
            task: what to scan; its subject was looked at before it was hashed.
            run: makes a report.
            known: whether an earlier report may be here, so that its digest is worth waiting for.
        """
        facts = self._facts.get(task.subject.location)
        if facts is None or not type(task.check).__module__.startswith("assay.") or task.baseline:
            return run(task)
        found = self._found(task, facts) if known else None
        if found is None:
            found = run(replace(task, ignores=()))
            self._keep(task, facts, found)
        return ignore_findings(found, task.ignores, self._clock().date())

    def _found(self, task: Task, facts: Facts) -> Report | None:
        path = self._folder / _name(task, facts)
        raw = _read(path)
        decoded = decode(raw, _inputs(task, facts), task.subject) if raw else None
        if decoded is None:
            return None
        with suppress(OSError):  # evicted meanwhile
            os.utime(path)
        report, scanned_at = decoded
        note = f"from cache: scanned at {scanned_at}; bytes, rules and options are the same"
        coverage = replace(report.coverage, notes=(*report.coverage.notes, note))
        metrics = {**report.metrics, "cached": True, "scanned_at": scanned_at}
        return replace(report, coverage=coverage, metrics=metrics)

    def _keep(self, task: Task, facts: Facts, report: Report) -> None:
        """Keep a whole report of what did not change since before it was hashed."""
        after = facts_of(task.subject.path)
        if not keepable(report) or after is None or after.stamp != facts.stamp:
            return
        try:
            entry = encode(report, _inputs(task, facts), self._clock().isoformat(timespec="seconds"))
            if len(entry) > MAX_ENTRY:
                return
            self._write(_name(task, facts), entry)
            if facts.identity:
                self._write(facts.identity, b"")
            self._evict()
        except (OSError, ValueError, TypeError):
            return  # a report that cannot be kept is still a report

    def _write(self, name: str, content: bytes) -> None:
        scratch = self._folder / f".{uuid.uuid4().hex}"
        try:
            descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with open(descriptor, "wb") as file:  # noqa: PTH123  from a descriptor
                file.write(content)
            scratch.rename(self._folder / name)
        finally:
            scratch.unlink(missing_ok=True)

    def _evict(self) -> None:
        """Remove what was used longest ago, down to four fifths, once there is too much."""
        with os.scandir(self._folder) as entries:
            states = [(entry.stat(follow_symlinks=False), entry.path) for entry in entries]
        size = sum(max(state.st_size, 1) for state, _ in states)
        if size <= MAX_BYTES and len(states) <= MAX_ENTRIES:
            return
        count = len(states)
        for state, path in sorted(states, key=lambda item: item[0].st_mtime_ns):
            if size <= MAX_BYTES * 4 // 5 and count <= MAX_ENTRIES * 4 // 5:
                return
            Path(path).unlink(missing_ok=True)
            size, count = size - state.st_size, count - 1


def _name(task: Task, facts: Facts) -> str:
    """Where the entry lies; the latest of a subject takes the place of those with other inputs."""
    named = (task.check.info.name, task.subject.sha256, facts.layout)
    return hashlib.sha256(repr(named).encode()).hexdigest() + ".json"


def _inputs(task: Task, facts: Facts) -> dict[str, str]:
    """All that has a say in the report."""
    return {
        "check": task.check.info.name,
        "check_version": task.check.info.version,
        "kind": task.subject.kind.value,
        "sha256": task.subject.sha256,
        "layout": facts.layout,
        "options": canonical_digest(dict(task.options)),
        "tool": tool_digest(),
        "environment": environment(),
    }


def _read(path: Path) -> bytes | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:  # noqa: PTH123  from a descriptor
            state = os.fstat(descriptor)
            if not stat.S_ISREG(state.st_mode) or state.st_uid != os.geteuid():
                return None
            raw = file.read(MAX_ENTRY + 1)
    except OSError:
        return None
    return raw if len(raw) <= MAX_ENTRY else None
