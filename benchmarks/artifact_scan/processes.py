"""Whole processes: how long, how much processor time, how much memory."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .scanners import environment

_SAMPLE = 0.05  # seconds between two looks at memory


@dataclass(frozen=True, slots=True)
class Run:
    """One process from its start to its end: seconds, and None for the exit code where it was stopped."""

    wall: float
    processor: float
    code: int | None


def run(command: Sequence[str], limit: float) -> Run:
    """Start, wait, and add up what it and its children used."""
    began = time.perf_counter()
    process = _start(command)
    stopped = threading.Event()

    def stop() -> None:
        stopped.set()
        os.killpg(process.pid, signal.SIGKILL)

    timer = threading.Timer(limit, stop)
    timer.start()
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    return Run(wall, used.ru_utime + used.ru_stime, None if stopped.is_set() else process.returncode)


def peak_memory(command: Sequence[str], limit: float) -> tuple[int, bool]:
    """Most bytes that it and its children held at one time, shared pages once; whether it came to its end."""
    process, peak = _start(command), 0
    end = time.monotonic() + limit
    while process.poll() is None:
        if time.monotonic() > end:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return peak, False
        peak = max(peak, sum(map(_proportional, _group(process.pid))))
        time.sleep(_SAMPLE)
    return peak, True


def _start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    quiet = subprocess.DEVNULL
    return subprocess.Popen(
        command, stdin=quiet, stdout=quiet, stderr=quiet, env=environment(), start_new_session=True
    )


def _group(leader: int) -> list[int]:
    """The processes of its session."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.getsid(int(entry.name)) == leader:
                found.append(int(entry.name))
        except ProcessLookupError:
            continue
    return found


def _proportional(process: int) -> int:
    """Bytes in memory, its share of what it shares with others."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0  # it has ended
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:"))
