"""Examines many files on all cores.

Reading a pickle leaves the interpreter free, since a child process does it; judging texts, programs and
graphs does not, and threads that do so wait for each other. So every thread of a scan that takes longer than
a moment hands its files to a process of its own from then on. What is found does not depend on it.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

import assay
from assay.checks.packaging.artifact_scan.blob import Outcome
from assay.checks.packaging.artifact_scan.next_steps import ALONE
from assay.checks.packaging.artifact_scan.options import ArtifactScanOptions
from assay.checks.packaging.artifact_scan.scanner import Scanner
from assay.core.codec import from_json, to_json
from assay.core.errors import AssayError
from assay.core.report import Skipped
from assay.subjects.child_process import start_bound

File: TypeAlias = tuple[Path, str]
BEFORE = 0.5  # seconds that a scan takes before more processes are worth their start
CHUNK = 8  # files of one job
_ANSWER: Any = list[Outcome] | None
FEW = 8  # files for which no process is started any more
_BOOT = (
    "import sys,json;sys.path[:]=json.loads(sys.argv[1]);"
    "from assay.checks.packaging.artifact_scan.worker import main;main()"
)


class WorkerDiedError(Exception):
    """The process ended before it had answered."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a scan asks of all of its workers; as `Scanner` takes it."""

    options: ArtifactScanOptions
    workspace: Path
    folder: Path | None


class Worker:
    """One process that examines files.

    Raises:
        WorkerDiedError: it cannot be started.
    """

    def __init__(self, task: Task) -> None:
        paths = [str(Path(assay.__file__).parents[1]), *sys.path]
        flags = ["-B"] if sys.dont_write_bytecode else []
        try:
            self._process, self._bond = start_bound(
                [sys.executable, "-I", "-S", *flags, "-c", _BOOT, json.dumps(paths)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # a Ctrl-C is the parent's to answer
            )
        except OSError as error:
            raise WorkerDiedError(str(error)) from error
        try:
            self._asked(to_json(task))
        except WorkerDiedError:
            self.close()
            raise

    def examine(self, files: Sequence[File], left: int) -> tuple[list[Outcome] | None, int]:
        """The outcomes of files, and how many bytes they unpacked to, of `left` that they may.

        The outcomes are None where they cannot be told.

        Raises:
            WorkerDiedError: it ended, or says what is no outcome.
        """
        answer = self._asked({"files": [(str(path), name) for path, name in files], "left": left})
        try:
            outcomes = from_json(_ANSWER, answer["outcomes"])
            spent = int(answer["spent"])
        except (AssayError, LookupError, TypeError, ValueError) as error:
            raise WorkerDiedError(f"it says what is no outcome: {error}") from error
        if outcomes is not None and len(outcomes) != len(files):
            raise WorkerDiedError(f"it says {len(outcomes)} outcomes of {len(files)} files")
        return outcomes, spent

    def _asked(self, job: dict[str, Any]) -> dict[str, Any]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None  # noqa: S101, PT018  made with pipes
        try:
            stdin.write(json.dumps(job).encode("ascii") + b"\n")
            stdin.flush()
            answer = json.loads(stdout.readline())
        except (OSError, ValueError, RecursionError) as error:
            self._process.kill()
            raise WorkerDiedError(f"exit {self._process.wait()}") from error
        if not isinstance(answer, dict):
            raise WorkerDiedError("it says what is no answer")
        return answer

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):  # what was not sent yet is for nobody
                    stream.close()
        self._process.wait()
        if self._bond >= 0:
            os.close(self._bond)
            self._bond = -1


class Workers:
    """The threads' processes: each thread that asks gets one of its own, once the scan takes long enough.

    Args:
        scanner: examines until then, and where no process can be started.
        task: the same for other processes.
        files: how many there will be.
        alone: seconds until then.
    """

    def __init__(
        self,
        scanner: Scanner,
        task: Task,
        files: int,
        *,
        alone: float = BEFORE,
    ) -> None:
        self._scanner = scanner
        self._task = task
        self._coming = files
        self._from = time.monotonic() + alone
        self._mine = threading.local()
        self._all: list[Worker] = []
        self._pids: list[int] = []
        self._counting = threading.Lock()

    def examine(self, files: Sequence[File]) -> list[Outcome]:
        """The outcome of each file, in their order; never raises for what is in them."""
        with self._counting:
            self._coming -= len(files)
        if self._worker() is None:
            return [self._scanner.file(*file) for file in files]
        try:
            outcomes = self._ask(files)
        except WorkerDiedError:
            return [outcome for file in files for outcome in self._one(file)]
        return [self._scanner.file(*file) for file in files] if outcomes is None else outcomes

    def _one(self, file: File) -> list[Outcome]:
        try:
            outcomes = self._ask([file])
        except WorkerDiedError as death:
            reason = f"the process that examined it died ({death})"
            return [Outcome(skipped=[Skipped(file[1], reason, ALONE)])]
        return [self._scanner.file(*file)] if outcomes is None else outcomes

    def _ask(self, files: Sequence[File]) -> list[Outcome] | None:
        worker = self._worker()
        if worker is None:
            raise WorkerDiedError("no other can be started")
        try:
            outcomes, spent = worker.examine(files, self._scanner.unpackable)
        except WorkerDiedError:
            worker.close()
            self._mine.worker = None
            raise
        self._scanner.spend(spent)
        return outcomes

    def _worker(self) -> Worker | None:
        """This thread's process, or None while it is not worth one or where none can be started."""
        mine: Worker | None = getattr(self._mine, "worker", None)
        if mine is not None or time.monotonic() < self._from or self._coming < FEW:
            return mine
        try:
            mine = Worker(self._task)
        except WorkerDiedError:
            self._from = math.inf
            return None
        self._mine.worker = mine
        with self._counting:
            self._all.append(mine)
            self._pids.append(mine.pid)
        return mine

    @property
    def pids(self) -> list[int]:
        """The processes that were started."""
        return list(self._pids)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._from = math.inf  # none is started for threads that have not ended yet
        with self._counting:
            ended, self._all = self._all, []
        for worker in ended:
            worker.close()
